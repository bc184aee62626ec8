"""In which order nodes are restarted, and how many at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lptui.fleet.facts.host import HostUnits
from lptui.fleet.pools import left_without, places_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role

ORDER: Final = (
    # Everybody needs the RPC; orchestrators need the redeemer, or they end as they start
    # (go-livepeer cmd/livepeer/starter/starter.go).
    frozenset({Role.RPC}),
    frozenset({Role.REDEEMER}),
    frozenset({Role.REWARD, Role.ROUND_INITIALISER}),
    frozenset({Role.ORCHESTRATOR, Role.GATEWAY}),
    frozenset({Role.TRANSCODER}),
)


def rank(node: Node) -> int:
    """A node's place in the order: that of its most needed role."""
    return min(
        (number for number, roles in enumerate(ORDER) if node.roles & roles), default=len(ORDER)
    )


def waves(snapshot: Snapshot, nodes: Sequence[Node], most: int, floor: int) -> list[list[Node]]:
    """The nodes in waves of at most `most`, each pool keeping `floor` servers that serve.

    A node that cannot go without breaking the floor has a wave of its own: its plan is refused.
    """
    found: list[list[Node]] = []
    for level in range(len(ORDER) + 1):
        wave: list[Node] = []
        for node in (one for one in nodes if rank(one) == level):
            if wave and (len(wave) >= most or not _leaves_enough(snapshot, [*wave, node], floor)):
                found.append(wave)
                wave = []
            wave.append(node)
        if wave:
            found.append(wave)
    return found


def with_rpcs(fleet: Fleet, nodes: Iterable[Node]) -> list[Node]:
    """The nodes and the fleet's own RPC nodes that they use."""
    chosen = list(nodes)
    served = {fleet.rpcs[node.rpc].node for node in chosen if node.rpc and node.rpc in fleet.rpcs}
    more = [fleet.nodes[name] for name in fleet.nodes if name in served]
    return [*(node for node in more if node not in chosen), *chosen]


def down_already(snapshot: Snapshot, node: Node) -> bool:
    """Whether a node's unit is known not to run."""
    units = snapshot.fresh(HostUnits, node.host)
    if units is None or node.service is None:
        return False
    unit = units.find(node.service.name)
    return unit is not None and not unit.is_running


def _leaves_enough(snapshot: Snapshot, nodes: Sequence[Node], floor: int) -> bool:
    out: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        for place in places_of(snapshot, node.name):
            out.setdefault((place.balancer, place.backend), []).append(place.server)
    for pool, servers in out.items():
        left = left_without(snapshot, pool, servers)
        if left is not None and len(left) < floor:
            return False
    return True
