"""The steps on a node's unit or container that restarts and failovers are made of."""

from __future__ import annotations

from collections.abc import Collection
from math import isfinite
from typing import Final

from lptui.actions.moves import enablement, running, stopped, wellness
from lptui.actions.moves.holders import (
    Holder,
    has_key,
    holder_of,
    rivals,
    strays,
    triggered,
    unread,
    without,
)
from lptui.actions.moves.supervised import is_down, look, of_node
from lptui.actions.plan import Step
from lptui.fleet.facts.host import Unit
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, SupervisorKind

PROBES: Final = ("host-units", "host-processes", "node-identity", "node-status", "rpc")
"""What these steps are planned from: an action that has them must read all of it."""

USUAL_STOP_S: Final = 90.0
"""systemd's own, where a unit's is not known (systemd-system.conf(5))."""

CONTAINER_STOP_S: Final = 30.0
"""docker kills after 10 s unless the container says otherwise."""

STOP_MARGIN_S: Final = 5.0
MOST_STOP_S: Final = 330.0
"""Longest wait for a unit to stop: a geth that writes its state out takes minutes."""

START_S: Final = 60.0
"""How long a unit may take to run, or to fail for good."""

PROOF_S: Final = 15.0


def stop_step(
    snapshot: Snapshot,
    node: Node,
    *,
    group: str = "",
    for_good: bool = False,
    most_s: float = MOST_STOP_S,
) -> Step:
    """The step that stops a node; undone, it is started again, if it was not stopped before.

    `for_good`: another is to act with its key. It is only started again then when all others
    with its key are seen stopped; else when none is seen to run.
    Raises RefusedError for a node without unit and container; so do all of these.
    """
    service = of_node(node)
    unit, _ = look(snapshot, service)
    was_down = unit is not None and is_down(unit)
    deadline_s = _stop_deadline(unit, service.is_unit, most_s)
    return Step(
        title="stop for good" if for_good else "stop",
        target=node.name,
        call=service.call("stop"),
        precondition=f"{service.name} is known to systemd" if service.is_unit else "",
        postcondition=f"{service.name} on {node.host} is inactive, by its own state",
        deadline_s=deadline_s,
        undo="it was stopped already" if was_down else "start it again",
        kind=running.STOP,
        given=(
            *service.given,
            ("strict", "yes" if for_good else "no"),
            *_others(snapshot, node, ()),
        ),
        group=group,
        returns=was_down,
    )


def start_step(
    snapshot: Snapshot, node: Node, *, group: str = "", fenced: Collection[str] = ()
) -> Step:
    """The step that starts a node, unless another is seen to act with its key.

    `group`: it was stopped before in the same group, and starting it needs no undoing; without
    one it is undone by stopping it, and others with its key must be seen stopped. `fenced` are
    hosts that the operator states to be off.
    """
    service = of_node(node)
    others = _others(snapshot, node, fenced)
    return Step(
        title="start",
        target=node.name,
        call=service.call("start"),
        precondition="nobody else acts with its key" if others else "",
        postcondition=f"{service.name} on {node.host} is running, begun anew",
        deadline_s=START_S,
        undo="it was running before" if group else "stop it again",
        kind=running.START,
        given=(*service.given, ("strict", "no" if group else "yes"), *others),
        group=group,
        returns=bool(group),
        gate=bool(others) and not group,
    )


def disable_step(snapshot: Snapshot, node: Node) -> Step:
    """The step that keeps a node from starting with its host: no second holder after a reboot."""
    return enablement.step(snapshot, node, wanted=False)


def enable_step(snapshot: Snapshot, node: Node) -> Step:
    """The step that makes a node start with its host."""
    return enablement.step(snapshot, node, wanted=True)


def proved_stopped_step(snapshot: Snapshot, node: Node) -> Step:
    """The step that proves a node stopped: its unit, whatever would start it, its processes."""
    holder = holder_of(snapshot, node)
    return Step(
        title="prove that it is stopped",
        target=node.name,
        call=f"reads units and processes of {node.host}",
        precondition="it was stopped, and does not start by itself",
        postcondition=f"{holder.service.name} is inactive, nothing would start it, and no process"
        f" on {node.host} has its key or its arguments",
        deadline_s=PROOF_S,
        undo="only looks",
        kind=stopped.KIND,
        given=(
            *holder.service.given,
            ("holder", str(holder)),
            ("cli", node.name if node.cli is not None else ""),
        ),
        returns=True,
    )


def well_step(snapshot: Snapshot, node: Node, *, wait_s: float, group: str = "") -> Step:
    """The step that waits until a node that was started answers, and is who it was."""
    return wellness.step(snapshot, node, wait_s=wait_s, group=group)


def root_commands(
    node: Node, unit: Unit | None, *, fails_over: bool
) -> tuple[tuple[str, ...], ...]:
    """All that may be run as root for a node; a container is moved as the login itself.

    `fails_over`: another node has its key, and then only one of them may start with its host.
    """
    if node.service is None or node.service.kind is not SupervisorKind.SYSTEMD:
        return ()
    service = of_node(node)
    found = [service.words(verb) for verb in ("stop", "start", "reset-failed")]
    if unit is None or unit.can_reload:
        found.append(service.words("reload"))
    if fails_over:
        found += enablement.root_commands(service, unit)
    return tuple(found)


def why_not_proved(snapshot: Snapshot, node: Node) -> str:
    """Why it will not be proved stopped, even once it is stopped and disabled; "" when it will."""
    holder = holder_of(snapshot, node)
    unit, _ = look(snapshot, holder.service)
    return (
        unread(snapshot, holder)
        or strays(snapshot, holder)
        or stopped.why_not(holder)
        or (triggered(unit) if unit is not None else "")
        or enablement.why_not(unit, wanted=False)
    )


def why_not_enabled(snapshot: Snapshot, node: Node) -> str:
    """Why it cannot be made to start with its host; "" when it can, or does already."""
    unit, _ = look(snapshot, of_node(node))
    return enablement.why_not(unit, wanted=True)


def _others(snapshot: Snapshot, node: Node, fenced: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Itself and the others with its key, for a node that has one."""
    if not has_key(node):
        return ()
    holders: list[Holder] = [holder_of(snapshot, node)]
    holders += [holder_of(snapshot, one) for one in without(rivals(snapshot, node), fenced)]
    return tuple(("holder", str(holder)) for holder in holders)


def _stop_deadline(unit: Unit | None, is_unit: bool, most_s: float) -> float:
    """Its own stop timeout and a margin, within reason."""
    usual = USUAL_STOP_S if is_unit else CONTAINER_STOP_S
    own = unit.stop_timeout_s if unit is not None else None
    if own is not None and not isfinite(own):
        return most_s
    return min(most_s, (usual if own is None else own) + STOP_MARGIN_S)
