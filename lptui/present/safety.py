"""What keeps a host and its services safe, in the detail: watchdogs and limits. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lptui.fleet.facts.host import HostUnits, Unit
from lptui.present.model import Line, Row, Span, Tone
from lptui.present.view import View
from lptui.present.words import age, duration

UNKNOWN = "?"


def unit_lines(view: View, row: Row) -> Iterator[Line]:
    """A unit's detail: what watches it, and the limits that it asks for and has."""
    subjects = dict(row.subjects)
    node = view.snapshot.fleet.nodes.get(subjects.get("node", ""))
    if node is None or node.service is None:
        return
    reading = view.reading(HostUnits, node.host)
    units, since = view.last(reading)
    unit = units.find(node.service.name) if units is not None else None
    if unit is None or unit.container is not None:
        return
    yield (Span(" Supervision", Tone.ACCENT),)
    yield fact(view, "started again", unit.restart_policy or UNKNOWN, since)
    yield fact(view, "watchdog", watchdog_words(unit), since)
    yield fact(view, "file limit", limit_words(unit), since)
    yield ()


def watchdog_words(unit: Unit) -> str:
    """`none`, `30s`."""
    if unit.watchdog_s is None:
        return UNKNOWN
    return duration(unit.watchdog_s) if unit.watchdog_s else "none"


def limit_words(unit: Unit) -> str:
    """`65536 of the process, 65536 of its unit`."""
    asked = UNKNOWN if unit.fd_promised is None else str(unit.fd_promised)
    has = UNKNOWN if unit.fd_limit is None else str(unit.fd_limit)
    return f"{has} of the process, {asked} of its unit"


def fact(view: View, name: str, text: str, since: float | None, tone: Tone = Tone.NORMAL) -> Line:
    """A line with a fact; `since` is when it was read, where it has failed to be read since."""
    if text == UNKNOWN:
        tone = Tone.UNKNOWN
    elif since is not None:
        tone = Tone.MUTED
    tail = (Span(f"  seen {age(view.now - since)} ago", Tone.WARN),) if since is not None else ()
    return (Span(f"   {name:<20}", Tone.MUTED), Span(text, tone), *tail)
