"""What all actions that are made of moves have in common."""

from __future__ import annotations

from lptui.actions.engine import Engine
from lptui.actions.moves.registry import MOVES
from lptui.actions.plan import Plan, Result
from lptui.actions.rights import refusal
from lptui.actions.spec import Execution, Proof
from lptui.fleet.snapshot import Snapshot


def engine_of(plan: Plan, execution: Execution) -> Engine:
    """The engine with every kind of move that there is."""
    return Engine(plan, execution, MOVES)


class Stepwise:
    """An action that only plans: its steps are made, looked at and undone by the engine."""

    async def execute(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result:
        refused = await refusal(plan, snapshot, execution, MOVES)
        return refused or await engine_of(plan, execution).run()

    async def prove(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Proof | None:
        return None
