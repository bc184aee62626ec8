"""Makes a plan of moves, step by step: look, write down, make, look again; and takes it back.

What a step did is told by readings alone. A step that is found made is not made again, so a plan
that was cut anywhere can be run again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from lptui.actions.making import Making, StopError
from lptui.actions.moves.move import Blind, Move
from lptui.actions.plan import OnFailure, Outcome, Plan, Result
from lptui.actions.spec import Execution
from lptui.actions.taking_back import Left, TakingBack, left_standing, to_undo
from lptui.actions.under_way import STOPPED, UnderWay, both_ways


class Engine:
    """One plan on its way. `moves` are all kinds that there are.

    When the journal cannot be written or a lock is lost, RefusedError ends it where it is: what
    cannot be written down, or is another's by now, must not be done, not even undone.
    """

    def __init__(self, plan: Plan, execution: Execution, moves: Mapping[str, Move]) -> None:
        self._plan = plan
        self._way = UnderWay(plan, execution, moves)

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
        self._way.begun, self._way.made = set(begun), set(made)
        making = Making(self._way, looked_into)
        proofs = [n for n in sorted(made) if self._plan.steps[n].proves]
        try:
            for number, step in enumerate(self._plan.steps):
                if number in self._way.made and not self._is_open(number):
                    self._way.note(number, Outcome.DONE, "made before")
                    continue
                if self._way.execution.abort.is_set():
                    raise StopError(number, STOPPED)
                if self._is_first_of_group(number):
                    # Who needs the groups before it needs them now, not when the run was cut.
                    for proof in proofs:
                        await making.make(proof, self._plan.steps[proof])
                    proofs.clear()
                await making.make(number, step)
        except StopError as stop:
            return await self._stopped(stop)
        words = self._way.told()[-1].detail
        told = f"{self._plan.summary}: {words}" if words else self._plan.summary
        return Result(self._plan, Outcome.DONE, told, self._way.told())

    async def undo(self, begun: Collection[int], made: Collection[int], why: str) -> Result:
        """Takes back what an earlier run has begun, the last step first."""
        self._way.begun, self._way.made = set(begun), set(made)
        for number in made:
            self._way.note(number, Outcome.DONE, "made before")
        has_something = to_undo(self._plan, self._way.begun, self._way.made)
        left = await TakingBack(self._way, is_asked_for=True).all()
        if left:
            return self._failed(f"{why}; NOT undone: {_words(left)}", left)
        words = "everything is undone" if has_something else "it has left nothing to be undone"
        stays = [self._plan.steps[number] for number in left_standing(self._plan, begun, made)]
        if stays:
            titles = ", ".join(f"{step.title} ({step.target})" for step in stays)
            words += f", but for what stays, as it was seen well since: {titles}"
        return Result(self._plan, Outcome.DONE, f"{why}: {words}", self._way.told())

    async def _stopped(self, stop: StopError) -> Result:
        step = self._plan.steps[stop.number]
        why = f"step {stop.number + 1} of {len(self._plan.steps)} ({step.title}): {stop.why}"
        # Lost locks stop a run too.
        await self._way.execution.hold()
        if not self._way.begun:
            return Result(self._plan, Outcome.REFUSED, why, self._way.told())
        if self._plan.on_failure is OnFailure.STOP:
            kept = [self._plan.steps[n].title for n in sorted(self._way.begun) if n != stop.number]
            what = f"; kept: {', '.join(kept)}" if kept else ""
            outcome = Outcome.UNKNOWN if stop.unknown else Outcome.FAILED
            remedy = f"see what stands in the way; {both_ways(self._way.execution.record.run)}"
            return Result(self._plan, outcome, why + what, self._way.told(), remedy=remedy)
        left = await TakingBack(self._way, is_asked_for=False).all()
        undone = [r.title for r in self._way.told() if r.detail.startswith("undone")]
        what = f"; undone: {', '.join(undone)}" if undone else "; nothing had to be undone"
        if not left:
            return Result(self._plan, Outcome.FAILED, why + what, self._way.told())
        return self._failed(f"{why}{what}; NOT undone: {_words(left)}", left)

    def _failed(self, why: str, left: list[Left]) -> Result:
        outcome = Outcome.UNKNOWN if any(one.unknown for one in left) else Outcome.FAILED
        remedy = f"look at what is not undone; then {both_ways(self._way.execution.record.run)}"
        return Result(self._plan, outcome, why, self._way.told(), remedy=remedy)

    def _is_first_of_group(self, number: int) -> bool:
        """Whether nothing of its group was begun or found made."""
        group = self._plan.steps[number].group
        known = self._way.begun | self._way.made
        return bool(group) and not any(self._plan.steps[n].group == group for n in known)

    def _is_open(self, number: int) -> bool:
        """Whether a step that was made must be seen made: also when one before it is made anew.

        That one was undone since, in part, and what followed from it may be undone with it.
        """
        if isinstance(self._way.moves[self._plan.steps[number].kind], Blind):
            return False
        return self._way.anew or is_shown(self._plan, self._way.begun, number)


def is_shown(plan: Plan, begun: Collection[int], number: int) -> bool:
    """Whether a made step must still be seen made when the run is taken up again.

    A wait is over, and later steps may have changed further, or brought back, what it changed.
    """
    step = plan.steps[number]
    changes = [other for other in begun if not plan.steps[other].returns]
    return not step.returns and not step.group and number == max(changes, default=number)


def _words(left: Sequence[Left]) -> str:
    return "; ".join(one.words for one in left)
