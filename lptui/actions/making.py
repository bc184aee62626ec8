"""The way there: a step is looked at, written down, made, and looked at until it shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from lptui.actions.moves.move import LEFT, MAY_HAVE_RUN, Blind, Move, Standing
from lptui.actions.plan import Outcome, Step
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
from lptui.errors import LptuiError
from lptui.fleet.snapshot import Snapshot

TO_BE_MADE: Final = (Standing.BEFORE, Standing.PARTLY)


@dataclass(frozen=True, slots=True)
class StopError(Exception):
    """Why no further step is made. `unknown`: it cannot be told how far the last one is."""

    number: int
    why: str
    unknown: bool = False


class Making:
    """Makes the steps of a plan on its way, one at a time.

    `looked_into` are those of which only the operator can tell, who was told so and goes on.
    """

    def __init__(self, way: UnderWay, looked_into: Collection[int]) -> None:
        self._way = way
        self._looked_into = frozenset(looked_into)

    async def make(self, number: int, step: Step) -> None:
        """Makes one, or sees that it is made; raises StopError."""
        move = self._way.moves[step.kind]
        if isinstance(move, Blind):
            await self._make_blindly(number, step, move)
            return
        before = await self._before(number, step, move)
        if before is None:
            return
        hindrance = move.hindrance(step, before)
        if hindrance:
            await self._fail(number, step, hindrance)
        await self._begin(number, step)
        reply = ""
        try:
            reply = await move.make(step, self._way.execution)
        except LptuiError as error:
            # It may have come about all the same; what is read decides.
            reply = with_remedy(error)
            if error.kind not in OPEN_ENDED and not await self._came_about(step, move, before):
                await self._fail(number, step, reply)
        await self._verify(number, step, move, before, reply)

    async def _begin(self, number: int, step: Step) -> None:
        self._way.say(number, step, "")
        await self._way.execution.hold()
        await self._way.execution.record.step(number, Event.BEGAN)
        self._way.begun.add(number)
        self._way.made.discard(number)
        self._way.anew = True
        self._way.in_hand = number

    async def _make_blindly(self, number: int, step: Step, move: Move) -> None:
        """Once, and never again when its end was not heard. Raises StopError."""
        if number in self._looked_into:
            await self._made_now(number, step, LEFT)
            return
        if number in self._way.begun:
            await self._fail(number, step, MAY_HAVE_RUN, unknown=True)
        await self._begin(number, step)
        try:
            reply = await move.make(step, self._way.execution)
        except LptuiError as error:
            await self._fail(number, step, with_remedy(error), unknown=error.kind in OPEN_ENDED)
        else:
            await self._made_now(number, step, reply)

    async def _before(self, number: int, step: Step, move: Move) -> Snapshot | None:
        """The look before a step; None when it is made already. Raises StopError."""
        end = self._way.now() + UNREAD_S
        pace, in_a_row = Pace(), 0
        while True:
            now = await self._way.look(step, move)
            seen = move.seen(step, now, None)
            in_a_row = in_a_row + 1 if seen.standing is Standing.MADE else 0
            if in_a_row >= move.looks:
                await self._found_made(number, step, move, seen.words)
                return None
            if seen.standing in TO_BE_MADE:
                return now
            if not in_a_row and (seen.standing is not Standing.UNKNOWN or self._way.now() >= end):
                await self._fail(number, step, f"not as planned: {seen.words}")
            await pace.rest(is_brief=bool(in_a_row))

    async def _found_made(self, number: int, step: Step, move: Move, words: str) -> None:
        """By this run before it was cut, or by somebody else: then it is not ours to undo."""
        if number in self._way.made:
            self._way.note(number, Outcome.DONE, f"{words} (made before)")
        elif number in self._way.begun:
            # An undo that was cut may have left something, too.
            words += await self._way.cleared(step, move, Standing.MADE)
            await self._made_now(number, step, f"{words} (before it was cut)")
        else:
            await self._made_now(number, step, f"{words} (already)")

    async def _came_about(self, step: Step, move: Move, before: Snapshot) -> bool:
        """Whether a call that failed may have had its effect."""
        seen = move.seen(step, await self._way.look(step, move), before)
        return seen.standing in (Standing.MADE, Standing.UNKNOWN)

    async def _verify(
        self, number: int, step: Step, move: Move, before: Snapshot, reply: str
    ) -> None:
        """Waits until readings show it. Raises StopError."""
        seen = await self._way.until(number, step, move, before, Standing.MADE)
        if seen.standing is Standing.MADE:
            await self._made_now(number, step, seen.words)
            return
        if self._way.is_stopped(move):
            await self._fail(number, step, STOPPED)
        if seen.standing in (*TO_BE_MADE, Standing.OTHER):
            words = await self._given_up(step, move)
            if words:
                await self._made_now(number, step, words)
                return
        why = f"{seen.words}{said(reply)}"
        if seen.standing in TO_BE_MADE:
            why = f"after {step.deadline_s:g} s still {why}"
        await self._fail(number, step, why, unknown=seen.standing is Standing.UNKNOWN)

    async def _given_up(self, step: Step, move: Move) -> str:
        try:
            return await move.give_up(step, self._way.execution)
        except LptuiError as error:
            self._way.execution.progress(str(error))
            return ""

    async def _made_now(self, number: int, step: Step, words: str) -> None:
        await self._way.execution.record.step(number, Event.MADE, words)
        self._way.made.add(number)
        self._way.in_hand = None
        self._way.note(number, Outcome.DONE, words)
        self._way.say(number, step, words)

    async def _fail(self, number: int, step: Step, why: str, *, unknown: bool = False) -> None:
        """Always raises StopError."""
        await self._way.execution.record.step(number, Event.FAILED, why)
        self._way.note(number, Outcome.UNKNOWN if unknown else Outcome.FAILED, why)
        self._way.say(number, step, why)
        raise StopError(number, why, unknown)
