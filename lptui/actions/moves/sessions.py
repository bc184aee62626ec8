"""Move `sessions`: waits until servers that are out of service have no sessions any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.drivers.registry import driver_of
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
from lptui.fleet.facts.balancer import BalancerState, NginxConnections, Server
from lptui.fleet.pools import Place, server_at
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer
from lptui.text import plural

KIND: Final = "sessions"

WAIT_S: Final = 300.0

STOP: Final = "stop"
GO_ON: Final = "go-on"
CUT: Final = "cut"

_AT_THE_END: Final = {
    STOP: "else the plan stops",
    GO_ON: "else it goes on all the same",
    CUT: "else they are cut off",
}


def step(
    balancer: Balancer, places: Sequence[Place], *, wait_s: float, late: str, group: str = ""
) -> Step:
    """The step that waits for these servers' sessions to end."""
    names = ", ".join(place.path for place in places)
    return Step(
        title="wait for sessions to end",
        target=names,
        call=f"reads {balancer.name}",
        precondition="no new sessions come",
        postcondition=f"{names}: no session and no queue, in looks one after the other; "
        f"{_AT_THE_END[late]}",
        deadline_s=wait_s,
        undo="only waits",
        kind=KIND,
        given=(
            *given_places(balancer.name, places),
            ("late", late),
        ),
        group=group,
        returns=True,
    )


class SessionsMove(Looking):
    """See the module."""

    kind = KIND
    looks = 3

    def sources(self, step: Step) -> Sequence[Source]:
        return (*balancer_sources(step), ("nginx-connections", step.value("balancer")))

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        busy: list[str] = []
        for place in places_in(step):
            server = server_at(now, place)
            if server is None:
                reading = now.reading(BalancerState, place.balancer)
                return Seen(Standing.UNKNOWN, str(reading.problem or f"{place.path} is gone"))
            if server.sessions is None:
                held = _connections(now, place, server)
                if held is None:
                    return Seen(Standing.UNKNOWN, f"{place.path}: its sessions are not known")
                busy += [f"{place.path}: {held}"] if held else []
            elif server.sessions or server.queue:
                busy.append(f"{place.path}: {plural(server.sessions, 'session')}")
        if busy:
            return Seen(Standing.BEFORE, "; ".join(busy))
        return Seen(Standing.MADE, "no sessions")

    async def give_up(self, step: Step, execution: Execution) -> str:
        late = step.value("late")
        if late == STOP:
            return ""
        left = self.seen(step, await execution.look_at(self.sources(step)), None).words
        if late == GO_ON:
            return f"{left}; gone on as chosen"
        balancer = execution.fleet.balancers[step.value("balancer")]
        servers = [(place.backend, place.server) for place in places_in(step)]
        return await driver_of(balancer).cut(balancer, servers, execution)


def _connections(now: Snapshot, place: Place, server: Server) -> str | None:
    """What nginx still has with a server that it gives nothing new; "" nothing, None not known.

    Only workers from before the reload can have connections to it. Those that are counted may be
    other programs' too, so they are no matter once these workers are gone.
    """
    state = now.fresh(BalancerState, place.balancer)
    old = state.old_workers if state is not None else None
    if old == 0:
        return ""
    reading = now.fresh(NginxConnections, place.balancer)
    held = reading.of(server.address) if reading is not None else None
    if held is None:
        return f"perhaps connections of {plural(old, 'old worker')}" if old else None
    if held == 0:
        return ""
    workers = f", {plural(old, 'old worker')}" if old else ""
    return f"{plural(held, 'connection')} from {now.fleet.balancers[place.balancer].host}{workers}"
