"""HTTP over any stream: an httpx transport whose connections may be channels of an SSH connection.

Nothing is ever repeated or redirected: on go-livepeer's CLI API even a GET can send a transaction.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import h11
import httpx

from lptui.errors import HttpError, ProblemKind
from lptui.fleet.topology import Endpoint
from lptui.text import clean
from lptui.transport.deadline import Deadline
from lptui.transport.protocols import OUTPUT_LIMIT, HttpAnswer
from lptui.transport.stream import ByteStream, Stream, TlsStream

MAX_CONNECTIONS: Final = 6
"""At once to one endpoint; further requests wait."""

IDLE_S: Final = 330.0
"""How long an unused connection is kept: longer than the slowest poll."""

HEADER_LIMIT: Final = 64 * 1024

MOST_KEPT: Final = 32
"""Requests of one endpoint that are kept ready: a probe asks the same few all its life."""

Opener = Callable[[], Awaitable[ByteStream]]
"""Opens the connection below TLS."""


class Connection:
    """One HTTP/1.1 connection: one request at a time."""

    def __init__(self, stream: Stream, what: str) -> None:
        self._stream = stream
        self._what = what
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_LIMIT)
        self.idle_since = 0.0
        self.used = 0

    @property
    def is_usable(self) -> bool:
        """Idle and neither closed nor spoken to by the far side."""
        return self._http.states == {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE} and not (
            self._stream.is_readable
        )

    async def exchange(
        self,
        method: str,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        limit: int,
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """One request and its whole answer; afterwards `is_usable` says whether to keep it."""
        self.used += 1
        try:
            self._send(method, target, headers, body)
            return await self._answer(limit)
        except h11.RemoteProtocolError as error:
            raise broken(self._what, clean(str(error), 160)) from None
        except h11.LocalProtocolError as error:
            raise HttpError(
                self._what, clean(str(error), 160), kind=ProblemKind.HTTP_PROTOCOL
            ) from None

    def _send(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        parts = [self._http.send(h11.Request(method=method, target=target, headers=headers)) or b""]
        if body:
            parts.append(self._http.send(h11.Data(data=body)) or b"")
        parts.append(self._http.send(h11.EndOfMessage()) or b"")
        self._stream.write(b"".join(parts))

    async def _answer(self, limit: int) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        status = 0
        headers: list[tuple[bytes, bytes]] = []
        body: list[bytes] = []
        length = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._stream.read()
                if not data and not status and not self._http.trailing_data[0]:
                    raise HttpError(
                        self._what,
                        "it closed the connection without an answer",
                        "see the log of what listens there; is the scheme right (http, https)?",
                        kind=ProblemKind.HTTP_PROTOCOL,
                    )
                self._http.receive_data(data)
            elif isinstance(event, h11.Data):
                length += len(event.data)
                if length > limit:
                    raise too_large(self._what, limit)
                body.append(bytes(event.data))
            elif isinstance(event, h11.Response):
                status, headers = event.status_code, list(event.headers)
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise broken(self._what, "the connection ended within the answer")
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        return status, headers, b"".join(body)

    def close(self) -> None:
        self._stream.abort()


class Endpoints:
    """The connections to one address, kept between requests."""

    def __init__(
        self, open_stream: Opener, tls: ssl.SSLContext | None, host: str, what: str
    ) -> None:
        self._open_stream = open_stream
        self._tls = tls
        self._host = host
        self.what = what
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._places = asyncio.Semaphore(MAX_CONNECTIONS)

    async def exchange(
        self,
        method: str,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
        limit: int,
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """One request on a kept or new connection."""
        async with self._places:
            connection = self._kept() or await self._new()
            self._busy.add(connection)
            try:
                answer = await connection.exchange(method, target, headers, body, limit)
            except BaseException:
                connection.close()
                raise
            finally:
                self._busy.discard(connection)
            if connection.is_usable:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
            else:
                connection.close()
            return answer

    def _kept(self) -> Connection | None:
        oldest = time.monotonic() - IDLE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _new(self) -> Connection:
        stream = await self._open_stream()
        if self._tls is None:
            return Connection(stream, self.what)
        secure = TlsStream(stream, self.what)
        try:
            await secure.handshake(self._tls, self._host)
        except BaseException:
            stream.abort()
            raise
        return Connection(secure, self.what)

    def close(self) -> None:
        """Drops every connection; requests in progress fail."""
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._idle.clear()


class StreamTransport(httpx.AsyncBaseTransport):
    """An httpx transport for one endpoint, over whatever streams it is given."""

    def __init__(self, connections: Endpoints, limit: int = OUTPUT_LIMIT) -> None:
        self._connections = connections
        self._limit = limit

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request; raises TransportError. The body's limit is the extension `limit`."""
        body = await request.aread()
        limit = request.extensions.get("limit", self._limit)
        status, headers, content = await self._connections.exchange(
            request.method, request.url.raw_path, request.headers.raw, body, limit
        )
        kept, encoding = _without_encoding(headers)
        if encoding:
            content = decompressed(content, encoding, limit, self._connections.what)
        return httpx.Response(status, headers=kept, content=content)

    async def aclose(self) -> None:
        self._connections.close()


