"""Action `drain`: takes servers out of their pools, and waits until their sessions have ended."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.actions import capping, passage, serving
from lptui.actions.moves import sessions
from lptui.actions.options import LATE, WAIT
from lptui.actions.plan import Plan, Precondition, Request
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.pools import Place
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

SPEC = ActionSpec(
    id="drain",
    title="Drain",
    key="d",
    effect=Effect.WRITE,
    subject="server",
    help="takes servers out of their pools and waits until their sessions have ended",
    probes=(*serving.PROBES, *capping.PROBES),
    proof=serving.PROBES,
    options=(WAIT, LATE),
    together=True,
)


class Drain(Stepwise):
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return serving.selectors(snapshot)

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return serving.selectors_of(snapshot, node.name)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        places = serving.wanted(snapshot, request)
        out = passage.in_service(snapshot, places)
        balancers = serving.by_balancer(places)
        conditions: list[Precondition] = serving.are_read(snapshot, balancers)
        conditions += serving.enough_left(snapshot, out)
        conditions += serving.may_be_told(snapshot, passage.drained(out))
        wait_s = request.number("wait", sessions.WAIT_S, 0.1, 86_400)
        late = request.option("late", sessions.STOP)
        steps = passage.out(snapshot, out, wait_s=wait_s, late=late)
        steps += capping.down_steps(snapshot, capping.nodes_behind(snapshot, out), wait_s, late)
        names = ", ".join(place.path for place in places) or request.words
        return Plan(
            action=SPEC.id,
            target=request.words,
            summary=f"take {names} out of service",
            steps=tuple(steps),
            preconditions=tuple(conditions),
            cost="no money",
            effect=f"no new sessions come to {names}; those that are there end by themselves",
            blast=_blast(out),
            warnings=tuple(serving.forgotten_at_reload(snapshot, balancers)),
            lock=serving.fleet_lock(snapshot.fleet),
            done=_done(snapshot, places, out) if all(one.met for one in conditions) else "",
        )


def _blast(out: Sequence[Place]) -> str:
    pools = ", ".join(dict.fromkeys(place.backend for place in out))
    return f"the rest of {pools} takes their share" if out else "nobody"


def _done(snapshot: Snapshot, places: Sequence[Place], out: Sequence[Place]) -> str:
    if not places or out:
        return ""
    states = {serving.admin_of(snapshot, place) for place in places}
    if states <= {AdminState.DRAIN, AdminState.DOWN, AdminState.MAINT}:
        return "out of service already"
    return ""
