"""Which running process is a node's, as its host shows them, and which are nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess
from lptui.fleet.settings import NodeType, cli_port, type_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role, SupervisorKind


def process_of(snapshot: Snapshot, node: Node) -> LivepeerProcess | None:
    """The process of a node, as freshly seen; None when it cannot be told which it is.

    A node that nothing supervises is known by the port of its CLI API.
    """
    found = snapshot.fresh(HostProcesses, node.host)
    if found is None:
        return None
    if node.service is None:
        return _at_port(found.livepeer, _port_of(node))
    for process in found.livepeer:
        if process.unit == node.service.name:
            return process
    units = snapshot.fresh(HostUnits, node.host)
    unit = units.find(node.service.name) if units is not None else None
    if unit is None or not unit.main_pid:
        return None
    return next((item for item in found.livepeer if item.pid == unit.main_pid), None)


def strangers(snapshot: Snapshot, host: str) -> tuple[LivepeerProcess, ...]:
    """go-livepeer processes on a host that are certainly of none of the declared nodes.

    A node whose process could not be told apart may be any that looks like it.
    """
    found = snapshot.fresh(HostProcesses, host)
    if found is None:
        return ()
    nodes = [node for node in snapshot.fleet.nodes_on(host) if node.is_livepeer]
    known, lost = set(), []
    for node in nodes:
        process = process_of(snapshot, node) or _at_port(found.livepeer, _port_of(node))
        if process is not None:
            known.add(process.pid)
        elif node.service is None or node.service.kind is SupervisorKind.CONTAINER:
            lost.append(node)
    units = {node.service.name for node in nodes if node.service is not None}
    left = [one for one in found.livepeer if one.pid not in known and one.unit not in units]
    return tuple(one for one in left if not _claim(lost, one))


def _claim(lost: list[Node], process: LivepeerProcess) -> bool:
    """Whether a process may be that of one of these nodes, which it then is for good."""
    for node in lost:
        if _may_be(node, process):
            lost.remove(node)
            return True
    return False


def _may_be(node: Node, process: LivepeerProcess) -> bool:
    node_type = type_of(process)
    if node_type is NodeType.SERVICE:
        return bool(node.roles & {Role.REWARD, Role.ROUND_INITIALISER})
    return node_type is None or node_type.value in {role.value for role in node.roles}


def _at_port(processes: Sequence[LivepeerProcess], port: int | None) -> LivepeerProcess | None:
    if port is None:
        return None
    return next((one for one in processes if cli_port(one) == port), None)


def _port_of(node: Node) -> int | None:
    """The port of a node's CLI API on its own host."""
    if node.cli is None or node.cli.via != node.host:
        return None
    try:
        return urlsplit(node.cli.url).port
    except ValueError:
        return None


def advertised(snapshot: Snapshot, node: Node) -> str:
    """Where a node sends clients: its `-serviceAddr` where that is seen, else as configured.

    "" where it advertises nothing of its own ("none": it sends them on, to its `-nodes`).
    """
    process = process_of(snapshot, node)
    told = process.flag("serviceAddr") if process is not None else None
    own = told or node.service_uri or ""
    return "" if own.lower() == "none" else own
