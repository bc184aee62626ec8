"""Action `failover`: a pool to its standby, a key to another node, consumers to another RPC."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.actions import failover_pool, failover_role, failover_rpc, serving
from lptui.actions.moves import units
from lptui.actions.options import FENCED, HAS_KEY, TO, URL
from lptui.actions.plan import Plan, Request
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.fleet.pools import PREFIX, places, places_of, pool_selector
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

SPEC = ActionSpec(
    id="failover",
    title="Failover",
    key="f",
    effect=Effect.WRITE,
    subject="pool",
    help="moves a pool to its standby, a key to its stand-by node, or nodes to another RPC",
    probes=(
        *serving.PROBES,
        *units.PROBES,
        "environment",
        "key-at-start",
    ),
    proof=serving.PROBES,
    options=(TO, URL, FENCED, HAS_KEY),
)


class Failover(Stepwise):
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        fleet = snapshot.fleet
        known = places(snapshot)
        pools = dict.fromkeys((place.balancer, place.backend) for place in known)
        holders = [name for name in fleet.nodes if failover_role.pair_of(fleet, name)]
        rpcs = [name for name in fleet.rpcs if failover_rpc.consumers(snapshot, name)]
        return (
            *(pool_selector(pool, known) for pool in pools),
            *holders,
            *(f"{failover_rpc.PREFIX}{name}" for name in rpcs),
        )

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        if failover_role.pair_of(snapshot.fleet, node.name):
            return (node.name,)
        known = places(snapshot)
        pools = dict.fromkeys((p.balancer, p.backend) for p in places_of(snapshot, node.name))
        return tuple(pool_selector(pool, known) for pool in pools)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        if request.target.startswith(PREFIX):
            return failover_pool.plan(snapshot, request, SPEC.id)
        if request.target.startswith(failover_rpc.PREFIX):
            return failover_rpc.plan(snapshot, request, SPEC.id)
        return failover_role.plan(snapshot, request, SPEC.id)
