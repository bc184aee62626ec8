"""Move `traffic`: sees new sessions come to servers, and none to others."""

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
from lptui.actions.spec import Execution, Source
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.pools import Place, server_at
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer

KIND: Final = "traffic"

WAIT_S: Final = 10.0


def step(balancer: Balancer, places: Sequence[Place], *, group: str = "") -> Step:
    """The step that sees new sessions come to one of these servers at least."""
    names = ", ".join(place.path for place in places)
    return Step(
        title="see traffic",
        target=names,
        call=f"reads {balancer.name}",
        precondition=f"{names} in service",
        postcondition=f"new sessions come to {names}; without any traffic there is nothing to see",
        deadline_s=WAIT_S,
        undo="only looks",
        kind=KIND,
        given=given_places(balancer.name, places),
        group=group,
        returns=True,
    )


class TrafficMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return balancer_sources(step)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        places = places_in(step)
        totals = [_total(now, place) for place in places]
        if None in totals:
            if all(server_at(now, place) is not None for place in places):
                return Seen(Standing.MADE, "nginx counts no sessions of its servers")
            reading = now.reading(BalancerState, places[0].balancer)
            return Seen(Standing.UNKNOWN, str(reading.problem or "its sessions are not known"))
        if begun is None:
            return Seen(Standing.BEFORE, "not looked at yet")
        fresh = sum(
            (total or 0) - (_total(begun, place) or 0)
            for total, place in zip(totals, places, strict=True)
        )
        if fresh > 0:
            return Seen(Standing.MADE, f"{fresh} new sessions came")
        return Seen(Standing.BEFORE, "no new session came")

    async def give_up(self, step: Step, execution: Execution) -> str:
        """A pool that nobody asks anything proves nothing, and is no failure."""
        first = await execution.look_at(self.sources(step))
        pools = {(place.balancer, place.backend) for place in places_in(step)}
        before = {pool: _pool_total(first, pool) for pool in pools}
        await _a_while()
        then = await execution.look_at(self.sources(step))
        if any(_pool_total(then, pool) != before[pool] for pool in pools):
            return ""
        return f"no traffic to prove it by within {step.deadline_s:g} s"


async def _a_while() -> None:
    import asyncio

    await asyncio.sleep(1.0)


def _total(snapshot: Snapshot, place: Place) -> int | None:
    server = server_at(snapshot, place)
    return server.total_sessions if server is not None else None


def _pool_total(snapshot: Snapshot, pool: tuple[str, str]) -> int | None:
    state = snapshot.fresh(BalancerState, pool[0])
    if state is None:
        return None
    return sum(server.total_sessions or 0 for server in state.backend_servers(pool[1]))
