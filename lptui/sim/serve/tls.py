"""TLS as a node's public port speaks it: with a certificate that the process made itself."""

from __future__ import annotations

import functools
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lptui.sim.serve.link import Link, Service, ServiceFactory


def over_tls(factory: ServiceFactory) -> ServiceFactory:
    """The same service behind TLS."""
    return lambda link: TlsService(link, factory)


class TlsService:
    """The server's side of TLS on a stream; the service within sees plain bytes."""

    def __init__(self, link: Link, factory: ServiceFactory) -> None:
        self._link = link
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = _context().wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_agreed = False
        self._inner: Service = factory(self)

    def received(self, data: bytes) -> None:
        self._incoming.write(data)
        try:
            if not self._is_agreed:
                self._tls.do_handshake()
                self._is_agreed = True
            while plain := self._tls.read(65536):
                self._inner.received(plain)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError:
            self._flush()
            self._link.close()

    def finished(self) -> None:
        self._inner.finished()

    def lost(self) -> None:
        self._inner.lost()

    # What the service within writes to.

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        self._link.close()

    def abort(self) -> None:
        self._link.abort()

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._link.write(data)


@functools.cache
def _context() -> ssl.SSLContext:
    """One certificate for all: to make one takes a while."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "demo.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with tempfile.TemporaryDirectory() as folder:
        # ssl takes its key from a file alone.
        path = Path(folder) / "both.pem"
        path.touch(0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(path)
    return context
