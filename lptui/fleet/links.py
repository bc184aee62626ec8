"""Who of the fleet is linked to whom, and whether each link holds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lptui.errors import ProblemKind
from lptui.fleet.duty import rest
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.facts.links import RedeemerLink
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.places import HostPort, place
from lptui.fleet.pools import servers_by_node, serves
from lptui.fleet.roles import Observed
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role, Rpc
from lptui.fleet.transcoders import Join, joined


class LinkKind(StrEnum):
    """What passes over a link, from its source to its target."""

    CLIENTS = "clients"
    SEGMENTS = "segments"
    TICKETS = "tickets"
    CHAIN = "chain"


class LinkState(StrEnum):
    """`OFF`: closed by intent (drained, at rest). `UNKNOWN`: nobody can tell now."""

    UP = "up"
    DOWN = "down"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Link:
    """A way that work, money or knowledge takes.

    Attributes:
        source, target: names: of a balancer, a node, an RPC endpoint; a target that is none of
            the fleet's is an address.
        detail: what the state was taken from, in a few words.
    """

    kind: LinkKind
    source: str
    target: str
    state: LinkState
    detail: str = ""


def links(snapshot: Snapshot, seen: Mapping[str, Observed]) -> tuple[Link, ...]:
    """All links that are known, by kind and in the configuration's order."""
    return (
        *_of_clients(snapshot),
        *_of_segments(snapshot),
        *_of_tickets(snapshot),
        *_of_chain(snapshot, seen),
    )


def _of_clients(snapshot: Snapshot) -> Iterator[Link]:
    places = servers_by_node(snapshot)
    for name in snapshot.fleet.nodes:
        for at, server in places.get(name, ()):
            if server is None:
                yield Link(LinkKind.CLIENTS, at.balancer, name, LinkState.UNKNOWN, at.path)
                continue
            state = LinkState.UP if serves(server) else LinkState.DOWN
            if state is LinkState.DOWN and server.admin in (AdminState.DRAIN, AdminState.MAINT):
                state = LinkState.OFF
            words = [at.path, str(server.health)]
            if server.admin is not AdminState.READY:
                words.append(str(server.admin))
            if server.share is not None and state is LinkState.UP:
                words.append(f"{server.share:.0f}%")
            yield Link(LinkKind.CLIENTS, at.balancer, name, state, " ".join(words))


_JOINS = {
    Join.LISTED: (LinkState.UP, "listed"),
    Join.CONNECTED: (LinkState.UP, "connected, by an address that is not listed"),
    Join.ALONE: (LinkState.DOWN, "not connected"),
    Join.UNKNOWN: (LinkState.UNKNOWN, "its host's sockets are not known"),
}


def _of_segments(snapshot: Snapshot) -> Iterator[Link]:
    for one in joined(snapshot):
        state, words = _JOINS[one.join]
        if rest(snapshot, one.node):
            state, words = LinkState.OFF, rest(snapshot, one.node)
        source = one.orchestrator.name if one.orchestrator is not None else ""
        yield Link(LinkKind.SEGMENTS, source, one.node.name, state, words)


def _of_tickets(snapshot: Snapshot) -> Iterator[Link]:
    redeemers = [
        node for node in snapshot.fleet.nodes_with(Role.REDEEMER) if not rest(snapshot, node)
    ]
    for node in snapshot.fleet.nodes_with(Role.ORCHESTRATOR):
        reading = snapshot.reading(RedeemerLink, node.name)
        link = snapshot.fresh(RedeemerLink, node.name)
        attempt = link.attempt if link is not None else None
        if link is not None and attempt is None:
            continue
        others = [one.name for one in redeemers if one.name != node.name]
        target = others[0] if len(others) == 1 else ""
        if attempt is None:
            if reading.taken_at and target:
                why = reading.problem.why if reading.problem is not None else "old"
                yield Link(LinkKind.TICKETS, node.name, target, LinkState.UNKNOWN, why)
            continue
        state = LinkState.UP if attempt.problem is None else LinkState.DOWN
        words = attempt.address
        if attempt.problem is not None:
            words = f"{attempt.address}: {attempt.problem.why}"
        yield Link(LinkKind.TICKETS, node.name, target or attempt.address, state, words)


def _of_chain(snapshot: Snapshot, seen: Mapping[str, Observed]) -> Iterator[Link]:
    for name, observed in seen.items():
        node = snapshot.fleet.nodes[name]
        rpc = _rpc_of(snapshot, node, observed)
        if not rpc:
            continue
        known = snapshot.fleet.rpcs.get(rpc)
        state, words = LinkState.UNKNOWN, "" if known else "an endpoint that is not declared"
        if known is not None:
            reading = snapshot.reading(RpcHead, rpc)
            if snapshot.fresh(RpcHead, rpc) is not None:
                state = LinkState.UP
            elif reading.problem is not None and reading.problem.kind is not ProblemKind.NOT_READ:
                state, words = LinkState.DOWN, reading.problem.why
        if rest(snapshot, node):
            state = LinkState.OFF
        yield Link(LinkKind.CHAIN, name, rpc, state, words)


def _rpc_of(snapshot: Snapshot, node: Node, observed: Observed) -> str:
    """The endpoint that a node uses: as its process says, where that is one of those declared
    or none is; else as declared."""
    told = observed.process.flag("ethUrl") if observed.process is not None else None
    where = _place(told or "")
    if where is None:
        return node.rpc or ""
    declared = snapshot.fleet.rpcs.get(node.rpc or "")
    if declared is not None and _leads_to(declared, node, where):
        return declared.name
    others = (rpc for rpc in snapshot.fleet.rpcs.values() if _leads_to(rpc, node, where))
    # By a name of its own network a declared endpoint may well be the one that it uses.
    return next((rpc.name for rpc in others), node.rpc or str(where))


def _leads_to(rpc: Rpc, node: Node, where: HostPort) -> bool:
    """Whether an endpoint's address is the same seen from a node's host."""
    return rpc.via in (None, node.host) and _place(rpc.url) == where


def _place(url: str) -> HostPort | None:
    return place(url, 443 if url.startswith(("https", "wss")) else 80) if url else None
