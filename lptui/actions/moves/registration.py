"""Who is registered at an orchestrator, as a step keeps it. Pure."""

from __future__ import annotations

from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node


def registered(snapshot: Snapshot, orchestrator: Node) -> tuple[tuple[str, str], ...]:
    """Its transcoders as a step keeps them: how many, and their addresses, which do not recur."""
    status = snapshot.fresh(NodeStatus, orchestrator.name)
    if status is None:
        return ()
    peers = sorted(one.address for one in status.transcoders)
    return (
        ("orchestrator", orchestrator.name),
        ("registered", str(status.transcoders_number)),
        *(("peer", peer) for peer in peers),
    )
