"""What a load balancer says; HAProxy and nginx in one shape."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.units import Percent


class AdminState(StrEnum):
    """What the operator (or the configuration) wants of a server."""

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"
    DOWN = "down"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """What the balancer (or, for nginx, the console's own probe) found."""

    UP = "up"
    DOWN = "down"
    GOING_UP = "going-up"
    GOING_DOWN = "going-down"
    STARTING = "starting"
    NO_CHECK = "no-check"
    UNRESOLVED = "unresolved"
    UNUSED = "unused"
    """A slot of a server-template that its name has no address for."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a backend (upstream). Identified by (backend, name).

    Attributes:
        weight: effective now; `configured_weight` as written in the configuration.
        sessions: in flight now (HTTP: requests, TCP: connections); None for nginx.
        total_sessions: since the balancer started; `share` of the backend's new sessions since
            the reading before, None on the first or without traffic.
        changed_s: seconds since the last change of state.
        health_source: "check" (the balancer's own), "agent" (the word of the server's agent),
            "probe" (asked by the console), "" none.
    """

    backend: str
    name: str
    address: str
    admin: AdminState
    health: Health
    backup: bool = False
    weight: int | None = None
    configured_weight: int | None = None
    sessions: int | None = None
    queue: int | None = None
    session_limit: int | None = None
    total_sessions: int | None = None
    share: Percent | None = None
    errors: int | None = None
    check: str = ""
    check_detail: str = ""
    changed_s: float | None = None
    health_source: str = "check"
    agent: bool = False
    throttle: Percent | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """A frontend or backend as a whole. `kind` is "frontend" or "backend".

    `algorithm` is the balancing algorithm and `cookie` the one that keeps clients on a server; ""
    where HAProxy does not tell (its level), and of cookies where there is none.
    """

    name: str
    kind: str
    status: str
    sessions: int | None = None
    session_rate: int | None = None
    queue: int | None = None
    algorithm: str = ""
    cookie: str = ""
    active: int | None = None
    backup: int | None = None
    errors: int | None = None
    denied: int | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NginxServer:
    """A `server` line of an nginx upstream block. `address` as written, port included.

    Attributes:
        words: the statement as written, its quotes taken off.
        file, line: where it stands.
    """

    address: str
    weight: int = 1
    backup: bool = False
    down: bool = False
    max_fails: int = 1
    fail_timeout_s: float = 10.0
    file: str = ""
    line: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NginxUpstream:
    """An nginx upstream block, or a server that requests are passed to without one.

    `context` is http or stream. `scheme` is how requests are sent: http, https, grpc, grpcs,
    fastcgi, …; udp; "" where the configuration does not tell. `algorithm` is the balancing
    directive ("" for round robin). `is_direct`: there is no block of that name.
    """

    name: str
    context: str
    servers: tuple[NginxServer, ...]
    algorithm: str = ""
    scheme: str = "http"
    is_direct: bool = False

    @property
    def named(self) -> tuple[tuple[str, NginxServer], ...]:
        """The servers by their names: their addresses, and a number for one that comes again."""
        times: dict[str, int] = {}
        found = []
        for server in self.servers:
            n = times[server.address] = times.get(server.address, 0) + 1
            found.append((server.address if n == 1 else f"{server.address} #{n}", server))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class NginxConfig:
    """What nginx's files say, and which processes run. Target: the balancer's name.

    Attributes:
        listen: addresses that its server blocks listen on, as written.
        changed_at: the newest of the files, seconds since 1970 by the host's clock.
        loaded_at: when the oldest worker that serves started, by the same clock (a worker that
            died and was replaced has the old configuration).
        edited: a file is newer than the workers; None when one of the two is not known.
        refused: why nginx would not start with its files ("" when it would, or cannot be asked).
        old_workers: workers that only finish old connections.
        workers: process ids of those that serve; the newest has run for `serving_s` seconds.
        error_log: the main one's path; "" where it is not a file, or not said.
    """

    upstreams: tuple[NginxUpstream, ...]
    listen: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    version: str = ""
    pid: int | None = None
    uptime_s: float | None = None
    changed_at: float | None = None
    loaded_at: float | None = None
    edited: bool | None = None
    refused: str = ""
    old_workers: int | None = None
    notes: tuple[str, ...] = ()
    workers: tuple[int, ...] = ()
    serving_s: float | None = None
    error_log: str = ""


@dataclass(frozen=True, slots=True)
class NginxConnections:
    """How many TCP connections nginx's host has to a server. Target: the balancer's name.

    Attributes:
        servers: (address as nginx has it, connections that are established; None: not known).
        is_shared: the login's own connections cannot be told from nginx's, and are among them.
    """

    servers: tuple[tuple[str, int | None], ...]
    is_shared: bool = False

    def of(self, address: str) -> int | None:
        """Connections to an address; None when they are not known."""
        return dict(self.servers).get(address)


@dataclass(frozen=True, slots=True)
class BalancerState:
    """One reading of a balancer. Target: its name.

    Attributes:
        level: what the socket allows (user, operator, admin); "" when not known or nginx.
        pid, uptime_s: of the worker; a smaller uptime means a reload.
        old_workers: still finishing connections from before a reload; None when not known.
        edited: nginx: the files on disk are newer than the running workers.
        connections: nginx's active connections (stub_status).
        tables: proxies with a stick table (HAProxy); None when not known.
    """

    kind: str
    version: str
    proxies: tuple[Proxy, ...]
    servers: tuple[Server, ...]
    level: str = ""
    pid: int | None = None
    uptime_s: float | None = None
    old_workers: int | None = None
    edited: bool | None = None
    connections: int | None = None
    notes: tuple[str, ...] = ()
    tables: tuple[str, ...] | None = None

    def backend(self, name: str) -> Proxy | None:
        return next((p for p in self.proxies if p.kind == "backend" and p.name == name), None)

    def backend_servers(self, name: str) -> tuple[Server, ...]:
        return tuple(server for server in self.servers if server.backend == name)
