"""A host that is reached by SSH: shells, streams and commands as channels of one connection."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

import asyncssh

from lptui.errors import ProblemKind, TransportError
from lptui.text import clean
from lptui.transport.deadline import Deadline
from lptui.transport.link import ShellPipe
from lptui.transport.pool import Peer
from lptui.transport.protocols import Command, ExecResult, Following
from lptui.transport.ssh import end, opened
from lptui.transport.ssh_errors import channel_refused
from lptui.transport.ssh_exec import run_once
from lptui.transport.ssh_follow import start_following
from lptui.transport.stream import ByteStream, lost

OPEN_S: Final = 10.0
"""Longest wait for a channel: the far side may have to connect somewhere itself."""

_DRAIN_S: Final = 0.2
"""How long the last words of a shell that has ended are waited for."""

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
                await opened(
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
                await opened(opening)
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

    async def close(self) -> None:
        """The connection belongs to the pool."""

    async def execute(self, command: Command, stdin: bytes) -> ExecResult:
        """See `Link`."""
        return await run_once(self.name, await self.peer.connect(), command, stdin)

    async def follow(self, command: Command) -> Following:
        """See `Link`."""
        return await start_following(self.name, await self.peer.connect(), command)


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
        self._finished = False

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
        self._exited()

    def exit_signal_received(self, signal: str, core: bool, message: str, lang: str) -> None:
        self._exited()

    def _exited(self) -> None:
        self._tell(None)
        # sshd closes the channel only when nobody has the shell's output open any more, and a
        # command that it left behind may keep it for long.
        asyncio.get_running_loop().call_later(_DRAIN_S, self._finish, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc)

    def _finish(self, exc: Exception | None) -> None:
        channel, self._channel = self._channel, None
        self._tell(exc)
        if channel is not None:
            channel.abort()

    def _tell(self, exc: Exception | None) -> None:
        if not self._finished:
            self._finished = True
            self._on_end(self._status, exc is not None)

    def pause_writing(self) -> None:
        """Requests are small."""

    def resume_writing(self) -> None:
        """See pause_writing."""

    # What the shell's user does with it.

    def write(self, data: bytes) -> None:
        if self._channel is not None:
            # One that has ended while it was being opened takes nothing; its end is told next.
            with contextlib.suppress(BrokenPipeError):
                self._channel.write(data)

    def kill(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            end(channel)
