"""Headroom: how many more sessions are taken, by each orchestrator and by the fleet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.transcoders import EXPECTED, SESSIONS
from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.headroom import FleetHeadroom, Headroom, Resource, headroom
from lptui.text import plural

HEADROOM: Final = "headroom"

_EXPLAINED: Final = {Resource.SESSIONS: SESSIONS, Resource.TRANSCODERS: EXPECTED}
"""Checks that say why there is no room, where it is not the work's own cost."""


def room(view: View) -> Iterator[Finding]:
    """How many more sessions are taken, and which resource sets the limit?"""
    found = headroom(view.snapshot)
    for one in found.nodes:
        name = one.orchestrators[0]
        reading = view.reading(NodeMetrics, name)
        metrics = view.value(reading)
        if view.rest(view.fleet.nodes[name]) or (metrics is not None and not metrics.monitored):
            continue
        if metrics is None or one.room is None:
            cause = f"{SESSIONS}@{name}"
            yield view.unknown(HEADROOM, "node", name, reading, cause=cause)
            continue
        yield _of_node(view, name, one)
    if found.groups:
        yield _of_fleet(view, found)


def _of_node(view: View, name: str, one: Headroom) -> Finding:
    more, limit = one.room or 0, one.limit
    severity, cause, remedy = Severity.OK, "", ""
    if not more:
        severity = Severity.WARNING
        cause = f"{_EXPLAINED[limit]}@{name}" if limit in _EXPLAINED else ""
        remedy = "add cards or transcoders, or send it less; its -maxSessions promises too much"
    return Finding(
        HEADROOM,
        severity,
        "node",
        name,
        f"{words(one)}{missing_words(one)}",
        tuple(_evidence(view, one)),
        remedy,
        metrics=_metrics(one),
        cause=cause,
    )


def words(one: Headroom) -> str:
    """`12 more sessions, limited by the encoder`."""
    if one.room is None or one.limit is None:
        return "not known"
    text = f"{plural(one.room, 'more session')}, limited by the {one.limit}"
    if one.sessions == 0:
        text += "; by caps alone, for none runs to tell what one costs"
    return text


def fleet_words(found: FleetHeadroom) -> str:
    """`at least 40 more sessions, limited by the encoder, session cap`."""
    if found.room is None:
        return "not known"
    names = dict.fromkeys(str(one.limit) for one in found.groups if one.limit is not None)
    at_least = "" if found.is_whole else "at least "
    return f"{at_least}{plural(found.room, 'more session')}, limited by the {listed(list(names))}"


def missing_words(one: Headroom) -> str:
    return f"; not known: {listed(list(one.missing), 3)}" if one.missing else ""


def _evidence(view: View, one: Headroom) -> Iterator[str]:
    for limit in one.limits:
        yield f"{limit.resource}: {plural(limit.room, 'more session')} ({limit.why})"
    reading = view.reading(NodeMetrics, one.orchestrators[0])
    told = "not known" if one.sessions is None else plural(one.sessions, "session")
    yield view.says(reading, f"{told} now")


def _metrics(one: Headroom) -> tuple[Metric, ...]:
    return (
        Metric("headroom_sessions", one.room),
        *(Metric(f"headroom_by_{label(limit.resource)}", limit.room) for limit in one.limits),
    )


def label(resource: Resource) -> str:
    """The resource's name as a part of a metric's."""
    return resource.name.lower()


def _of_fleet(view: View, found: FleetHeadroom) -> Finding:
    known = [one for one in found.groups if one.room is not None]
    more = found.room
    lacking = [missing for one in found.groups for missing in one.missing]
    severity = Severity.OK
    if more is None:
        severity = Severity.UNKNOWN
    elif not more:
        severity = Severity.WARNING
    if more is None:
        summary = "not known: no orchestrator tells its sessions"
    else:
        summary = fleet_words(found)
    if lacking:
        summary += f"; not known: {listed(lacking, 3)}"
    full = [one.orchestrators[0] for one in known if not one.room]
    silent = [
        name
        for one in found.nodes
        for name in one.orchestrators
        if one.room is None and view.fresh(NodeMetrics, name) is None
    ]
    causes = {Severity.WARNING: full, Severity.UNKNOWN: silent}.get(severity, [])
    return Finding(
        HEADROOM,
        severity,
        "fleet",
        view.fleet.name,
        summary,
        tuple(f"{', '.join(one.orchestrators)}: {words(one)}" for one in found.groups),
        "add cards or transcoders, or raise -maxSessions where the cards allow"
        if severity is Severity.WARNING
        else "start the orchestrators with -monitor" * (more is None),
        metrics=(Metric("headroom_sessions", more),),
        cause=f"{HEADROOM}@{causes[0]}" if causes else "",
    )
