"""The operator's own machine behind the same methods as a host reached by SSH."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from lptui.errors import CommandError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport import direct
from lptui.transport.deadline import stopped
from lptui.transport.following import Output, Paused, wrapped
from lptui.transport.link import ShellPipe
from lptui.transport.protocols import Command, ExecResult, Following
from lptui.transport.stream import ByteStream

_DRAIN_S: Final = 0.2


class LocalLink:
    """The operator's own machine."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._children: set[_Child] = set()

    async def start_shell(
        self,
        on_open: Callable[[ShellPipe], None],
        on_data: Callable[[bytes], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        """See `Link`."""

        def ended(child: _Child) -> None:
            on_end(child.status, False)

        try:
            child = await self._start(
                _Child(lambda _, data: on_data(data), ended, at_once=True),
                ("/bin/sh",),
                merge=None,
            )
        except OSError as error:
            raise TransportError(
                f"shell on {self.name}",
                f"/bin/sh: {(error.strerror or str(error)).lower()}",
                "there must be a /bin/sh",
                kind=ProblemKind.NO_SHELL,
            ) from None
        on_open(child)

    async def open_tcp(self, host: str, port: int) -> ByteStream:
        """See `Link`."""
        return await direct.open_tcp(host, port)

    async def open_unix(self, path: str) -> ByteStream:
        """See `Link`."""
        return await direct.open_unix(path)

    async def round_trip(self) -> float:
        """There is no way to go."""
        return 0.0

    async def execute(self, command: Command, stdin: bytes) -> ExecResult:
        """See `Link`."""
        what = f"{clean(' '.join(command.argv[:3]), 80)} on {self.name}"
        output: dict[int, list[bytes]] = {1: [], 2: []}
        left = command.limit
        done = asyncio.Event()

        def received(fd: int, data: bytes) -> None:
            nonlocal left
            left -= len(data)
            if left < 0:
                done.set()
            else:
                output[fd].append(data)

        child = _Child(received, lambda _: done.set())
        try:
            await self._start(child, command.argv, merge=command.merge_stderr)
        except FileNotFoundError:
            return ExecResult(b"", b"not found", 127)
        except OSError as error:
            return ExecResult(b"", clean(str(error)).encode(), 126)
        try:
            child.write(stdin)
            child.write_eof()
            async with asyncio.timeout(command.timeout_s):
                await done.wait()
        except TimeoutError:
            await child.terminate()
            raise stopped(what, command.timeout_s) from None
        finally:
            child.kill()
        if left < 0:
            raise CommandError(
                what,
                f"more than {command.limit} bytes of output",
                kind=ProblemKind.OUTPUT_TOO_LARGE,
            )
        return ExecResult(b"".join(output[1]), b"".join(output[2]), child.status)

    async def follow(self, command: Command) -> Following:
        """See `Link`."""
        following = _Following(f"{clean(' '.join(command.argv[:2]), 60)} on {self.name}")
        child = _Child(following.received, following.ended, to_the_end=True)
        try:
            await self._start(child, wrapped(command.argv), merge=False)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise TransportError(f"shell on {self.name}", f"/bin/sh: {why}") from None
        following.connection_made(Paused(child.pipe(1), child.kill))
        following.child = child
        return following

    async def close(self) -> None:
        """Ends every process that was started, and waits for it."""
        children = tuple(self._children)
        for child in children:
            child.kill()
        await asyncio.gather(*(child.gone.wait() for child in children))

    async def _start(self, child: _Child, argv: Sequence[str], merge: bool | None) -> _Child:
        """Starts a program; `merge` None drops its error output."""
        pipe = asyncio.subprocess.PIPE
        errors = {True: asyncio.subprocess.STDOUT, False: pipe, None: asyncio.subprocess.DEVNULL}
        await asyncio.get_running_loop().subprocess_exec(
            lambda: child,
            *argv,
            stdin=pipe,
            stdout=pipe,
            stderr=errors[merge],
            start_new_session=True,
        )
        self._children.add(child)
        child.on_gone(lambda: self._children.discard(child))
        return child


class _Child(asyncio.SubprocessProtocol):
    """A program of this machine, in a process group of its own."""

    def __init__(
        self,
        on_data: Callable[[int, bytes], None],
        on_end: Callable[[_Child], None],
        at_once: bool = False,
        to_the_end: bool = False,
    ) -> None:
        """`to_the_end`: its output is waited for however slowly it is taken."""
        self.status: int | None = None
        self.gone = asyncio.Event()
        self._on_data = on_data
        self._on_end: Callable[[_Child], None] | None = on_end
        self._at_once = at_once
        self._to_the_end = to_the_end
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: Any = None
        self._on_gone: Callable[[], None] | None = None

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Calls back when the process has ended, at once if it has already."""
        self._on_gone = callback
        if self.gone.is_set():
            callback()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._stdin = self._transport.get_pipe_transport(0)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._on_data(fd, data)

    def process_exited(self) -> None:
        if self._transport is not None:
            code = self._transport.get_returncode()
            self.status = code if code is None or code >= 0 else 128 - code
        if self._at_once:
            self._tell()
        # What it has written is delivered first; a grandchild may keep the pipes for ever.
        if not self._to_the_end:
            asyncio.get_running_loop().call_later(_DRAIN_S, self.drop)

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop()

    def drop(self) -> None:
        """Takes nothing more of it."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        transport.close()
        self.gone.set()
        self._tell()
        if self._on_gone is not None:
            self._on_gone()

    def _tell(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(self)

    def write(self, data: bytes) -> None:
        if self._transport is not None and data:
            self._stdin.write(data)

    def write_eof(self) -> None:
        if self._transport is not None:
            self._stdin.close()

    def pipe(self, fd: int) -> Any:  # noqa: ANN401
        """What it writes there comes from this; None when it has ended."""
        return self._transport.get_pipe_transport(fd) if self._transport is not None else None

    async def terminate(self) -> None:
        """TERM for its whole group; who does not go within a second is killed by `kill`."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self.gone.wait()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        transport = self._transport
        if transport is not None and transport.get_returncode() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(transport.get_pid(), number)


class _Following(Output):
    """What a program of this machine goes on to write."""

    child: _Child | None = None

    def received(self, fd: int, data: bytes) -> None:
        self.data_received(data, None if fd == 1 else fd)

    def ended(self, child: _Child) -> None:
        self.status = child.status
        self.connection_lost(None)

    def stop(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.drop()
        self.abort()
