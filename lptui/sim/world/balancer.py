"""The simulated HAProxy: proxies, servers, their states and counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FORCED_MAINT: Final = 1
FORCED_DRAIN: Final = 8
STOPPED, STARTING, RUNNING, STOPPING = range(4)


@dataclass(slots=True)
class BackendServer:
    """A server line of a backend. `admin` is HAProxy's mask, `healthy` what its check found;
    `unreachable` makes the check fail though the node is well."""

    name: str
    address: str
    port: int
    node: str = ""
    weight: int = 100
    initial_weight: int = 100
    backup: bool = False
    admin: int = 0
    healthy: bool = True
    check_status: str = "L4OK"
    check_detail: str = ""
    changed: float = 0.0
    sessions: int = 0
    total: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connect_errors: int = 0
    response_errors: int = 0
    check_failures: int = 0
    unreachable: bool = False

    @property
    def status(self) -> str:
        """The word of `show stat`, which hides a drain behind DOWN as the real one does."""
        if self.admin & FORCED_MAINT:
            return "MAINT"
        if not self.healthy:
            return "DOWN"
        return "DRAIN" if self.admin & FORCED_DRAIN else "UP"

    @property
    def operational(self) -> int:
        if self.admin & FORCED_MAINT or not self.healthy:
            return STOPPED
        return RUNNING

    @property
    def takes_traffic(self) -> bool:
        return self.status == "UP" and self.weight > 0


@dataclass(slots=True)
class Backend:
    """A backend with its servers."""

    name: str
    mode: str
    algorithm: str
    servers: list[BackendServer] = field(default_factory=list)

    def find(self, name: str) -> BackendServer | None:
        return next((server for server in self.servers if server.name == name), None)

    @property
    def serving(self) -> list[BackendServer]:
        """Who gets traffic: the active servers that are up, else the backups."""
        up = [server for server in self.servers if server.takes_traffic]
        return [s for s in up if not s.backup] or up


@dataclass(slots=True)
class Frontend:
    """A frontend and the backend that it hands everything to."""

    name: str
    mode: str
    address: str
    port: int
    backend: str
    sessions: int = 0
    total: int = 0
    rate: int = 0


@dataclass(slots=True)
class HaproxyProcess:
    """A HAProxy worker and what its runtime socket may do (`level`)."""

    name: str
    host: str
    socket: str
    started: float
    pid: int = 0
    version: str = "2.6.12-1+deb12u4"
    level: str = "admin"
    frontends: list[Frontend] = field(default_factory=list)
    backends: list[Backend] = field(default_factory=list)
    stats_port: int | None = None

    def backend(self, name: str) -> Backend | None:
        return next((one for one in self.backends if one.name == name), None)


@dataclass(slots=True)
class NginxProcess:
    """An nginx with one upstream a name; `accepts` and `requests` only grow."""

    name: str
    host: str
    status_port: int
    config: dict[str, str]
    version: str = "1.22.1"
    started: float = 0.0
    accepts: int = 184_220
    requests: int = 9_442_118
    active: int = 12
