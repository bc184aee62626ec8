"""A trend that single outliers do not move, with how sure it is. Pure.

The slope is the median of all slopes between two points (Theil and Sen); its 95 % interval is by
the ranks of those slopes (Sen 1968, by Kendall's statistic). It says nothing for fewer than four
points, since there any order may be chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

LEAST_POINTS: Final = 4
_Z: Final = 1.96


@dataclass(frozen=True, slots=True)
class Trend:
    """A slope and the interval that holds the true one 19 times of 20, in the unit of the values
    for one unit of time."""

    slope: float
    low: float
    high: float
    points: int

    @property
    def rises(self) -> bool:
        """Whether it certainly does."""
        return self.low > 0


def trend(points: Sequence[tuple[float, float]]) -> Trend | None:
    """The trend of (time, value) with times that all differ; None for too few of them."""
    count = len(points)
    if count < LEAST_POINTS:
        return None
    slopes = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for at, earlier in enumerate(points)
        for later in points[at + 1 :]
    )
    pairs = len(slopes)
    spread = _Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    first = max(0, math.floor((pairs - spread) / 2))
    last = min(pairs - 1, math.ceil((pairs + spread) / 2))
    return Trend(median(slopes), slopes[first], slopes[last], count)
