"""`python -m benchmarks [PART…]`: everything, or the named ones of PARTS.

Prints a table and writes `benchmarks/results/latest.json`. Ends with 1 when a limit was missed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import console, engine, fleet
from benchmarks.lab import lab
from benchmarks.table import Results

PARTS = ("fleet", "cold", "dead", "engine", "start", "screen")


def main(words: list[str]) -> int:
    """Runs the parts; the result is the exit code."""
    chosen = words or list(PARTS)
    unknown = [word for word in chosen if word not in PARTS]
    if unknown:
        print(f"no such part: {', '.join(unknown)}; there are: {', '.join(PARTS)}")
        return 2
    results = Results()
    with lab() as made:
        if "fleet" in chosen:
            fleet.steady(made, results)
        if "cold" in chosen:
            fleet.cold(made, results)
        if "dead" in chosen:
            fleet.dead(made, results)
        if "engine" in chosen:
            engine.steps(made, results)
        if "start" in chosen:
            console.start(made, results)
    if "screen" in chosen:
        console.screen(results)
    results.write(Path(__file__).parent / "results" / "latest.json")
    return int(any(figure.met is False for figure in results.figures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
