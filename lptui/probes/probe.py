"""The shape of every probe, and how it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from lptui.clock import Clock
from lptui.errors import Problem
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.transport.protocols import Reach


@dataclass(frozen=True, slots=True)
class Answer:
    """A key with its value or its problem; exactly one of the two is set."""

    key: Key
    value: Any = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """What a probe may use while it asks.

    Attributes:
        latest: the newest snapshot: for rates since the last reading, and for what other probes
            found (never older than the collector's last publication; may be empty).
        deadline_s: by when the probe must have answered, in seconds from now.
    """

    fleet: Fleet
    reach: Reach
    clock: Clock
    latest: Snapshot
    deadline_s: float


class Probe(Protocol):
    """One kind of source.

    `name` is unique. A probe has no state of its own: what it needs of the past is in
    `asking.latest`. It may raise any LptuiError: the collector then fails all its keys with it.
    """

    @property
    def name(self) -> str: ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of probes that must have answered before, in a run that asks only once."""
        ...

    def targets(self, fleet: Fleet) -> Sequence[str]:
        """What is asked: one independent loop each."""
        ...

    def interval_s(self, fleet: Fleet, target: str) -> float:
        """How often, in seconds."""
        ...

    def source(self, fleet: Fleet, target: str) -> str:
        """Where the answers come from, in words for people ("ssh edge-1: /proc")."""
        ...

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        """The readings that it always gives for a target; `ask` may answer more."""
        ...

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        """Asks once and parses the answer."""
        ...


@runtime_checkable
class Loading(Protocol):
    """A probe with something of its own to load first: no time of those who are asked."""

    async def load(self) -> None: ...
