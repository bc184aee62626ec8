"""Steps out of service and back: the same for drains, restarts and failovers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lptui.actions import serving
from lptui.actions.drivers.driver import STATE, Change
from lptui.actions.moves import health, servers, sessions, traffic
from lptui.actions.plan import Step
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.pools import Place, places_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node


def in_service(snapshot: Snapshot, places: Iterable[Place]) -> list[Place]:
    """Those of the servers that are to have traffic."""
    return [place for place in places if serving.admin_of(snapshot, place) is AdminState.READY]


def in_service_of(snapshot: Snapshot, nodes: Iterable[Node]) -> list[Place]:
    """Where nodes stand in service behind balancers."""
    return [
        place for node in nodes for place in in_service(snapshot, places_of(snapshot, node.name))
    ]


def drained(places: Iterable[Place]) -> dict[str, list[Change]]:
    """The changes, by balancer, that take ready servers out of service."""
    return {
        name: [change(place, AdminState.READY, AdminState.DRAIN) for place in members]
        for name, members in serving.by_balancer(places).items()
    }


def out(
    snapshot: Snapshot, places: Sequence[Place], *, wait_s: float, late: str, group: str = ""
) -> list[Step]:
    """Takes ready servers out of service and waits for their sessions, one balancer at a time."""
    floor = serving.floor_of(snapshot.fleet)
    title = "take out of service"
    steps: list[Step] = []
    for name, changes in drained(places).items():
        balancer = snapshot.fleet.balancers[name]
        members = [place for place in places if place.balancer == name]
        steps += [
            servers.step(balancer, changes, title, floor=floor, group=group, now=snapshot),
            sessions.step(balancer, members, wait_s=wait_s, late=late, group=group),
        ]
    return steps


def back(
    snapshot: Snapshot, places: Sequence[Place], *, wait_s: float, group: str = ""
) -> list[Step]:
    """Brings servers back through their balancers' checks, until traffic is seen.

    From maintenance, HAProxy would give a server traffic at once, before any check: so it is
    drained first, which lets the checks run.
    """
    steps: list[Step] = []
    for name, members in serving.by_balancer(places).items():
        balancer = snapshot.fleet.balancers[name]
        kept = [p for p in members if serving.admin_of(snapshot, p) is AdminState.MAINT]
        if kept:
            checked = [change(place, AdminState.MAINT, AdminState.DRAIN) for place in kept]
            title = "let the checks run"
            steps.append(servers.step(balancer, checked, title, floor=0, group=group, now=snapshot))
        steps.append(health.step(balancer, members, wait_s=wait_s, group=group))
        changes = [change(place, AdminState.DRAIN, AdminState.READY) for place in members]
        floor, title = serving.floor_of(snapshot.fleet), "bring into service"
        steps.append(servers.step(balancer, changes, title, floor=floor, group=group, now=snapshot))
        steps.append(traffic.step(balancer, members, group=group))
    return steps


def change(place: Place, was: AdminState, to: AdminState) -> Change:
    """One server's state; nginx's `down` is its way of being drained."""
    was = AdminState.DRAIN if was is AdminState.DOWN else was
    return Change(place.backend, place.server, STATE, was, to)
