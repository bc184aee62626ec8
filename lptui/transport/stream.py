"""Byte streams: one class for TCP, unix sockets and SSH channels, and TLS over any of them."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Protocol

from lptui.errors import LptuiError, ProblemKind, TransportError

PAUSE_AT = 1024 * 1024
"""Unread bytes at which the far side is told to wait."""


class Wire(Protocol):
    """What a stream writes to: an asyncio transport or an asyncssh channel."""

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Stream(Protocol):
    """A connection in both directions."""

    @property
    def is_readable(self) -> bool:
        """Unread data, or the far side has closed: an idle connection with this is of no use."""
        ...

    async def read(self) -> bytes:
        """What has arrived, at least one byte; b"" when the far side has closed.

        Raises TransportError when the connection was lost.
        """
        ...

    def write(self, data: bytes) -> None:
        """Sends, without waiting."""
        ...

    def abort(self) -> None:
        """Closes at once; unsent data is dropped."""
        ...


class ByteStream:
    """A stream that is fed by callbacks: an asyncio protocol and an asyncssh session alike."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._wire: Wire | None = None
        self._chunks: list[bytes] = []
        self._unread = 0
        self._paused = False
        self._eof = False
        self._lost: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    # The callbacks of asyncio.Protocol and of asyncssh's sessions.

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401
        self._wire = transport

    def session_started(self) -> None:
        """asyncssh: the channel is open."""

    def data_received(self, data: bytes, datatype: int | None = None) -> None:
        self._chunks.append(data)
        self._unread += len(data)
        if self._unread > PAUSE_AT and not self._paused and self._wire is not None:
            self._paused = True
            self._wire.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._eof = True
        self._wake()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        self._eof = True
        self._lost = exc
        self._wire = None
        self._wake()

    def pause_writing(self) -> None:
        """Requests are small; the transport keeps them."""

    def resume_writing(self) -> None:
        """See pause_writing."""

    # What its user sees.

    @property
    def is_readable(self) -> bool:
        return self._eof or bool(self._chunks)

    @property
    def is_closed(self) -> bool:
        """Nothing more will come."""
        return self._eof

    def take(self) -> bytes:
        """What has arrived and was not read yet, without waiting."""
        chunks, self._chunks = self._chunks, []
        self._unread = 0
        if self._paused and self._wire is not None:
            self._paused = False
            self._wire.resume_reading()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def read(self) -> bytes:
        while not self._chunks:
            if self._eof:
                if self._lost is not None:
                    raise lost(self._what, self._lost)
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.take()

    def write(self, data: bytes) -> None:
        if self._wire is None:
            raise lost(self._what, self._lost)
        try:
            self._wire.write(data)
        except (OSError, RuntimeError) as error:
            raise lost(self._what, error) from None

    def write_eof(self) -> None:
        """Tells the far side that nothing more will come."""
        if self._wire is not None and not self._eof:
            write_eof: Any = getattr(self._wire, "write_eof", None)
            if write_eof is not None:
                write_eof()

    def abort(self) -> None:
        wire, self._wire = self._wire, None
        self._eof = True
        self._wake()
        if wire is not None:
            wire.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class TlsStream:
    """TLS over another stream; asyncio's own cannot wrap an SSH channel."""

    def __init__(self, stream: ByteStream, what: str) -> None:
        self._stream = stream
        self._what = what
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._early = b""

    async def handshake(self, context: ssl.SSLContext, server_name: str) -> None:
        """Agrees on keys and checks the certificate as `context` says; raises TransportError."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        while True:
            try:
                self._tls.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                data = await self._stream.read()
                if not data:
                    raise tls_failed(self._what, "the server closed during the handshake") from None
                self._incoming.write(data)
            except ssl.SSLError as error:
                self._flush_quietly()
                raise tls_failed(self._what, tls_reason(error)) from None

    @property
    def certificate(self) -> bytes:
        """The far side's certificate (DER), checked or not; b"" when it showed none."""
        return self._secured().getpeercert(binary_form=True) or b""

    @property
    def is_readable(self) -> bool:
        # TLS 1.3 sends session tickets after the handshake: bytes without being an answer.
        if self._stream.is_readable and not self._early:
            self._drain()
        return bool(self._early) or self._stream.is_readable

    def _drain(self) -> None:
        data = self._stream.take()
        if not data or self._tls is None:
            return
        self._incoming.write(data)
        try:
            self._early += self._tls.read(65536)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            self._stream.abort()

    async def read(self) -> bytes:
        tls = self._secured()
        if self._early:
            data, self._early = self._early, b""
            return data
        while True:
            try:
                return tls.read(65536)
            except ssl.SSLWantReadError:
                self._flush()
                data = await self._stream.read()
                if data:
                    self._incoming.write(data)
                else:
                    # Without close_notify the end may have been forged; HTTP's own framing
                    # decides whether the answer is whole.
                    return b""
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise tls_failed(self._what, tls_reason(error)) from None

    def write(self, data: bytes) -> None:
        tls = self._secured()
        view = memoryview(data)
        try:
            while view:
                view = view[tls.write(view) :]
        except ssl.SSLError as error:
            raise tls_failed(self._what, tls_reason(error)) from None
        self._flush()

    def abort(self) -> None:
        self._stream.abort()

    def _secured(self) -> ssl.SSLObject:
        if self._tls is None:
            raise RuntimeError("handshake comes first")
        return self._tls

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._stream.write(data)

    def _flush_quietly(self) -> None:
        try:
            self._flush()
        except LptuiError:
            return


def lost(what: str, cause: BaseException | None) -> TransportError:
    """The error of a connection that ended while it was needed."""
    why = "the connection was lost"
    if cause is not None and str(cause):
        why = f"the connection was lost ({_words(cause)})"
    return TransportError(what, why, "it is tried again", kind=ProblemKind.DISCONNECTED)


def tls_failed(what: str, why: str) -> TransportError:
    """The error of a TLS handshake or record."""
    return TransportError(
        what,
        why,
        "check the scheme (http or https) and the certificate; verify_tls: false accepts any",
        kind=ProblemKind.TLS,
    )


def tls_reason(error: ssl.SSLError) -> str:
    """Why TLS failed, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    reason = (error.reason or "protocol error").replace("_", " ").lower()
    if reason == "wrong version number":
        return "the far side does not speak TLS"
    return f"TLS: {reason}"


def _words(error: BaseException) -> str:
    from lptui.text import clean

    return clean(str(error), 160)
