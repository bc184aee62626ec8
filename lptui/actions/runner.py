"""Runs a plan: the guards that hold for every action, the locks, the record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from lptui.actions import guards
from lptui.actions.audit import FILE as AUDIT
from lptui.actions.audit import Audit, Run, whoami
from lptui.actions.exclusive import exclusive
from lptui.actions.fleet_lock import FleetLock
from lptui.actions.journal import Entry, Journal, RunRecord
from lptui.actions.plan import Outcome, Plan, Precondition, Request, Result, Step, StepResult
from lptui.actions.spec import Action, Event, Execution, Progress, Source
from lptui.clock import Clock, iso
from lptui.errors import LptuiError, RefusedError
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.text import clean
from lptui.transport.protocols import Reach

ACTION_DEADLINE_S: Final = 660.0
"""A node may try for ten minutes before it gives up on a transaction."""

RENEWALS: Final = 4
"""How often a lock is renewed while it lasts."""

Observe = Callable[[tuple[str, ...]], Awaitable[Snapshot]]
"""A new reading by the named probes."""

LookAt = Callable[[Sequence[Source]], Awaitable[Snapshot]]
"""A new reading of these sources."""


class Runner:
    """Executes plans, one at a time, and records each."""

    def __init__(
        self,
        fleet: Fleet,
        reach: Reach,
        clock: Clock,
        observe: Observe,
        look_at: LookAt,
        state: Path,
        *,
        read_only: bool = False,
    ) -> None:
        """`latest` is how the newest run ended, also when it was cancelled."""
        self.fleet = fleet
        self.reach = reach
        self.clock = clock
        self.observe = observe
        self.look_at = look_at
        self._locks = state / "locks"
        self._read_only = read_only
        self._abort = asyncio.Event()
        self.latest: Result | None = None
        self.audit = Audit(state / AUDIT, clock)
        self.journal = Journal(state / "journal.db", clock)

    def plan(self, action: Action, snapshot: Snapshot, request: Request) -> Plan:
        """The action's plan, with what the record of earlier runs has against it."""
        plan = replace(action.plan(snapshot, request), request=request)
        more: list[Precondition] = []
        # A simulated fleet, and every call to it, ends with the process that made it.
        if not self.fleet.demo:
            more += guards.no_call_under_way(plan, self.audit, self.clock, ACTION_DEADLINE_S)
        if plan.is_stepwise:
            more += guards.of_changes(plan, self.fleet, self.journal, self.clock)
        return replace(plan, preconditions=(*plan.preconditions, *more))

    async def run(
        self,
        action: Action,
        plan: Plan,
        progress: Progress,
        deadline_s: float = ACTION_DEADLINE_S,
        *,
        steal: bool = False,
    ) -> Result:
        """Executes a plan; every way to end is a Result, and is in the record.

        With `steal` another operator's lock is taken over. Cancelled, it raises CancelledError,
        with the end on record and in `latest`.
        """
        running = _Running(self, plan, progress, deadline_s, steal)
        return await self._locked(running, lambda: running.execute(action))

    async def resume(self, entry: Entry, progress: Progress) -> Result:
        """Takes up a run that was cut, from the fleet as it is now."""
        running = _Running(self, entry.plan, progress, ACTION_DEADLINE_S, False)
        return await self._locked(running, lambda: running.resume(entry))

    async def undo(self, entry: Entry, progress: Progress) -> Result:
        """Takes back what a run has made."""
        running = _Running(self, entry.plan, progress, ACTION_DEADLINE_S, False)
        return await self._locked(running, lambda: running.undo(entry))

    def abort(self) -> None:
        """No further step; what was made is undone, where the plan says so."""
        self._abort.set()

    def unfinished(self) -> tuple[Entry, ...]:
        """Runs of this fleet that were cut and that nobody is at. Raises OSError."""
        found = self.journal.unfinished(self.fleet.name)
        if not found:
            return ()
        try:
            with exclusive(self._locks, f"fleet-{self.fleet.name}", "looking", self.clock):
                return self.journal.unfinished(self.fleet.name)
        except RefusedError:
            return ()

    def refuse(self, plan: Plan, why: str, remedy: str) -> Result:
        """A refusal before anything was begun; recorded as well as that can be done."""
        result = self.latest = Result(plan, Outcome.REFUSED, why, remedy=remedy)
        with suppress(OSError):
            self.audit.run(plan, self.fleet.name).ended(result)
        return result

    async def _locked(self, running: _Running, go: Callable[[], Awaitable[Result]]) -> Result:
        plan = running.plan
        if self._read_only:
            return self.refuse(plan, "this console is read-only", "start it without --read-only")
        self._abort.clear()
        try:
            with ExitStack() as stack:
                for lock in self._lock_names(plan):
                    purpose = f"{plan.action} for {plan.target}"
                    stack.enter_context(exclusive(self._locks, lock, purpose, self.clock))
                running.audit.started()
                try:
                    await running.to_the_end(go)
                finally:
                    self.latest = running.result
                return running.result
        except RefusedError as error:
            return self.refuse(plan, error.why, error.remedy)
        except OSError as error:
            why = f"the record cannot be written: {clean(str(error))}"
            return self.refuse(plan, why, "nothing was changed; make the state folder writable")

    def _lock_names(self, plan: Plan) -> tuple[str, ...]:
        """One for the fleet, and one for the account: another configuration may have it too."""
        account = dict(plan.facts).get("account")
        return (f"fleet-{self.fleet.name}", *((f"account-{account}",) if account else ()))

    def fleet_lock(self, plan: Plan) -> FleetLock | None:
        """The lock that other operators see; None where a plan needs none."""
        if plan.lock is None:
            return None
        who = f"{plan.action} for {plan.target}, by {whoami()}, since {iso(self.clock.now())}"
        steps = [f"{step.title} ({step.target})" for step in plan.steps]
        note = f"{who}, plan {plan.hash}: {'; '.join(steps)}"
        return FleetLock(self.reach, plan.lock, note)

    async def guarded(self, action: Action, plan: Plan) -> tuple[Snapshot, Plan, Result | None]:
        """Plans again from a new reading: what was confirmed must still be what would be done.

        The result is None when it may go on.
        """
        snapshot = await self.observe(action.spec.probes)
        fresh = self.plan(action, snapshot, plan.request)
        if fresh.done:
            return snapshot, fresh, Result(plan, Outcome.DONE, fresh.done)
        if fresh.refusals:
            first = fresh.refusals[0]
            why = f"{first.name}: {first.evidence}"
            return snapshot, fresh, Result(plan, Outcome.REFUSED, why, remedy=first.remedy)
        if fresh.hash != plan.hash:
            why = "the fleet is no longer as it was when the plan was made"
            remedy = "make the plan again and look at it"
            return snapshot, fresh, Result(plan, Outcome.REFUSED, why, remedy=remedy)
        return snapshot, fresh, None

    @property
    def aborting(self) -> asyncio.Event:
        return self._abort


