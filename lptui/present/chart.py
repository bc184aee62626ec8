"""A chart with axes from a series, drawn with plotext; a gap in the data is a gap in the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lptui.present.model import Line, Span, Tone
from lptui.present.words import duration

BRAILLE = range(0x2800, 0x2900)

Points = Sequence[tuple[float, float | None]]


def chart(points: Points, width: int, height: int) -> list[Line]:
    """A series as `height` lines of `width` cells: time to the right, ending now."""
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
    _scale(plotext, runs)
    return [_line(text) for text in plotext.build().rstrip("\n").split("\n")]


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


def _scale(plotext: Any, runs: list[tuple[list[float], list[float]]]) -> None:
    """Round limits, so that noise does not look like drama; times as `-5m`."""
    low = min(min(ys) for _, ys in runs)
    high = max(max(ys) for _, ys in runs)
    margin = max((high - low) * 0.05, abs(high) * 0.01, 1e-9)
    floor = 0.0 if low >= 0 and low <= (high - low) * 2 else low - margin
    plotext.ylim(floor, high + margin)
    ticks = [floor + (high + margin - floor) * step / 3 for step in range(4)]
    plotext.yticks(ticks, [f"{tick:.4g}" for tick in ticks])
    first = min(xs[0] for xs, _ in runs)
    span = max(1.0, -first)
    plotext.xlim(-span, 0)
    times = [-span * step / 4 for step in range(4, -1, -1)]
    plotext.xticks(times, ["now" if not at else f"-{duration(-at)}" for at in times])


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
