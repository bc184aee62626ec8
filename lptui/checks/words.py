"""How checks word times and counts. Plain ASCII but for text that came from outside."""

from __future__ import annotations

from math import isfinite


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


def listed(names: list[str], most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
