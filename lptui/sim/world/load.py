"""The living load: sessions come and go, segments flow, cards warm up, counters grow."""

from __future__ import annotations

import math
from typing import Final

from lptui.fleet.topology import Role
from lptui.sim.world.balancer import FORCED_MAINT, Backend, BackendServer, HaproxyProcess
from lptui.sim.world.livepeer import LivepeerProcess, TranscoderLink
from lptui.sim.world.machine import GpuCard, Machine
from lptui.sim.world.nginx import retire
from lptui.sim.world.world import World

ORDINARY: Final = 0.46
"""Share of the fleet's session capacity in use on an ordinary day."""
SEGMENT_SECONDS: Final = 2.0
RENDITIONS: Final = 3
"""Of a stream: encoder sessions that it takes."""
REJOIN_SECONDS: Final = 6.0
"""How long a transcoder takes to register again; the real one's back-off grows to 90 s."""
CONNECTION_SECONDS: Final = 4.0
"""How often a session opens a new connection."""
DISCOVERY: Final = 20.0
"""Connections a second by which gateways ask for prices, whether they send work or not."""
CHECK_SECONDS: Final = 1.0
"""Between two checks of a server by its balancer (`inter 1s`)."""


def demand_at(when: float) -> float:
    """How much the gateways ask for, as a share of the whole capacity; smooth in time."""
    slow = 0.07 * math.sin(when / 97.0) + 0.04 * math.sin(when / 31.0 + 1.3)
    return ORDINARY + slow + 0.02 * math.sin(when / 11.0)


def move_load(world: World, seconds: float) -> None:
    """Moves sessions towards what is asked for and everything that follows from them."""
    _links(world)
    for balancer in world.haproxies.values():
        for backend in balancer.backends:
            _check(world, backend)
            _share_out(world, balancer, backend, seconds)
        for frontend in balancer.frontends:
            target = balancer.backend(frontend.backend)
            servers = target.servers if target else []
            total = sum(server.total for server in servers) + 41_007
            frontend.sessions = sum(server.sessions for server in servers)
            frontend.rate = max(0, round((total - frontend.total) / seconds))
            frontend.total = total
    for node in world.with_role(Role.ORCHESTRATOR):
        _segments(world, node, seconds)
    for machine in world.machines.values():
        if machine.boots_until is None:
            _machine(world, machine, seconds)
    for nginx in world.nginxes.values():
        nginx.active = world.rng.randint(9, 17)
        nginx.accepts += world.rng.randint(0, 2)
        nginx.requests += int(seconds * world.rng.randint(14, 30))
        retire(nginx, world.machines[nginx.host], world.now)
    _gas(world, seconds)


def _links(world: World) -> None:
    """Transcoders leave with their process and come back some seconds after both ends run."""
    linked: set[str] = set()
    for node in world.with_role(Role.ORCHESTRATOR):
        node.links = [link for link in node.links if _stays(world, node, link)]
        linked.update(link.node for link in node.links)
    for transcoder in world.with_role(Role.TRANSCODER):
        home = world.nodes.get(transcoder.home)
        if home is None or not home.running or not transcoder.running or transcoder.rejected:
            continue
        since = max(home.started, transcoder.started)
        if world.now - since > REJOIN_SECONDS and transcoder.name not in linked:
            address = world.machines[transcoder.host].address
            port = 40_000 + world.rng.randrange(20_000)
            capacity = transcoder.capacity
            home.links.append(
                TranscoderLink(transcoder.name, address, port, capacity, since=world.now)
            )


def _stays(world: World, node: LivepeerProcess, link: TranscoderLink) -> bool:
    transcoder = world.nodes[link.node]
    if not (node.running and transcoder.running) or transcoder.rejected:
        return False
    return transcoder.home == node.name and link.since >= max(node.started, transcoder.started)


def _check(world: World, backend: Backend) -> None:
    """The balancer's own health checks: does the node's port answer. In maintenance, none."""
    for server in backend.servers:
        if server.admin & FORCED_MAINT or world.now - server.checked < CHECK_SECONDS:
            continue
        node = world.nodes.get(server.node)
        server.check(node is None or (node.running and not server.unreachable), world.now)


