"""The way back: which steps are taken back, and how each is, the last one first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lptui.actions.moves.move import Blind, Move, Seen, Standing
from lptui.actions.plan import Outcome, Plan, Step
from lptui.actions.spec import Event
from lptui.actions.under_way import (
    OPEN_ENDED,
    STOPPED,
    UNREAD_S,
    Pace,
    UnderWay,
    said,
    with_remedy,
)
from lptui.errors import LptuiError, RefusedError


@dataclass(frozen=True, slots=True)
class Left:
    """A step that could not be undone. `unknown`: it could not be read either."""

    words: str
    unknown: bool


def to_undo(plan: Plan, begun: Collection[int], made: Collection[int]) -> tuple[int, ...]:
    """The steps (numbered from 0) that an undo takes back, in its order."""
    last = {step.group: number for number, step in enumerate(plan.steps) if step.group}
    settled = {group for group, number in last.items() if number in made}
    stays = left_standing(plan, begun, made)
    found = [
        n
        for n in begun
        if not plan.steps[n].returns and plan.steps[n].group not in settled and n not in stays
    ]
    return tuple(sorted(found, reverse=True))


def left_standing(plan: Plan, begun: Collection[int], made: Collection[int]) -> tuple[int, ...]:
    """The steps that outlast their group and have been proved good: no undo takes them back."""
    unproved = {s.group for n, s in enumerate(plan.steps) if s.proves and n not in made}
    proved = {step.group for step in plan.steps if step.proves} - unproved
    return tuple(sorted(n for n in begun if plan.steps[n].lasts and plan.steps[n].group in proved))


class TakingBack:
    """Takes back what of a plan on its way has begun. `is_asked_for`: by the operator."""

    def __init__(self, way: UnderWay, *, is_asked_for: bool) -> None:
        self._way = way
        self._is_asked_for = is_asked_for

    async def all(self) -> list[Left]:
        """Takes it all back; gives what could not be."""
        left: list[Left] = []
        for number in to_undo(self._way.plan, self._way.begun, self._way.made):
            step = self._way.plan.steps[number]
            if self._is_asked_for and self._way.execution.abort.is_set():
                left.append(Left(f"{step.title} of {step.target}: {STOPPED}", unknown=False))
                continue
            kept = await self._unmake(number, step)
            if kept is None:
                continue
            await self._way.execution.record.step(number, Event.KEPT, kept.words)
            self._way.note(number, Outcome.UNKNOWN if kept.unknown else Outcome.FAILED, kept.words)
            left.append(Left(f"{step.title} of {step.target}: {kept.words}", kept.unknown))
            if step.gate:
                break
        return left

    async def _unmake(self, number: int, step: Step) -> Left | None:
        """Why it could not be undone; None when it is as it was."""
        move, is_ours = self._way.moves[step.kind], number == self._way.in_hand
        if isinstance(move, Blind):
            return await self._unmake_blindly(number, step, move)
        seen = await self._settled(step, move, is_ours=is_ours)
        if seen.standing is Standing.BEFORE:
            words = seen.words + await self._way.cleared(step, move, Standing.BEFORE)
            await self._undone(number, words, there_was=number in self._way.made)
            return None
        if seen.standing is Standing.OTHER and not is_ours:
            return Left(f"changed by somebody, and left so: {seen.words}", unknown=False)
        await self._way.execution.hold()
        await self._way.execution.record.step(number, Event.UNDOING)
        self._way.say(number, step, "undoing")
        try:
            reply = await move.unmake(step, self._way.execution)
        except RefusedError as error:
            return Left(with_remedy(error), unknown=False)
        except LptuiError as error:
            reply = with_remedy(error)
        seen = await self._way.until(number, step, move, None, Standing.BEFORE)
        if seen.standing is not Standing.BEFORE:
            return Left(f"{seen.words}{said(reply)}", seen.standing is Standing.UNKNOWN)
        words = seen.words + await self._way.cleared(step, move, Standing.BEFORE)
        await self._undone(number, words, there_was=True)
        return None

    async def _unmake_blindly(self, number: int, step: Step, move: Move) -> Left | None:
        await self._way.execution.hold()
        await self._way.execution.record.step(number, Event.UNDOING)
        self._way.say(number, step, "undoing")
        try:
            reply = await move.unmake(step, self._way.execution)
        except LptuiError as error:
            return Left(with_remedy(error), error.kind in OPEN_ENDED)
        await self._undone(number, reply, there_was=True)
        return None

    async def _settled(self, step: Step, move: Move, *, is_ours: bool) -> Seen:
        """The look before an undo. What a killed console has set going may still be on its way."""
        end, pace = self._way.now() + UNREAD_S, Pace()
        while True:
            seen = move.seen(step, await self._way.look(step, move), None)
            on_its_way = seen.standing in (Standing.OTHER, Standing.UNKNOWN)
            if is_ours or not on_its_way or self._way.now() >= end:
                return seen
            await pace.rest()

    async def _undone(self, number: int, words: str, *, there_was: bool) -> None:
        """`there_was` something to undo."""
        await self._way.execution.record.step(number, Event.UNDONE, words)
        if there_was:
            outcome = Outcome.DONE if self._is_asked_for else Outcome.FAILED
            self._way.note(number, outcome, f"undone: {words}")
