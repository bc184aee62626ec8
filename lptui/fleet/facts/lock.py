"""Who is at a fleet now, as all consoles see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds the lock, by their run's id; `note` is what their console says of it."""

    run: str
    note: str


@dataclass(frozen=True, slots=True)
class FleetLocked:
    """The fleet's lock, on the host that answered. `holders` is () while nobody has it."""

    host: str
    holders: tuple[LockHolder, ...] = ()
