"""What actions on servers behind balancers have in common: whom they mean, and their conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lptui.actions.drivers.driver import Change
from lptui.actions.drivers.registry import driver_of
from lptui.actions.plan import Lock, Precondition, Request
from lptui.fleet.facts.balancer import AdminState, BalancerState
from lptui.fleet.locks import LASTS_S, lock_hosts, lock_path
from lptui.fleet.pools import Place, left_without, named, places, places_of, selector, server_at
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import BalancerKind, Fleet

PROBES: Final = ("haproxy", "nginx-config", "nginx")

Pool = tuple[str, str]
"""A balancer's name and a backend's."""


def selectors(snapshot: Snapshot) -> tuple[str, ...]:
    """All servers that there are, as operators call them."""
    known = places(snapshot)
    return tuple(selector(place, known) for place in known)


def selectors_of(snapshot: Snapshot, node: str) -> tuple[str, ...]:
    """The servers that a node is."""
    known = places(snapshot)
    return tuple(selector(place, known) for place in places_of(snapshot, node))


def wanted(snapshot: Snapshot, request: Request) -> tuple[Place, ...]:
    """The servers that are meant, without repeats."""
    known = places(snapshot)
    return tuple(dict.fromkeys(place for word in request.targets for place in named(word, known)))


def by_balancer(all_places: Iterable[Place]) -> dict[str, list[Place]]:
    """Servers by their balancer, in its order."""
    found: dict[str, list[Place]] = {}
    for place in all_places:
        found.setdefault(place.balancer, []).append(place)
    return found


def fleet_lock(fleet: Fleet) -> Lock | None:
    """The lock of the whole fleet; None in the demo, which nobody shares."""
    hosts = tuple(lock_hosts(fleet))
    if not hosts:
        return None
    return Lock(hosts, lock_path(fleet), LASTS_S, required=True)


def are_read(snapshot: Snapshot, balancers: Iterable[str]) -> list[Precondition]:
    """Whether each balancer's state is known now; only what is not is worth a line each."""
    found = []
    for name in dict.fromkeys(balancers):
        state = snapshot.fresh(BalancerState, name)
        reading = snapshot.reading(BalancerState, name)
        if state is not None:
            age = reading.age(snapshot.taken_at)
            found.append(Precondition(f"{name} read", True, f"{reading.source}, {age:.1f} s ago"))
            found += _does_as_it_says(snapshot, name)
        else:
            why = str(reading.problem) if reading.problem else "its last answer is too old"
            found.append(Precondition(f"{name} read", None, why, "see its own findings"))
    return found


def _does_as_it_says(snapshot: Snapshot, name: str) -> list[Precondition]:
    """Whether it does what is read of it; where it does not, what it does is not known."""
    balancer = snapshot.fleet.balancers[name]
    why = driver_of(balancer).unloaded(balancer, snapshot)
    how = "see what was edited; test it and load it, or take up the run that was cut"
    return [Precondition(f"{name} does what its files say", False, why, how)] if why else []


def floor_of(fleet: Fleet) -> int:
    """How many serving servers a pool must keep."""
    return max(1, fleet.guards.min_backends)


def enough_left(snapshot: Snapshot, out: Sequence[Place]) -> list[Precondition]:
    """Whether each pool keeps its floor, and whether nobody waits for whom is taken out."""
    floor = floor_of(snapshot.fleet)
    pools: dict[Pool, list[str]] = {}
    for place in out:
        pools.setdefault((place.balancer, place.backend), []).append(place.server)
    found = []
    for pool, servers in pools.items():
        left = left_without(snapshot, pool, servers)
        name = f"{pool[1]} keeps at least {floor} in service"
        if left is None:
            found.append(Precondition(name, None, f"{pool[0]} could not be read"))
            continue
        met = len(left) >= floor
        evidence = f"left: {', '.join(left) or 'nobody'}"
        remedy = "" if met else "bring another server back first, or lower guards.min_backends"
        found.append(Precondition(name, met, evidence, remedy))
        found += _no_queue(snapshot, pool, left)
    return found


def _no_queue(snapshot: Snapshot, pool: Pool, left: Sequence[str]) -> list[Precondition]:
    """Requests in a pool's queue fail when its last active server goes, backups or not."""
    state = snapshot.fresh(BalancerState, pool[0])
    proxy = state.backend(pool[1]) if state else None
    if state is None or proxy is None or not proxy.queue:
        return []
    servers = {server.name: server for server in state.backend_servers(pool[1])}
    if any(not servers[name].backup for name in left):
        return []
    why = f"{proxy.queue} requests wait in {pool[1]} for its last active server"
    return [Precondition("no queue is stranded", False, why, "wait until the queue is empty")]


def may_be_told(snapshot: Snapshot, changes: Mapping[str, Sequence[Change]]) -> list[Precondition]:
    """Whether the balancers can be told so: rights, algorithms, whoever else tells them."""
    found = []
    for name, wished in changes.items():
        balancer = snapshot.fleet.balancers[name]
        why = driver_of(balancer).hindrance(balancer, snapshot, wished) if wished else ""
        words = why or "it may be changed, and nothing overrules it"
        found.append(Precondition(f"{name} can be told", not why, words))
    return found


def forgotten_at_reload(snapshot: Snapshot, balancers: Iterable[str]) -> list[str]:
    """A warning for each balancer whose changes do not survive its reload."""
    return [
        f"{name} forgets it at its next reload, unless haproxy.cfg has a server-state-file"
        for name in balancers
        if name in snapshot.fleet.balancers
        and snapshot.fleet.balancers[name].kind is BalancerKind.HAPROXY
    ]


def admin_of(snapshot: Snapshot, place: Place) -> AdminState | None:
    """A server's wished state; None when it is not known."""
    server = server_at(snapshot, place)
    return server.admin if server is not None else None
