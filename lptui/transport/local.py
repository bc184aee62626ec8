"""The operator's own machine behind the same methods as a host reached by SSH."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any, cast

from lptui.errors import CommandError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport import direct
from lptui.transport.link import ShellPipe
from lptui.transport.protocols import Command, ExecResult
from lptui.transport.ssh_link import stopped
from lptui.transport.stream import ByteStream


class LocalLink:
    """The operator's own machine."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def start_shell(
        self,
        on_open: Callable[[ShellPipe], None],
        on_data: Callable[[bytes], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        """See `Link`."""
        loop = asyncio.get_running_loop()
        try:
            await loop.subprocess_exec(
                lambda: _Shell(on_open, on_data, on_end),
                "/bin/sh",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise TransportError(
                f"shell on {self.name}",
                f"/bin/sh: {(error.strerror or str(error)).lower()}",
                kind=ProblemKind.NO_SHELL,
            ) from None

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
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=pipe if stdin else asyncio.subprocess.DEVNULL,
                stdout=pipe,
                stderr=asyncio.subprocess.STDOUT if command.merge_stderr else pipe,
                start_new_session=True,
                limit=command.limit,
            )
        except FileNotFoundError:
            return ExecResult(b"", b"not found", 127)
        except OSError as error:
            return ExecResult(b"", clean(str(error)).encode(), 126)
        try:
            async with asyncio.timeout(command.timeout_s):
                stdout, stderr = await process.communicate(stdin or None)
        except TimeoutError:
            await _end(process)
            raise stopped(what, command.timeout_s) from None
        except asyncio.CancelledError:
            await _end(process)
            raise
        if len(stdout) + len(stderr or b"") > command.limit:
            raise CommandError(
                what,
                f"more than {command.limit} bytes of output",
                kind=ProblemKind.OUTPUT_TOO_LARGE,
            )
        code = process.returncode
        status = code if code is None or code >= 0 else 128 - code
        return ExecResult(stdout, stderr or b"", status)


async def _end(process: asyncio.subprocess.Process) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await process.wait()
                return


class _Shell(asyncio.SubprocessProtocol):
    """A local `/bin/sh`."""

    def __init__(
        self,
        on_open: Callable[[ShellPipe], None],
        on_data: Callable[[bytes], None],
        on_end: Callable[[int | None, bool], None],
    ) -> None:
        self._on_open = on_open
        self._on_data = on_data
        self._on_end = on_end
        self._transport: asyncio.SubprocessTransport | None = None
        self._stdin: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._stdin = self._transport.get_pipe_transport(0)
        self._on_open(self)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._on_data(data)

    def process_exited(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            status = transport.get_returncode()
            transport.close()
            self._on_end(status, False)

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._stdin.write(data)

    def kill(self) -> None:
        transport = self._transport
        if transport is None:
            return
        pid = transport.get_pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        transport.close()
