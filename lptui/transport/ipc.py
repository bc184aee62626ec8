"""JSON-RPC over a unix socket, as geth's IPC: one JSON document a line."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from lptui.transport.jsonrpc import ANSWER_LIMIT, is_deep
from lptui.transport.persistent import too_large
from lptui.transport.stream import ByteStream


class IpcMessages:
    """Documents on a stream. Clients that end a document without a line break are understood."""

    def __init__(self, name: str, stream: ByteStream) -> None:
        self._name = name
        self._stream = stream
        self._buffer = bytearray()
        self._scanned = 0
        self._open = True

    @property
    def is_open(self) -> bool:
        return self._open and not self._stream.is_closed

    def send(self, document: bytes) -> None:
        self._stream.write(document + b"\n")

    async def receive(self) -> bytes:
        while True:
            end = self._buffer.find(b"\n", self._scanned)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                self._scanned = 0
                if line.strip():
                    return line
                continue
            self._scanned = len(self._buffer)
            if self._buffer.endswith((b"}", b"]")) and _is_whole(self._buffer):
                whole, self._buffer, self._scanned = bytes(self._buffer), bytearray(), 0
                return whole
            if len(self._buffer) > ANSWER_LIMIT:
                raise too_large(self._name, ANSWER_LIMIT)
            data = await self._stream.read()
            if not data:
                self._open = False
                return bytes(self._buffer)
            self._buffer += data

    def abort(self) -> None:
        self._open = False
        self._stream.abort()


def _is_whole(text: bytearray) -> bool:
    # Cheap first: what ends inside a document rarely has its brackets in balance.
    if text.count(b"{") != text.count(b"}") or text.count(b"[") != text.count(b"]"):
        return False
    if is_deep(bytes(text)):
        return True  # it is refused where it is read
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


async def connect(name: str, open_stream: Callable[[], Awaitable[ByteStream]]) -> IpcMessages:
    """Connects to an execution client's IPC socket."""
    return IpcMessages(name, await open_stream())
