"""The detail of a host's safety, and of what supervises a unit."""

from __future__ import annotations

from collections.abc import Iterator

from lptui.fleet.facts.host import HostListeners, HostSystem, HostUnits
from lptui.fleet.facts.safety import HostSafety
from lptui.present.model import Line, Row, Span, Tone
from lptui.present.safety import (
    UNKNOWN,
    limit_words,
    listener_words,
    login_words,
    name_words,
    update_words,
    volume_words,
    watchdog_words,
)
from lptui.present.view import View
from lptui.present.words import age


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


def safety_lines(view: View, row: Row) -> Iterator[Line]:
    """A host's detail: its name, who gets in, what listens, what waits, what is encrypted."""
    host = row.subjects[0][1]
    yield (Span(" Safety", Tone.ACCENT), Span("  as far as the host tells", Tone.MUTED))
    of_system, of_safety = view.reading(HostSystem, host), view.reading(HostSafety, host)
    system, since = view.last(of_system)
    safety, seen = view.last(of_safety)
    yield fact(view, "calls itself", name_words(system, safety), since)
    of_listeners = view.reading(HostListeners, host)
    listeners, heard = view.last(of_listeners)
    yield fact(view, "listens beyond lo", listener_words(listeners), heard)
    yield fact(view, "SSH logins", UNKNOWN if safety is None else login_words(safety), seen)
    yield fact(view, "updates", UNKNOWN if safety is None else update_words(safety, view.now), seen)
    yield fact(view, "encrypted", UNKNOWN if safety is None else volume_words(safety), seen)
    yield ()


def fact(view: View, name: str, text: str, since: float | None, tone: Tone = Tone.NORMAL) -> Line:
    """A line with a fact; `since` is when it was read, where it has failed to be read since."""
    if text.startswith(UNKNOWN):
        tone = Tone.UNKNOWN
    elif since is not None:
        tone = Tone.MUTED
    tail = (Span(f"  seen {age(view.now - since)} ago", Tone.WARN),) if since is not None else ()
    return (Span(f"   {name:<20}", Tone.MUTED), Span(text, tone), *tail)
