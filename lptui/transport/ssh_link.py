"""A host that is reached by SSH: shells, streams and commands as channels of one connection."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

import asyncssh

from lptui.errors import CommandError, DeadlineError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport.deadline import Deadline, late
from lptui.transport.link import ShellPipe
from lptui.transport.pool import Peer
from lptui.transport.protocols import Command, ExecResult
from lptui.transport.ssh import channel_refused
from lptui.transport.stream import ByteStream, lost

OPEN_S: Final = 10.0
"""Longest wait for a channel: the far side may have to connect somewhere itself."""

T = TypeVar("T")


class SshLink:
    """The way to one host by SSH."""

    def __init__(self, peer: Peer) -> None:
        self.name = peer.name
        self.peer = peer

    async def start_shell(
        self,
        on_open: Callable[[ShellPipe], None],
        on_data: Callable[[bytes], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        """See `Link`."""
        connection = await self.peer.connect()
        what = f"shell on {self.name}"
        session = _ShellSession(on_open, on_data, on_end)
        try:
            async with Deadline(what, OPEN_S):
                await _opened(
                    connection.create_session(
                        lambda: cast("Any", session), "exec /bin/sh", encoding=None
                    )
                )
        except asyncssh.ChannelOpenError as error:
            if "SSH connection closed" in error.reason:
                raise channel_refused(what, error, "sshd") from None
            raise TransportError(
                what,
                f"sshd does not start a shell ({clean(error.reason).lower()})",
                "MaxSessions in sshd_config, or ForceCommand? HTTP and sockets work without",
                kind=ProblemKind.NO_SHELL,
            ) from None
        except (asyncssh.Error, OSError) as error:
            raise lost(what, error) from None

    async def open_tcp(self, host: str, port: int) -> ByteStream:
        """See `Link`."""
        connection = await self.peer.connect()
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        stream = ByteStream(f"{where} via {self.name}")
        return await self._stream(
            stream,
            where,
            connection.create_connection(lambda: cast("Any", stream), host, port, encoding=None),
        )

    async def open_unix(self, path: str) -> ByteStream:
        """See `Link`."""
        connection = await self.peer.connect()
        stream = ByteStream(f"{path} on {self.name}")
        return await self._stream(
            stream,
            path,
            connection.create_unix_connection(lambda: cast("Any", stream), path, encoding=None),
        )

    async def _stream(
        self, stream: ByteStream, where: str, opening: Awaitable[tuple[Any, Any]]
    ) -> ByteStream:
        what = f"{where} via {self.name}"
        try:
            async with Deadline(what, OPEN_S):
                await _opened(opening)
        except asyncssh.ChannelOpenError as error:
            raise channel_refused(what, error, where) from None
        except (asyncssh.Error, OSError) as error:
            raise lost(what, error) from None
        return stream

    async def round_trip(self) -> float:
        """Seconds for a message to sshd and back."""
        connection = await self.peer.connect()
        # The message of asyncssh's own keepalive; it has no public way to wait for the answer.
        ask: Any = getattr(connection, "_make_global_request", None)
        if ask is None:
            return 0.0
        before = time.perf_counter()
        async with Deadline(self.peer.what, OPEN_S):
            await ask(b"keepalive@openssh.com")
        return time.perf_counter() - before

    async def execute(self, command: Command, stdin: bytes) -> ExecResult:
        """See `Link`."""
        what = f"{clean(' '.join(command.argv[:3]), 80)} on {self.name}"
        connection = await self.peer.connect()
        run = _Execution(command.limit, command.merge_stderr)
        try:
            async with Deadline(what, OPEN_S):
                channel, _ = await _opened(
                    connection.create_session(
                        lambda: cast("Any", run),
                        f"exec {shlex.join(command.argv)}",
                        encoding=None,
                    )
                )
        except asyncssh.ChannelOpenError as error:
            raise channel_refused(what, error, "a session") from None
        except (asyncssh.Error, OSError) as error:
            raise lost(what, error) from None
        try:
            if stdin:
                channel.write(stdin)
            channel.write_eof()
        except OSError:
            pass  # it ended already; its status says more
        return await _finish(run, channel, command, what)


async def _finish(
    run: _Execution,
    channel: Any,  # noqa: ANN401
    command: Command,
    what: str,
) -> ExecResult:
    try:
        async with asyncio.timeout(command.timeout_s):
            await run.done.wait()
    except TimeoutError:
        await _terminate(run, channel)
        raise stopped(what, command.timeout_s) from None
    except asyncio.CancelledError:
        _kill(channel)
        raise
    if run.flooded:
        _kill(channel)
        raise CommandError(
            what, f"more than {command.limit} bytes of output", kind=ProblemKind.OUTPUT_TOO_LARGE
        )
    return ExecResult(b"".join(run.stdout), b"".join(run.stderr), run.status)


def stopped(what: str, seconds: float) -> DeadlineError:
    """The error of a command that was ended because its time was up."""
    error = late(what, seconds, "its outcome is unknown: look before trying again")
    error.why += "; it was told to stop"
    return error


async def _terminate(run: _Execution, channel: Any) -> None:  # noqa: ANN401
    """TERM, then KILL: a cancelled wait alone leaves the far process running."""
    try:
        channel.terminate()
        async with asyncio.timeout(1.0):
            await run.done.wait()
    except (TimeoutError, OSError):
        _kill(channel)


def _kill(channel: Any) -> None:  # noqa: ANN401
    """Ends what runs on a channel: sshd passes the signal on to its process group."""
    with contextlib.suppress(OSError):
        channel.kill()
    channel.abort()


async def _opened(opening: Awaitable[T]) -> T:
    """A channel; one that opens after its caller has gone is closed again, not leaked."""
    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_close_late)
        raise


def _close_late(task: asyncio.Future[Any]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result()[0].abort()


class _ShellSession:
    """An asyncssh session without streams or tasks: bytes go straight to the framing."""

    def __init__(
        self,
        on_open: Callable[[ShellPipe], None],
        on_data: Callable[[bytes], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        self._on_open = on_open
        self._on_data = on_data
        self._on_end = on_end
        self._status: int | None = None
        self._channel: Any = None

    def connection_made(self, chan: Any) -> None:  # noqa: ANN401
        self._channel = chan
        # asyncssh sends the exec request in this same step and then waits for its answer. What is
        # written right after it need not wait: sshd handles messages in order.
        asyncio.get_running_loop().call_soon(self._open)

    def _open(self) -> None:
        if self._channel is not None:
            self._on_open(self)

    def session_started(self) -> None:
        """Nothing more to do."""

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if datatype is None:
            self._on_data(data)

    def eof_received(self) -> bool:
        return False

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def exit_signal_received(self, signal: str, core: bool, message: str, lang: str) -> None:
        """The end is reported once, by connection_lost."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel = None
        self._on_end(self._status, exc is not None)

    def pause_writing(self) -> None:
        """Requests are small."""

    def resume_writing(self) -> None:
        """See pause_writing."""

    # What the shell's user does with it.

    def write(self, data: bytes) -> None:
        if self._channel is not None:
            self._channel.write(data)

    def kill(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            _kill(channel)


class _Execution:
    """An asyncssh session that collects a command's output."""

    def __init__(self, limit: int, merge: bool) -> None:
        self.stdout: list[bytes] = []
        self.stderr: list[bytes] = []
        self.status: int | None = None
        self.done = asyncio.Event()
        self.flooded = False
        self._left = limit
        self._merge = merge

    def connection_made(self, chan: Any) -> None:  # noqa: ANN401
        """The channel is given by create_session."""

    def session_started(self) -> None:
        """Nothing to do."""

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.flooded = True
            self.done.set()
            return
        (self.stdout if datatype is None or self._merge else self.stderr).append(data)

    def eof_received(self) -> bool:
        return False

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def exit_signal_received(self, signal: str, core: bool, message: str, lang: str) -> None:
        import signal as signals

        number = getattr(signals, f"SIG{signal}", 0)
        self.status = 128 + int(number)

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set()

    def pause_writing(self) -> None:
        """Standard input is small."""

    def resume_writing(self) -> None:
        """See pause_writing."""
