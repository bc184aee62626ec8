"""Which running process is a node's, as its host shows them."""

from __future__ import annotations

from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node


def process_of(snapshot: Snapshot, node: Node) -> LivepeerProcess | None:
    """The process of a node, as freshly seen; None when it cannot be told which it is."""
    found = snapshot.fresh(HostProcesses, node.host)
    if found is None or node.service is None:
        return None
    for process in found.livepeer:
        if process.unit == node.service.name:
            return process
    units = snapshot.fresh(HostUnits, node.host)
    unit = units.find(node.service.name) if units is not None else None
    if unit is None or not unit.main_pid:
        return None
    return next((item for item in found.livepeer if item.pid == unit.main_pid), None)