def _without_encoding(
    headers: list[tuple[bytes, bytes]],
) -> tuple[list[tuple[bytes, bytes]], str]:
    """The other headers, and how the body is compressed; httpx would decompress without a limit."""
    kept = [(name, value) for name, value in headers if name.lower() != b"content-encoding"]
    given = [value for name, value in headers if name.lower() == b"content-encoding"]
    encoding = b",".join(given).decode("ascii", "replace").strip().lower()
    return kept, "" if encoding == "identity" else encoding


def decompressed(content: bytes, encoding: str, limit: int, what: str) -> bytes:
    """A body that was compressed without being asked for; of at most `limit` bytes."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise broken(what, f"it is compressed ({clean(encoding, 40)}), which was not asked for")
    # 32 recognises gzip and zlib by their first bytes.
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        whole = decoder.decompress(content, limit + 1)
    except zlib.error:
        raise broken(what, f"it says that it is {encoding}, and is not") from None
    if len(whole) > limit:
        raise too_large(what, limit)
    if content and (decoder.unused_data or not decoder.eof):
        raise broken(what, "its compressed body is not whole")
    return whole


class HttpEndpoint:
    """One HTTP endpoint behind `protocols.Http`."""

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx.AsyncBaseTransport,
        secrets: Callable[[], Awaitable[Mapping[str, str]]],
        forget_secrets: Callable[[], None],
        secret_path: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._base = base_url(endpoint.url)
        self._secret_path = secret_path
        self._transport = transport
        self._secrets = secrets
        self._forget_secrets = forget_secrets
        self._where = shown(endpoint)
        self._asked: dict[tuple[str, str, int], httpx.Request] = {}

    async def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_s: float = 8.0,
        limit: int = OUTPUT_LIMIT,
    ) -> HttpAnswer:
        """See `protocols.Http`."""
        what = f"{method} {clean(path, 80) or '/'} of {self._where}"
        started = time.perf_counter()
        async with Deadline(what, deadline_s, "does what listens there still work? see its log"):
            secret = await self._secret_path() if self._secret_path is not None else ""
            secret_headers = await self._secrets()
            url = self._base + path + secret
            if form is None and content is None and not headers and not secret_headers:
                request = self._plain(what, method, url, limit)
            else:
                request = _request(
                    what, method, url, limit, {**secret_headers, **(headers or {})}, form, content
                )
            response = await self._transport.handle_async_request(request)
        if response.status_code in (401, 403):
            self._forget_secrets()
        return HttpAnswer(
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            response.content,
            time.perf_counter() - started,
        )

    def _plain(self, what: str, method: str, url: str, limit: int) -> httpx.Request:
        """A request of nothing but its URL, made once: to take a URL apart is dear."""
        key = (method, url, limit)
        request = self._asked.get(key)
        if request is None:
            request = _request(what, method, url, limit)
            if len(self._asked) < MOST_KEPT:
                self._asked[key] = request
        return request


def _request(
    what: str,
    method: str,
    url: str,
    limit: int,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> httpx.Request:
    try:
        return httpx.Request(
            method,
            url,
            headers={
                "accept": "*/*",
                "accept-encoding": "identity",
                "user-agent": "lptui",
                **(headers or {}),
            },
            data=dict(form) if form is not None else None,
            content=content,
            extensions={"limit": limit},
        )
    except httpx.InvalidURL:
        raise HttpError(
            what,
            "not a usable URL",
            "correct it in the configuration",
            kind=ProblemKind.NOT_CONFIGURED,
        ) from None


def base_url(url: str) -> str:
    """The part of a URL that paths are appended to."""
    return "http://localhost" if url.startswith("unix:") else url.rstrip("/")


def shown(endpoint: Endpoint) -> str:
    """An endpoint in words, without user names or passwords in its URL."""
    split = urlsplit(endpoint.url)
    where = split.path if split.scheme == "unix" else split.netloc.rpartition("@")[2]
    return clean(f"{where} via {endpoint.via}" if endpoint.via else where, 120)


def authorization(secret: str) -> str:
    """The header's value: `user:password` is Basic, `Scheme token` stays, else it is a token."""
    if " " in secret:
        return secret
    if ":" in secret:
        return "Basic " + base64.b64encode(secret.encode()).decode()
    return f"Bearer {secret}"


def tls_context(verify: bool) -> ssl.SSLContext:
    """TLS that checks certificates, or (only where the operator says so) accepts any."""
    context = ssl.create_default_context() if verify else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def broken(what: str, why: str) -> HttpError:
    """The error of an answer that is not HTTP."""
    return HttpError(
        what,
        f"not a proper HTTP answer: {why}",
        "is this the right port and scheme?",
        kind=ProblemKind.HTTP_PROTOCOL,
    )


def too_large(what: str, limit: int) -> HttpError:
    """The error of an answer beyond its limit."""
    return HttpError(
        what,
        f"the answer is larger than {limit} bytes",
        "is this the right port?",
        kind=ProblemKind.OUTPUT_TOO_LARGE,
    )
