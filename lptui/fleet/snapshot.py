"""The snapshot: everything known of the fleet at one moment. Immutable, published whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar, cast

from lptui.fleet.reading import Key, Reading, unread
from lptui.fleet.topology import Fleet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The fleet and its readings.

    Attributes:
        taken_at: seconds since 1970 UTC at which it was published.
        number: counts the snapshots of one collector.
        complete: every source has been asked at least once.
    """

    fleet: Fleet
    readings: Mapping[Key, Reading[object]] = field(default_factory=lambda: MappingProxyType({}))
    taken_at: float = 0.0
    number: int = 0
    complete: bool = False
    _by_topic: dict[type, dict[str, Reading[object]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def reading(self, topic: type[T], target: str) -> Reading[T]:
        """The reading of a topic for a target; an "unread" one when there is none."""
        found = self.readings.get(Key(topic, target))
        return cast("Reading[T]", found) if found is not None else unread(topic.__name__)

    def value(self, topic: type[T], target: str) -> T | None:
        """The reading's value however old, or None. Checks use `fresh` instead."""
        return self.reading(topic, target).value

    def fresh(self, topic: type[T], target: str) -> T | None:
        """The value when it is there and not stale at the snapshot's own time."""
        return self.reading(topic, target).fresh(
            self.taken_at, self.fleet.thresholds.stale_intervals
        )

    def all(self, topic: type[T]) -> Iterator[tuple[str, Reading[T]]]:
        """All readings of a topic with their targets."""
        if not self._by_topic:
            # Checks and panes ask dozens of times. Two threads at once do the same twice.
            found: dict[type, dict[str, Reading[object]]] = {}
            for key, reading in self.readings.items():
                found.setdefault(key.topic, {})[key.target] = reading
            self._by_topic.update(found)
        return iter(cast("dict[str, Reading[T]]", self._by_topic.get(topic, {})).items())
