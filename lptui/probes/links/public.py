"""From here to where clients are sent: every IP address of every public name is tried by itself.

DNS has no health check: a dead address among a name's several fails its share of the clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from lptui.errors import LptuiError
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.links import Place, PublicAddresses
from lptui.fleet.places import HostPort, place, speaks_tls
from lptui.fleet.processes import advertised, process_of
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Role
from lptui.probes.links.attempt import attempt
from lptui.probes.probe import Answer, Asking

MOST_PLACES: Final = 32
MOST_ADDRESSES: Final = 8
"""Of one name."""

SPARE_S: Final = 0.5
"""Of the deadline, for what comes after the last answer."""

User = tuple[str, str]


class PublicAddressesProbe:
    """One reading for the fleet."""

    name: ClassVar[str] = "public-addresses"
    needs: ClassVar[tuple[str, ...]] = ("host-processes", "host-units", "chain")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        has_any = (
            any(balancer.public_uri for balancer in fleet.balancers.values())
            or any(node.service_uri for node in fleet.nodes.values())
            or bool(fleet.nodes_with(Role.ORCHESTRATOR))
        )
        return (fleet.name,) if fleet.public_addresses and has_any else ()

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        return "DNS and connections from here"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(PublicAddresses, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        wanted = destinations(asking.latest)[:MOST_PLACES]
        # A name is asked for first, then its addresses are tried.
        seconds = max(SPARE_S, (asking.deadline_s - SPARE_S) / 2)
        tried = [_try(asking, seconds, uri, where, users) for uri, where, users in wanted]
        places = await asyncio.gather(*tried)
        return [Answer(Key(PublicAddresses, target), PublicAddresses(tuple(places)))]


def destinations(snapshot: Snapshot) -> list[tuple[str, HostPort, tuple[User, ...]]]:
    """Where clients are sent, each place once, and by whom; the chain's word first."""
    found: dict[HostPort, tuple[str, list[User]]] = {}
    for uri, user in _sent(snapshot):
        where = place(uri)
        if where is not None:
            users = found.setdefault(where, (uri, []))[1]
            if user not in users:
                users.append(user)
    return [(uri, where, tuple(users)) for where, (uri, users) in found.items()]


def _sent(snapshot: Snapshot) -> Iterator[tuple[str, User]]:
    fleet = snapshot.fleet
    for registered in fleet.chain.orchestrators if fleet.chain else ():
        record = snapshot.fresh(OrchestratorRecord, registered.name)
        on_chain = record.service_uri if record is not None else None
        yield on_chain or registered.service_uri or "", ("orchestrator", registered.name)
    for balancer in fleet.balancers.values():
        yield balancer.public_uri or "", ("balancer", balancer.name)
    for node in fleet.nodes.values():
        if Role.ORCHESTRATOR in node.roles and node.standby_for is None:
            process = process_of(snapshot, node)
            yield advertised(snapshot, node), ("node", node.name)
            for other in (process.flag("nodes") or "").split(",") if process is not None else ():
                yield other, ("node", node.name)


async def _try(
    asking: Asking,
    seconds: float,
    uri: str,
    where: HostPort,
    users: tuple[User, ...],
) -> Place:
    try:
        found = await asking.reach.resolve(where.host, seconds)
    except LptuiError as error:
        return Place(uri, users, problem=error.problem())
    addresses = [str(HostPort(one, where.port)) for one in found[:MOST_ADDRESSES]]
    tls = speaks_tls(uri)
    tries = [attempt(asking, None, address, seconds, tls=tls) for address in addresses]
    return Place(uri, users, tuple(await asyncio.gather(*tries)))
