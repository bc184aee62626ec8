"""How many more sessions a fleet takes, and what sets the limit. Pure.

What one session costs is measured: what all of them use now, by their number. With no session
running only the caps are known. An orchestrator shares out its sessions by load, so those that
work for it count as one machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.facts.host import HostSystem, HostVitals
from lptui.fleet.facts.livepeer import NodeMetrics, NodeStatus
from lptui.fleet.nvenc import has_encoder, nvenc_cap
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role
from lptui.fleet.transcoders import joined

CPU_MOST: Final = 90.0
MEMORY_MOST: Final = 95.0
"""Percent in use beyond which nothing more is planned for; encoder and decoder have limits in the
configuration."""

_MANY: Final = 100_000
"""A resource that so many more sessions would not fill sets no limit: its use is noise."""


class Resource(StrEnum):
    """What may set the limit, as it is told."""

    SESSIONS = "session cap"
    TRANSCODERS = "transcoders' capacity"
    NVENC = "NVENC sessions"
    ENCODER = "encoder"
    DECODER = "decoder"
    MEMORY = "GPU memory"
    CPU = "CPU"
    SPEED = "real-time factor"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many more sessions one resource takes, and why ("encoder 43 %, 3.9 % a session")."""

    resource: Resource
    room: int
    why: str


@dataclass(frozen=True, slots=True)
class Headroom:
    """Of some orchestrators together.

    Attributes:
        orchestrators, hosts: names; the hosts are those whose cards do the work.
        sessions: that run now; None when not known.
        limits: of each resource that is known, the least first.
        missing: what is not known, in words.
        measured: a session's cost is known, since there are some.
    """

    orchestrators: tuple[str, ...]
    hosts: tuple[str, ...]
    sessions: int | None
    limits: tuple[Limit, ...]
    missing: tuple[str, ...] = ()
    measured: bool = False

    @property
    def room(self) -> int | None:
        """More sessions; None when no limit is known."""
        return self.limits[0].room if self.limits else None

    @property
    def limit(self) -> Resource | None:
        """What sets the limit."""
        return self.limits[0].resource if self.limits else None


@dataclass(frozen=True, slots=True)
class FleetHeadroom:
    """Of each orchestrator, in the configuration's order, and of the fleet.

    `groups` are orchestrators that share no host with those of another group, so that their rooms
    add up.
    """

    nodes: tuple[Headroom, ...]
    groups: tuple[Headroom, ...]

    @property
    def room(self) -> int | None:
        """The fleet's, as far as it is known; None when nothing of it is."""
        known = [one.room for one in self.groups if one.room is not None]
        return sum(known) if known else None

    @property
    def is_whole(self) -> bool:
        """Whether the room of every orchestrator is known."""
        return all(one.room is not None for one in self.groups)

    def of(self, orchestrator: str) -> Headroom | None:
        """One orchestrator's; None for what is none."""
        return next((one for one in self.nodes if one.orchestrators == (orchestrator,)), None)


def headroom(snapshot: Snapshot) -> FleetHeadroom:
    """What is known of it now."""
    nodes: dict[str, Headroom] = {}
    groups = []
    for group in _groups(snapshot):
        shared = _shared(snapshot, group)
        caps = {node.name: tuple(_caps(snapshot, node)) for node in group.nodes}
        unknown = {node.name: _unknown_caps(snapshot, node) for node in group.nodes}
        for name, own in caps.items():
            metrics = snapshot.fresh(NodeMetrics, name)
            sessions = metrics.current_sessions if metrics is not None else None
            nodes[name] = _joint((name,), group, sessions, own, unknown[name], shared)
        lacking = [one for words in unknown.values() for one in words]
        names = tuple(caps)
        groups.append(_joint(names, group, shared.sessions, _summed(caps), lacking, shared))
    order = (node.name for node in snapshot.fleet.nodes_with(Role.ORCHESTRATOR))
    return FleetHeadroom(tuple(nodes[name] for name in order), tuple(groups))


def _joint(
    names: tuple[str, ...],
    group: _Group,
    sessions: int | None,
    own: tuple[Limit, ...],
    missing: list[str],
    shared: Headroom,
) -> Headroom:
    """Own caps together with what is shared."""
    limits = sorted((*own, *shared.limits), key=lambda limit: limit.room)
    lacking = (*missing, *shared.missing)
    return Headroom(names, group.hosts, sessions, tuple(limits), lacking, shared.measured)


