"""Stand-bys: one key, one active host. Who works with it, and is it only one?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.duty import Run, holders, is_stopped, runs
from lptui.fleet.facts.host import HostUnits
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.topology import Node
from lptui.fleet.units import short_address

STANDBY: Final = "standby"


def standby(view: View) -> Iterator[Finding]:
    """Does a stand-by rest while the node that it stands by for works?"""
    for node in view.fleet.nodes.values():
        active = view.fleet.nodes.get(node.standby_for or "")
        if active is None:
            continue
        run = runs(view.snapshot, node)
        if run is not None:
            yield _running(view, node, active, run)
        elif is_stopped(view.snapshot, node):
            reading = view.reading(HostUnits, node.host)
            summary = f"stopped, stands by for {active.name}"
            seen = (view.seen(reading),)
            yield Finding(STANDBY, Severity.OK, "node", node.name, summary, seen)
        else:
            reading = view.reading(HostUnits, node.host)
            cause = view.blocker(node.host, reading) or f"unit-state@{node.name}"
            yield view.unknown(STANDBY, "node", node.name, reading, cause=cause)


def _running(view: View, node: Node, active: Node, run: Run) -> Finding:
    """A stand-by at work: alone, as it should be then, or beside another with its key."""
    others = [other for other in holders(view.snapshot, node) if other.name != node.name]
    beside = {other: found for other in others if (found := runs(view.snapshot, other))}
    both = [other.name for other, found in beside.items() if _at_once(run, found)]
    unsure = [other for other in others if not is_stopped(view.snapshot, other)]
    evidence = (run.evidence, *(found.evidence for found in beside.values()))
    cause = ""
    if both:
        severity, remedy = Severity.CRITICAL, "stop one, and see that it does not come back"
        key = f" of {short_address(node.account)}" if node.account else " of one key"
        summary = f"runs while {listed(both)} runs too: {len(both) + 1} holders{key}"
    elif unsure:
        severity, remedy = Severity.UNKNOWN, "look again; stop it if both run"
        summary = f"runs; not known whether {listed([it.name for it in unsure])} is stopped"
        cause = next(filter(None, (view.blocker(it.host) for it in unsure)), "")
    else:
        severity, remedy = Severity.WARNING, f"bring {active.name} back when it is well"
        summary = f"failed over: {node.name} is the active one, {active.name} is stopped"
    action = "failover" if severity is Severity.WARNING else ""
    return Finding(
        STANDBY, severity, "node", node.name, summary, evidence, remedy, action, cause=cause
    )


def _at_once(one: Run, other: Run) -> bool:
    """Whether both ran at one moment: a reading from before a failover proves nothing of now."""
    return one.since <= other.seen and other.since <= one.seen
