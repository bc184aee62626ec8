"""The servers behind the balancers: their names, the nodes that they are, who is left to serve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Server
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, Fleet

PREFIX: Final = "lb:"

SERVING: Final = frozenset({Health.UP, Health.NO_CHECK, Health.GOING_DOWN, Health.STARTING})
"""States of health in which a balancer gives a server traffic."""

WELL: Final = frozenset({Health.UP, Health.NO_CHECK, Health.STARTING})
"""States of health in which a server may be given traffic."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server's place in a pool."""

    balancer: str
    backend: str
    server: str

    @property
    def path(self) -> str:
        return f"{self.backend}/{self.server}"


def places(snapshot: Snapshot) -> tuple[Place, ...]:
    """All servers that the balancers named when they were last read."""
    found = []
    for name in snapshot.fleet.balancers:
        state = snapshot.value(BalancerState, name)
        if state is not None:
            found += [Place(name, server.backend, server.name) for server in state.servers]
    return tuple(found)


def selector(place: Place, all_places: Iterable[Place]) -> str:
    """What an operator calls it: `lb:BACKEND/SERVER`; with the balancer where two have such."""
    twins = [one for one in all_places if one.path == place.path]
    return f"{PREFIX}{place.path}" if len(twins) < 2 else f"{PREFIX}{place.balancer}/{place.path}"


def named(word: str, all_places: Sequence[Place]) -> tuple[Place, ...]:
    """The places that `lb:…` means: a server, or all servers of a backend or a balancer."""
    name = word.removeprefix(PREFIX)
    for match in (
        lambda one: name in (one.path, f"{one.balancer}/{one.path}"),
        lambda one: name in (one.backend, f"{one.balancer}/{one.backend}"),
        lambda one: name == one.balancer,
    ):
        found = tuple(place for place in all_places if match(place))
        if found:
            return found
    return ()


def pools_named(word: str, all_places: Sequence[Place]) -> tuple[tuple[str, str], ...]:
    """The (balancer, backend) that `lb:…` means."""
    name = word.removeprefix(PREFIX)
    pools = dict.fromkeys((one.balancer, one.backend) for one in all_places)
    for match in (
        lambda pool: name in (pool[1], f"{pool[0]}/{pool[1]}"),
        lambda pool: name == pool[0],
    ):
        found = tuple(pool for pool in pools if match(pool))
        if found:
            return found
    return ()


def pool_selector(pool: tuple[str, str], all_places: Iterable[Place]) -> str:
    """What an operator calls a pool: `lb:BACKEND`; with the balancer where two have such."""
    balancers = {one.balancer for one in all_places if one.backend == pool[1]}
    return f"{PREFIX}{pool[1]}" if len(balancers) < 2 else f"{PREFIX}{pool[0]}/{pool[1]}"


def server_at(snapshot: Snapshot, place: Place) -> Server | None:
    """What is known of a server now; None when it is not there, or nothing fresh is known."""
    state = snapshot.fresh(BalancerState, place.balancer)
    if state is None:
        return None
    servers = state.backend_servers(place.backend)
    return next((server for server in servers if server.name == place.server), None)


def entry_of(balancer: Balancer, server: Server) -> str:
    """What the configuration's `servers` call it; "" when they do not name it.

    A server that nginx lists twice has its address twice, and a name of its own each time.
    """
    names = (f"{server.backend}/{server.name}", server.name, server.address)
    return next((name for name in names if name in balancer.servers), "")


def node_of(balancer: Balancer, server: Server) -> str:
    """The node that a server is, by the configuration; "" when it is not said."""
    name = entry_of(balancer, server)
    return balancer.servers[name] if name else ""


def places_of(snapshot: Snapshot, node: str) -> tuple[Place, ...]:
    """Where a node stands behind the balancers."""
    found = []
    for balancer in snapshot.fleet.balancers.values():
        state = snapshot.value(BalancerState, balancer.name)
        for server in state.servers if state else ():
            if node_of(balancer, server) == node:
                found.append(Place(balancer.name, server.backend, server.name))
    return tuple(found)


def balancers_of(fleet: Fleet, node: str) -> tuple[str, ...]:
    """The balancers that a node stands behind by the configuration, whether they were read or not.

    What an unread balancer sends to a node is not known: `places_of` has nothing of it.
    """
    known = fleet.balancers.values()
    return tuple(balancer.name for balancer in known if node in balancer.servers.values())


def unread(snapshot: Snapshot, balancers: Iterable[str]) -> str:
    """Which of these balancers are not known now, and why; "" when all are."""
    found = []
    for name in balancers:
        if snapshot.fresh(BalancerState, name) is None:
            problem = snapshot.reading(BalancerState, name).problem
            found.append(f"{name} ({problem or 'its last answer is too old'})")
    return ", ".join(found)


def servers_by_node(snapshot: Snapshot) -> dict[str, list[tuple[Place, Server | None]]]:
    """Where each node stands behind the balancers, and its server there; None for one of which
    nothing fresh is known."""
    found: dict[str, list[tuple[Place, Server | None]]] = {}
    for balancer in snapshot.fleet.balancers.values():
        state = snapshot.value(BalancerState, balancer.name)
        is_fresh = snapshot.fresh(BalancerState, balancer.name) is not None
        for server in state.servers if state else ():
            name = node_of(balancer, server)
            if name:
                at = Place(balancer.name, server.backend, server.name)
                found.setdefault(name, []).append((at, server if is_fresh else None))
    return found


def is_well(server: Server | None) -> bool:
    """Whether its balancer found it healthy; one that is not checked is taken to be."""
    return server is not None and server.health in WELL


def serves(server: Server) -> bool:
    """Whether its balancer gives it traffic now."""
    ready = server.admin is AdminState.READY
    return ready and server.health in SERVING and server.weight != 0


def left_without(
    snapshot: Snapshot, pool: tuple[str, str], without: Iterable[str]
) -> tuple[str, ...] | None:
    """Who would still serve a pool without these servers; None when the pool is not known."""
    state = snapshot.fresh(BalancerState, pool[0])
    if state is None:
        return None
    gone = set(without)
    servers = state.backend_servers(pool[1])
    return tuple(one.name for one in servers if one.name not in gone and serves(one))
