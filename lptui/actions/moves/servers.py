"""Move `servers`: puts servers of a balancer in or out of service, or changes their weights."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from lptui.actions.drivers.driver import STATE, Change, read, written
from lptui.actions.drivers.registry import driver_of
from lptui.actions.moves.move import Seen, Standing, Usual, balancer_sources
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.errors import CommandError
from lptui.fleet.facts.balancer import AdminState, BalancerState
from lptui.fleet.pools import Place, is_well, left_without, server_at
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, Fleet
from lptui.text import plural

KIND: Final = "servers"

DEADLINE_S: Final = 15.0

WELL_S: Final = 30.0
"""How long a server that is put back is waited for until it is found well."""

LOOK_S: Final = 0.3

_WORDS: Final = {AdminState.READY: "in service", AdminState.DRAIN: "out of service"}


def step(
    balancer: Balancer,
    changes: Sequence[Change],
    title: str,
    *,
    floor: int,
    group: str = "",
    returns: bool = False,
    now: Snapshot | None = None,
) -> Step:
    """The step that makes these changes; `floor` servers of each pool must be left serving.

    With `now`, what it is planned from, the step shows the exact edit of a file too.
    """
    names = ", ".join(change.path for change in changes)
    driver = driver_of(balancer)
    was = ", ".join(dict.fromkeys(_value(change.what, change.was) for change in changes))
    to = ", ".join(dict.fromkeys(_value(change.what, change.to) for change in changes))
    return Step(
        title=title,
        target=names,
        call=driver.call_words(balancer, changes, now),
        precondition=f"{names}: {was}; at least {plural(floor, 'server')} left that serves",
        postcondition=f"{balancer.name} says of {names}: {to}",
        deadline_s=DEADLINE_S,
        undo=f"back to {was}",
        kind=KIND,
        given=(
            ("balancer", balancer.name),
            ("changes", written(changes)),
            ("floor", str(floor)),
        ),
        group=group,
        returns=returns,
    )


class ServersMove(Usual):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return balancer_sources(step)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        standings: list[Standing] = []
        words: list[str] = []
        for change in read(step.value("changes")):
            place = Place(step.value("balancer"), change.backend, change.server)
            server = server_at(now, place)
            if server is None:
                return _missing(now, place)
            value = change.now(server)
            words.append(f"{change.path} is {_value(change.what, value)}")
            if value == change.to:
                standings.append(Standing.MADE)
            elif value == change.was:
                standings.append(Standing.BEFORE)
            else:
                standings.append(Standing.OTHER)
        balancer = _balancer(now.fleet, step)
        unloaded = driver_of(balancer).unloaded(balancer, now)
        if unloaded:
            words.append(unloaded)
        return Seen(_all_in_all(standings, is_loaded=not unloaded), "; ".join(words))

    def hindrance(self, step: Step, now: Snapshot) -> str:
        balancer = _balancer(now.fleet, step)
        changes = read(step.value("changes"))
        refused = driver_of(balancer).hindrance(balancer, now, changes)
        return refused or _below_floor(step, now, changes)

    async def make(self, step: Step, execution: Execution) -> str:
        balancer = _balancer(execution.fleet, step)
        changes = read(step.value("changes"))
        return await driver_of(balancer).set(balancer, changes, execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        balancer = _balancer(execution.fleet, step)
        back = [change.back for change in read(step.value("changes"))]
        coming = [change for change in back if change.to == AdminState.READY]
        await _found_well(step, coming, execution)
        return await driver_of(balancer).set(balancer, back, execution)

    async def clear(self, step: Step, execution: Execution, standing: Standing) -> None:
        balancer = _balancer(execution.fleet, step)
        await driver_of(balancer).clear(balancer, read(step.value("changes")), execution)


def _balancer(fleet: Fleet, step: Step) -> Balancer:
    return fleet.balancers[step.value("balancer")]


def _all_in_all(standings: Sequence[Standing], *, is_loaded: bool) -> Standing:
    if Standing.OTHER in standings:
        return Standing.OTHER
    if is_loaded and len(set(standings)) == 1:
        return standings[0]
    return Standing.PARTLY


def _missing(now: Snapshot, place: Place) -> Seen:
    reading = now.reading(BalancerState, place.balancer)
    if reading.problem is not None:
        return Seen(Standing.UNKNOWN, str(reading.problem))
    return Seen(Standing.OTHER, f"{place.balancer} has no server {place.path}")


async def _found_well(step: Step, coming: Sequence[Change], execution: Execution) -> None:
    """Waits for servers to be found well before they serve again; raises CommandError."""
    end = execution.clock.monotonic() + WELL_S
    places = [Place(step.value("balancer"), one.backend, one.server) for one in coming]
    while places:
        now = await execution.look_at(balancer_sources(step))
        ill = [place for place in places if not is_well(server_at(now, place))]
        if not ill:
            return
        if execution.clock.monotonic() >= end:
            names = ", ".join(place.path for place in ill)
            raise CommandError(names, "still not well: left out of service", "mend it first")
        await asyncio.sleep(LOOK_S)


def _below_floor(step: Step, now: Snapshot, changes: Sequence[Change]) -> str:
    """Whether a pool would have too few servers left, or a queue that nobody takes."""
    floor = int(step.value("floor"))
    out: dict[str, list[str]] = {}
    for change in changes:
        if change.what == STATE and change.to != AdminState.READY:
            out.setdefault(change.backend, []).append(change.server)
    for backend, servers in out.items():
        pool = (step.value("balancer"), backend)
        left = left_without(now, pool, servers)
        if left is None:
            return f"who would be left in {backend} could not be read"
        if len(left) < floor:
            names = ", ".join(left) or "nobody"
            return f"{names} would be left to serve {backend}; at least {floor} must be"
    return ""


def _value(what: str, value: str) -> str:
    if what == STATE:
        return _WORDS.get(AdminState(value), value)
    return f"weight {value}"
