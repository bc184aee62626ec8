"""A TCP relay that delays both directions without queueing: a round trip made longer.

A program of its own, so that its work is counted to nobody: it prints its port when it is ready
and ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any, cast


class _Side(asyncio.Protocol):
    """One of the two connections of a pair; what it receives leaves by the other, later."""

    def __init__(self, delay_s: float, upstream: tuple[str, int] | None) -> None:
        self._delay_s = delay_s
        self._upstream = upstream
        self._loop = asyncio.get_running_loop()
        self._early: list[bytes] = []
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self._opening: asyncio.Task[Any] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self._upstream is not None:
            self._opening = self._loop.create_task(self._open(*self._upstream))

    async def _open(self, host: str, port: int) -> None:
        other = _Side(self._delay_s, None)
        other.other = self
        try:
            await self._loop.create_connection(lambda: other, host, port)
        except OSError:
            if self.transport is not None:
                self.transport.abort()
            return
        self.other = other
        for data in self._early:
            self._loop.call_later(self._delay_s, other.send, data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        else:
            self._loop.call_later(self._delay_s, self.other.send, data)

    def send(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            self._loop.call_later(self._delay_s, self.other.transport.close)


class _Echo(asyncio.Protocol):
    """Sends back what it receives: what is measured through it is the relay alone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def serve(host: str, port: int, round_trip_s: float) -> None:
    """Relays new connections to `host:port` (or to an echo) until standard input closes."""
    loop = asyncio.get_running_loop()
    half = round_trip_s / 2
    if host == "echo":
        echo = await loop.create_server(_Echo, "127.0.0.1", 0)
        host, port = "127.0.0.1", echo.sockets[0].getsockname()[1]
    server = await loop.create_server(lambda: _Side(half, (host, port)), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    with suppress(asyncio.CancelledError):
        await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
