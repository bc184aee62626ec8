"""Makes a plan of moves, step by step: look, write down, make, look again; and takes it back.

What a step did is told by readings alone. A step that is found made is not made again, so a plan
that was cut anywhere can be run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.actions.moves.move import Move, Seen, Standing
from lptui.actions.plan import OnFailure, Outcome, Plan, Result, Step, StepResult
from lptui.actions.spec import Event, Execution
from lptui.errors import LptuiError
from lptui.fleet.snapshot import Snapshot

FIRST_LOOK_S: Final = 0.05
SLOWEST_LOOK_S: Final = 1.0
"""Between two looks at a step that has not shown yet: the first pause, then doubled up to this."""

UNREAD_S: Final = 15.0
"""How long a step that cannot be read is waited for before it is begun."""

REPORT_S: Final = 10.0
"""Between two words of patience."""


@dataclass(frozen=True, slots=True)
class _StopError(Exception):
    """Why no further step is made. `unknown`: it cannot be told how far the last one is."""

    number: int
    why: str
    unknown: bool = False


class Engine:
    """One plan on its way. `moves` are all kinds that there are."""

    def __init__(self, plan: Plan, execution: Execution, moves: dict[str, Move]) -> None:
        self._plan = plan
        self._execution = execution
        self._moves = moves
        self._results: dict[int, StepResult] = {}

    async def run(self, made: Collection[int] = ()) -> Result:
        """Makes all steps but those (numbered from 0) that an earlier run has made."""
        begun = list(made)
        try:
            for number, step in enumerate(self._plan.steps):
                if number in made:
                    self._note(number, Outcome.DONE, "made before")
                    continue
                if self._execution.abort.is_set():
                    raise _StopError(number, "stopped by the operator")
                begun.append(number)
                await self._make(number, step)
        except _StopError as stop:
            return await self._stopped(stop, begun)
        words = self._results[len(self._plan.steps) - 1].detail
        return Result(self._plan, Outcome.DONE, words, self._told())

    async def undo(self, begun: Sequence[int], made: Collection[int], why: str) -> Result:
        """Takes back the steps that were begun, the last one first; `made` are those that were."""
        for number in made:
            self._note(number, Outcome.DONE, "made before")
        left = await self._take_back(begun)
        if left:
            return self._failed(f"{why}; not everything could be undone: {'; '.join(left)}", left)
        return Result(self._plan, Outcome.DONE, f"{why}: everything is undone", self._told())

    async def _make(self, number: int, step: Step) -> None:
        move = self._moves[step.kind]
        before = await self._before(number, step, move)
        if before is None:
            return
        hindrance = move.hindrance(step, before)
        if hindrance:
            await self._fail(number, step, hindrance)
        self._say(number, step, "")
        await self._execution.hold()
        await self._execution.record.step(number, Event.BEGAN)
        reply = ""
        try:
            reply = await move.make(step, self._execution)
        except LptuiError as error:
            # It may have come about all the same; what is read decides.
            reply = str(error)
            if not await self._came_about(step, move, before):
                await self._fail(number, step, reply)
        await self._verify(number, step, move, before, reply)

    async def _before(self, number: int, step: Step, move: Move) -> Snapshot | None:
        """The look before a step; None when it is made already. Raises _StopError."""
        end = self._now() + UNREAD_S
        pause = FIRST_LOOK_S
        while True:
            now = await self._look(step, move)
            seen = move.seen(step, now, None)
            if seen.standing is Standing.MADE:
                await self._execution.record.step(number, Event.BEGAN, seen.words)
                await self._made(number, step, f"{seen.words} (already)")
                return None
            if seen.standing in (Standing.BEFORE, Standing.PARTLY):
                return now
            if seen.standing is not Standing.UNKNOWN or self._now() >= end:
                why = f"not as planned: {seen.words}"
                await self._fail(number, step, why)
            await asyncio.sleep(pause)
            pause = min(2 * pause, SLOWEST_LOOK_S)

    async def _came_about(self, step: Step, move: Move, before: Snapshot) -> bool:
        """Whether a call that failed may have had its effect."""
        seen = move.seen(step, await self._look(step, move), before)
        return seen.standing in (Standing.MADE, Standing.UNKNOWN)

    async def _verify(
        self, number: int, step: Step, move: Move, before: Snapshot, reply: str
    ) -> None:
        """Waits until readings show it. Raises _StopError."""
        seen = await self._until(number, step, move, before, Standing.MADE)
        if seen.standing is Standing.MADE:
            await self._made(number, step, seen.words)
            return
        if seen.standing in (Standing.BEFORE, Standing.PARTLY, Standing.OTHER):
            words = await self._given_up(step, move)
            if words:
                await self._made(number, step, words)
                return
        why = f"{seen.words}{f' (it said: {reply})' if reply else ''}"
        if seen.standing in (Standing.BEFORE, Standing.PARTLY):
            why = f"after {step.deadline_s:g} s still {why}"
        await self._fail(number, step, why, unknown=seen.standing is Standing.UNKNOWN)

    async def _given_up(self, step: Step, move: Move) -> str:
        try:
            return await move.give_up(step, self._execution)
        except LptuiError as error:
            self._execution.progress(str(error))
            return ""

    async def _until(
        self, number: int, step: Step, move: Move, before: Snapshot | None, wanted: Standing
    ) -> Seen:
        """Looks until it is so, cannot become so, or the step's time is over."""
        begun = reported = self._now()
        pause, in_a_row = FIRST_LOOK_S, 0
        while True:
            # Before the look, so that the last look is one after the end.
            late = self._now() >= begun + step.deadline_s
            seen = move.seen(step, await self._look(step, move), before)
            in_a_row = in_a_row + 1 if seen.standing is wanted else 0
            if in_a_row >= (move.looks if wanted is Standing.MADE else 1):
                return seen
            if seen.standing is Standing.FAILED or late:
                return seen
            if self._now() - reported >= REPORT_S:
                reported = self._now()
                self._say(number, step, seen.words)
                await self._execution.hold()
            await asyncio.sleep(pause)
            pause = min(2 * pause, SLOWEST_LOOK_S)

    async def _look(self, step: Step, move: Move) -> Snapshot:
        return await self._execution.look_at(move.sources(step))

    async def _made(self, number: int, step: Step, words: str) -> None:
        await self._execution.record.step(number, Event.MADE, words)
        self._note(number, Outcome.DONE, words)
        self._say(number, step, words)

    async def _fail(self, number: int, step: Step, why: str, *, unknown: bool = False) -> None:
        """Always raises _StopError."""
        await self._execution.record.step(number, Event.FAILED, why)
        self._note(number, Outcome.UNKNOWN if unknown else Outcome.FAILED, why)
        self._say(number, step, why)
        raise _StopError(number, why, unknown)

    # The way back.

    async def _stopped(self, stop: _StopError, begun: Sequence[int]) -> Result:
        step = self._plan.steps[stop.number]
        why = f"step {stop.number + 1} of {len(self._plan.steps)} ({step.title}): {stop.why}"
        if self._plan.on_failure is OnFailure.STOP:
            kept = [self._plan.steps[n].title for n in begun if n != stop.number]
            what = f"; kept: {', '.join(kept)}" if kept else ""
            outcome = Outcome.UNKNOWN if stop.unknown else Outcome.FAILED
            remedy = "see what stands in the way; resume goes on from there, undo takes it back"
            return Result(self._plan, outcome, why + what, self._told(), remedy=remedy)
        if not begun:
            return Result(self._plan, Outcome.REFUSED, why, self._told())
        left = await self._take_back(begun)
        undone = [r.title for r in self._told() if r.detail.startswith("undone")]
        what = f"; undone: {', '.join(undone)}" if undone else "; nothing had to be undone"
        if not left:
            return Result(self._plan, Outcome.FAILED, why + what, self._told())
        return self._failed(f"{why}{what}; NOT undone: {'; '.join(left)}", left)

    def _failed(self, why: str, left: Sequence[str]) -> Result:
        remedy = f"look at {', '.join(left)}; then resume, or undo again"
        return Result(self._plan, Outcome.UNKNOWN, why, self._told(), remedy=remedy)

    async def _take_back(self, begun: Sequence[int]) -> list[str]:
        """The steps that could not be undone, in words."""
        left = []
        settled = self._settled()
        for number in sorted(begun, reverse=True):
            step = self._plan.steps[number]
            if step.group in settled or step.returns:
                continue
            failure = await self._unmake(number, step)
            if failure:
                await self._execution.record.step(number, Event.KEPT, failure)
                left.append(f"{step.title} of {step.target}: {failure}")
                if step.gate:
                    break
        return left

    def _settled(self) -> set[str]:
        """Groups that have ended where they began."""
        last = {step.group: number for number, step in enumerate(self._plan.steps) if step.group}
        done = {n for n, result in self._results.items() if result.outcome is Outcome.DONE}
        return {group for group, number in last.items() if number in done}

    async def _unmake(self, number: int, step: Step) -> str:
        """Why it could not be undone; "" when it is as it was."""
        move = self._moves[step.kind]
        seen = move.seen(step, await self._look(step, move), None)
        if seen.standing is Standing.BEFORE:
            await self._execution.record.step(number, Event.UNDONE, seen.words)
            if self._results.get(number, _NONE).outcome is Outcome.DONE:
                self._note(number, Outcome.FAILED, f"undone: {seen.words}")
            return ""
        await self._execution.record.step(number, Event.UNDOING)
        self._say(number, step, "undoing")
        try:
            reply = await move.unmake(step, self._execution)
        except LptuiError as error:
            reply = str(error)
        seen = await self._until(number, step, move, None, Standing.BEFORE)
        if seen.standing is not Standing.BEFORE:
            return f"{seen.words}{f' (it said: {reply})' if reply else ''}"
        await self._execution.record.step(number, Event.UNDONE, seen.words)
        self._note(number, Outcome.FAILED, f"undone: {seen.words}")
        return ""

    def _note(self, number: int, outcome: Outcome, words: str) -> None:
        step = self._plan.steps[number]
        self._results[number] = StepResult(step.title, outcome, words)

    def _told(self) -> tuple[StepResult, ...]:
        return tuple(self._results[number] for number in sorted(self._results))

    def _say(self, number: int, step: Step, words: str) -> None:
        more = f": {words}" if words else ""
        place = f"{number + 1}/{len(self._plan.steps)}"
        self._execution.progress(f"{place} {step.title} ({step.target}){more}")

    def _now(self) -> float:
        return self._execution.clock.monotonic()


_NONE: Final = StepResult("", Outcome.UNKNOWN, "")
