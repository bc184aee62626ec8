"""Makes a plan of moves, step by step: look, write down, make, look again; and takes it back.

What a step did is told by readings alone. A step that is found made is not made again, so a plan
that was cut anywhere can be run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from lptui.actions.moves.move import LEFT, MAY_HAVE_RUN, Blind, Looking, Move, Seen, Standing
from lptui.actions.plan import OnFailure, Outcome, Plan, Result, Step, StepResult
from lptui.actions.spec import Event, Execution
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


TO_BE_MADE: Final = (Standing.BEFORE, Standing.PARTLY)

STOPPED: Final = "stopped by the operator"

_OPEN_ENDED: Final = (ProblemKind.TIMEOUT, ProblemKind.DISCONNECTED)
"""Failures of a call after which its effect may still come."""


@dataclass(frozen=True, slots=True)
class _StopError(Exception):
    """Why no further step is made. `unknown`: it cannot be told how far the last one is."""

    number: int
    why: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class _Left:
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


class Engine:
    """One plan on its way. `moves` are all kinds that there are.

    When the journal cannot be written or a lock is lost, RefusedError ends it where it is: what
    cannot be written down, or is another's by now, must not be done, not even undone.
    """

    def __init__(self, plan: Plan, execution: Execution, moves: Mapping[str, Move]) -> None:
        self._plan = plan
        self._execution = execution
        self._moves = moves
        self._results: dict[int, StepResult] = {}
        self._begun: set[int] = set()
        self._made: set[int] = set()
        self._looked_into: frozenset[int] = frozenset()
        self._in_hand: int | None = None
        self._anew = False
        self._is_asked_for = False

    async def run(
        self,
        begun: Collection[int] = (),
        made: Collection[int] = (),
        looked_into: Collection[int] = (),
    ) -> Result:
        """Makes all steps, or what is left of them by now.

        `begun` and `made` are those (numbered from 0) of an earlier run that was cut;
        `looked_into` those of which only the operator can tell, who was told so and goes on.
        """
        self._begun, self._made = set(begun), set(made)
        self._looked_into = frozenset(looked_into)
        proofs = [n for n in sorted(made) if self._plan.steps[n].proves]
        try:
            for number, step in enumerate(self._plan.steps):
                if number in self._made and not self._is_open(number):
                    self._note(number, Outcome.DONE, "made before")
                    continue
                if self._execution.abort.is_set():
                    raise _StopError(number, STOPPED)
                if self._is_first_of_group(number):
                    # Who needs the groups before it needs them now, not when the run was cut.
                    for proof in proofs:
                        await self._make(proof, self._plan.steps[proof])
                    proofs.clear()
                await self._make(number, step)
        except _StopError as stop:
            return await self._stopped(stop)
        words = self._results[len(self._plan.steps) - 1].detail
        told = f"{self._plan.summary}: {words}" if words else self._plan.summary
        return Result(self._plan, Outcome.DONE, told, self._told())

    async def undo(self, begun: Collection[int], made: Collection[int], why: str) -> Result:
        """Takes back what an earlier run has begun, the last step first."""
        self._begun, self._made, self._is_asked_for = set(begun), set(made), True
        for number in made:
            self._note(number, Outcome.DONE, "made before")
        has_something = to_undo(self._plan, self._begun, self._made)
        left = await self._take_back()
        if left:
            return self._failed(f"{why}; NOT undone: {_words(left)}", left)
        words = "everything is undone" if has_something else "it has left nothing to be undone"
        stays = [self._plan.steps[number] for number in left_standing(self._plan, begun, made)]
        if stays:
            titles = ", ".join(f"{step.title} ({step.target})" for step in stays)
            words += f", but for what stays, as it was seen well since: {titles}"
        return Result(self._plan, Outcome.DONE, f"{why}: {words}", self._told())

    # The way there.

    async def _make(self, number: int, step: Step) -> None:
        move = self._moves[step.kind]
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
            reply = await move.make(step, self._execution)
        except LptuiError as error:
            # It may have come about all the same; what is read decides.
            reply = _with_remedy(error)
            if error.kind not in _OPEN_ENDED and not await self._came_about(step, move, before):
                await self._fail(number, step, reply)
        await self._verify(number, step, move, before, reply)

    async def _begin(self, number: int, step: Step) -> None:
        self._say(number, step, "")
        await self._execution.hold()
        await self._execution.record.step(number, Event.BEGAN)
        self._begun.add(number)
        self._made.discard(number)
        self._anew = True
        self._in_hand = number

    async def _make_blindly(self, number: int, step: Step, move: Move) -> None:
        """Once, and never again when its end was not heard. Raises _StopError."""
        if number in self._looked_into:
            await self._made_now(number, step, LEFT)
            return
        if number in self._begun:
            await self._fail(number, step, MAY_HAVE_RUN, unknown=True)
        await self._begin(number, step)
        try:
            reply = await move.make(step, self._execution)
        except LptuiError as error:
            await self._fail(number, step, _with_remedy(error), unknown=error.kind in _OPEN_ENDED)
        else:
            await self._made_now(number, step, reply)

    async def _before(self, number: int, step: Step, move: Move) -> Snapshot | None:
        """The look before a step; None when it is made already. Raises _StopError."""
        end = self._now() + UNREAD_S
        pause, in_a_row = FIRST_LOOK_S, 0
        while True:
            now = await self._look(step, move)
            seen = move.seen(step, now, None)
            in_a_row = in_a_row + 1 if seen.standing is Standing.MADE else 0
            if in_a_row >= move.looks:
                await self._found_made(number, step, seen.words)
                return None
            if seen.standing in TO_BE_MADE:
                return now
            if not in_a_row and (seen.standing is not Standing.UNKNOWN or self._now() >= end):
                await self._fail(number, step, f"not as planned: {seen.words}")
            await asyncio.sleep(FIRST_LOOK_S if in_a_row else pause)
            pause = min(2 * pause, SLOWEST_LOOK_S)

    async def _found_made(self, number: int, step: Step, words: str) -> None:
        """By this run before it was cut, or by somebody else: then it is not ours to undo."""
        if number in self._made:
            self._note(number, Outcome.DONE, f"{words} (made before)")
        else:
            when = "before it was cut" if number in self._begun else "already"
            await self._made_now(number, step, f"{words} ({when})")

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
            await self._made_now(number, step, seen.words)
            return
        if self._is_stopped(move):
            await self._fail(number, step, STOPPED)
        if seen.standing in (*TO_BE_MADE, Standing.OTHER):
            words = await self._given_up(step, move)
            if words:
                await self._made_now(number, step, words)
                return
        why = f"{seen.words}{_said(reply)}"
        if seen.standing in TO_BE_MADE:
            why = f"after {step.deadline_s:g} s still {why}"
        await self._fail(number, step, why, unknown=seen.standing is Standing.UNKNOWN)

    async def _given_up(self, step: Step, move: Move) -> str:
        try:
            return await move.give_up(step, self._execution)
        except LptuiError as error:
            self._execution.progress(str(error))
            return ""

    def _is_stopped(self, move: Move) -> bool:
        """What only waits is not waited for when the operator wants no more."""
        return self._execution.abort.is_set() and isinstance(move, Looking)

    async def _until(
        self, number: int, step: Step, move: Move, before: Snapshot | None, wanted: Standing
    ) -> Seen:
        """Looks until it is so, cannot become so, or the step's time is over."""
        begun = reported = held = self._now()
        pause, in_a_row = FIRST_LOOK_S, 0
        while True:
            # Before the look, so that the last look is one after the end.
            late = self._now() >= begun + step.deadline_s
            seen = move.seen(step, await self._look(step, move), before)
            self._execution.told(number, None, seen.words)
            in_a_row = in_a_row + 1 if seen.standing is wanted else 0
            if in_a_row >= (move.looks if wanted is Standing.MADE else 1):
                return seen
            if seen.standing is Standing.FAILED or late or self._is_stopped(move):
                return seen
            if self._now() - reported >= REPORT_S:
                reported = self._now()
                self._say(number, step, seen.words)
            if self._now() - held >= HOLD_S:
                held = self._now()
                await self._execution.hold()
            await asyncio.sleep(FIRST_LOOK_S if in_a_row else pause)
            pause = min(2 * pause, SLOWEST_LOOK_S)

    async def _made_now(self, number: int, step: Step, words: str) -> None:
        await self._execution.record.step(number, Event.MADE, words)
        self._made.add(number)
        self._in_hand = None
        self._note(number, Outcome.DONE, words)
        self._say(number, step, words)

    async def _fail(self, number: int, step: Step, why: str, *, unknown: bool = False) -> None:
        """Always raises _StopError."""
        await self._execution.record.step(number, Event.FAILED, why)
        self._note(number, Outcome.UNKNOWN if unknown else Outcome.FAILED, why)
        self._say(number, step, why)
        raise _StopError(number, why, unknown)

    # The way back.

    async def _stopped(self, stop: _StopError) -> Result:
        step = self._plan.steps[stop.number]
        why = f"step {stop.number + 1} of {len(self._plan.steps)} ({step.title}): {stop.why}"
        # Lost locks stop a run too.
        await self._execution.hold()
        if not self._begun:
            return Result(self._plan, Outcome.REFUSED, why, self._told())
        if self._plan.on_failure is OnFailure.STOP:
            kept = [self._plan.steps[n].title for n in sorted(self._begun) if n != stop.number]
            what = f"; kept: {', '.join(kept)}" if kept else ""
            outcome = Outcome.UNKNOWN if stop.unknown else Outcome.FAILED
            remedy = "see what stands in the way; resume goes on from there, undo takes it back"
            return Result(self._plan, outcome, why + what, self._told(), remedy=remedy)
        left = await self._take_back()
        undone = [r.title for r in self._told() if r.detail.startswith("undone")]
        what = f"; undone: {', '.join(undone)}" if undone else "; nothing had to be undone"
        if not left:
            return Result(self._plan, Outcome.FAILED, why + what, self._told())
        return self._failed(f"{why}{what}; NOT undone: {_words(left)}", left)

    def _failed(self, why: str, left: list[_Left]) -> Result:
        outcome = Outcome.UNKNOWN if any(one.unknown for one in left) else Outcome.FAILED
        remedy = "look at what is not undone; then resume, or undo again"
        return Result(self._plan, outcome, why, self._told(), remedy=remedy)

    async def _take_back(self) -> list[_Left]:
        """What could not be undone."""
        left: list[_Left] = []
        for number in to_undo(self._plan, self._begun, self._made):
            step = self._plan.steps[number]
            if self._is_asked_for and self._execution.abort.is_set():
                left.append(_Left(f"{step.title} of {step.target}: {STOPPED}", unknown=False))
                continue
            kept = await self._unmake(number, step)
            if kept is None:
                continue
            await self._execution.record.step(number, Event.KEPT, kept.words)
            self._note(number, Outcome.UNKNOWN if kept.unknown else Outcome.FAILED, kept.words)
            left.append(_Left(f"{step.title} of {step.target}: {kept.words}", kept.unknown))
            if step.gate:
                break
        return left

    async def _unmake(self, number: int, step: Step) -> _Left | None:
        """Why it could not be undone; None when it is as it was."""
        move, is_ours = self._moves[step.kind], number == self._in_hand
        if isinstance(move, Blind):
            return await self._unmake_blindly(number, step, move)
        seen = await self._settled(step, move, is_ours=is_ours)
        if seen.standing is Standing.BEFORE:
            words = seen.words + await self._cleared(step, move)
            await self._undone(number, words, there_was=number in self._made)
            return None
        if seen.standing is Standing.OTHER and not is_ours:
            return _Left(f"changed by somebody, and left so: {seen.words}", unknown=False)
        await self._execution.hold()
        await self._execution.record.step(number, Event.UNDOING)
        self._say(number, step, "undoing")
        try:
            reply = await move.unmake(step, self._execution)
        except RefusedError as error:
            return _Left(_with_remedy(error), unknown=False)
        except LptuiError as error:
            reply = _with_remedy(error)
        seen = await self._until(number, step, move, None, Standing.BEFORE)
        if seen.standing is not Standing.BEFORE:
            return _Left(f"{seen.words}{_said(reply)}", seen.standing is Standing.UNKNOWN)
        await self._undone(number, seen.words + await self._cleared(step, move), there_was=True)
        return None

    async def _cleared(self, step: Step, move: Move) -> str:
        """What was left beside it, as the end of a sentence: the change itself is undone."""
        try:
            await move.clear(step, self._execution)
        except RefusedError:
            raise
        except LptuiError as error:
            return f"; what may lie beside it was not removed: {_with_remedy(error)}"
        return ""

    async def _unmake_blindly(self, number: int, step: Step, move: Move) -> _Left | None:
        await self._execution.hold()
        await self._execution.record.step(number, Event.UNDOING)
        self._say(number, step, "undoing")
        try:
            reply = await move.unmake(step, self._execution)
        except LptuiError as error:
            return _Left(_with_remedy(error), error.kind in _OPEN_ENDED)
        await self._undone(number, reply, there_was=True)
        return None

    async def _settled(self, step: Step, move: Move, *, is_ours: bool) -> Seen:
        """The look before an undo. What a killed console has set going may still be on its way."""
        end, pause = self._now() + UNREAD_S, FIRST_LOOK_S
        while True:
            seen = move.seen(step, await self._look(step, move), None)
            on_its_way = seen.standing in (Standing.OTHER, Standing.UNKNOWN)
            if is_ours or not on_its_way or self._now() >= end:
                return seen
            await asyncio.sleep(pause)
            pause = min(2 * pause, SLOWEST_LOOK_S)

    async def _undone(self, number: int, words: str, *, there_was: bool) -> None:
        """`there_was` something to undo."""
        await self._execution.record.step(number, Event.UNDONE, words)
        if there_was:
            outcome = Outcome.DONE if self._is_asked_for else Outcome.FAILED
            self._note(number, outcome, f"undone: {words}")

    def _is_first_of_group(self, number: int) -> bool:
        """Whether nothing of its group was begun or found made."""
        group = self._plan.steps[number].group
        known = self._begun | self._made
        return bool(group) and not any(self._plan.steps[n].group == group for n in known)

    def _is_open(self, number: int) -> bool:
        """Whether a step that was made must be seen made: also when one before it is made anew.

        That one was undone since, in part, and what followed from it may be undone with it.
        """
        if isinstance(self._moves[self._plan.steps[number].kind], Blind):
            return False
        return self._anew or is_shown(self._plan, self._begun, number)

    async def _look(self, step: Step, move: Move) -> Snapshot:
        return await self._execution.look_at(move.sources(step))

    def _note(self, number: int, outcome: Outcome, words: str) -> None:
        title = self._plan.steps[number].title
        self._results[number] = StepResult(title, outcome, words, number)

    def _told(self) -> tuple[StepResult, ...]:
        return tuple(self._results[number] for number in sorted(self._results))

    def _say(self, number: int, step: Step, words: str) -> None:
        more = f": {words}" if words else ""
        place = f"{number + 1}/{len(self._plan.steps)}"
        self._execution.progress(f"{place} {step.title} ({step.target}){more}")

    def _now(self) -> float:
        return self._execution.clock.monotonic()


def is_shown(plan: Plan, begun: Collection[int], number: int) -> bool:
    """Whether a made step must still be seen made when the run is taken up again.

    A wait is over, and later steps may have changed further, or brought back, what it changed.
    """
    step = plan.steps[number]
    changes = [other for other in begun if not plan.steps[other].returns]
    return not step.returns and not step.group and number == max(changes, default=number)


def _said(reply: str) -> str:
    return f" (it said: {reply})" if reply else ""


def _words(left: list[_Left]) -> str:
    return "; ".join(one.words for one in left)


def _with_remedy(error: LptuiError) -> str:
    """An error with what to do about it: which rule of sudo is missing, say."""
    said = str(error)
    return said if not error.remedy or error.remedy in said else f"{said}; {error.remedy}"
