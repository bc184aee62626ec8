"""The part of draining that a Livepeer node does itself: its session cap, and its sessions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lptui.actions.moves import node_sessions, session_cap
from lptui.actions.plan import Step
from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.pools import Place, node_of, server_at
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role

PROBES: Final = ("node-metrics", "host-processes")

USUAL_CAP: Final = "10"
"""go-livepeer's own -maxSessions."""


def nodes_behind(snapshot: Snapshot, places: Iterable[Place]) -> list[Node]:
    """The orchestrators that these servers are, and that tell their sessions."""
    fleet = snapshot.fleet
    found: dict[str, Node] = {}
    for place in places:
        server = server_at(snapshot, place)
        name = node_of(fleet.balancers[place.balancer], server) if server else ""
        node = fleet.nodes.get(name)
        if node is not None and Role.ORCHESTRATOR in node.roles and node.cli is not None:
            found[name] = node
    return [node for node in found.values() if _caps(snapshot, node) is not None]


def down_steps(
    snapshot: Snapshot, nodes: Iterable[Node], wait_s: float, late: str, group: str = ""
) -> list[Step]:
    """Lowers the caps that are not at the least, then waits for what is left."""
    lowered: list[Step] = []
    waits: list[Step] = []
    for node in nodes:
        cap = str(_caps(snapshot, node))
        if cap != session_cap.LEAST:
            lowered.append(session_cap.step(node, cap, session_cap.LEAST, group=group))
        waits.append(node_sessions.step(node, wait_s=wait_s, late=late, group=group))
    return lowered + waits


def up_steps(snapshot: Snapshot, nodes: Iterable[Node]) -> list[Step]:
    """Restores the caps that were lowered to what the nodes were started with."""
    steps = []
    for node in nodes:
        started_with = _started_with(snapshot, node)
        least = session_cap.LEAST
        if str(_caps(snapshot, node)) == least and started_with not in ("", least):
            steps.append(session_cap.step(node, least, started_with))
    return steps


def _caps(snapshot: Snapshot, node: Node) -> int | None:
    metrics = snapshot.fresh(NodeMetrics, node.name)
    return metrics.max_sessions if metrics is not None else None


def _started_with(snapshot: Snapshot, node: Node) -> str:
    """A node's own -maxSessions; "" when its process is not known."""
    there = snapshot.fresh(HostProcesses, node.host)
    if there is None or node.service is None:
        return ""
    process = next((one for one in there.livepeer if one.unit == node.service.name), None)
    if process is None:
        return ""
    written = process.flag("maxSessions") or USUAL_CAP
    return written if written == session_cap.AUTO or written.isdecimal() else ""
