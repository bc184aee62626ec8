"""Move `session-cap`: how many sessions a node takes on; 1 is as low as it goes.

A lower cap holds for new sessions only, and is forgotten when the node restarts (go-livepeer
server/handlers.go, setMaxSessions; 0 is refused).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import Seen, Standing, Usual
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.errors import HttpError, LptuiError
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.text import clean

KIND: Final = "session-cap"

ROUTE: Final = "/setMaxSessions"

LEAST: Final = "1"

AUTO: Final = "auto"
"""What the connected transcoders can do together."""

SECONDS: Final = 8.0


def step(node: Node, was: str, to: str, *, group: str = "", returns: bool = False) -> Step:
    """The step that changes the cap of a node with a CLI address."""
    url = node.cli.url if node.cli else ""
    return Step(
        title="lower its session cap" if to == LEAST else f"set its session cap to {to}",
        target=node.name,
        call=f"POST {url}{ROUTE} maxSessions={to}",
        precondition=f"{node.name} takes at most {was} sessions",
        postcondition=f"its metrics say that it takes at most {to}",
        deadline_s=15.0,
        undo=f"back to {was}",
        kind=KIND,
        given=(("node", node.name), ("was", was), ("to", to)),
        group=group,
        returns=returns,
    )


class SessionCapMove(Usual):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("node-metrics", step.value("node")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        name = step.value("node")
        metrics = now.fresh(NodeMetrics, name)
        if metrics is None or metrics.max_sessions is None:
            problem = now.reading(NodeMetrics, name).problem
            return Seen(Standing.UNKNOWN, str(problem or f"{name} does not tell its cap"))
        words = f"{name} takes at most {metrics.max_sessions} sessions"
        if _is(metrics.max_sessions, step.value("to"), step.value("was")):
            return Seen(Standing.MADE, words)
        if _is(metrics.max_sessions, step.value("was"), step.value("to")):
            return Seen(Standing.BEFORE, words)
        return Seen(Standing.OTHER, words)

    async def make(self, step: Step, execution: Execution) -> str:
        return await _set(step, step.value("to"), execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        return await _set(step, step.value("was"), execution)


def _is(cap: int, wanted: str, other: str) -> bool:
    """`auto` is any number but the other one."""
    return str(cap) != other if wanted == AUTO else str(cap) == wanted


async def _set(step: Step, value: str, execution: Execution) -> str:
    node = execution.fleet.nodes[step.value("node")]
    if node.cli is None:
        raise LptuiError(node.name, "has no CLI address configured")
    answer = await execution.reach.http(node.cli).request(
        "POST", ROUTE, form={"maxSessions": value}, deadline_s=SECONDS
    )
    said = clean(answer.text, 120)
    if answer.status != 200:
        raise HttpError(
            f"{ROUTE} of {node.name}",
            f"HTTP {answer.status}{f': {said}' if said else ''}",
            "is it the node's CLI API that answers there?",
            status=answer.status,
        )
    return said
