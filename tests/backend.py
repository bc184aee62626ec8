"""A small HTTP server on loopback that stands behind a load balancer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HELD = "/held"
"""Never answered: the connection lasts as long as the other side keeps it."""


@dataclass(slots=True)
class Backend:
    """Answers every request but for `HELD` with `status`, and counts them by path."""

    name: str
    port: int = 0
    status: int = 200
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    _server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listens; on the same port as before, if it had one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuses connections from now on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            self.requests.append(head.split(b" ")[1].decode("latin-1"))
            if self.requests[-1] == HELD:
                await asyncio.wait_for(reader.read(1), 60)
                return
            body = self.name.encode()
            writer.write(
                b"HTTP/1.1 %d x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                % (self.status, len(body))
                + body
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def backend(name: str = "b1") -> AsyncIterator[Backend]:
    """A server on a free port, for the length of a block."""
    one = Backend(name)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


async def get(port: int, path: str = "/", host: str = "127.0.0.1") -> bytes:
    """A plain GET; the whole answer."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        # Not wait_for: before Python 3.12 it may take no notice of being cancelled.
        async with asyncio.timeout(30):
            return await reader.read(-1)
    finally:
        writer.close()
