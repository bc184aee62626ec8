"""The steps of one wave of a restart: drained, stopped, started, proved well, back in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from lptui.actions import serving
from lptui.actions.drivers.driver import STATE, Change
from lptui.actions.moves import servers, sessions, units
from lptui.actions.plan import Request, Step
from lptui.actions.undrain import back_in
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.pools import Place, places_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role

WELL_S: Final = 120.0
"""How long a node gets to be well again; transcoders register within 90 s."""

SYNC_S: Final = 1800.0
"""How long an RPC node gets to be synced again."""


def wave_steps(
    snapshot: Snapshot,
    wave: Sequence[Node],
    group: str,
    request: Request,
    between: Sequence[Step] = (),
) -> list[Step]:
    """Drain, stop, `between`, start, well, back in. Servers that are out already stay out."""
    out = serving_places(snapshot, wave)
    steps = _out(snapshot, out, group, request)
    steps += [units.stop_step(snapshot, node, group=group) for node in wave]
    steps += between
    steps += [units.start_step(snapshot, node, group=group) for node in wave]
    steps += [_well(snapshot, node, group) for node in wave]
    for name, members in serving.by_balancer(out).items():
        back = back_in(snapshot, name, members, WELL_S, group)
        steps += [replace(step, returns=True) for step in back]
    return steps


def serving_places(snapshot: Snapshot, nodes: Iterable[Node]) -> list[Place]:
    """Where nodes stand in service behind balancers."""
    return [
        place
        for node in nodes
        for place in places_of(snapshot, node.name)
        if serving.admin_of(snapshot, place) is AdminState.READY
    ]


def _out(snapshot: Snapshot, out: Sequence[Place], group: str, request: Request) -> list[Step]:
    fleet = snapshot.fleet
    floor = serving.floor_of(fleet)
    wait_s = request.number("wait", sessions.WAIT_S, 0.1, 86_400)
    late = request.option("late", sessions.STOP)
    steps: list[Step] = []
    for name, members in serving.by_balancer(out).items():
        balancer = fleet.balancers[name]
        changes = _changes(members)
        steps += [
            servers.step(
                balancer, changes, "take out of service", floor=floor, group=group, now=snapshot
            ),
            sessions.step(balancer, members, wait_s=wait_s, late=late, group=group),
        ]
    return steps


def _well(snapshot: Snapshot, node: Node, group: str) -> Step:
    wait_s = SYNC_S if Role.RPC in node.roles else WELL_S
    return units.well_step(snapshot, node, wait_s=wait_s, group=group)


def _changes(places: Iterable[Place]) -> list[Change]:
    return [
        Change(place.backend, place.server, STATE, AdminState.READY, AdminState.DRAIN)
        for place in places
    ]
