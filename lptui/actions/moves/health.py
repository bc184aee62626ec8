"""Move `healthy`: waits until a balancer's own checks find servers well, before they serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import (
    Looking,
    Seen,
    Standing,
    balancer_sources,
    given_places,
    places_in,
)
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.pools import Place, is_well, server_at
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer

KIND: Final = "healthy"


def step(balancer: Balancer, places: Sequence[Place], *, wait_s: float, group: str = "") -> Step:
    """The step that waits for these servers to be found well."""
    names = ", ".join(place.path for place in places)
    return Step(
        title="wait for health",
        target=names,
        call=f"reads {balancer.name}",
        precondition="its checks run",
        postcondition=f"{balancer.name} finds {names} healthy",
        deadline_s=wait_s,
        undo="only waits",
        kind=KIND,
        given=(*given_places(balancer.name, places),),
        group=group,
        returns=True,
    )


class HealthMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return balancer_sources(step)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        words = []
        well = True
        for place in places_in(step):
            server = server_at(now, place)
            if server is None:
                reading = now.reading(BalancerState, place.balancer)
                return Seen(Standing.UNKNOWN, str(reading.problem or f"{place.path} is gone"))
            well = well and is_well(server)
            words.append(f"{place.path} is {server.health} {server.check_detail}".strip())
        return Seen(Standing.MADE if well else Standing.BEFORE, "; ".join(words))
