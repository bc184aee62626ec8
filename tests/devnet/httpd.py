"""
A small HTTP/1.1 server on loopback that adds nothing to an answer.

Stand-ins need what frameworks smooth over: answers without a content type, dropped connections,
handlers that go on after the client has left.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

_BODY_METHODS = ("POST", "PUT", "PATCH")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `params` holds the query, overridden by a url-encoded body as in Go."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; without a content type the header is left out."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None


# No response at all means that the connection is closed in the client's face.
Handler = Callable[[Request], Awaitable[Response | None]]


class HttpServer:
    """Serves one handler on a port of its own choosing."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Begins to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stops listening and drops every connection, answered or not. Safe to call twice."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            # Only `stop` cancels; the streams' own callback would report it as an error.
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _read_request(reader)) is not None:
            response = await self._handler(request)
            if response is None:
                return
            keep = request.headers.get("connection", "").lower() != "close"
            writer.write(_encode(response, keep, request.method == "HEAD"))
            await writer.drain()
            if not keep:
                return


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    line = (await reader.readline()).decode("latin-1").strip()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while header := (await reader.readline()).decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await _read_body(reader, headers)
    split = urlsplit(target)
    params = dict(parse_qsl(split.query, keep_blank_values=True))
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if method in _BODY_METHODS and kind == _FORM:
        params |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Request(method, split.path, params, headers, body)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return body


def _encode(response: Response, keep: bool, without_body: bool) -> bytes:
    head = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    if response.content_type is not None:
        head.append(f"Content-Type: {response.content_type}")
    head.append(f"Content-Length: {len(response.body)}")
    if not keep:
        head.append("Connection: close")
    text = "\r\n".join(head) + "\r\n\r\n"
    return text.encode("latin-1") + (b"" if without_body else response.body)