def _share_out(world: World, balancer: HaproxyProcess, backend: Backend, seconds: float) -> None:
    """Splits the demand between a backend's servers by weight, a session or so at a time."""
    orchestrators = [world.nodes[s.node] for s in backend.servers if s.node in world.nodes]
    whole = sum(node.capacity for node in orchestrators)
    wanted = whole * demand_at(world.now) * world.demand
    serving = backend.serving if balancer.running else []
    weights = sum(server.weight for server in serving) or 1
    for server in backend.servers:
        node = world.nodes.get(server.node)
        if node is None:
            continue
        part = server.weight / weights if server in serving else 0.0
        _move_sessions(node, round(wanted * part))
        _count(world, server, node, part * seconds * (wanted / CONNECTION_SECONDS + DISCOVERY))
        _spread(node)


def _move_sessions(node: LivepeerProcess, wanted: int) -> None:
    """Lets sessions begin or end, towards what is wanted of a node."""
    goal = min(usable(node), wanted) if node.running else 0
    step = max(1, abs(goal - node.sessions) // 6)
    node.sessions += max(-step, min(step, goal - node.sessions))


def _count(world: World, server: BackendServer, node: LivepeerProcess, new: float) -> None:
    """What a balancer counts of a server that is given so many new connections."""
    server.credit += new
    came = int(server.credit)
    server.credit -= came
    server.total += came
    server.connect_errors += came * (not node.running)
    server.sessions = node.sessions + (world.rng.randint(0, 2) if new and node.running else 0)
    server.bytes_in += node.sessions * 410_000
    server.bytes_out += node.sessions * 690_000


def usable(node: LivepeerProcess) -> int:
    """Sessions that an orchestrator can take with the transcoders that it has."""
    return min(node.max_sessions, sum(link.capacity for link in node.links))


def _spread(node: LivepeerProcess) -> None:
    """Gives an orchestrator's sessions to its transcoders, lowest load first as it does."""
    whole = sum(link.capacity for link in node.links) or 1
    left = node.sessions
    for link in node.links:
        link.sessions = min(link.capacity, node.sessions * link.capacity // whole)
        left -= link.sessions
    for link in node.links:
        extra = min(1, left, link.capacity - link.sessions)
        link.sessions += extra
        left -= extra


def _segments(world: World, node: LivepeerProcess, seconds: float) -> None:
    """Counts the segments of an orchestrator's sessions and of its transcoders."""
    rng = world.rng
    due = node.sessions * seconds / SEGMENT_SECONDS
    count = int(due) + (rng.random() < due % 1.0)
    work = node.work
    work.received += count
    for _ in range(min(count, 8)):
        work.transcode(max(0.18, rng.gauss(0.62, 0.12)))
    work.transcoded += max(0, count - 8)
    work.tickets += count // 2
    work.ticket_value_gwei += count * 31.5
    if rng.random() < 0.004 * count:
        work.failed += 1
        work.transcoded -= bool(work.transcoded)
    for link in node.links:
        transcoder = world.nodes.get(link.node)
        if transcoder is not None and transcoder.running:
            transcoder.sessions = link.sessions
            transcoder.work.uploaded += round(link.sessions * seconds / SEGMENT_SECONDS)


def _machine(world: World, machine: Machine, seconds: float) -> None:
    if machine.gpus:
        node = next((n for n in world.nodes_on(machine.name) if n.running), None)
        sessions = node.sessions if node else 0
        cards = [card for card in machine.gpus if not card.lost]
        for place, card in enumerate(cards):
            mine = sessions // len(cards) + (place < sessions % len(cards))
            card.sessions = mine * RENDITIONS
            card.load += (min(1.0, mine / 8) - card.load) * min(1.0, seconds / 4)
        _hold_to_cap(machine, cards)
        machine.load = 0.04 + 0.35 * (sum(card.load for card in cards) / (len(cards) or 1))
    machine.tick(seconds, world.rng)


def _hold_to_cap(machine: Machine, cards: list[GpuCard]) -> None:
    """What its driver refuses beyond its cap, no card has."""
    left = machine.nvenc_cap
    for card in cards if left is not None else ():
        card.sessions = min(card.sessions, left or 0)
        left = (left or 0) - card.sessions


def _gas(world: World, seconds: float) -> None:
    """Arbitrum's base fee wanders between its floor and a few times that."""
    ledger = world.ledger
    ledger.base_fee = int(
        min(60_000_000, max(10_000_000, ledger.base_fee * world.rng.uniform(0.985, 1.0153)))
    )
    ledger.gas_price = ledger.base_fee + 2_000_000
