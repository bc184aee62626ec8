"""JSON-RPC over WebSocket: the `websockets` library's protocol on any stream, SSH included.

The library's own client wants a real socket; its protocol without input and output does not.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping

from websockets.client import ClientProtocol
from websockets.exceptions import (
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    PayloadTooBig,
    WebSocketException,
)
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from lptui.errors import HttpError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport.jsonrpc import ANSWER_LIMIT
from lptui.transport.persistent import too_large
from lptui.transport.stream import ByteStream, Stream, TlsStream, lost

_QUIET = logging.getLogger("lptui.websocket")


class WebSocketMessages:
    """Documents as WebSocket messages."""

    def __init__(self, name: str, stream: Stream, protocol: ClientProtocol) -> None:
        self._name = name
        self._stream = stream
        self._protocol = protocol
        self._parts: list[bytes] = []
        self._complete: list[bytes] = []

    async def handshake(self, headers: Mapping[str, str]) -> None:
        """Upgrades the connection; raises HttpError when the far side does not."""
        request = self._protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()
        while self._protocol.state is State.CONNECTING:
            data = await self._stream.read()
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            if self._protocol.handshake_exc is not None:
                raise _not_upgraded(self._name, self._protocol.handshake_exc)
            if not data:
                raise lost(self._name, None)
        self._take_events()

    @property
    def is_open(self) -> bool:
        return self._protocol.state is State.OPEN

    def send(self, document: bytes) -> None:
        try:
            self._protocol.send_text(document)
        except WebSocketException as error:
            raise lost(self._name, error) from None
        self._flush()

    async def receive(self) -> bytes:
        while not self._complete:
            if self._protocol.state is not State.OPEN:
                return self._ended()
            data = await self._stream.read()
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            self._take_events()
            # Answers to pings, and to a close.
            self._flush()
        return self._complete.pop(0)

    def abort(self) -> None:
        if self._protocol.state is State.OPEN:
            try:
                self._protocol.send_close(1001)
                self._flush()
            except (WebSocketException, TransportError):
                pass
        self._stream.abort()

    def _ended(self) -> bytes:
        if isinstance(self._protocol.parser_exc, PayloadTooBig):
            raise too_large(self._name, ANSWER_LIMIT)
        if self._protocol.parser_exc is not None:
            raise _not_upgraded(self._name, self._protocol.parser_exc)
        close = self._protocol.close_rcvd
        if close is not None and close.reason:
            raise TransportError(
                self._name,
                f"it closed the connection: {clean(close.reason, 120)} ({close.code})",
                "it is tried again",
                kind=ProblemKind.DISCONNECTED,
            )
        return b""

    def _take_events(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response) or not isinstance(event, Frame):
                continue
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts.append(bytes(event.data))
                if event.fin:
                    self._complete.append(b"".join(self._parts))
                    self._parts.clear()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._stream.write(data)


async def connect(
    name: str,
    url: str,
    open_stream: Callable[[], Awaitable[ByteStream]],
    tls: ssl.SSLContext | None,
    headers: Mapping[str, str],
) -> WebSocketMessages:
    """A WebSocket over a new stream; the caller's deadline bounds it. Raises TransportError."""
    try:
        uri = parse_uri(url)
    except InvalidURI as error:
        # The error repeats the URL, whose end may be a secret.
        raise TransportError(
            name, f"not a WebSocket URL ({type(error).__name__})", kind=ProblemKind.NOT_CONFIGURED
        ) from None
    raw = await open_stream()
    stream: Stream = raw
    try:
        if tls is not None:
            secure = TlsStream(raw, name)
            await secure.handshake(tls, uri.host)
            stream = secure
        protocol = ClientProtocol(uri, max_size=ANSWER_LIMIT, logger=_QUIET)
        messages = WebSocketMessages(name, stream, protocol)
        await messages.handshake(headers)
    except BaseException:
        raw.abort()
        raise
    return messages


def _not_upgraded(name: str, error: Exception) -> HttpError:
    cause = error.__cause__ or error
    status = error.response.status_code if isinstance(error, InvalidStatus) else None
    why = clean(str(cause if isinstance(error, InvalidHandshake) else error), 160)
    if status is not None:
        why = f"HTTP status {status} instead of a WebSocket"
    kind = ProblemKind.HTTP_STATUS if status else ProblemKind.HTTP_PROTOCOL
    remedy = "is this the WebSocket port?"
    if status in (401, 403):
        kind, remedy = ProblemKind.FORBIDDEN, "check the key, and geth's --ws.origins"
    elif status == 429:
        kind, remedy = ProblemKind.RATE_LIMITED, "ask less often, or use another endpoint"
    return HttpError(name, why or "not a WebSocket", remedy, kind=kind, status=status)
