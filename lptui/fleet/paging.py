"""When somebody is woken: the operator's quiet hours, and what pages inside and outside of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

from lptui.fleet.finding import Severity
from lptui.fleet.guards import Window

FAILING: Final = frozenset({Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN})
GRAVE: Final = frozenset({Severity.CRITICAL, Severity.UNKNOWN})
"""What cannot be told is no reason to sleep on."""

LONGEST_S: Final = 8 * 86_400
"""Quiet hours that have no end within this time have none: they are written by the week."""

_MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Paging:
    """What is worth a page, and when.

    Attributes:
        quiet: windows by the clock on the wall in `zone`.
        zone: a name of the IANA time zone database.
        severities: what pages outside of the quiet hours; `quiet_severities` inside of them.
        always: checks that page at any hour when they are not well.
        can_wait: checks that wait for the end of the quiet hours, whatever they say.
    """

    quiet: tuple[Window, ...]
    zone: str = "UTC"
    severities: frozenset[Severity] = FAILING
    quiet_severities: frozenset[Severity] = GRAVE
    always: frozenset[str] = frozenset()
    can_wait: frozenset[str] = frozenset()

    def is_quiet(self, at: float) -> bool:
        """Whether a time (UTC seconds) is inside the quiet hours."""
        return _is_quiet(self, at, zone_of(self.zone))

    def quiet_until(self, at: float) -> float | None:
        """When the quiet hours that a time lies in end, adjoining ones as one; None for never."""
        minute = int(at // _MINUTE_S)
        return _quiet_until(self, minute) if self.is_quiet(at) else at

    def clock(self, at: float) -> str:
        """A time on the operator's wall: `Sat 07:00 Europe/Berlin`."""
        local = datetime.fromtimestamp(at, zone_of(self.zone))
        return f"{local:%a %H:%M} {self.zone}"


def zone_of(name: str) -> tzinfo:
    """A time zone by its name; raises ValueError or ZoneInfoNotFoundError (a KeyError)."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _is_quiet(paging: Paging, at: float, zone: tzinfo) -> bool:
    local = datetime.fromtimestamp(at, zone)
    return any(window.covers(local) for window in paging.quiet)


@lru_cache(maxsize=16)
def _quiet_until(paging: Paging, minute: int) -> float | None:
    """By each minute: clocks that are set forward or back leave no rule to compute it by."""
    zone = zone_of(paging.zone)
    for later in range(minute + 1, minute + LONGEST_S // _MINUTE_S):
        if not _is_quiet(paging, later * _MINUTE_S, zone):
            return float(later * _MINUTE_S)
    return None
