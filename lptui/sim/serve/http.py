"""A small HTTP/1.1 server for simulated interfaces, on any byte stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from lptui.sim.serve.link import Link, Service, Spawn

HEAD_LIMIT: Final = 64 * 1024
BODY_LIMIT: Final = 4 * 1024 * 1024
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request; `form` holds query and url-encoded body parameters, header names lower-case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer. `drop`: the connection is cut instead; `cut`: only half the body is sent."""

    body: bytes = b""
    status: int = 200
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False


Later = Callable[[], Awaitable[HttpReply]]
"""An answer that takes its time; it is begun in a task of the connection."""
Handler = Callable[[HttpRequest], "HttpReply | Later"]


def text(body: str, status: int = 200) -> HttpReply:
    return HttpReply(body.encode("utf-8", "surrogateescape"), status, TEXT)


class HttpService:
    """Serves one connection: requests in turn, kept alive."""

    def __init__(self, link: Link, handler: Handler, spawn: Spawn) -> None:
        self._link = link
        self._handler = handler
        self._spawn = spawn
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None

    def received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > HEAD_LIMIT + BODY_LIMIT:
            self._link.abort()
            return
        self._serve()

    def finished(self) -> None:
        if self._task is None:
            self._link.close()

    def lost(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _serve(self) -> None:
        while self._task is None:
            request = self._next()
            if request is None:
                return
            reply = self._handler(request)
            if isinstance(reply, HttpReply):
                self._send(request, reply)
            else:
                self._task = self._spawn(self._later(request, reply))

    async def _later(self, request: HttpRequest, reply: Later) -> None:
        answer = await reply()
        self._task = None
        self._send(request, answer)
        self._serve()

    def _next(self) -> HttpRequest | None:
        """The next whole request in the buffer."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        try:
            method, target, _version = lines[0].split(" ", 2)
            headers = dict(_header(line) for line in lines[1:])
            length = int(headers.get("content-length", "0"))
        except ValueError:
            self._link.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            self._link.close()
            self._buffer.clear()
            return None
        if len(self._buffer) < end + 4 + length:
            return None
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        parts = urlsplit(target)
        return HttpRequest(
            method,
            unquote(parts.path),
            parts.query,
            headers,
            body,
            _form(parts.query, headers, body),
        )

    def _send(self, request: HttpRequest, reply: HttpReply) -> None:
        if reply.drop:
            self._link.abort()
            return
        head = [f"HTTP/1.1 {reply.status} {_phrase(reply.status)}"]
        if reply.content_type:
            head.append(f"Content-Type: {reply.content_type}")
        head.extend(f"{name}: {value}" for name, value in reply.headers.items())
        head.append(f"Content-Length: {len(reply.body)}")
        raw = "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n"
        if request.method != "HEAD":
            raw += reply.body[: len(reply.body) // 2] if reply.cut else reply.body
        self._link.write(raw)
        if reply.cut or request.headers.get("connection", "").lower() == "close":
            self._link.close()


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError("not a header")
    return name.strip().lower(), value.strip()


def _form(query: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Query parameters and those of a url-encoded body; multipart bodies give none, as in Go."""
    pairs = parse_qsl(query, keep_blank_values=True)
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(pairs)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def http_service(handler: Handler, spawn: Spawn) -> Callable[[Link], Service]:
    """A factory of HTTP connections to one handler."""
    return lambda link: HttpService(link, handler, spawn)
