"""Move `rejoined`: waits until an orchestrator's transcoders have registered again.

Without them it has nothing to do its work with. A transcoder's back-off goes up to a minute and a
half, and is not reset by a success.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.text import plural

KIND: Final = "rejoined"

WAIT_S: Final = 120.0


def step(node: Node, wanted: int, *, group: str = "") -> Step:
    """The step that waits for so many transcoders of an orchestrator."""
    return Step(
        title="wait for its transcoders",
        target=node.name,
        call=f"reads /status of {node.name}",
        precondition=f"{node.name} answers",
        postcondition=f"{plural(wanted, 'transcoder')} registered again, as before; "
        "else it goes on with those that are, unless none is",
        deadline_s=WAIT_S,
        undo="only waits",
        kind=KIND,
        given=(("node", node.name), ("wanted", str(wanted))),
        group=group,
        returns=True,
    )


class RejoinedMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("node-status", step.value("node")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        name, wanted = step.value("node"), int(step.value("wanted"))
        status = now.fresh(NodeStatus, name)
        if status is None:
            problem = now.reading(NodeStatus, name).problem
            return Seen(Standing.UNKNOWN, str(problem or f"{name} was not read"))
        words = f"{name} has {status.transcoders_number} of {plural(wanted, 'transcoder')}"
        met = status.transcoders_number >= wanted
        return Seen(Standing.MADE if met else Standing.BEFORE, words)

    async def give_up(self, step: Step, execution: Execution) -> str:
        now = await execution.look_at(self.sources(step))
        status = now.fresh(NodeStatus, step.value("node"))
        if status is None or not status.transcoders_number:
            return ""
        return f"{self.seen(step, now, None).words}; gone on with those"
