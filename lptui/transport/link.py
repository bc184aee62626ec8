"""What a host offers to shells, HTTP and sockets, whether by SSH or on the operator's machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lptui.transport.protocols import Command, ExecResult, Following
from lptui.transport.stream import ByteStream


class ShellPipe(Protocol):
    """The running `/bin/sh` of a host."""

    def write(self, data: bytes) -> None: ...

    def kill(self) -> None:
        """Ends it, and its children as far as that is possible from here."""
        ...


class Link(Protocol):
    """The way to one host. Every method raises TransportError."""

    name: str

    async def start_shell(
        self,
        on_open: Callable[[ShellPipe], None],
        on_data: Callable[[bytes], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        """Starts `/bin/sh`.

        `on_open` is called as soon as it can be written to, which may be before this returns;
        `on_end` once at its end, with its exit status and whether the whole connection was lost;
        its last words may still follow for a moment.
        """
        ...

    async def open_tcp(self, host: str, port: int) -> ByteStream:
        """A TCP connection as the host would make it; names resolve there."""
        ...

    async def open_unix(self, path: str) -> ByteStream:
        """A connection to a unix socket of the host."""
        ...

    async def execute(self, command: Command, stdin: bytes) -> ExecResult:
        """A one-off command in its own session."""
        ...

    async def follow(self, command: Command) -> Following:
        """A command that goes on, in its own session."""
        ...

    async def round_trip(self) -> float:
        """Seconds for a message to the host and back; 0.0 on this machine."""
        ...

    async def close(self) -> None:
        """Ends what belongs to the link alone."""
        ...
