"""A reading: what was asked, of whom, when, and either a value or a typed problem."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final, Generic, NamedTuple, TypeVar

from lptui.errors import Problem, ProblemKind

T = TypeVar("T")

SLACK_S: Final = 2.0
"""A reading may be so much younger than a snapshot by the wall clock, which is slewed at times."""


class Key(NamedTuple):
    """Names a reading: a topic (a class of `facts`) and its target (a host's, node's… name).

    A tuple, since thousands are hashed for each frame of a large fleet.
    """

    topic: type
    target: str

    def __str__(self) -> str:
        return f"{self.topic.__name__}@{self.target}"


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One answer, or one failure to get it.

    Attributes:
        value: the fact; None exactly when `problem` is set.
        source: where it came from, in words ("ssh edge-1: /proc").
        taken_at: seconds since 1970 UTC at which the answer arrived; 0 when never asked.
        took_s: how long the asking took, in seconds.
        interval_s: how often this source is asked; a reading is stale after some of these.
        last_good: the most recent earlier reading with a value, when this one has none.
    """

    value: T | None
    problem: Problem | None
    source: str
    taken_at: float
    took_s: float = 0.0
    interval_s: float = 0.0
    last_good: Reading[T] | None = None

    def age(self, now: float) -> float:
        """Seconds since the answer arrived; infinite when it was never asked.

        Infinite too for a time to come: the clock was set back since, by nobody knows how much.
        """
        if not self.taken_at or self.taken_at > now + SLACK_S:
            return inf
        return max(0.0, now - self.taken_at)

    def is_stale(self, now: float, intervals: float = 3.0) -> bool:
        """Older than so many of its own intervals (and than five seconds)."""
        return self.age(now) > max(5.0, self.interval_s * intervals + self.took_s)

    def fresh(self, now: float, intervals: float = 3.0) -> T | None:
        """The value if there is one and it is not stale."""
        return None if self.is_stale(now, intervals) else self.value


def unread(source: str = "") -> Reading[T]:
    """The reading of a source that was never asked."""
    return Reading(
        None, Problem(ProblemKind.NOT_READ, source or "reading", "not read yet"), source, 0.0
    )
