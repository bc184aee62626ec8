"""Work: are the expected transcoders connected, is there room for more sessions.

A transcoder that was rejected by its orchestrator keeps running and answering; only the
orchestrator's own list tells (go-livepeer's RegisteredTranscodersNumber).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from lptui.checks.nodes import asked, cause_at_node, cause_of_silence
from lptui.checks.units import unit_of
from lptui.checks.view import View
from lptui.checks.words import listed, span
from lptui.fleet.facts.connections import HostConnections
from lptui.fleet.facts.host import HostUnits
from lptui.fleet.facts.livepeer import NodeMetrics, NodeStatus
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Node, Role
from lptui.fleet.transcoders import Join, Joined, joined
from lptui.text import plural

EXPECTED: Final = "transcoders-expected"
REGISTERED: Final = "transcoder-registered"
SESSIONS: Final = "sessions-capacity"


def transcoders_expected(view: View) -> Iterator[Finding]:
    """Are as many transcoders connected as the configuration says?"""
    absent = [one for one in joined(view.snapshot) if one.join is Join.ALONE]
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
        missing = [one.node for one in absent if one.orchestrator == node]
        yield _expected(view, node, wanted, reading, status, missing)


def _expected(
    view: View,
    node: Node,
    wanted: int,
    reading: Reading[NodeStatus],
    status: NodeStatus,
    missing: list[Node],
) -> Finding:
    have = status.transcoders_number
    severity, cause = Severity.OK, ""
    summary = f"{have} of {plural(wanted, 'transcoder')} connected"
    evidence = [view.says(reading, f"{have} registered")]
    if have < wanted:
        severity = Severity.WARNING if have else Severity.CRITICAL
        fresh = _restarted(view, (node, *missing), len(missing) >= wanted - have)
        if fresh:
            severity = Severity.OK
            grace = span(view.limits.transcoder_grace_s)
            summary += f"; {fresh}, they come back within {grace}"
        elif missing:
            summary += f"; {listed([one.name for one in missing])} not in its list"
        if severity and len(missing) == wanted - have:
            cause = f"{REGISTERED}@{missing[0].name}"
    return Finding(
        EXPECTED,
        severity,
        "node",
        node.name,
        summary,
        tuple(evidence),
        remedy="see the missing ones' logs for a refused secret; restart them" if severity else "",
        metrics=(Metric("transcoders", have, "", f"{wanted}:", "1:" if wanted else ""),),
        cause=cause,
    )


def _restarted(view: View, nodes: Sequence[Node], all_known: bool) -> str:
    """Why missing transcoders are not late yet; "" when they are.

    The orchestrator, which is the first, has just started; or all that are missing have.
    """
    orchestrator, *missing = nodes
    up = _up_for(view, orchestrator)
    if _is_within(view, up):
        return f"started {span(max(0.0, up or 0.0))} ago"
    if all_known and missing and all(_is_within(view, _up_for(view, one)) for one in missing):
        return f"{listed([one.name for one in missing])} restarted just now"
    return ""


def _is_within(view: View, up: float | None) -> bool:
    """Within the grace after a start. A host's clock may be ahead of this machine's; far ahead
    it says nothing."""
    return up is not None and abs(up) < view.limits.transcoder_grace_s


def _up_for(view: View, node: Node) -> float | None:
    """Seconds since the node's process started, from its metrics or from its unit."""
    metrics = view.fresh(NodeMetrics, node.name)
    if metrics is not None and metrics.started_at is not None:
        return view.now - metrics.started_at
    unit = unit_of(view, node)
    return unit.since_s if unit is not None else None


def transcoder_registered(view: View) -> Iterator[Finding]:
    """Is each running transcoder in an orchestrator's list? One that was refused runs on in vain.

    go-livepeer's transcoder stops registering for good after a refusal (a wrong secret, no
    capacity, a stream cancelled by the orchestrator), and closes its connection; its process and
    its CLI API live on.
    """
    for one in joined(view.snapshot):
        node = one.node
        if view.rest(node):
            continue
        running = _runs(view, node)
        if running is False:
            continue  # its unit's matter, or that of its CLI API
        yield _registration(view, one, running)


def _runs(view: View, node: Node) -> bool | None:
    """Whether its process runs; None when nothing tells."""
    if view.fresh(NodeStatus, node.name) is not None:
        return True
    unit = unit_of(view, node)
    if unit is not None:
        return unit.is_running
    return True if process_of(view.snapshot, node) is not None else None


def _registration(view: View, one: Joined, running: bool | None) -> Finding:
    node = one.node
    reading = view.reading(HostConnections, node.host)
    if one.join is Join.UNKNOWN or running is None:
        cause = view.blocker(node.host, reading) or (cause_at_node(view, node) if node.cli else "")
        lacking: Reading[Any] = reading
        if one.join is not Join.UNKNOWN:
            lacking = view.reading(HostUnits, node.host)
        return view.unknown(REGISTERED, "node", node.name, lacking, cause=cause)
    severity, remedy, cause = Severity.OK, "", ""
    socket = f"{one.connection.local} to {one.connection.peer}" if one.connection else "no socket"
    evidence = [view.says(reading, socket)]
    home = one.orchestrator.name if one.orchestrator else "an orchestrator"
    if one.join is Join.LISTED and one.entry is not None and one.orchestrator is not None:
        summary = f"registered with {home}, capacity {one.entry.capacity}"
        status = view.reading(NodeStatus, one.orchestrator.name)
        evidence.append(view.says(status, f"{one.entry.address} in its list"))
    elif one.join is Join.CONNECTED:
        summary = f"connected to {home}; which entry of its list it is cannot be told behind NAT"
    else:
        summary, severity, cause = _alone(view, one)
        remedy = (
            "see its log for a refused secret or a capacity of 0; restart it" if severity else ""
        )
    return Finding(
        REGISTERED,
        severity,
        "node",
        node.name,
        summary,
        tuple(evidence),
        remedy,
        metrics=(Metric("registered", int(one.join in (Join.LISTED, Join.CONNECTED))),),
        cause=cause,
    )


def _alone(view: View, one: Joined) -> tuple[str, Severity, str]:
    """What it means to have no connection to any orchestrator: summary, severity, cause."""
    home = one.orchestrator
    for node in (one.node, *((home,) if home is not None else ())):
        if _is_within(view, _up_for(view, node)):
            grace = span(view.limits.transcoder_grace_s)
            text = f"not connected yet: {node.name} started just now, it is back within {grace}"
            return text, Severity.OK, ""
    where = f"{home.name}'s list" if home is not None else "any orchestrator's list"
    text = f"it runs, but is not in {where} and has no connection to one: it was rejected"
    cause = cause_at_node(view, home) if home is not None else ""
    if not cause and home is not None and view.fresh(NodeStatus, home.name) is None:
        cause = f"node-up@{home.name}"
    if cause:
        text = f"it runs, and {home.name if home else 'its orchestrator'} does not answer"
    return text, Severity.WARNING, cause


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
