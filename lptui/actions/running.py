"""One run of a plan, from the start that is on record to an end that tells the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lptui.actions.audit import Run, new_run, whoami
from lptui.actions.comparing import Verb, looked_into
from lptui.actions.journal import Entry, Journal, RunRecord
from lptui.actions.on_disk import on_disk, remedy_for
from lptui.actions.plan import Outcome, Plan, Result, Step, StepResult
from lptui.actions.spec import Action, Event, Execution, Progress, Told
from lptui.actions.under_way import both_ways
from lptui.errors import LptuiError, RefusedError
from lptui.text import clean

if TYPE_CHECKING:
    from sqlite3 import Connection

    from lptui.actions.fleet_lock import FleetLock
    from lptui.actions.runner import Runner

RENEWALS: Final = 4
"""How often a lock is renewed while it lasts."""


class _Recorded:
    """The journal of a run, with each event in the audit record too. Nothing before `begin`.

    Attributes:
        is_open: the run is in the journal.
        begun: something may have been changed.
    """

    def __init__(self, journal: Journal, run: str, audit: Run, told: Told) -> None:
        self._journal = journal
        self._told = told
        self._record = RunRecord(journal, run)
        self._audit = audit
        self.run = run
        self.is_open = False
        self.begun = False
        self._kept: Connection | None = None

    async def begin(self, plan: Plan, fleet: str) -> None:
        """Writes the run down; raises RefusedError when that cannot be done."""
        try:
            await on_disk(self._journal.begin, self.run, plan, fleet, whoami())
        except OSError as error:
            why = f"the journal cannot be written: {clean(str(error))}"
            raise RefusedError(plan.action, why, remedy_for(error)) from None
        self.is_open = True
        await self._keep()

    async def again(self, entry: Entry) -> None:
        """Goes on with a run; raises RefusedError when it went on since it was looked at."""
        try:
            now = await asyncio.to_thread(self._journal.entry, entry.id)
            if now != entry:
                why = "it went on since it was looked at"
                raise RefusedError(f"run {entry.id}", why, "look at it again")
            await on_disk(self._journal.reopen, entry.id)
        except OSError as error:
            why = f"the journal cannot be used: {clean(str(error))}"
            raise RefusedError(f"run {entry.id}", why, remedy_for(error)) from None
        self.is_open = self.begun = True
        await self._keep()

    async def _keep(self) -> None:
        with suppress(OSError):  # only faster with it
            self._kept = await on_disk(self._journal.keep_open)

    async def step(self, number: int, event: Event, words: str = "") -> None:
        """See `spec.Record`."""
        await self._record.step(number, event, words)
        self.begun = self.begun or event in (Event.BEGAN, Event.UNDOING)
        self._told(number, event, words)
        with suppress(OSError):  # the journal is what the next console goes by
            await on_disk(self._audit.event, number, event.value, words)

    async def end(self, result: Result) -> None:
        """How it ended; a run that is not told to have ended stays open, as it should."""
        if self.is_open:
            with suppress(OSError):
                await on_disk(self._journal.end, self.run, result)

    async def close(self) -> None:
        """After the last step, however it came to that."""
        if self._kept is not None:
            await on_disk(self._kept.close)

    def close_unbegun(self, result: Result) -> None:
        """The end of a run that was cut short before anything was done."""
        if self.is_open and not self.begun:
            with suppress(OSError):
                self._journal.end(self.run, result)


class Running:
    """One run. `run` is its id, given when it is taken up again, or back."""

    def __init__(
        self,
        runner: Runner,
        plan: Plan,
        progress: Progress,
        deadline_s: float,
        run: str = "",
        *,
        steal: bool,
        told: Told,
        by: str = "",
    ) -> None:
        self.run = run = run or new_run()
        self._runner = runner
        self.plan = plan
        self._progress = progress
        self._deadline_s = deadline_s
        self._steal = steal
        self._told = told
        self.audit = runner.audit.run(plan, runner.fleet.name, run, by)
        self._record = _Recorded(runner.journal, run, self.audit, told)
        self._begun = False
        self._lock = runner.fleet_lock(plan, run, by)
        self.result = self._unfinished("ended")

    async def to_the_end(self, go: Callable[[], Awaitable[Result]]) -> None:
        """Leaves `result`, also when it is cancelled."""
        try:
            self.result = await go()
        except asyncio.CancelledError:
            self.result = replace(self._unfinished("interrupted"), interrupted=True)
            raise
        except RefusedError as error:
            self.result = self._unfinished(error.why, error.remedy)
        except LptuiError as error:
            self.result = self._unfinished(str(error), error.remedy)
        except Exception as error:  # a bug, perhaps after something was sent
            why = clean(f"lptui failed: {type(error).__name__}: {error}")
            self.result = self._unfinished(why)
        finally:
            self._record.close_unbegun(self.result)
            self.result = self._ended(self.result)

    async def execute(self, action: Action) -> Result:
        """Guards, locks, then what the action does."""
        execution = self._execution(action.spec.proof)
        snapshot, fresh, ended = await self._runner.guarded(action, self.plan)
        if ended is not None:
            if ended.outcome is not Outcome.DONE:
                return ended
            proof = await action.prove(fresh, snapshot, execution)
            return replace(ended, proof=proof or ())

        async def go() -> Result:
            if self.plan.is_stepwise:
                await self._record.begin(self.plan, self._runner.fleet.name)
            return await action.execute(self.plan, snapshot, execution)

        return await self._under_lock(go)

    async def again(self, entry: Entry, verb: Verb) -> Result:
        """Goes on where a run was cut, or takes it back."""
        from lptui.actions.stepwise import engine_of

        engine = engine_of(self.plan, self._execution(()))

        async def go() -> Result:
            await self._record.again(entry)
            if verb is Verb.RESUME:
                return await engine.run(entry.begun, entry.made, looked_into(entry))
            return await engine.undo(entry.begun, entry.made, f"run {entry.id}")

        return await self._under_lock(go)

    async def _under_lock(self, go: Callable[[], Awaitable[Result]]) -> Result:
        lock, plan = self._lock, self.plan
        if lock is None or plan.lock is None:
            return await self._and_noted(go)
        dead = await self._dead() if plan.is_stepwise else ()
        failure = await lock.take(steal=self._steal, dead=dead)
        if failure and plan.lock.required:
            why = f"no lock that other operators see: {failure}"
            return Result(plan, Outcome.REFUSED, why, remedy="see guards.lock_hosts")
        if failure:
            self._progress(f"no lock that other operators see: {failure}")
        renewing = asyncio.create_task(self._renew(lock, plan.lock.lasts_s / RENEWALS))
        result: Result | None = None
        try:
            result = await self._and_noted(go)
            return result
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            # A node that may still be at it keeps others away until the lock has aged.
            under_way = result.under_way if result is not None else self._begun
            if not under_way:
                await lock.release()

    async def _dead(self) -> tuple[str, ...]:
        """Runs of this journal: none of them is running while this one has the fleet."""
        journal, fleet = self._runner.journal, self._runner.fleet.name
        try:
            return tuple(entry.id for entry in await asyncio.to_thread(journal.newest, fleet))
        except OSError:
            return ()

    async def _and_noted(self, go: Callable[[], Awaitable[Result]]) -> Result:
        """A run of moves has its end in the journal unless it was cut short."""
        try:
            result = await go()
            await self._record.end(result)
            return result
        finally:
            await self._record.close()

    async def _renew(self, lock: FleetLock, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await lock.hold()
            except RefusedError as error:
                self._progress(str(error))
                self._runner.abort()
                return

    def _execution(self, proof: tuple[str, ...]) -> Execution:
        runner, lock = self._runner, self._lock

        async def hold() -> None:
            if lock is not None:
                await lock.hold()

        return Execution(
            runner.fleet,
            runner.reach,
            runner.clock,
            lambda: runner.observe(proof),
            self._step,
            self._progress,
            self._deadline_s,
            runner.look_at,
            self._record,
            hold,
            runner.aborting,
            self._told,
        )

    def _step(self, step: Step) -> None:
        try:
            self.audit.step(step)
        except OSError as error:
            why = f"the record cannot be written: {clean(str(error))}"
            raise RefusedError(step.title, why, remedy_for(error)) from None
        self._begun = self._begun or step == self.plan.steps[0]
        self._told(self.plan.steps.index(step), Event.BEGAN, "")

    def _unfinished(self, why: str, remedy: str = "") -> Result:
        """Ended half-way: harmless before the first step, unknown after it."""
        if self._record.begun:
            run = self._record.run
            advice = both_ways(run)
            words = f"{why}; the run is cut and stays in the journal as {run}"
            return Result(
                self.plan, Outcome.UNKNOWN, words, remedy=f"{remedy}; {advice}".lstrip("; ")
            )
        if not self._begun:
            return Result(self.plan, Outcome.REFUSED, f"{why}; nothing was sent", remedy=remedy)
        summary = f"{why}; the node was asked and may still do it"
        advice = remedy or "do not call again before the chain shows it, or the node has given up"
        step = StepResult(self.plan.steps[0].title, Outcome.UNKNOWN, why)
        return Result(self.plan, Outcome.UNKNOWN, summary, (step,), remedy=advice, under_way=True)

    def _ended(self, result: Result) -> Result:
        """Records the end. A record that cannot be written does not change what happened."""
        try:
            self.audit.ended(result)
        except OSError as error:
            words = f"the end could not be recorded: {clean(str(error))}"
            self._progress(words)
            remedy = f"{result.remedy}; {words}" if result.remedy else words
            return replace(result, remedy=remedy)
        return result
