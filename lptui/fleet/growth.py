"""How long the free space of a file system lasts, from what was read in the last days. Pure.

Of each span of time only the most free space counts: a large file that is written and removed
again is no growth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from lptui.fleet.facts.host import HostDisks, Mount
from lptui.fleet.facts.upkeep import HostGrowth, MountGrowth
from lptui.fleet.trend import Trend, trend

SPAN_S: Final = 7200.0
"""Length of the spans of which one figure is kept."""

MOST_SPANS: Final = 84
"""A week of them."""

LEAST_S: Final = 6 * 3600.0
"""A shorter time tells no trend."""

MOST_MOUNTS: Final = 64
_DAY_S: Final = 86_400.0
_YEAR: Final = 365.0
_RESIZED: Final = 0.05

Samples = tuple[tuple[int, int], ...]


def grown(before: HostGrowth | None, disks: HostDisks, at: float) -> HostGrowth:
    """What was known before, with a reading at `at` (UTC seconds)."""
    known = {one.path: one for one in before.mounts} if before is not None else {}
    mounts = [mount for mount in disks.mounts if not mount.read_only][:MOST_MOUNTS]
    return HostGrowth(tuple(_grown(known.get(mount.path), mount, at) for mount in mounts))


def seen_s(mount: MountGrowth) -> float:
    """Over how long a time there are readings, in seconds."""
    if not mount.samples:
        return 0.0
    return (mount.samples[-1][0] - mount.samples[0][0]) * SPAN_S


def days_words(mount: MountGrowth) -> str:
    """`3.1 days (2.6 to 3.9)`, as far as the trend is sure."""
    left, soonest, latest = mount.days_to_full, mount.soonest, mount.latest
    if left is None or soonest is None or latest is None:
        return "not known yet"
    if not math.isfinite(left):
        return "never at this pace"
    if left > _YEAR:
        return "more than a year"
    end = (
        f"{latest:.1f}" if latest <= _YEAR else "never" if math.isinf(latest) else "a year or more"
    )
    return f"{left:.1f} days ({soonest:.1f} to {end})"


def with_trend(mount: MountGrowth) -> MountGrowth:
    """The same with the trend of its samples."""
    return _judged(replace(mount, trend=_trend(mount.samples)))


def _judged(mount: MountGrowth) -> MountGrowth:
    """The same with how long what is free lasts."""
    pace = mount.trend
    if pace is None:
        return replace(mount, days_to_full=None, soonest=None, latest=None)
    days = [_days(mount.available, one) for one in (pace.slope, pace.high, pace.low)]
    return replace(mount, days_to_full=days[0], soonest=days[1], latest=days[2])


def _days(available: int, pace: float) -> float:
    return available / pace if pace > 0 else math.inf


def _grown(before: MountGrowth | None, mount: Mount, at: float) -> MountGrowth:
    span = math.floor(at / SPAN_S)
    if before is None or not _is_same(before, mount):
        first = ((span, mount.available),)
        return MountGrowth(mount.path, mount.device, mount.size, mount.available, first)
    kept = tuple(item for item in before.samples if span - MOST_SPANS < item[0] <= span)
    if kept and kept[-1][0] == span:
        samples = (*kept[:-1], (span, max(kept[-1][1], mount.available)))
        same = replace(before, size=mount.size, available=mount.available, samples=samples)
        return _judged(same)
    samples = (*kept, (span, mount.available))
    return with_trend(replace(before, size=mount.size, available=mount.available, samples=samples))


def _is_same(before: MountGrowth, mount: Mount) -> bool:
    """Whether it is still that file system: its size moves a little where it is one of a pool."""
    return before.device == mount.device and (
        abs(mount.size - before.size) <= _RESIZED * max(before.size, 1)
    )


def _trend(samples: Samples) -> Trend | None:
    """Of the spans that are over, in bytes used a day."""
    over: Iterable[tuple[int, int]] = samples[:-1]
    points = [(span * SPAN_S / _DAY_S, -float(free)) for span, free in over]
    if not points or (points[-1][0] - points[0][0]) * _DAY_S < LEAST_S:
        return None
    return trend(points)
