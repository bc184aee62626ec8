"""A host's TCP connections to where orchestrators listen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connection:
    """An established connection: `local` and `peer` are `address:port`, as `ss` writes them but
    without the zone and the prefix of an IPv4 address in IPv6 (`[::ffff:192.0.2.1]`)."""

    local: str
    peer: str


@dataclass(frozen=True, slots=True)
class HostConnections:
    """The established connections to the `ports` that orchestrators listen on."""

    connections: tuple[Connection, ...]
    ports: tuple[int, ...]
