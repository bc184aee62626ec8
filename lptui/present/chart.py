"""A chart with axes from a series, drawn with plotext; a gap in the data is a gap in the line."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from types import ModuleType

from lptui.present.model import Line, Span, Tone
from lptui.present.words import duration

BRAILLE = range(0x2800, 0x2900)

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""plotext colours what it draws even when it is told not to."""

TIME_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)

Points = Sequence[tuple[float, float | None]]


def chart(points: Points, width: int, height: int, most: float = math.inf) -> list[Line]:
    """A series as `height` lines of `width` cells: time to the right, ending now.

    `most` is what the figure can never exceed (100 for percent).
    """
    # Late: plotext costs 30 ms, and most sessions start without a chart.
    import plotext

    newest = points[-1][0]
    runs = _runs(points, newest)
    if not runs:
        return []
    plotext.clear_figure()
    # Without this plotext cuts its figure to the size of the terminal that it happens to find.
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    plotext.theme("clear")
    plotext.frame(False)
    for xs, ys in runs:
        plotext.plot(xs, ys, marker="braille")
    _scale(plotext, runs, most)
    drawn = COLOURS.sub("", plotext.build())
    return [_line(text.rstrip()) for text in drawn.rstrip("\n").split("\n")]


def _runs(points: Points, newest: float) -> list[tuple[list[float], list[float]]]:
    """Stretches without gaps; times in seconds before the newest, which is 0."""
    runs: list[tuple[list[float], list[float]]] = []
    open_ = False
    for at, value in points:
        if value is None:
            open_ = False
            continue
        if not open_:
            runs.append(([], []))
            open_ = True
        runs[-1][0].append(at - newest)
        runs[-1][1].append(value)
    return runs


def _scale(plotext: ModuleType, runs: list[tuple[list[float], list[float]]], most: float) -> None:
    """Round limits, so that noise does not look like drama; times as `-5m`."""
    ticks = value_ticks(min(min(ys) for _, ys in runs), max(max(ys) for _, ys in runs), most)
    plotext.ylim(ticks[0], ticks[-1])
    plotext.yticks(ticks, [f"{tick:.10g}" for tick in ticks])
    span = max(1.0, -min(min(xs) for xs, _ in runs))
    plotext.xlim(-span, 0)
    times = time_ticks(span)
    plotext.xticks(times, ["now" if not at else f"-{_ago(-at)}" for at in times])


def time_ticks(span: float) -> list[float]:
    """Round times in seconds from `-span` to 0, five steps at most."""
    step = next((s for s in TIME_STEPS if span / s <= 5), span)
    return [-step * count for count in range(int(span // step), -1, -1)]


def _ago(seconds: float) -> str:
    """`90s` where minutes alone would not tell it from its neighbours."""
    return f"{seconds:.0f}s" if seconds % 60 and seconds < 600 else duration(seconds)


def value_ticks(low: float, high: float, most: float = math.inf) -> list[float]:
    """Round numbers around a range; from zero where the range is near it, or hardly varies."""
    if low >= 0 and (low <= 2 * (high - low) or high - low < 0.05 * high):
        low = 0.0
    if high - low < 1e-9 * max(1.0, abs(high)):
        high = low + 1.0
    rough = (high - low) / 3
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [min(step * count, most) for count in range(first, last + 1)]


def _line(text: str) -> Line:
    """Braille in the accent's tone, axes and labels muted."""
    spans: list[Span] = [Span(" ")]
    for char in text:
        tone = Tone.ACCENT if ord(char) in BRAILLE else Tone.MUTED
        if spans[-1].tone is tone:
            spans[-1] = Span(spans[-1].text + char, tone)
        else:
            spans.append(Span(char, tone))
    return tuple(spans)
