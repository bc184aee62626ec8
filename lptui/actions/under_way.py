"""A plan on its way: what has begun, what is made, what was told of each step, and how to look."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lptui.actions.moves.move import Looking, Move, Seen, Standing
from lptui.actions.plan import Outcome, Plan, Step, StepResult
from lptui.actions.spec import Execution
from lptui.errors import LptuiError, ProblemKind, RefusedError
from lptui.fleet.snapshot import Snapshot

FIRST_LOOK_S: Final = 0.05
SLOWEST_LOOK_S: Final = 1.0
"""Between two looks at a step that has not shown yet: the first pause, then doubled up to this.

Between looks that must all show it, always the first.
"""

UNREAD_S: Final = 15.0
"""How long a step that cannot be read, or is on its way, is waited for before it is touched."""

REPORT_S: Final = 10.0
"""Between two words of patience."""

HOLD_S: Final = 3.0
"""How often it is looked whether the lock is still held, while a step is waited for."""

STOPPED: Final = "stopped by the operator"

OPEN_ENDED: Final = (ProblemKind.TIMEOUT, ProblemKind.DISCONNECTED)
"""Failures of a call after which its effect may still come."""


class Pace:
    """The pauses between looks."""

    def __init__(self) -> None:
        self._next_s = FIRST_LOOK_S

    async def rest(self, *, is_brief: bool = False) -> None:
        await asyncio.sleep(FIRST_LOOK_S if is_brief else self._next_s)
        self._next_s = min(2 * self._next_s, SLOWEST_LOOK_S)


@dataclass(slots=True)
class UnderWay:
    """What making a plan and taking it back share. Steps are numbered from 0.

    Attributes:
        moves: all kinds that there are.
        in_hand: the step that has begun and is not made yet.
        anew: whether this run has begun a step.
    """

    plan: Plan
    execution: Execution
    moves: Mapping[str, Move]
    begun: set[int] = field(default_factory=set)
    made: set[int] = field(default_factory=set)
    in_hand: int | None = None
    anew: bool = False
    _results: dict[int, StepResult] = field(default_factory=dict)

    async def until(
        self, number: int, step: Step, move: Move, before: Snapshot | None, wanted: Standing
    ) -> Seen:
        """Looks until it is so, cannot become so, or the step's time is over."""
        begun = reported = held = self.now()
        pace, in_a_row = Pace(), 0
        while True:
            # Before the look, so that the last look is one after the end.
            late = self.now() >= begun + step.deadline_s
            seen = move.seen(step, await self.look(step, move), before)
            self.execution.told(number, None, seen.words)
            in_a_row = in_a_row + 1 if seen.standing is wanted else 0
            if in_a_row >= (move.looks if wanted is Standing.MADE else 1):
                return seen
            if seen.standing is Standing.FAILED or late or self.is_stopped(move):
                return seen
            if self.now() - reported >= REPORT_S:
                reported = self.now()
                self.say(number, step, seen.words)
            if self.now() - held >= HOLD_S:
                held = self.now()
                await self.execution.hold()
            await pace.rest(is_brief=bool(in_a_row))

    def is_stopped(self, move: Move) -> bool:
        """What only waits is not waited for when the operator wants no more."""
        return self.execution.abort.is_set() and isinstance(move, Looking)

    async def look(self, step: Step, move: Move) -> Snapshot:
        return await self.execution.look_at(move.sources(step))

    async def cleared(self, step: Step, move: Move, standing: Standing) -> str:
        """What was left beside a change, as the end of a sentence: the change itself stands so."""
        try:
            await move.clear(step, self.execution, standing)
        except RefusedError:
            raise
        except LptuiError as error:
            return f"; what may lie beside it was not removed: {with_remedy(error)}"
        return ""

    def note(self, number: int, outcome: Outcome, words: str) -> None:
        title = self.plan.steps[number].title
        self._results[number] = StepResult(title, outcome, words, number)

    def told(self) -> tuple[StepResult, ...]:
        return tuple(self._results[number] for number in sorted(self._results))

    def say(self, number: int, step: Step, words: str) -> None:
        more = f": {words}" if words else ""
        place = f"{number + 1}/{len(self.plan.steps)}"
        self.execution.progress(f"{place} {step.title} ({step.target}){more}")

    def now(self) -> float:
        return self.execution.clock.monotonic()


def both_ways(run: str) -> str:
    """How a run is taken up, and back."""
    how = "lptui --headless"
    return f"`{how} resume {run}` goes on, `{how} undo {run}` takes it back"


def said(reply: str) -> str:
    return f" (it said: {reply})" if reply else ""


def with_remedy(error: LptuiError) -> str:
    """An error with what to do about it: which rule of sudo is missing, say."""
    said = str(error)
    return said if not error.remedy or error.remedy in said else f"{said}; {error.remedy}"
