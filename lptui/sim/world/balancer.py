"""The simulated HAProxy: proxies, servers, their states and counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FORCED_MAINT: Final = 1
FORCED_DRAIN: Final = 8
STOPPED, STARTING, RUNNING, STOPPING = range(4)

RISE: Final = 2
FALL: Final = 3
WELL: Final = RISE + FALL - 1
"""The health of a server that passes all its checks; below RISE it is down."""


@dataclass(slots=True)
class BackendServer:
    """A server line of a backend.

    Attributes:
        admin: HAProxy's mask; `health` is its count of what the checks found, from 0 to WELL.
        checked: when it was checked last.
        unreachable: makes the check fail though the node is well.
        credit: part of a connection that it is owed.
    """

    name: str
    address: str
    port: int
    node: str = ""
    weight: int = 100
    initial_weight: int = 100
    backup: bool = False
    admin: int = 0
    health: int = WELL
    checked: float = 0.0
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
    credit: float = 0.0

    @property
    def healthy(self) -> bool:
        return self.health >= RISE

    @property
    def status(self) -> str:
        """The words of `show stat`, which hides a drain behind DOWN as the real one does."""
        if self.admin & FORCED_MAINT:
            return "MAINT"
        if not self.healthy:
            return f"DOWN {self.health}/{RISE}" if self.health else "DOWN"
        word = "DRAIN" if self.admin & FORCED_DRAIN else "UP"
        return word if self.health == WELL else f"{word} {self.health - RISE + 1}/{FALL}"

    @property
    def operational(self) -> int:
        if self.admin & FORCED_MAINT or not self.healthy:
            return STOPPED
        return RUNNING

    @property
    def takes_traffic(self) -> bool:
        return self.admin == 0 and self.healthy and self.weight > 0

    def tell(self, admin: int, now: float) -> None:
        """Sets what is wished of it.

        In maintenance nothing is checked; after it a server is up at once, and the next check that
        fails takes it down.
        """
        if self.admin & FORCED_MAINT and not admin & FORCED_MAINT:
            self.health, self.checked = RISE, now
        self.admin, self.changed = admin, now

    def check(self, passed: bool, now: float) -> None:
        """Counts a check as HAProxy does (its check.c)."""
        was = self.healthy
        self.checked = now
        self.check_status = "L4OK" if passed else "L4CON"
        self.check_detail = "" if passed else "Connection refused"
        self.check_failures += not passed
        if passed:
            self.health += self.health < WELL
            if self.health >= RISE:
                self.health = WELL
        else:
            self.health = self.health - 1 if self.health > RISE else 0
        if self.healthy is not was:
            self.changed = now

    def begin_anew(self, now: float) -> None:
        """As in the configuration: a new HAProxy knows of nothing that the one before was told."""
        self.admin, self.weight, self.health = 0, self.initial_weight, WELL
        self.sessions = self.total = self.bytes_in = self.bytes_out = 0
        self.connect_errors = self.response_errors = self.check_failures = 0
        self.changed = now


@dataclass(slots=True)
class Backend:
    """A backend with its servers; `is_sticky`: a table keeps clients on the server they had."""

    name: str
    mode: str
    algorithm: str
    servers: list[BackendServer] = field(default_factory=list)
    is_sticky: bool = True

    def find(self, name: str) -> BackendServer | None:
        return next((server for server in self.servers if server.name == name), None)

    @property
    def serving(self) -> list[BackendServer]:
        """Who gets traffic: the active servers that are up, else the first backup that is."""
        up = [server for server in self.servers if server.takes_traffic]
        return [s for s in up if not s.backup] or up[:1]


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
    unit: str
    socket: str
    started: float
    pid: int = 0
    running: bool = True
    version: str = "2.6.12-1+deb12u4"
    level: str = "admin"
    frontends: list[Frontend] = field(default_factory=list)
    backends: list[Backend] = field(default_factory=list)
    stats_port: int | None = None

    def backend(self, name: str) -> Backend | None:
        return next((one for one in self.backends if one.name == name), None)

    def begin_anew(self, pid: int, now: float) -> None:
        """A new worker, by a restart or a reload."""
        self.pid, self.started = pid, now
        for backend in self.backends:
            for server in backend.servers:
                server.begin_anew(now)
