"""Work: are the expected transcoders connected, is there room for more sessions.

A transcoder that was rejected by its orchestrator keeps running and answering; only the
orchestrator's own list tells (go-livepeer's RegisteredTranscodersNumber).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.nodes import asked, cause_at_node, cause_of_silence
from lptui.checks.units import unit_of
from lptui.checks.view import View
from lptui.checks.words import span
from lptui.fleet.facts.livepeer import NodeMetrics, NodeStatus
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.topology import Node, Role
from lptui.text import plural

EXPECTED: Final = "transcoders-expected"
SESSIONS: Final = "sessions-capacity"


def transcoders_expected(view: View) -> Iterator[Finding]:
    """Are as many transcoders connected as the configuration says?"""
    grace = view.limits.transcoder_grace_s
    for node in asked(view):
        wanted = node.transcoders
        if wanted is None:
            continue
        reading = view.reading(NodeStatus, node.name)
        status = view.value(reading)
        if status is None:
            cause = cause_of_silence(view, node) or f"node-up@{node.name}"
            yield view.unknown(EXPECTED, "node", node.name, reading, cause=cause)
            continue
        have = status.transcoders_number
        severity = Severity.OK
        summary = f"{have} of {plural(wanted, 'transcoder')} connected"
        if have < wanted:
            severity = Severity.WARNING if have else Severity.CRITICAL
            up = _up_for(view, node)
            # Its host's clock may be ahead of this machine's; far ahead it says nothing.
            if up is not None and abs(up) < grace:
                severity = Severity.OK
                summary += (
                    f"; started {span(max(0.0, up))} ago, they come back within {span(grace)}"
                )
        yield Finding(
            EXPECTED,
            severity,
            "node",
            node.name,
            summary,
            (view.says(reading, f"{have} registered"),),
            remedy="see the missing ones' logs for a refused secret; restart them"
            if severity
            else "",
            metrics=(Metric("transcoders", have, "", f"{wanted}:", "1:" if wanted else ""),),
        )


def _up_for(view: View, node: Node) -> float | None:
    """Seconds since the node's process started, from its metrics or from its unit."""
    metrics = view.fresh(NodeMetrics, node.name)
    if metrics is not None and metrics.started_at is not None:
        return view.now - metrics.started_at
    unit = unit_of(view, node)
    return unit.since_s if unit is not None else None


def sessions_capacity(view: View) -> Iterator[Finding]:
    """A node at its session limit turns new work away."""
    limit = view.limits.sessions_warn
    for node in asked(view):
        if Role.ORCHESTRATOR not in node.roles:
            # A transcoder's own session gauge stays at 0 whatever it does.
            continue
        reading = view.reading(NodeMetrics, node.name)
        metrics = view.value(reading)
        if metrics is None:
            cause = cause_at_node(view, node)
            yield view.unknown(SESSIONS, "node", node.name, reading, cause=cause)
            continue
        if not metrics.monitored:
            continue
        now, most = metrics.current_sessions, metrics.max_sessions
        if now is None or most is None:
            yield Finding(
                SESSIONS,
                Severity.UNKNOWN,
                "node",
                node.name,
                "not known: the node's metrics lack its sessions or their limit",
                (view.seen(reading),),
            )
            continue
        used = 100.0 * now / most if most else 100.0
        full = now >= most
        busy = full or used >= limit
        yield Finding(
            SESSIONS,
            Severity.WARNING if busy else Severity.OK,
            "node",
            node.name,
            f"{now} of {plural(most, 'session')}{': it turns new work away' * full}",
            (view.seen(reading),),
            remedy="add transcoders or raise -maxSessions, if the GPUs allow" if busy else "",
            metrics=(Metric("sessions", now), Metric("sessions_used", round(used, 2), "%")),
        )
