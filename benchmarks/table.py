"""The bench's results: a table for people, JSON for scripts."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure; `limit` is what it must reach, as text, and `met` whether it does."""

    name: str
    value: float
    unit: str
    limit: str = ""
    met: bool | None = None


@dataclass
class Results:
    """All figures of one run."""

    figures: list[Figure] = field(default_factory=list)

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Enters a figure, with the limit that it must keep where there is one."""
        limit, met = "", None
        if at_least is not None:
            limit, met = f">= {at_least:g}", value >= at_least
        elif at_most is not None:
            limit, met = f"<= {at_most:g}", value <= at_most
        figure = Figure(name, value, unit, limit, met)
        self.figures.append(figure)
        print(_row(figure), flush=True)

    def write(self, path: Path) -> None:
        """Writes everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(figure) for figure in self.figures], indent=2) + "\n")


def _row(figure: Figure) -> str:
    mark = {None: "", True: "ok", False: "MISSED"}[figure.met]
    value = f"{figure.value:,.3g}" if figure.value < 1000 else f"{figure.value:,.0f}"
    return f"{figure.name:<64} {value:>9} {figure.unit:<6} {figure.limit:>8} {mark}"


def median(values: Sequence[float]) -> float:
    """The median; raises StatisticsError without values."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """The 95th percentile by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
