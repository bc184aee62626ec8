"""One byte stream between the console and something simulated, whatever carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Protocol


class Link(Protocol):
    """What a service writes to: an SSH channel or a TCP connection."""

    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        """Ends the stream after what was written."""
        ...

    def abort(self) -> None:
        """Drops the stream at once."""
        ...


class Service(Protocol):
    """The simulated far side of one stream."""

    def received(self, data: bytes) -> None: ...

    def finished(self) -> None:
        """The console will write no more."""
        ...

    def lost(self) -> None:
        """The stream is gone."""
        ...


ServiceFactory = Callable[[Link], Service]
Spawn = Callable[[Coroutine[object, object, None]], "asyncio.Task[None]"]
"""Starts a task that the simulation owns and cancels when it closes."""


class Sink:
    """Accepts a stream and answers nothing: a port whose protocol is not simulated."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def received(self, data: bytes) -> None:
        self._link.close()

    def finished(self) -> None:
        self._link.close()

    def lost(self) -> None:
        return


class Tied:
    """A stream that ends with the process that serves it."""

    def __init__(self, link: Link, factory: ServiceFactory, lives: Callable[[], bool]) -> None:
        self._link = link
        self._service = factory(link)
        self._lives = lives
        self.is_open = True

    def received(self, data: bytes) -> None:
        if not self.cut():
            self._service.received(data)

    def finished(self) -> None:
        self._service.finished()

    def lost(self) -> None:
        self.is_open = False
        self._service.lost()

    def cut(self) -> bool:
        """Ends the stream if its process is gone; whether it is."""
        if self._lives():
            return False
        self._link.close()
        return True


class LoopbackProtocol(asyncio.Protocol):
    """A service on a TCP connection of this machine's loopback."""

    def __init__(self, factory: ServiceFactory, open_links: set[LoopbackProtocol]) -> None:
        self._factory = factory
        self._open = open_links
        self._service: Service | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self._open.add(self)
        self._service = self._factory(self)

    def data_received(self, data: bytes) -> None:
        if self._service is not None:
            self._service.received(data)

    def eof_received(self) -> bool:
        if self._service is not None:
            self._service.finished()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._service is not None:
            self._service.lost()
        self._open.discard(self)
        self._transport = None

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
