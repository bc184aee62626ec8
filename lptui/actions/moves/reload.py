"""Move `reload`: makes a unit read its configuration again, without ending its process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.move import Seen, Standing, Usual
from lptui.actions.moves.supervised import change, in_step, look, of_node, says
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

KIND: Final = "unit-reload"

RELOAD_S: Final = 30.0


def step(snapshot: Snapshot, node: Node, *, group: str = "") -> Step:
    """The step that reloads a node's unit."""
    service = of_node(node)
    unit, _ = look(snapshot, service)
    since = unit.changed_us if unit is not None else None
    return Step(
        title="reload",
        target=node.name,
        call=service.call("reload"),
        precondition=f"{service.name} runs and knows how to reload",
        postcondition="systemd says that it was reloaded, with success, by the same process",
        deadline_s=RELOAD_S,
        undo="put the old configuration back, and reload again",
        kind=KIND,
        given=(
            *service.given,
            ("changed", str(since)),
            ("pid", str(unit.main_pid if unit is not None else None)),
        ),
        group=group,
        returns=True,
    )


class ReloadMove(Usual):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (in_step(step).source,)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        service = in_step(step)
        unit, why = look(now, service)
        if unit is None:
            return Seen(Standing.UNKNOWN, why)
        words = says(unit, service)
        if unit.active == "reloading":
            return Seen(Standing.BEFORE, f"{words}: at it")
        if not unit.is_running or str(unit.main_pid) != step.value("pid"):
            return Seen(Standing.OTHER, f"{words}; its process is another one")
        if str(unit.changed_us) == step.value("changed"):
            return Seen(Standing.BEFORE, f"{words}; not reloaded yet")
        if unit.reload_result not in ("success", ""):
            return Seen(Standing.FAILED, f"its reload ended with {unit.reload_result}")
        return Seen(Standing.MADE, f"{words}; reloaded")

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        service = in_step(step)
        return (service.words("reload"),) if service.is_unit and not service.why_odd else ()

    async def make(self, step: Step, execution: Execution) -> str:
        service = in_step(step)
        return await change(service, service.words("reload"), execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        return ""
