"""Whom a transcoder works for, and who is registered there. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role

USUAL_PORT: Final = 8935
"""Of an orchestrator that is named without one (go-livepeer -orchAddr)."""


def orchestrator_of(snapshot: Snapshot, node: Node) -> Node | None:
    """The orchestrator that a transcoder's process names and that tells its transcoders.

    None where it cannot be told for certain.
    """
    if Role.TRANSCODER not in node.roles or node.service is None:
        return None
    there = snapshot.fresh(HostProcesses, node.host)
    for process in there.livepeer if there is not None else ():
        if process.unit == node.service.name:
            address = (process.flag("orchAddr") or "").split(",")[0]
            return orchestrator_at(snapshot.fleet, node, address)
    return None


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


def orchestrator_at(fleet: Fleet, node: Node, address: str) -> Node | None:
    """The only orchestrator of the fleet that listens at an address seen from a node's host."""
    host, port = _place(address)
    if not host:
        return None
    found = [
        one
        for one in fleet.nodes.values()
        if Role.ORCHESTRATOR in one.roles
        and one.cli is not None
        and ((host, port) == _place(one.service_uri or "") or _is_at(fleet, node, one, host))
    ]
    exact = [one for one in found if (host, port) == _place(one.service_uri or "")]
    found = exact or found
    return found[0] if len(found) == 1 else None


def _is_at(fleet: Fleet, node: Node, orchestrator: Node, host: str) -> bool:
    if host in ("localhost", "127.0.0.1", "::1"):
        return orchestrator.host == node.host
    ssh = fleet.hosts[orchestrator.host].ssh
    return host in (orchestrator.host, *((ssh.address, ssh.alias) if ssh is not None else ()))


def _place(address: str) -> tuple[str, int]:
    """Host and port of `host`, `host:port` or a URL; ("", 0) for what is none."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return (parts.hostname or "", parts.port or USUAL_PORT) if parts.hostname else ("", 0)
    except ValueError:
        return "", 0
