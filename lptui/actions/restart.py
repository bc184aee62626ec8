"""Action `restart`: nodes in the order of what needs what, in waves, each proved before the next.

It stops at the first failure and leaves the rest running: what failed stays out of its pools.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lptui.actions import passage, safe, serving
from lptui.actions import restart_presets as presets
from lptui.actions.moves import units
from lptui.actions.moves.supervised import why_not_started
from lptui.actions.options import (
    LATE,
    MAX_UNAVAILABLE,
    PRESET,
    SYNC,
    WAIT,
    WHEN_SAFE,
    WITH,
)
from lptui.actions.plan import OnFailure, Plan, Precondition, Request, Step
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.actions.waves import ORDER, down_already, rank, waves, with_rpcs
from lptui.fleet.facts.chain import SignerAccount
from lptui.fleet.facts.host import HostUnits
from lptui.fleet.pools import balancers_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.text import plural

_STARTED_BY_OTHERS: Final = (presets.RELOAD, presets.REBOOT)
"""Presets in which it is not the console that starts a unit."""

SPEC = ActionSpec(
    id="restart",
    title="Coordinated restart",
    key="R",
    effect=Effect.DESTRUCTIVE,
    subject="node",
    help="restarts nodes in the order of what needs what, drained before and proved after",
    probes=(
        *serving.PROBES,
        *units.PROBES,
        "host-system",
        "gpu",
        "node-metrics",
        "chain",
    ),
    proof=("host-units", "node-status"),
    options=(PRESET, WAIT, LATE, MAX_UNAVAILABLE, SYNC, WITH, WHEN_SAFE),
    together=True,
)

RPC_FIRST: Final = "rpc-first"


class Restart(Stepwise):
    """See the module."""

    spec = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return tuple(name for name, node in snapshot.fleet.nodes.items() if node.service)

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return (node.name,)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        fleet = snapshot.fleet
        preset = request.option("preset", PRESET.values[0])
        nodes = [fleet.nodes[name] for name in request.targets if name in fleet.nodes]
        if preset == RPC_FIRST:
            nodes = with_rpcs(fleet, nodes)
        # A stand-by is meant to be stopped: to start it would make a second holder of its key.
        left_out = [node for node in nodes if node.standby_for and down_already(snapshot, node)]
        nodes = [node for node in nodes if node not in left_out]
        most = int(request.number("max-unavailable", fleet.guards.max_unavailable, 1, 1000))
        in_waves = _in_waves(snapshot, nodes, most, preset)
        conditions = [
            *_units_read(snapshot, nodes),
            *(_start_again(snapshot, nodes) if preset not in _STARTED_BY_OTHERS else ()),
            *serving.are_read(snapshot, _balancers(snapshot, nodes)),
            *_nobody_else_down(snapshot, nodes, most),
            *_nothing_pending(snapshot, nodes),
            *(_floors(snapshot, in_waves) if preset != presets.RELOAD else ()),
            *presets.conditions(snapshot, in_waves, request),
            *_safe(snapshot, nodes, request, preset),
        ]
        steps: list[Step] = []
        if all(condition.met is True for condition in conditions):
            for number, wave in enumerate(in_waves, 1):
                steps += presets.steps(snapshot, wave, f"wave {number}", request)
        names = "; ".join(", ".join(node.name for node in wave) for wave in in_waves)
        return Plan(
            action=SPEC.id,
            target=request.words,
            summary=f"{preset} in {plural(len(in_waves), 'wave')}: {names or 'nobody'}",
            steps=tuple(steps),
            preconditions=tuple(conditions),
            cost="no money",
            effect=presets.EFFECTS[preset],
            blast=f"at most {plural(most, 'node')} of a kind away at once",
            warnings=tuple(f"{node.name} is a stand-by: left stopped" for node in left_out),
            lock=serving.fleet_lock(fleet),
            on_failure=OnFailure.STOP,
            done="nothing to restart" if not nodes else "",
        )


def _safe(
    snapshot: Snapshot, nodes: Sequence[Node], request: Request, preset: str
) -> list[Precondition]:
    """What `--when-safe` asks for besides; a reload ends no session."""
    if not safe.is_asked(request):
        return []
    led_away = [
        node.name
        for node in nodes
        if preset == presets.RELOAD or passage.in_service_of(snapshot, [node])
    ]
    return safe.conditions(snapshot, nodes, request, led_away)


def _in_waves(
    snapshot: Snapshot, nodes: Sequence[Node], most: int, preset: str
) -> list[list[Node]]:
    """A host that is rebooted takes all of its nodes with it, in one wave."""
    if preset != presets.REBOOT:
        return waves(snapshot, nodes, most, serving.floor_of(snapshot.fleet))
    by_host: dict[str, list[Node]] = {}
    for node in sorted(nodes, key=rank):
        by_host.setdefault(node.host, []).append(node)
    return list(by_host.values())


def _balancers(snapshot: Snapshot, nodes: Iterable[Node]) -> list[str]:
    """Those that send, or may send, to these nodes."""
    found = [name for node in nodes for name in balancers_of(snapshot.fleet, node.name)]
    return list(dict.fromkeys(found))


def _units_read(snapshot: Snapshot, nodes: Iterable[Node]) -> list[Precondition]:
    found = []
    for node in nodes:
        name = f"{node.name}: its unit is known"
        units_there = snapshot.fresh(HostUnits, node.host)
        reading = snapshot.reading(HostUnits, node.host)
        if node.service is None:
            found.append(Precondition(name, False, "no unit or container is configured"))
        elif units_there is None:
            why = str(reading.problem) if reading.problem else "its last answer is too old"
            found.append(Precondition(name, None, why, "see the host's own findings"))
        else:
            unit = units_there.find(node.service.name)
            word = f"{unit.active} ({unit.sub})" if unit else "is not there"
            found.append(Precondition(name, unit is not None, f"{node.service.name} {word}"))
    return found


def _start_again(snapshot: Snapshot, nodes: Iterable[Node]) -> list[Precondition]:
    """Whether each can be started; one that cannot would be stopped first, and stay so."""
    found = []
    for node in nodes:
        there = snapshot.fresh(HostUnits, node.host)
        unit = there.find(node.service.name) if there and node.service else None
        why = why_not_started(unit) if unit is not None else ""
        if why:
            found.append(Precondition(f"{node.name} can be started again", False, why))
    return found


def _floors(snapshot: Snapshot, in_waves: Sequence[Sequence[Node]]) -> list[Precondition]:
    """Whether the pools keep their floors in each wave; only what does not is named."""
    found: list[Precondition] = []
    for wave in in_waves:
        out = passage.in_service_of(snapshot, wave)
        kept = serving.enough_left(snapshot, out)
        found += [condition for condition in kept if condition.met is not True]
    return found or [Precondition("every pool keeps its floor", True, "in each wave")]


def _nobody_else_down(snapshot: Snapshot, nodes: Sequence[Node], most: int) -> list[Precondition]:
    """What is down already counts: a second one of its kind would be one too many."""
    found = []
    for level in {rank(node) for node in nodes}:
        down = [
            node.name
            for node in snapshot.fleet.nodes.values()
            if rank(node) == level
            and node not in nodes
            and not node.standby_for
            and down_already(snapshot, node)
        ]
        if len(down) >= most:
            kind = " or ".join(sorted(ORDER[level])) if level < len(ORDER) else "node"
            why = f"{', '.join(down)} down already; at most {most} may be"
            remedy = "mend it first, or allow more (--max-unavailable)"
            found.append(Precondition(f"no other {kind} is down", False, why, remedy))
    return found


def _nothing_pending(snapshot: Snapshot, nodes: Sequence[Node]) -> list[Precondition]:
    """A node that waits for its transaction is not taken away from it."""
    found = []
    for node in nodes:
        signer = snapshot.fresh(SignerAccount, node.account) if node.account else None
        if signer is not None and signer.pending_known and signer.pending:
            why = f"{signer.pending} transactions of {node.name} are pending"
            found.append(Precondition("no transaction pending", False, why, "wait for them"))
    return found
