"""Each transcoder joined to the orchestrator that lists it. Pure.

An orchestrator knows its transcoders by their sockets' addresses alone (`/status`), so a host's
established sockets tell which entry is whose. Behind NAT the addresses differ on the two ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.facts.connections import Connection, HostConnections
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeStatus
from lptui.fleet.registration import orchestrator_address, orchestrator_of, place_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role


class Join(StrEnum):
    """How far a transcoder could be joined to an orchestrator's list."""

    LISTED = "listed"
    CONNECTED = "connected"
    """It has a connection to an orchestrator, whose list has another address: NAT."""
    ALONE = "alone"
    """It has no connection to any orchestrator, and is in no list."""
    UNKNOWN = "unknown"
    """Its host's sockets are not known."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A transcoder of the fleet.

    Attributes:
        orchestrator: whose list it is in, else the one that its process names; None when neither
            is known.
        entry: its entry in that list.
        connection: its socket.
    """

    node: Node
    join: Join
    orchestrator: Node | None = None
    entry: ConnectedTranscoder | None = None
    connection: Connection | None = None


def joined(snapshot: Snapshot) -> tuple[Joined, ...]:
    """The fleet's transcoders that work for an orchestrator elsewhere, in its order."""
    entries: dict[str, tuple[Node, ConnectedTranscoder]] = {}
    for orchestrator in snapshot.fleet.nodes_with(Role.ORCHESTRATOR):
        status = snapshot.fresh(NodeStatus, orchestrator.name)
        for entry in status.transcoders if status is not None else ():
            entries.setdefault(entry.address, (orchestrator, entry))
    remote = [node for node in snapshot.fleet.nodes_with(Role.TRANSCODER) if is_remote(node)]
    shared = Counter(node.host for node in remote)
    return tuple(_joined(snapshot, node, entries, shared[node.host] == 1) for node in remote)


def is_remote(node: Node) -> bool:
    """Whether it is a transcoder of its own, not one inside its orchestrator's process."""
    return Role.TRANSCODER in node.roles and Role.ORCHESTRATOR not in node.roles


def _joined(
    snapshot: Snapshot,
    node: Node,
    entries: dict[str, tuple[Node, ConnectedTranscoder]],
    is_only: bool,
) -> Joined:
    sockets = snapshot.fresh(HostConnections, node.host)
    if sockets is None:
        return Joined(node, Join.UNKNOWN, orchestrator_of(snapshot, node))
    own = sockets.connections if is_only else _own(snapshot, node, sockets)
    for connection in own:
        if connection.local in entries:
            orchestrator, entry = entries[connection.local]
            return Joined(node, Join.LISTED, orchestrator, entry, connection)
    named = orchestrator_of(snapshot, node)
    if own:
        return Joined(node, Join.CONNECTED, named, connection=own[0])
    return Joined(node, Join.ALONE, named)


def _own(snapshot: Snapshot, node: Node, sockets: HostConnections) -> tuple[Connection, ...]:
    """The connections of a host to the port that one of its transcoders' processes names; all of
    them where that is not known."""
    port = place_of(orchestrator_address(snapshot, node))[1]
    if not port:
        return sockets.connections
    return tuple(one for one in sockets.connections if one.peer.endswith(f":{port}"))
