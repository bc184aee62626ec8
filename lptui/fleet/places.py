"""Addresses that are written in many ways: as a URI, with or without scheme and port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

DEFAULT_PORT: Final = 8935
"""go-livepeer's, of orchestrators."""


@dataclass(frozen=True, slots=True, order=True)
class HostPort:
    """A name or IP address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def place(uri: str, default_port: int = DEFAULT_PORT) -> HostPort | None:
    """Where a URI, or a bare `host:port`, leads; None for nonsense."""
    text = uri.strip()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        if not parts.hostname:
            return None
        return HostPort(parts.hostname.rstrip("."), parts.port or default_port)
    except ValueError:
        return None


def speaks_tls(uri: str) -> bool:
    """Whether TLS is spoken there: go-livepeer does, but where http is written out."""
    return not uri.strip().lower().startswith("http://")
