"""Move `registered`: sees a transcoder come to an orchestrator, by that one's own list.

A transcoder that was refused keeps running and answering; only the orchestrator's list tells. Its
connections there have a new port each time, so an address that was not listed before is one that
came since. Which machine it came from cannot be told behind a NAT.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.moves.registration import registered
from lptui.actions.moves.supervised import in_step, look, of_node, says
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

KIND: Final = "registered"

WAIT_S: Final = 90.0
"""A transcoder tries again at ever longer intervals, of up to a minute and a half."""


def step(snapshot: Snapshot, node: Node, orchestrator: Node, *, group: str = "") -> Step:
    """The step that waits until a transcoder is registered at an orchestrator where it was not."""
    return Step(
        title="see it registered",
        target=node.name,
        call=f"reads the transcoders of {orchestrator.name}",
        precondition=f"{node.name} was started",
        postcondition=f"{orchestrator.name} has one transcoder more, which came since",
        deadline_s=WAIT_S,
        undo="only waits",
        kind=KIND,
        given=(*of_node(node).given, *registered(snapshot, orchestrator)),
        group=group,
        returns=True,
    )


class RegisteredMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (in_step(step).source, ("node-status", step.value("orchestrator")))

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        service = in_step(step)
        unit, why = look(now, service)
        if unit is None:
            return Seen(Standing.UNKNOWN, why)
        if not unit.is_running:
            return Seen(Standing.BEFORE, says(unit, service))
        name = step.value("orchestrator")
        reading = now.reading(NodeStatus, name)
        if reading.value is None:
            words = f"{name} does not tell its transcoders: {reading.problem}"
            return Seen(Standing.UNKNOWN if begun is None else Standing.BEFORE, words)
        known = {value for key, value in step.given if key == "peer"}
        came = [one.address for one in reading.value.transcoders if one.address not in known]
        have, wanted = reading.value.transcoders_number, int(step.value("registered")) + 1
        words = f"{name} has {have} transcoders of {wanted}"
        if have >= wanted and came:
            return Seen(Standing.MADE, f"{words}; since then came {', '.join(came)}")
        return Seen(Standing.BEFORE, words)
