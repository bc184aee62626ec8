"""What a name or a row of the screen means: nodes, and the host that they are on."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.fleet.topology import Fleet, Node


def nodes_named(fleet: Fleet, name: str) -> tuple[Node, ...]:
    """A node by its name; else those of an orchestrator, or the one that serves an endpoint."""
    if name in fleet.nodes:
        return (fleet.nodes[name],)
    rpc = fleet.rpcs.get(name)
    if rpc is not None and rpc.node is not None and rpc.node in fleet.nodes:
        return (fleet.nodes[rpc.node],)
    registered = fleet.chain.orchestrators if fleet.chain is not None else ()
    addresses = {item.address for item in registered if item.name == name}
    return tuple(
        node for node in fleet.nodes.values() if {node.account, node.recipient} & addresses
    )


def host_of(fleet: Fleet, subjects: Sequence[tuple[str, str]]) -> str:
    """The host that (kind, name) pairs are on, a node's before its holder's; "" for none."""
    for kind, name in subjects:
        if kind in ("node", "rpc", "orchestrator") and (nodes := nodes_named(fleet, name)):
            return nodes[0].host
    for kind, name in subjects:
        if kind == "host" and name in fleet.hosts:
            return name
        balancer = fleet.balancers.get(name) if kind == "balancer" else None
        if balancer is not None and balancer.host:
            return balancer.host
    return ""
