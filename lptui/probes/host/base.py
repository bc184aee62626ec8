"""What all host probes have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, Intervals


class HostProbe:
    """One loop a host, one reading named after the host.

    A subclass names itself, its topic and what it asks for, and says how often.
    """

    name: ClassVar[str]
    topic: ClassVar[type]
    asks: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    def pace(self, intervals: Intervals) -> float:
        """How often, in seconds."""
        return intervals.slow

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(fleet.hosts)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return self.pace(fleet.intervals)

    def source(self, fleet: Fleet, target: str) -> str:
        way = "ssh" if fleet.hosts[target].ssh else "local"
        return f"{way} {target}: {self.asks}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(self.topic, target),)

    def key(self, target: str) -> Key:
        return Key(self.topic, target)