class _Recorded:
    """The journal of a run, with each event in the audit record too. Nothing before `begin`."""

    def __init__(self, runner: Runner, plan: Plan, audit: Run) -> None:
        self._runner = runner
        self._plan = plan
        self._audit = audit
        self.run = ""
        self.begun = False

    async def begin(self) -> None:
        """A run of its own; raises RefusedError when it cannot be written down."""
        journal, fleet = self._runner.journal, self._runner.fleet.name
        try:
            self.run = await asyncio.to_thread(journal.begin, self._plan, fleet, whoami())
        except OSError as error:
            why = f"the journal cannot be written: {clean(str(error))}"
            raise RefusedError(self._plan.action, why, "make the state folder writable") from None

    async def again(self, run: str) -> None:
        """Goes on with a run that was cut."""
        self.run = run
        self.begun = True
        await asyncio.to_thread(self._runner.journal.reopen, run)

    async def step(self, number: int, event: Event, words: str = "") -> None:
        """See `spec.Record`."""
        await RunRecord(self._runner.journal, self.run).step(number, event, words)
        self.begun = True
        with suppress(OSError):  # the journal is what the next console goes by
            await asyncio.to_thread(self._audit.event, number, event.value, words)

    async def end(self, result: Result) -> None:
        if self.run:
            await asyncio.to_thread(self._runner.journal.end, self.run, result)


class _Running:
    """One run, from the start that is on record to its end."""

    def __init__(
        self, runner: Runner, plan: Plan, progress: Progress, deadline_s: float, steal: bool
    ) -> None:
        self._runner = runner
        self.plan = plan
        self._progress = progress
        self._deadline_s = deadline_s
        self._steal = steal
        self.audit = runner.audit.run(plan, runner.fleet.name)
        self._record = _Recorded(runner, plan, self.audit)
        self._begun = False
        self._lock = runner.fleet_lock(plan)
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
                await self._record.begin()
            return await action.execute(self.plan, snapshot, execution)

        return await self._under_lock(go)

    async def resume(self, entry: Entry) -> Result:
        """Goes on where a run was cut."""

        async def go() -> Result:
            await self._record.again(entry.id)
            return await engine.run(entry.made)

        from lptui.actions.stepwise import engine_of

        engine = engine_of(self.plan, self._execution(()))
        return await self._under_lock(go)

    async def undo(self, entry: Entry) -> Result:
        """Takes a run back."""

        async def go() -> Result:
            await self._record.again(entry.id)
            return await engine.undo(entry.begun, entry.made, f"run {entry.id}")

        from lptui.actions.stepwise import engine_of

        engine = engine_of(self.plan, self._execution(()))
        return await self._under_lock(go)

    async def _under_lock(self, go: Callable[[], Awaitable[Result]]) -> Result:
        lock, plan = self._lock, self.plan
        if lock is None or plan.lock is None:
            return await self._and_noted(go)
        failure = await lock.take(steal=self._steal)
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

    async def _and_noted(self, go: Callable[[], Awaitable[Result]]) -> Result:
        """A run of moves has its end in the journal unless it was cut short."""
        result = await go()
        with suppress(OSError):
            await self._record.end(result)
        return result

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
        )

    def _step(self, step: Step) -> None:
        try:
            self.audit.step(step)
        except OSError as error:
            why = f"the record cannot be written: {clean(str(error))}"
            raise RefusedError(step.title, why, "make the state folder writable") from None
        self._begun = self._begun or step == self.plan.steps[0]

    def _unfinished(self, why: str, remedy: str = "") -> Result:
        """Ended half-way: harmless before the first step, unknown after it."""
        if self._record.begun:
            run = self._record.run
            how = "lptui --headless"
            advice = f"`{how} resume {run}` goes on, `{how} undo {run}` takes it back"
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
