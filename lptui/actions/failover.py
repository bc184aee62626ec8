"""Action `failover`: a pool to its standby, a key to another node, consumers to another RPC."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.actions import failover_pool, serving
from lptui.actions.options import FENCED, TO
from lptui.actions.plan import Plan, Request
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.fleet.pools import places, places_of, pool_selector
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

SPEC = ActionSpec(
    id="failover",
    title="Failover",
    key="f",
    effect=Effect.WRITE,
    subject="pool",
    help="moves a pool to its standby, a key to its standby node, or nodes to another RPC",
    probes=serving.PROBES,
    proof=serving.PROBES,
    options=(TO, FENCED),
)


class Failover(Stepwise):
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        known = places(snapshot)
        pools = dict.fromkeys((place.balancer, place.backend) for place in known)
        return tuple(pool_selector(pool, known) for pool in pools)

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        known = places(snapshot)
        pools = dict.fromkeys((p.balancer, p.backend) for p in places_of(snapshot, node.name))
        return tuple(pool_selector(pool, known) for pool in pools)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        return failover_pool.plan(snapshot, request, SPEC.id)
