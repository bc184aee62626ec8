"""Time: the wall clock (UTC) for what people read, the monotonic clock for what is measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the console knows of time; tests freeze it."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(slots=True)
class FrozenClock:
    """A clock that stands still until it is told to move."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


def utc(timestamp: float) -> datetime:
    """A timestamp as an aware UTC datetime."""
    return datetime.fromtimestamp(timestamp, UTC)


def iso(timestamp: float) -> str:
    """A timestamp in RFC 3339, UTC, to the millisecond: `2026-11-20T12:00:00.000Z`."""
    return utc(timestamp).isoformat(timespec="milliseconds").replace("+00:00", "Z")
