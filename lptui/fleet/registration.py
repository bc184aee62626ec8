"""Whom a transcoder works for, as its process's arguments tell. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from lptui.fleet.facts.host import HostProcesses
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role

USUAL_PORT: Final = 8935
"""Of an orchestrator that is named without one (go-livepeer -orchAddr)."""


def orchestrator_address(snapshot: Snapshot, node: Node) -> str:
    """The first `-orchAddr` of a transcoder's process, the only one that it uses; "" where that
    cannot be told."""
    if Role.TRANSCODER not in node.roles or node.service is None:
        return ""
    there = snapshot.fresh(HostProcesses, node.host)
    for process in there.livepeer if there is not None else ():
        if process.unit == node.service.name:
            return (process.flag("orchAddr") or "").split(",")[0]
    return ""


def orchestrator_of(snapshot: Snapshot, node: Node) -> Node | None:
    """The orchestrator that a transcoder's process names and that tells its transcoders.

    None where it cannot be told for certain.
    """
    return orchestrator_at(snapshot.fleet, node, orchestrator_address(snapshot, node))


def orchestrator_at(fleet: Fleet, node: Node, address: str) -> Node | None:
    """The only orchestrator of the fleet that listens at an address seen from a node's host."""
    host, port = place_of(address)
    if not host:
        return None
    found = [
        one
        for one in fleet.nodes.values()
        if Role.ORCHESTRATOR in one.roles
        and one.cli is not None
        and ((host, port) == place_of(one.service_uri or "") or _is_at(fleet, node, one, host))
    ]
    exact = [one for one in found if (host, port) == place_of(one.service_uri or "")]
    found = exact or found
    return found[0] if len(found) == 1 else None


def _is_at(fleet: Fleet, node: Node, orchestrator: Node, host: str) -> bool:
    if host in ("localhost", "127.0.0.1", "::1"):
        return orchestrator.host == node.host
    ssh = fleet.hosts[orchestrator.host].ssh
    return host in (orchestrator.host, *((ssh.address, ssh.alias) if ssh is not None else ()))


def place_of(address: str) -> tuple[str, int]:
    """Host and port of `host`, `host:port` or a URL; ("", 0) for what is none."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return (parts.hostname or "", parts.port or USUAL_PORT) if parts.hostname else ("", 0)
    except ValueError:
        return "", 0
