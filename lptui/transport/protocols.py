"""The seams: what probes and actions may ask of a transport. Fakes stand behind the same.

Every method raises `TransportError` (or a subclass) and nothing else when the outside world
fails, and never waits beyond the deadline that it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lptui.errors import RpcError
from lptui.fleet.facts.rpc import RpcUsage
from lptui.fleet.topology import Endpoint

OUTPUT_LIMIT = 256 * 1024
"""Most bytes that one command or answer may give unless its caller asks for more."""


@dataclass(frozen=True, slots=True)
class ShellFunction:
    """A constant POSIX shell function that a probe brings along; it must be one line.

    It saves forks: `read` and `printf` are built into the shell. `text` is the whole definition
    (`name() { …; }`) and never contains anything that came from outside.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command for a host, always as an argument list.

    Attributes:
        argv: program and arguments; with `function` set, argv[0] is the function's name.
        timeout_s: after which the far side ends it (status 124), where it has `timeout`.
        limit: most bytes of output.
        merge_stderr: put its error output among its output; otherwise it is dropped.
    """

    argv: tuple[str, ...]
    timeout_s: float = 8.0
    limit: int = OUTPUT_LIMIT
    merge_stderr: bool = False
    function: ShellFunction | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What a command gave. `status` 127: not found, 126: not executable, 124: timed out there."""

    stdout: bytes
    status: int

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a one-off command gave. `status` None: the connection died, the outcome is unknown."""

    stdout: bytes
    stderr: bytes
    status: int | None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer, whatever its status. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_s: float = 0.0

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Contact:
    """A connection that was opened and closed again, with nothing said.

    `certificate` is the SHA-256 of the one that the far side showed, hexadecimal; "" without TLS.
    """

    took_s: float
    certificate: str = ""


class Shell(Protocol):
    """The long-lived shell of one host."""

    async def run(self, commands: Sequence[Command], deadline_s: float) -> list[Output]:
        """Runs commands one after the other in one round trip; one output each.

        A command that fails does not stop the later ones. Raises DeadlineError when not all
        have answered in time, CommandError(OUTPUT_TOO_LARGE) when one floods.
        """
        ...


class Following(Protocol):
    """A command that goes on, like `tail -F`; it ends with the console, or with `stop`."""

    async def read(self) -> bytes:
        """What it has written since; b"" when it has ended. Who does not read makes it wait.

        Raises TransportError when the connection was lost.
        """
        ...

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs, or when that was not heard."""
        ...

    @property
    def errors(self) -> bytes:
        """The last that it has written to its standard error."""
        ...

    def stop(self) -> None:
        """Ends it at once."""
        ...


class Http(Protocol):
    """One HTTP endpoint."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_s: float = 8.0,
        limit: int = OUTPUT_LIMIT,
    ) -> HttpAnswer:
        """One request, never repeated, never redirected. Any status is an answer."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC call."""

    method: str
    params: tuple[Any, ...] = ()


class JsonRpc(Protocol):
    """One JSON-RPC endpoint."""

    name: str

    async def batch(self, calls: Sequence[Call], deadline_s: float = 8.0) -> list[Any | RpcError]:
        """All calls in one request; for each its result, or its own error as a value.

        Raises only when the request as a whole failed.
        """
        ...


class Reach(Protocol):
    """The whole fleet's transports, by name."""

    def shell(self, host: str) -> Shell:
        """The long-lived shell for readings."""
        ...

    async def execute(self, host: str, command: Command, stdin: bytes = b"") -> ExecResult:
        """A one-off command in its own channel, for actions; output and errors apart."""
        ...

    async def follow(self, host: str, command: Command) -> Following:
        """A command in its own channel that goes on until it is stopped, or the channel ends.

        Its `timeout_s` and `limit` are not looked at: who reads sees to that.
        """
        ...

    def http(self, endpoint: Endpoint) -> Http:
        """An HTTP endpoint, through its host's SSH connection or direct."""
        ...

    def rpc(self, name: str) -> JsonRpc:
        """A JSON-RPC endpoint of the fleet by its name."""
        ...

    def rpc_from(self, name: str, host: str, url: str) -> JsonRpc:
        """The same endpoint at the address that a host knows it by, asked through that host."""
        ...

    def rpc_usage(self, name: str) -> RpcUsage:
        """What an endpoint was asked until now, over each way."""
        ...

    async def exchange(
        self, host: str, address: str, payload: bytes, deadline_s: float, limit: int = OUTPUT_LIMIT
    ) -> bytes:
        """Writes to a unix socket (`/path`) or TCP address (`host:port`) seen from a host, and
        reads until the far side closes."""
        ...

    async def connect_time(self, host: str, address: str, deadline_s: float) -> float:
        """Seconds to open a TCP connection to `address:port` from a host."""
        ...

    async def contact(
        self, host: str | None, address: str, deadline_s: float, *, tls: bool
    ) -> Contact:
        """Opens a connection to `address:port` from a host (None: from here), and greets its TLS
        server; any certificate will do: it is told, not judged."""
        ...

    async def resolve(self, name: str, deadline_s: float) -> Sequence[str]:
        """Every IP address of a name, as the operator's machine resolves it."""
        ...
