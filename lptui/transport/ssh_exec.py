"""A one-off command on a host, in its own SSH session; it is ended when its time is up.

To forget about a command ends nothing: it would go on on the host. sshd passes signals on, but
not to root's processes; so the command names its process, and a second session ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import signal as signals
from typing import Any, Final, cast

import asyncssh

from lptui.errors import CommandError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport.deadline import Deadline, stopped
from lptui.transport.protocols import Command, ExecResult
from lptui.transport.ssh import end, opened
from lptui.transport.ssh_errors import channel_refused
from lptui.transport.stream import lost

OPEN_S: Final = 10.0
"""Longest wait for a session."""

GRACE_S: Final = 1.0
"""Between TERM and KILL."""

_STOP_S: Final = 3.0

_SPECIAL: Final = re.compile(r"(['\\!])")
_OUTSIDE: Final = {"'": '"\'"', "\\": "\\\\", "!": "\\!"}


async def run_once(
    host: str, connection: asyncssh.SSHClientConnection, command: Command, stdin: bytes
) -> ExecResult:
    """Runs a command for at most `command.timeout_s`; raises TransportError."""
    what = f"{clean(' '.join(command.argv[:3]), 80)} on {host}"
    execution = Execution(command.limit, command.merge_stderr)
    line = "exec " + " ".join(
        map(quoted, ("/bin/sh", "-c", execution.script, "lptui", *command.argv))
    )
    channel = await start(what, connection, line, execution)
    with contextlib.suppress(OSError):  # it may have ended already; its status says more
        if stdin:
            channel.write(stdin)
        channel.write_eof()
    try:
        async with asyncio.timeout(command.timeout_s):
            await execution.done.wait()
    except TimeoutError:
        await _stop(connection, execution, channel)
        raise stopped(what, command.timeout_s) from None
    except asyncio.CancelledError:
        await _stop(connection, execution, channel)
        raise
    if execution.flooded:
        await _stop(connection, execution, channel)
        raise CommandError(
            what, f"more than {command.limit} bytes of output", kind=ProblemKind.OUTPUT_TOO_LARGE
        )
    return execution.result(what)


def quoted(word: str) -> str:
    """A word for whatever login shell there is.

    A backslash means something between the single quotes of fish, and `!` between those of tcsh;
    outside of quotes a backslash before either means the same to all.
    """
    parts = [part for part in _SPECIAL.split(word) if part]
    return "".join(_OUTSIDE.get(part, f"'{part}'") for part in parts) or "''"


async def start(
    what: str,
    connection: asyncssh.SSHClientConnection,
    line: str,
    session: object,
) -> Any:  # noqa: ANN401
    """A channel with a command on it; raises TransportError."""
    try:
        async with Deadline(what, OPEN_S):
            channel, _ = await opened(
                connection.create_session(lambda: cast("Any", session), line, encoding=None)
            )
    except asyncssh.ChannelOpenError as error:
        if "SSH connection closed" in error.reason:
            raise channel_refused(what, error, "a session") from None
        raise TransportError(
            what,
            f"sshd opens no further session ({clean(error.reason).lower()})",
            "raise MaxSessions in sshd_config there: lptui uses up to 4 at once",
            kind=ProblemKind.FORBIDDEN,
        ) from None
    except (asyncssh.Error, OSError) as error:
        raise lost(what, error) from None
    return channel


async def _stop(
    connection: asyncssh.SSHClientConnection,
    execution: Execution,
    channel: Any,  # noqa: ANN401
) -> None:
    """TERM, a moment, then KILL, to the command's whole process group."""
    with contextlib.suppress(TimeoutError, TransportError, OSError):
        async with asyncio.timeout(_STOP_S):
            for name in ("TERM", "KILL"):
                if execution.done.is_set() and not execution.flooded:
                    break
                channel.send_signal(name)
                if execution.pid is not None:
                    await _signal(connection, name, execution.pid)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_S):
                        await execution.ended.wait()
                        break
    end(channel)


async def _signal(connection: asyncssh.SSHClientConnection, name: str, pid: int) -> None:
    # The process has not been waited for yet, so its number cannot be another's by now.
    helper = Execution(4096, merge=True)
    script = f"kill -{name} -{pid} 2>/dev/null||kill -{name} {pid} 2>/dev/null"
    channel = await start("kill", connection, f"exec /bin/sh -c '{script}'", helper)
    try:
        channel.write_eof()
        await helper.done.wait()
    finally:
        channel.abort()


class Execution:
    """An asyncssh session that collects a command's output, up to a limit."""

    def __init__(self, limit: int, merge: bool) -> None:
        self.nonce = secrets.token_hex(8)
        self.pid: int | None = None
        self.stdout: list[bytes] = []
        self.status: int | None = None
        self.done = asyncio.Event()
        self.ended = asyncio.Event()
        self.flooded = False
        self._errors = b""
        self._left = limit
        self._merge = merge

    @property
    def script(self) -> str:
        """Names its process before it becomes the command."""
        return f'echo "{self.nonce} $$" >&2;exec "$@"'

    def result(self, what: str) -> ExecResult:
        """What it gave; raises TransportError(NO_SHELL) when it was never run."""
        if self.pid is None and self.status is not None:
            said = (b"".join(self.stdout) or self._errors).strip().partition(b"\n")[0]
            raise TransportError(
                what,
                f"the account does not run it (status {self.status}"
                f"{f': {clean(said, 120)}' if said else ''})",
                "give the account a login shell and no ForceCommand",
                kind=ProblemKind.NO_SHELL,
            )
        return ExecResult(b"".join(self.stdout), self._errors, self.status)

    def connection_made(self, chan: Any) -> None:  # noqa: ANN401
        """The channel is given by create_session."""

    def session_started(self) -> None:
        """Nothing to do."""

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.flooded = True
            self.done.set()
        elif datatype is None:
            self.stdout.append(data)
        elif self.pid is None:
            self._errors += data
            self._find_pid()
        else:
            self._keep_errors(data)

    def _find_pid(self) -> None:
        """What came before the line with the process is the login's, not the command's."""
        _, found, rest = self._errors.partition(f"{self.nonce} ".encode())
        number, whole, rest = rest.partition(b"\n")
        if found and whole and number.isdigit():
            self.pid = int(number)
            self._errors = b""
            self._keep_errors(rest)

    def _keep_errors(self, data: bytes) -> None:
        if self._merge:
            if data:
                self.stdout.append(data)
        else:
            self._errors += data

    def eof_received(self) -> bool:
        return False

    def exit_status_received(self, status: int) -> None:
        self.status = status
        self.ended.set()

    def exit_signal_received(self, signal: str, core: bool, message: str, lang: str) -> None:
        number = getattr(signals, f"SIG{signal}", 0)
        self.status = 128 + int(number)
        self.ended.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        self.done.set()

    def pause_writing(self) -> None:
        """Standard input is small."""

    def resume_writing(self) -> None:
        """See pause_writing."""
