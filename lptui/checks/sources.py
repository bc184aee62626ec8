"""The console's own sources: is every reading as young as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import ago, listed
from lptui.clock import iso
from lptui.errors import ProblemKind
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.text import plural

STALE: Final = "source-stale"


def source_stale(view: View) -> Iterator[Finding]:
    """A source that has stopped answering without an error: what rests on it is unknown.

    Sources that fail are the matter of their own checks; those of a lost host, of that host.
    """
    old: list[tuple[float, str]] = []
    total = len(view.snapshot.readings)
    for key, reading in view.snapshot.readings.items():
        if view.is_fresh(reading) or (not reading.taken_at and reading.last_good is not None):
            # What is only remembered from earlier runs is nobody's reading yet.
            continue
        problem = reading.problem
        if problem is None or problem.kind is ProblemKind.NOT_READ:
            old.append((reading.age(view.now), str(key)))
    name = view.fleet.name
    if not total:
        yield Finding(
            STALE, Severity.UNKNOWN, "fleet", name, "nothing has been read yet", (), "wait"
        )
        return
    old.sort(reverse=True)
    yield Finding(
        STALE,
        Severity.UNKNOWN if old else Severity.OK,
        "fleet",
        name,
        f"{len(old)} of {plural(total, 'reading')} too old: {listed([name for _, name in old])}"
        if old
        else f"all of {plural(total, 'reading')} within their intervals",
        tuple(f"{name}, {ago(age)}" for age, name in old[:10])
        or (f"snapshot {view.snapshot.number} of {iso(view.now)}",),
        "see whether the console keeps up, and the sources' hosts" if old else "",
        metrics=(Metric("stale_readings", len(old)), Metric("readings", total)),
    )
