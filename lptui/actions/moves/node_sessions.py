"""Move `node-sessions`: waits until a node itself has no sessions any more.

A session lingers for 70 s after its last segment (go-livepeer core/orchestrator.go).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.moves.sessions import GO_ON, STOP
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.text import plural

KIND: Final = "node-sessions"


def step(node: Node, *, wait_s: float, late: str, group: str = "") -> Step:
    """The step that waits for a node's sessions to end. None can be cut off from outside."""
    stops = late == STOP
    return Step(
        title="wait for its sessions to end",
        target=node.name,
        call=f"reads the metrics of {node.name}",
        precondition="no new sessions come through the balancers",
        postcondition=f"{node.name} has no session; else "
        f"{'the plan stops' if stops else 'it goes on all the same'}",
        deadline_s=wait_s,
        undo="only waits",
        kind=KIND,
        given=(("node", node.name), ("late", STOP if stops else GO_ON)),
        group=group,
        returns=True,
    )


class NodeSessionsMove(Looking):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("node-metrics", step.value("node")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        name = step.value("node")
        metrics = now.fresh(NodeMetrics, name)
        if metrics is None or metrics.current_sessions is None:
            problem = now.reading(NodeMetrics, name).problem
            return Seen(Standing.UNKNOWN, str(problem or f"{name} does not tell its sessions"))
        words = f"{name} has {plural(metrics.current_sessions, 'session')}"
        return Seen(Standing.BEFORE if metrics.current_sessions else Standing.MADE, words)

    async def give_up(self, step: Step, execution: Execution) -> str:
        if step.value("late") == STOP:
            return ""
        left = self.seen(step, await execution.look_at(self.sources(step)), None).words
        return f"{left}; gone on as chosen"