def _summed(caps: dict[str, tuple[Limit, ...]]) -> tuple[Limit, ...]:
    """The caps of several orchestrators together, of those that all of them tell."""
    several: dict[Resource, list[Limit]] = {}
    for own in caps.values():
        for limit in own:
            several.setdefault(limit.resource, []).append(limit)
    return tuple(
        Limit(resource, sum(one.room for one in limits), ", ".join(one.why for one in limits))
        for resource, limits in several.items()
        if len(limits) == len(caps)
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Orchestrators, and the hosts that work for them; `strangers`: transcoders elsewhere."""

    nodes: tuple[Node, ...]
    hosts: tuple[str, ...]
    strangers: int


def _groups(snapshot: Snapshot) -> list[_Group]:
    hosts: dict[str, set[str]] = {}
    known: dict[str, int] = {}
    for one in joined(snapshot):
        if one.orchestrator is not None and one.connection is not None:
            hosts.setdefault(one.orchestrator.name, set()).add(one.node.host)
            known[one.orchestrator.name] = known.get(one.orchestrator.name, 0) + 1
    groups: list[_Group] = []
    for node in snapshot.fleet.nodes_with(Role.ORCHESTRATOR):
        own = hosts.get(node.name, set())
        if Role.TRANSCODER in node.roles:
            own = own | {node.host}
        status = snapshot.fresh(NodeStatus, node.name)
        connected = status.transcoders_number if status is not None else 0
        group = _Group((node,), tuple(sorted(own)), max(0, connected - known.get(node.name, 0)))
        for other in [one for one in groups if own & set(one.hosts)]:
            groups.remove(other)
            group = _Group(
                (*other.nodes, *group.nodes),
                tuple(sorted({*other.hosts, *group.hosts})),
                other.strangers + group.strangers,
            )
        groups.append(group)
    return groups


def _caps(snapshot: Snapshot, node: Node) -> Iterator[Limit]:
    """What the orchestrator itself, and its transcoders' capacities, allow."""
    metrics = snapshot.fresh(NodeMetrics, node.name)
    if metrics is None or metrics.current_sessions is None:
        return
    now = metrics.current_sessions
    if metrics.max_sessions is not None:
        room = max(0, metrics.max_sessions - now)
        yield Limit(Resource.SESSIONS, room, f"{now} of {metrics.max_sessions}")
    status = snapshot.fresh(NodeStatus, node.name)
    if status is not None and Role.TRANSCODER not in node.roles:
        capacity = sum(one.capacity for one in status.transcoders)
        room = max(0, capacity - now)
        yield Limit(Resource.TRANSCODERS, room, f"{now} of {capacity}")


def _unknown_caps(snapshot: Snapshot, node: Node) -> list[str]:
    metrics = snapshot.fresh(NodeMetrics, node.name)
    if metrics is None:
        return [f"sessions of {node.name}"]
    if not metrics.monitored:
        return [f"sessions of {node.name} (it runs without -monitor)"]
    if metrics.current_sessions is None or metrics.max_sessions is None:
        return [f"sessions of {node.name}, or their limit"]
    return []


def _shared(snapshot: Snapshot, group: _Group) -> Headroom:
    """What the cards and machines of a group allow, by what a session costs now."""
    known = [snapshot.fresh(NodeMetrics, node.name) for node in group.nodes]
    counts = [one.current_sessions for one in known if one is not None]
    sessions = (
        sum(count for count in counts if count is not None)
        if len(counts) == len(known) and None not in counts
        else None
    )
    names = tuple(node.name for node in group.nodes)
    missing: list[str] = []
    if group.strangers:
        missing.append(f"the machines of {group.strangers} transcoders not in the configuration")
    elif not group.hosts:
        missing.append("the machines that do the work")
    if not sessions:
        return Headroom(names, group.hosts, sessions, (), tuple(missing))
    limits: list[Limit] = []
    if not missing:
        limits += _cards(snapshot, group, sessions, missing)
        limits += _cpus(snapshot, group, sessions, missing)
    limits += _speed(known, sessions, has_cards=bool(limits))
    return Headroom(names, group.hosts, sessions, tuple(limits), tuple(missing), measured=True)


def _cards(snapshot: Snapshot, group: _Group, sessions: int, missing: list[str]) -> Iterator[Limit]:
    found = {host: snapshot.fresh(HostGpus, host) for host in group.hosts}
    unknown = [host for host, value in found.items() if value is None or not value.gpus]
    if unknown:
        missing.append(f"GPUs of {', '.join(unknown)}")
        return
    thresholds = snapshot.fleet.thresholds
    cards = [gpu for value in found.values() if value is not None for gpu in value.gpus]
    able = [gpu for gpu in cards if has_encoder(gpu)]
    measured: tuple[tuple[Resource, list[float | None], float], ...] = (
        (Resource.ENCODER, [gpu.encoder for gpu in able], thresholds.encoder_warn),
        (Resource.DECODER, [gpu.decoder for gpu in able], thresholds.decoder_warn),
        (Resource.MEMORY, [_memory(gpu) for gpu in able], MEMORY_MOST),
    )
    for resource, values, most in measured:
        shares = [value for value in values if value is not None]
        if len(shares) < len(values) or not values:
            missing.append(f"{resource} of some card")
        else:
            yield from _by_share(resource, shares, most, sessions)
    yield from _nvenc(snapshot, found, sessions, missing)


def _memory(gpu: Gpu) -> float | None:
    if gpu.memory_used is None or not gpu.memory_total:
        return None
    return 100.0 * gpu.memory_used / gpu.memory_total


def _by_share(
    resource: Resource, shares: list[float], most: float, sessions: int
) -> Iterator[Limit]:
    """A limit in percent of each of several alike; nothing where nothing is used of it."""
    each = sum(shares) / sessions
    room = sum(max(0.0, most - share) for share in shares)
    if each * _MANY < room:
        return
    why = f"{sum(shares) / len(shares):.0f} % of {most:g} %, {each / len(shares):.1f} % a session"
    yield Limit(resource, _times(room, each), why)


def _times(room: float, each: float) -> int:
    """How often something fits; a whole number of times in spite of floating points."""
    return math.floor(room / each + 1e-9) if each else 0


def _nvenc(
    snapshot: Snapshot, found: dict[str, HostGpus | None], sessions: int, missing: list[str]
) -> Iterator[Limit]:
    """Encoder sessions, where a driver allows only so many.

    An orchestrator sends work where the load is least, and knows nothing of such limits: where
    only some hosts have one, these fill up at the pace at which all hosts do.
    """
    caps = {
        host: nvenc_cap(snapshot.fleet.hosts[host], value)
        for host, value in found.items()
        if value is not None
    }
    limited = {host: cap for host, cap in caps.items() if cap is not None}
    if any(cap.used is None for cap in limited.values()):
        missing.append(f"{Resource.NVENC} of some card")
        return
    pools = [list(limited)] if len(limited) == len(caps) else [[host] for host in limited]
    rooms = []
    for pool in pools:
        used = sum(limited[host].used or 0 for host in pool)
        left = sum(limited[host].left or 0 for host in pool)
        most = sum(limited[host].sessions for host in pool)
        each = used / sessions
        if used or not most:
            why = f"{used} of {most} on {pool[0]}"
            if len(pool) == len(caps):
                why = f"{used} of {most}, {each:.1f} a session"
            rooms.append(Limit(Resource.NVENC, _times(left, each), why))
    yield from sorted(rooms, key=lambda limit: limit.room)[:1]


def _cpus(snapshot: Snapshot, group: _Group, sessions: int, missing: list[str]) -> Iterator[Limit]:
    used = room = 0.0
    for host in group.hosts:
        vitals = snapshot.fresh(HostVitals, host)
        system = snapshot.fresh(HostSystem, host)
        if vitals is None or system is None or not system.cpus:
            missing.append(f"CPU of {host}")
            return
        # One reading alone tells no share; the load of the last minute does as well.
        load = min(100.0, 100.0 * vitals.load_1m / system.cpus)
        busy = load if vitals.cpu_busy is None else float(vitals.cpu_busy)
        used += busy * system.cpus
        room += max(0.0, CPU_MOST - busy) * system.cpus
    each = used / sessions
    if each * _MANY >= room and used:
        why = f"{each / 100:.2f} CPUs a session, {room / 100:.1f} CPUs left"
        yield Limit(Resource.CPU, _times(room, each), why)


def _speed(known: list[NodeMetrics | None], sessions: int, *, has_cards: bool) -> Iterator[Limit]:
    """Work slower than it is watched leaves no room. Faster work tells little: cards slow down
    only when they are full; where nothing of them is known, each session is taken to slow the
    others, which is the least room there can be."""
    factors = [one.real_time_factor for one in known if one is not None]
    told = [factor for factor in factors if factor is not None]
    if not told:
        return
    slowest = min(told)
    if slowest < 1.0:
        yield Limit(Resource.SPEED, 0, f"{slowest:.2f}: slower than it is watched")
    elif not has_cards:
        room = math.floor(sessions * (slowest - 1.0))
        yield Limit(Resource.SPEED, room, f"{slowest:.2f}, as if each session slowed the others")
