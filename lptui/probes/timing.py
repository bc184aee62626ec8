"""How much of a probe's time is left, for probes that ask more than once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lptui.errors import DeadlineError
from lptui.probes.probe import Asking

_LEAST_S: Final = 0.05


def time_left(asking: Asking) -> Callable[[], float]:
    """A function that gives the seconds left from now on; it raises DeadlineError at the end."""
    ends_at = asking.clock.monotonic() + asking.deadline_s

    def left() -> float:
        seconds = ends_at - asking.clock.monotonic()
        if seconds < _LEAST_S:
            raise DeadlineError("reading", f"not complete after {asking.deadline_s:g} s")
        return seconds

    return left
