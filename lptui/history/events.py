"""When findings began and ended, and what else happened: a bounded list, newest last."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from lptui.fleet.finding import Finding, Severity

CAPACITY = 1000


class EventKind(StrEnum):
    FINDING = "finding"
    ACTION = "action"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        began, ended: UTC seconds; `ended` None: it lasts (findings) or has no length (others).
        id: the finding's id; "" for other kinds.
        severity: OK for what is merely news.
    """

    kind: EventKind
    began: float
    severity: Severity
    text: str
    id: str = ""
    ended: float | None = None
    acknowledged: bool = False
    waits: bool = False
    """Not worth a page as things stand."""

    def lasted(self, now: float) -> float:
        """Seconds from its beginning to its end, or until now."""
        return max(0.0, (self.ended if self.ended is not None else now) - self.began)


class EventLog:
    """Events in the order in which they began. Open findings are known by their id."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._events: deque[Event] = deque(maxlen=capacity)
        self._open: dict[str, Event] = {}
        self.generation = 0

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def latest(self, count: int) -> list[Event]:
        """The newest events, oldest first. A finding that ended counts by its end."""
        moved = sorted(self._events, key=lambda e: e.ended if e.ended is not None else e.began)
        return moved[-count:] if count > 0 else []

    def note(self, at: float, text: str, severity: Severity = Severity.OK) -> None:
        """Something worth keeping that is neither a finding nor an action."""
        self._append(Event(EventKind.NOTE, at, severity, text))

    def action(self, at: float, text: str, severity: Severity = Severity.OK) -> None:
        """A step of an action, or its outcome."""
        self._append(Event(EventKind.ACTION, at, severity, text))

    def observe(self, at: float, findings: Iterable[Finding]) -> None:
        """Compares findings with those before: some begin, change severity, or end.

        An acknowledgement outlives an easing, never a worsening.
        """
        standing = {f.id: f for f in findings if f.severity is not Severity.OK}
        for identity in [known for known in self._open if known not in standing]:
            self._close(identity, at)
        # The worst last: of what begins at once it is the newest.
        for identity, finding in sorted(standing.items(), key=lambda it: it[1].severity.rank):
            held = self._open.get(identity)
            waits = finding.page is not None and not finding.page.now
            if held is not None and held.severity is finding.severity:
                if held.waits is not waits:
                    self._replace(held, replace(held, waits=waits))
                continue
            if held is not None:
                self._close(identity, at)
            eased = held is not None and finding.severity.rank < held.severity.rank
            seen = held is not None and held.acknowledged and eased
            text = f"{finding.target}: {finding.summary}"
            event = Event(
                EventKind.FINDING, at, finding.severity, text, identity, None, seen, waits
            )
            self._open[identity] = event
            self._append(event)

    def acknowledge(self, identity: str, value: bool = True) -> bool:
        """Marks an open finding as seen; False when it is not open. Its end forgets the mark."""
        held = self._open.get(identity)
        if held is None or held.acknowledged == value:
            return False
        self._replace(held, replace(held, acknowledged=value))
        return True

    @property
    def acknowledged(self) -> frozenset[str]:
        """Ids of the open findings that were marked as seen."""
        return frozenset(event.id for event in self._open.values() if event.acknowledged)

    def _append(self, event: Event) -> None:
        self._events.append(event)
        self.generation += 1

    def _close(self, identity: str, at: float) -> None:
        held = self._open.pop(identity)
        self._replace(held, replace(held, ended=at), stays_open=False)

    def _replace(self, old: Event, new: Event, *, stays_open: bool = True) -> None:
        for index in range(len(self._events) - 1, -1, -1):
            if self._events[index] is old:
                self._events[index] = new
                break
        if stays_open:
            self._open[new.id] = new
        self.generation += 1
