"""Servers that answer with exactly the bytes that a test wants, on TCP or a unix socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[bytes], "bytes | None"]
"""From a whole request to the bytes of the answer; None closes, b"" says nothing."""


@dataclass
class RawServer:
    """A running server.

    Attributes:
        requests: every whole request, head and body.
        connections: how many there were.
    """

    answer: Answer
    port: int = 0
    path: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    close_after_answer: bool = False

    async def serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                request = head + await reader.readexactly(length)
                self.requests.append(request)
                if not await self._reply(writer, self.answer(request)):
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()

    async def serve_lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while line := await reader.readline():
                self.requests.append(line)
                if not await self._reply(writer, self.answer(line)):
                    return
        except OSError:
            writer.transport.abort()

    async def _reply(self, writer: asyncio.StreamWriter, answer: bytes | None) -> bool:
        if answer:
            writer.write(answer)
            await writer.drain()
        if answer is None or self.close_after_answer:
            writer.close()
            return False
        return True

    def cut(self) -> None:
        """Closes every connection as a server does that has had enough of them."""
        for writer in self.writers:
            writer.close()
        self.writers.clear()


def ok(body: bytes, kind: str = "application/json", extra: str = "") -> bytes:
    """A plain 200 answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def http_server(
    answer: Answer, *, path: str = "", tls: ssl.SSLContext | None = None, lines: bool = False
) -> AsyncIterator[RawServer]:
    """A running server on loopback, or on the unix socket `path`."""
    server = RawServer(answer)
    tasks: set[asyncio.Task[None]] = set()
    serve = server.serve_lines if lines else server.serve_http

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    if path:
        listener = await asyncio.start_unix_server(connected, path)
        server.path = path
    else:
        listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for writer in server.writers:
            writer.transport.abort()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()
