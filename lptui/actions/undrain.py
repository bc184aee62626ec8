"""Action `undrain`: brings servers back into their pools once they are found well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions import capping, passage, serving
from lptui.actions.drivers.driver import Change
from lptui.actions.options import WAIT
from lptui.actions.plan import Plan, Precondition, Request, Step
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.pools import Place
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

SPEC = ActionSpec(
    id="undrain",
    title="Undrain",
    key="d",
    effect=Effect.WRITE,
    subject="server",
    help="brings servers back into their pools, through their balancer's health checks",
    probes=(*serving.PROBES, *capping.PROBES),
    proof=serving.PROBES,
    options=(WAIT,),
    together=True,
)

WAIT_S: Final = 60.0
"""How long a server's health is waited for."""

OUT: Final = frozenset({AdminState.DRAIN, AdminState.MAINT, AdminState.DOWN})


class Undrain(Stepwise):
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return serving.selectors(snapshot)

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return serving.selectors_of(snapshot, node.name)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        places = serving.wanted(snapshot, request)
        out = [place for place in places if serving.admin_of(snapshot, place) in OUT]
        conditions: list[Precondition] = serving.are_read(snapshot, serving.by_balancer(places))
        wait_s = request.number("wait", WAIT_S, 0.1, 86_400)
        steps = capping.up_steps(snapshot, capping.nodes_behind(snapshot, places))
        conditions += serving.may_be_told(snapshot, _changes(snapshot, out))
        steps += passage.back(snapshot, out, wait_s=wait_s)
        names = ", ".join(place.path for place in places) or request.words
        return Plan(
            action=SPEC.id,
            target=request.words,
            summary=f"bring {names} back into service",
            steps=tuple(steps),
            preconditions=tuple(conditions),
            cost="no money",
            effect=f"new sessions come to {names} again",
            blast="their pools: load moves back",
            lock=serving.fleet_lock(snapshot.fleet),
            done=_done(places, steps) if all(one.met for one in conditions) else "",
        )


def _done(places: Sequence[Place], steps: Sequence[Step]) -> str:
    return "in service already" if places and not steps else ""


def _changes(snapshot: Snapshot, out: Sequence[Place]) -> dict[str, list[Change]]:
    """What becomes of each in the end, by balancer."""
    ready = AdminState.READY
    return {
        name: [
            passage.change(place, serving.admin_of(snapshot, place) or AdminState.DRAIN, ready)
            for place in members
        ]
        for name, members in serving.by_balancer(out).items()
    }
