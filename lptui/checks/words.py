"""How checks word times and counts. ASCII but for `±`, and for text that came from outside."""

from __future__ import annotations

from math import isfinite
from typing import Final

from lptui.clock import utc

_UNITS: Final = ((60.0, " min"), (3600.0, " h"), (1.0, " s"))


def span(seconds: float) -> str:
    """A length of time as people say it: `0.4 s`, `12 s`, `5 min`, `2 h 07 min`, `3 d 4 h`."""
    if not isfinite(seconds):
        return "an unknown time"
    whole = int(seconds)
    if whole < 10 and seconds != whole:
        return f"{seconds:.1f} s"
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def ago(seconds: float) -> str:
    """How long ago: `2 s ago`, `never` for what never was."""
    return "never" if not isfinite(seconds) else f"{span(seconds)} ago"


def moment(at: float) -> str:
    """A time (UTC seconds); what others tell need not be one."""
    try:
        return f"{utc(at):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "an absurd time"


def listed(names: list[str], most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def about(seconds: float, error_s: float) -> str:
    """A length of time that is not quite known: `~2 h 07 min ± 3`, the last in the last unit."""
    told = span(round(seconds / 60) * 60 if seconds >= 120 else seconds)
    unit = next((size for size, word in _UNITS if told.endswith(word)), 0.0)
    if not unit:
        return f"~{told}"
    return f"~{told} ± {max(1, round(error_s / unit))}"


def logs_of(since: int, upto: int) -> str:
    """Whose blocks' logs were seen."""
    if since > upto:
        return f"no logs up to L2 block {upto}"
    return f"logs of L2 blocks {since} to {upto}"
