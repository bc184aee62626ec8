"""The steps of one wave of a restart: drained, stopped, started, proved well, back in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lptui.actions import passage, safe
from lptui.actions.moves import node_sessions, rejoined, sessions, units
from lptui.actions.moves import safe as safe_move
from lptui.actions.plan import Request, Step
from lptui.fleet.facts.livepeer import NodeMetrics, NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role

WELL_S: Final = 120.0
"""How long a node gets to be well again; transcoders register within 90 s."""

SYNC_S: Final = 1800.0
"""How long an RPC node gets to be synced again, unless the operator says."""


def wave_steps(
    snapshot: Snapshot,
    wave: Sequence[Node],
    group: str,
    request: Request,
    between: Sequence[Step] = (),
) -> list[Step]:
    """Drain, stop, `between`, start, well, back in. Servers that are out already stay out."""
    places = passage.in_service_of(snapshot, wave)
    wait_s = request.number("wait", sessions.WAIT_S, 0.1, 86_400)
    late = request.option("late", sessions.STOP)
    steps: list[Step] = []
    if safe.is_asked(request):
        steps += safe_move.steps(snapshot, wave, wait_s=wait_s, group=group)
    steps += passage.out(snapshot, places, wait_s=wait_s, late=late, group=group)
    if safe.is_asked(request):
        steps += _own_sessions(snapshot, wave, wait_s, group)
    stops = [units.stop_step(snapshot, node, group=group) for node in wave]
    starts = [units.start_step(snapshot, node, group=group) for node in wave]
    if any(step.lasts for step in between):
        starts = [_taken_back(start, stop) for start, stop in zip(starts, stops, strict=True)]
    steps += [*stops, *between, *starts]
    sync_s = request.number("sync", SYNC_S, 0.1, 7 * 86_400)
    steps += [_well(snapshot, node, group, sync_s) for node in wave]
    steps += _rejoined(snapshot, wave, group)
    back = passage.back(snapshot, places, wait_s=WELL_S, group=group)
    return [*steps, *(replace(step, returns=True) for step in back)]


def _own_sessions(
    snapshot: Snapshot, wave: Sequence[Node], wait_s: float, group: str
) -> list[Step]:
    """A node's own sessions outlast its balancer's connections; of those that tell them."""
    told = [
        node
        for node in wave
        if (metrics := snapshot.fresh(NodeMetrics, node.name)) is not None
        and metrics.current_sessions is not None
    ]
    return [
        node_sessions.step(node, wait_s=wait_s, late=sessions.STOP, group=group) for node in told
    ]


def _taken_back(start: Step, stop: Step) -> Step:
    """A start that is undone by stopping the node: nothing is changed back under its feet."""
    return replace(
        start,
        deadline_s=max(start.deadline_s, stop.deadline_s),
        undo="stop it again, until it was seen well",
        returns=False,
        gate=True,
        lasts=True,
    )


def _rejoined(snapshot: Snapshot, wave: Sequence[Node], group: str) -> list[Step]:
    """Orchestrators get their transcoders back before they get traffic."""
    found = []
    for node in wave:
        status = snapshot.fresh(NodeStatus, node.name)
        if status is not None and status.transcoders_number:
            found.append(rejoined.step(node, status.transcoders_number, group=group))
    return found


def _well(snapshot: Snapshot, node: Node, group: str, sync_s: float) -> Step:
    wait_s = sync_s if Role.RPC in node.roles else WELL_S
    return units.well_step(snapshot, node, wait_s=wait_s, group=group)
