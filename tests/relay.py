"""A TCP relay between a test and a server: adds latency, falls silent, cuts half-way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast


class Relay:
    """Forwards bytes both ways.

    Attributes:
        delay_s: added in each direction to every byte, without holding up the next ones.
        silent: nothing passes any more; connections stay open (a dead route, a frozen peer).
        cut_after: bytes from the server after which the connection is closed; None: never.
        accepted: connections so far.

    `listen` is this machine's address that it listens on.
    """

    def __init__(
        self, host: str, port: int, delay_s: float = 0.0, listen: str = "127.0.0.1"
    ) -> None:
        self._listen = listen
        self.delay_s = delay_s
        self.silent = False
        self.cut_after: int | None = None
        self.accepted = 0
        self.port = 0
        self._to = (host, port)
        self._server: asyncio.Server | None = None
        self._transports: set[asyncio.Transport] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Side(self, None), self._listen, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Closes every connection now."""
        for transport in list(self._transports):
            transport.abort()

    async def connect(self, side: _Side) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: _Side(self, side), *self._to)
        except OSError:
            side.close()

    def joined(self, transport: asyncio.Transport) -> None:
        self._transports.add(transport)

    def left(self, transport: asyncio.Transport) -> None:
        self._transports.discard(transport)


class _Side(asyncio.Protocol):
    """One end of a relayed connection; `other` None: the client's, which dials the server."""

    def __init__(self, relay: Relay, other: _Side | None) -> None:
        self._relay = relay
        self._other = other
        self._dialled = other is not None
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._passed = 0
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._relay.joined(self._transport)
        if self._other is None:
            self._relay.accepted += 1
            self._task = asyncio.ensure_future(self._relay.connect(self))
        else:
            self._other.attach(self)

    def attach(self, other: _Side) -> None:
        self._other = other
        for data in self._early:
            self.data_received(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._early.append(data)
            return
        if self._relay.silent:
            return
        limit = self._relay.cut_after
        if self._dialled and limit is not None:
            data = data[: max(0, limit - self._passed)]
            self._passed += len(data)
            if self._passed >= limit:
                asyncio.get_running_loop().call_later(0.01, self.close)
        if self._relay.delay_s:
            asyncio.get_running_loop().call_later(self._relay.delay_s, self._other.write, data)
        else:
            self._other.write(data)

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._relay.left(self._transport)
            self._transport = None
        if self._other is not None:
            other = self._other
            if self._relay.delay_s:
                asyncio.get_running_loop().call_later(self._relay.delay_s, other.close)
            else:
                other.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def relay(host: str, port: int, delay_s: float = 0.0) -> AsyncIterator[Relay]:
    """A running relay to a server."""
    one = Relay(host, port, delay_s)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@asynccontextmanager
async def relayed(port: int, address: str) -> AsyncIterator[str]:
    """The URL under which hosts reach a port of this machine's loopback, for a block."""
    one = Relay("127.0.0.1", port, listen=address)
    await one.start()
    try:
        yield f"http://{address}:{one.port}"
    finally:
        await one.stop()
