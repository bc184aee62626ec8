"""What the operator allows changes to do; the same for every action."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """A time of the day or of the week; `days` () is every day.

    `begins` and `ends` are minutes since midnight; one that ends before it begins goes over it.
    """

    begins: int
    ends: int
    days: tuple[str, ...] = ()

    def holds(self, at: float) -> bool:
        """Whether a time (UTC seconds) is inside of a window that is meant in UTC."""
        return self.covers(datetime.fromtimestamp(at, UTC))

    def covers(self, moment: datetime) -> bool:
        """Whether a time is inside, by its own clock."""
        minute = moment.hour * 60 + moment.minute
        today = moment.weekday()
        if self.begins < self.ends:
            return self.begins <= minute < self.ends and self._on(today)
        if minute >= self.begins:
            return self._on(today)
        return minute < self.ends and self._on((today - 1) % 7)

    def _on(self, weekday: int) -> bool:
        return not self.days or DAYS[weekday] in self.days

    def __str__(self) -> str:
        days = f"{' '.join(self.days)} " if self.days else ""
        return f"{days}{_clock(self.begins)}-{_clock(self.ends)} UTC"


@dataclass(frozen=True, slots=True)
class Guards:
    """Limits for changes.

    Attributes:
        min_backends: usable servers that a pool must keep; never less than one.
        max_unavailable: nodes that a coordinated restart takes away at once.
        cool_down_s: pause between two changes of the same target.
        windows: when changes may be made; () for always.
        safe_blocks: L1 blocks of the round that must be left for a restart `--when-safe`.
        lock_hosts: where the fleet's lock is held, the first few that answer; () for all hosts.
    """

    min_backends: int = 1
    max_unavailable: int = 1
    cool_down_s: float = 0.0
    windows: tuple[Window, ...] = ()
    lock_hosts: tuple[str, ...] = ()
    safe_blocks: int = 300


USUAL_GUARDS: Final = Guards()


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
