"""ProxyCommand: a program of the operator's whose input and output are the way to a host.

asyncssh would run it without a shell, and take what it says on its standard error for the host's
words; OpenSSH does neither (ssh_config(5)).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from typing import Final, cast

from lptui.text import clean

GRACE_S: Final = 1.0
"""Between TERM and KILL."""

_WORDS_LIMIT: Final = 4096


class ProxyCommand(asyncio.SubprocessProtocol):
    """A running ProxyCommand; `socket` leads to the host through it."""

    def __init__(self, ours: socket.socket) -> None:
        self.socket = ours
        self._errors = b""
        self._gone = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None

    @classmethod
    async def start(cls, command: str) -> ProxyCommand:
        """Starts a command line with the shell, as OpenSSH does."""
        ours, theirs = socket.socketpair()
        try:
            _, proxy = await asyncio.get_running_loop().subprocess_exec(
                lambda: cls(ours),
                *("/bin/sh", "-c", f"exec {command}"),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return proxy

    @property
    def words(self) -> str:
        """The last that it has said on its standard error."""
        lines = [clean(line, 160) for line in self._errors.splitlines()]
        return next((line for line in reversed(lines) if line), "")

    def kill(self) -> None:
        """Ends the program and its children; the socket belongs to whoever uses it."""
        self._signal(signal.SIGTERM)
        if not self._gone.is_set():
            asyncio.get_running_loop().call_later(GRACE_S, self._signal, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._transport is not None and not self._gone.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), number)

    async def ended(self) -> None:
        """Ends it, and waits until it is gone."""
        self.kill()
        await self._gone.wait()

    # The callbacks of asyncio.SubprocessProtocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._errors = (self._errors + data)[-_WORDS_LIMIT:]

    def process_exited(self) -> None:
        self._gone.set()
        if self._transport is not None:
            # Not before: to close it looks after the process, and asyncio's watcher would miss it.
            self._transport.close()
