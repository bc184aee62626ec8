"""Figures in words: ages, durations, sizes, shares, sparklines. Pure, no rounding of money."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def duration(seconds: float) -> str:
    """The two largest units at most: `42s`, `5m`, `3h12m`, `2d4h`, `41d`."""
    if not math.isfinite(seconds):
        return "never"
    whole = int(max(0.0, seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, _ = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h" if days < 10 else f"{days}d"


def age(seconds: float) -> str:
    """An age in at most four characters: `7s`, `3m`, `2h`, `9d`; `never` for infinity."""
    if not math.isfinite(seconds):
        return "never"
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)}{unit}"
    return f"{min(999, int(seconds // 86400))}d"


def fresh_age(seconds: float, interval_s: float) -> str:
    """An age that stands still while its source keeps its pace: `<2s`, then `7s`.

    A figure that is asked for every two seconds is at most two seconds old; saying so once
    is calmer than counting, and as true.
    """
    if interval_s and seconds <= interval_s * 1.5 + 1:
        return f"<{age(math.ceil(interval_s * 1.5 + 1))}"
    return age(seconds)


def size(count: float) -> str:
    """Bytes in binary units, three figures: `512M`, `1.5G`, `24G`."""
    value = float(count)
    for unit in ("B", "K", "M", "G", "T"):
        if value < 1000:
            return f"{value:.1f}{unit}" if value < 10 and unit not in "BK" else f"{value:.0f}{unit}"
        value /= 1024
    return f"{value:.0f}P"


def count(number: float) -> str:
    """A count in at most five characters: `950`, `12.3k`, `4.5M`."""
    if abs(number) < 10_000:
        return f"{number:.0f}"
    for limit, scale, unit in ((1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "G")):
        if abs(number) < limit:
            value = number / scale
            return f"{value:.1f}{unit}" if value < 100 else f"{value:.0f}{unit}"
    return f"{number:.0e}"


def out_of(good: int, total: int, what: str, unknown: int = 0, between: str = " of ") -> str:
    """How many of some things are well: `4 of 5 up`; what is not known counts as neither."""
    if unknown and unknown == total:
        return f"?{between}{total} {what}"
    rest = f", {unknown} unknown" if unknown else ""
    return f"{good}{between}{total} {what}{rest}"


def percent(value: float) -> str:
    """`0%`, `7.5%` below ten, `83%`; `<0.1%` for a trace that is not zero."""
    if 0 < value < 0.1:
        return "<0.1%"
    return f"{value:.1f}%" if 0 < value < 9.95 else f"{value:.0f}%"


def seconds(value: float) -> str:
    """A short time: `12ms`, `1.4s`."""
    if abs(value) < 0.0005:
        return "0ms"
    return f"{value * 1000:.0f}ms" if abs(value) < 1 else f"{value:.1f}s"


def signed_seconds(value: float) -> str:
    """An offset with its sign: `+3ms`, `-1.2s`."""
    return f"{'+' if value >= 0 else '-'}{seconds(abs(value))}"


def grouped(number: int) -> str:
    """A whole number with thin groups: `284,112,903`."""
    return f"{number:,}"


def spark(
    values: Sequence[float | None], low: float | None = None, high: float | None = None
) -> str:
    """A sparkline of block characters; a gap in the data is a gap in the line."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return " " * len(values)
    floor = min(known) if low is None else low
    top = max(known) if high is None else max(high, floor)
    scale = (len(BLOCKS) - 1) / (top - floor) if top > floor else 0.0
    return "".join(
        " "
        if value is None or not math.isfinite(value)
        else BLOCKS[max(0, min(len(BLOCKS) - 1, round((value - floor) * scale)))]
        for value in values
    )


def bar(share: float, width: int) -> str:
    """A bar of `share` (0 to 1) filled to an eighth of a character, padded with `░`."""
    filled = max(0.0, min(1.0, share)) * width
    full = int(filled)
    part = int((filled - full) * 8)
    text = "█" * full + (EIGHTHS[part] if part and full < width else "")
    return text + "░" * (width - len(text))
