"""Stand-bys: one key, one active host. Who works with it, and is it only one?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeGuard

from lptui.checks.view import View
from lptui.checks.words import listed
from lptui.fleet.duty import Run, holders, is_stopped, runs
from lptui.fleet.facts.host import HostUnits
from lptui.fleet.facts.keystore import KeyAtStart
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.key_at_start import Verdict, files_there, key_there
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
            yield _stopped(view, node, active)
        else:
            reading = view.reading(HostUnits, node.host)
            cause = view.blocker(node.host, reading) or f"unit-state@{node.name}"
            yield view.unknown(STANDBY, "node", node.name, reading, cause=cause)


def _stopped(view: View, node: Node, active: Node) -> Finding:
    """At rest, as it should be; but of no use without its key, which is found out before the night
    on which it is needed. What is not seen of that is said when a failover is planned."""
    seen = [view.seen(view.reading(HostUnits, node.host))]
    summary = f"stopped, stands by for {active.name}"
    found = view.fresh(KeyAtStart, node.name)
    account = node.account or active.account
    if found is not None and account is not None:
        seen.append(view.seen(view.reading(KeyAtStart, node.name)))
        lacks = [one for one in (key_there(found, account), files_there(found)) if _fails(one)]
        if lacks:
            summary = f"stopped, and could not take over for {active.name}: {lacks[0].words}"
            return Finding(
                STANDBY,
                Severity.WARNING,
                "node",
                node.name,
                summary,
                tuple(seen),
                lacks[0].remedy,
            )
    return Finding(STANDBY, Severity.OK, "node", node.name, summary, tuple(seen))


def _fails(verdict: Verdict | None) -> TypeGuard[Verdict]:
    return verdict is not None and verdict.holds is False


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
