"""The fleet's layout for scripts: its set-up, what is missing, the links and their state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.fleet.finding import Finding, Severity
from lptui.fleet.layout import layout
from lptui.fleet.snapshot import Snapshot
from lptui.present.model import State, text_of
from lptui.present.topology import ASCII, draw
from lptui.report.encode import Json, encode

_STATES: Final = {
    Severity.OK: State.OK,
    Severity.WARNING: State.WARNING,
    Severity.CRITICAL: State.CRITICAL,
    Severity.UNKNOWN: State.UNKNOWN,
}


def document(snapshot: Snapshot) -> Json:
    """As JSON; its schema is that of `lptui.fleet.layout.Layout`."""
    return encode(layout(snapshot))


def lines(snapshot: Snapshot, findings: Sequence[Finding]) -> Iterator[str]:
    """The picture that the console draws, in plain ASCII."""
    worst: dict[tuple[str, str], Finding] = {}
    for found in findings:
        subject = (found.subject, found.target)
        held = worst.get(subject)
        if held is None or found.severity.rank > held.severity.rank:
            worst[subject] = found

    def verdict(kind: str, name: str) -> tuple[State, str]:
        found = worst.get((kind, name))
        if found is None:
            return State.OK, ""
        return _STATES[found.severity], found.summary if found.severity else ""

    for line in draw(snapshot.fleet, layout(snapshot), verdict, ASCII):
        yield text_of(line).rstrip()
