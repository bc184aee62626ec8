"""Which of the nodes that hold one key is at work: the one that is meant to, or a stand-by.

A node that is stopped because another one works with its key is at rest: that it is silent is as
it should be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import Final

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.host import HostUnits, Unit
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.facts.reward import NodeReward
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

OF_NODE: Final[tuple[type, ...]] = (
    NodeStatus,
    NodeIdentity,
    NodeBlock,
    NodeMetrics,
    NodeReward,
)
"""What a node tells itself, and cannot while it rests."""


@dataclass(frozen=True, slots=True)
class Run:
    """A node was seen to run, from `since` to `seen` at least (UTC seconds)."""

    since: float
    seen: float
    evidence: str


def runs(snapshot: Snapshot, node: Node) -> Run | None:
    """What shows that a node's process runs; None when nothing does."""
    units, unit = _unit(snapshot, node)
    answer = snapshot.reading(NodeStatus, node.name)
    if unit is not None and _has_process(unit):
        since = -inf if unit.since_s is None else units.taken_at - unit.since_s
        return Run(since, units.taken_at, f"{unit.name} is {unit.active} ({units.source})")
    if snapshot.fresh(NodeStatus, node.name) is None:
        return None
    if unit is not None and units.taken_at >= answer.taken_at:
        return None
    return Run(answer.taken_at, answer.taken_at, f"{node.name} answers ({answer.source})")


def is_stopped(snapshot: Snapshot, node: Node) -> bool:
    """Whether it is known that a node's process does not run and does not come back by itself."""
    _, unit = _unit(snapshot, node)
    if unit is None or _has_process(unit) or unit.active not in ("inactive", "failed"):
        return False
    return runs(snapshot, node) is None


def holders(snapshot: Snapshot, node: Node) -> tuple[Node, ...]:
    """All nodes that have a node's key by configuration: the one that is meant to work first."""
    nodes = snapshot.fleet.nodes
    active = nodes.get(node.standby_for, node) if node.standby_for else node
    return (active, *snapshot.fleet.standbys_of(active.name))


def rest(snapshot: Snapshot, node: Node) -> str:
    """Why a node is stopped as it should be; "" when it runs, or should."""
    if node.standby_for is None and not snapshot.fleet.standbys_of(node.name):
        return ""
    if not is_stopped(snapshot, node):
        return ""
    if node.standby_for is not None:
        return f"stands by for {node.standby_for}"
    others = (other.name for other in holders(snapshot, node) if runs(snapshot, other))
    return next((f"stopped, {name} runs in its place" for name in others), "")


def at_work(snapshot: Snapshot, name: str) -> str:
    """The node that does a node's work: itself, or the stand-by that it is stopped for."""
    node = snapshot.fleet.nodes.get(name)
    if node is None or not rest(snapshot, node):
        return name
    others = (other for other in holders(snapshot, node) if runs(snapshot, other))
    return next((other.name for other in others), name)


def with_rest(snapshot: Snapshot, before: Snapshot) -> Snapshot:
    """The snapshot in which the silence of nodes at rest is told as what it is.

    What has not changed since `before` stays the same objects.
    """
    if not snapshot.fleet.standbys:
        return snapshot
    readings = dict(snapshot.readings)
    for name in snapshot.fleet.standbys:
        for node in holders(snapshot, snapshot.fleet.nodes[name]):
            why = rest(snapshot, node)
            units, _ = _unit(snapshot, node)
            for key in (Key(topic, node.name) for topic in OF_NODE) if why else ():
                # Of a node that has never answered there is its status alone.
                told = readings.get(key) or readings.get(Key(NodeStatus, node.name))
                if told is not None:
                    resting = _resting(told, node, why, units)
                    earlier = before.readings.get(key)
                    readings[key] = earlier if earlier and earlier == resting else resting
    return replace(snapshot, readings=MappingProxyType(readings))


def _resting(
    reading: Reading[object], node: Node, why: str, units: Reading[HostUnits]
) -> Reading[object]:
    """Its host says so: what a silent node was asked last, ever more seldom, has no age to show."""
    return replace(
        reading,
        value=None,
        problem=Problem(ProblemKind.STANDBY, node.name, why),
        last_good=None,
        source=units.source,
        taken_at=units.taken_at,
        took_s=units.took_s,
        interval_s=units.interval_s,
    )


def _unit(snapshot: Snapshot, node: Node) -> tuple[Reading[HostUnits], Unit | None]:
    reading = snapshot.reading(HostUnits, node.host)
    units = snapshot.fresh(HostUnits, node.host)
    known = node.service is not None and units is not None
    return reading, units.find(node.service.name) if known and units and node.service else None


def _has_process(unit: Unit) -> bool:
    """Whether it runs, or will in a moment without anybody's doing.

    Since 254, systemd says inactive or failed for a moment before it restarts a unit.
    """
    if "auto-restart" in unit.sub or unit.sub == "paused":
        return True
    return unit.is_running or unit.active in ("active", "activating", "reloading", "deactivating")
