"""Who was asked what, and how much of it at the same time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field


@dataclass(slots=True)
class Call:
    """One request to a node. Places in the sequence order beginnings and ends of all calls."""

    node: str
    method: str
    path: str
    params: dict[str, str]
    began: int
    ended: int | None = None
    status: int | None = None


@dataclass(slots=True)
class CallLog:
    """Every request to one node, or to a fleet when its nodes share the log."""

    calls: list[Call] = field(default_factory=list)
    _sequence: itertools.count[int] = field(default_factory=itertools.count)

    def begin(self, node: str, method: str, path: str, params: dict[str, str]) -> Call:
        """Notes a request."""
        call = Call(node, method, path, params, next(self._sequence))
        self.calls.append(call)
        return call

    def end(self, call: Call, status: int | None) -> None:
        """Notes its answer; no status when the connection was dropped."""
        call.ended = next(self._sequence)
        call.status = status

    def to(self, path: str, node: str | None = None) -> list[Call]:
        """The calls of one route."""
        return [c for c in self.calls if c.path == path and node in (None, c.node)]

    def count(self, path: str, node: str | None = None) -> int:
        """How often a route was called."""
        return len(self.to(path, node))

    def running(self, path: str, node: str | None = None) -> int:
        """How many calls of a route are not answered yet."""
        return sum(call.ended is None for call in self.to(path, node))

    def most_at_once(self, path: str, node: str | None = None) -> int:
        """The most calls of a route that ever ran at the same time."""
        changes: list[tuple[int, int]] = []
        for call in self.to(path, node):
            changes.append((call.began, 1))
            if call.ended is not None:
                changes.append((call.ended, -1))
        most = now = 0
        for _, change in sorted(changes):
            now += change
            most = max(most, now)
        return most
