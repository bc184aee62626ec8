"""Runs a plan: the guards that hold for every action, the locks, the record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from lptui.actions.audit import Audit, Run, whoami
from lptui.actions.exclusive import exclusive
from lptui.actions.fleet_lock import FleetLock
from lptui.actions.plan import Outcome, Plan, Precondition, Result, Step, StepResult
from lptui.actions.spec import Action, Execution, Progress
from lptui.clock import Clock, iso
from lptui.errors import LptuiError, RefusedError
from lptui.fleet.snapshot import Snapshot
from lptui.text import clean
from lptui.transport.protocols import Reach

ACTION_DEADLINE_S = 660.0
"""A node may try for ten minutes before it gives up on a transaction."""

Observe = Callable[[tuple[str, ...]], Awaitable[Snapshot]]
"""A new reading by the named probes."""


class Runner:
    """Executes plans, one at a time, and records each."""

    def __init__(
        self,
        fleet_name: str,
        reach: Reach,
        clock: Clock,
        observe: Observe,
        state: Path,
        *,
        read_only: bool = False,
        simulated: bool = False,
    ) -> None:
        """`simulated`: the fleet, and every call to it, ends with the process that made it.

        `latest` is how the newest run ended, also when it was cancelled.
        """
        self._fleet = fleet_name
        self._reach = reach
        self._clock = clock
        self._observe = observe
        self._locks = state / "locks"
        self._read_only = read_only
        self._simulated = simulated
        self.latest: Result | None = None
        self.audit = Audit(state / "audit.jsonl", clock)

    async def run(
        self,
        action: Action,
        plan: Plan,
        progress: Progress,
        deadline_s: float = ACTION_DEADLINE_S,
    ) -> Result:
        """Executes a plan; every way to end is a Result, and is in the record.

        Cancelled, it raises CancelledError, with the end on record and in `latest`.
        """
        if self._read_only:
            return self.refuse(plan, "this console is read-only", "start it without --read-only")
        try:
            with ExitStack() as stack:
                for lock in self._lock_names(plan):
                    purpose = f"{plan.action} for {plan.target}"
                    stack.enter_context(exclusive(self._locks, lock, purpose, self._clock))
                record = self.audit.run(plan, self._fleet)
                record.started()
                running = _Running(self, action, plan, progress, deadline_s, record)
                try:
                    await running.go()
                finally:
                    self.latest = running.result
                return running.result
        except RefusedError as error:
            return self.refuse(plan, error.why, error.remedy)
        except OSError as error:
            why = f"the record cannot be written: {clean(str(error))}"
            return self.refuse(plan, why, "nothing was changed; make the state folder writable")

    def refuse(self, plan: Plan, why: str, remedy: str) -> Result:
        """A refusal before anything was begun; recorded as well as that can be done."""
        result = self.latest = _refused(plan, why, remedy)
        with suppress(OSError):
            self.audit.run(plan, self._fleet).ended(result)
        return result

    def _lock_names(self, plan: Plan) -> tuple[str, ...]:
        """One for the fleet, and one for the account: another configuration may have it too."""
        account = dict(plan.facts).get("account")
        return (f"fleet-{self._fleet}", *((f"account-{account}",) if account else ()))

    def execution(
        self, action: Action, progress: Progress, deadline_s: float, record: Run
    ) -> Execution:
        """What an action may use; its steps go to the record."""

        def journal(step: Step) -> None:
            try:
                record.step(step)
            except OSError as error:
                why = f"the record cannot be written: {clean(str(error))}"
                raise RefusedError(step.title, why, "make the state folder writable") from None

        return Execution(
            self._reach,
            self._clock,
            lambda: self._observe(action.spec.proof),
            journal,
            progress,
            deadline_s,
        )

    async def guarded(self, action: Action, plan: Plan) -> tuple[Snapshot, Plan, Result | None]:
        """Plans again from a new reading: what was confirmed must still be what would be done.

        The result is None when it may go on.
        """
        snapshot = await self._observe(action.spec.probes)
        fresh = self.plan(action, snapshot, plan.target)
        if fresh.done:
            return snapshot, fresh, Result(plan, Outcome.DONE, fresh.done)
        if fresh.refusals:
            first = fresh.refusals[0]
            why = f"{first.name}: {first.evidence}"
            return snapshot, fresh, _refused(plan, why, first.remedy)
        if fresh.hash != plan.hash:
            why = "the fleet is no longer as it was when the plan was made"
            return snapshot, fresh, _refused(plan, why, "make the plan again and look at it")
        return snapshot, fresh, None

    def fleet_lock(self, plan: Plan) -> FleetLock | None:
        """The lock that other operators see; None where a plan acts through no host."""
        if plan.lock is None:
            return None
        who = f"{plan.action} for {plan.target}, by {whoami()}, since {iso(self._clock.now())}"
        return FleetLock(self._reach, plan.lock.host, plan.lock.path, who)

    def plan(self, action: Action, snapshot: Snapshot, target: str) -> Plan:
        """The action's plan, with what the record of earlier runs has against it."""
        plan = action.plan(snapshot, target)
        against = self._still_under_way(plan)
        if against is None:
            return plan
        return replace(plan, preconditions=(*plan.preconditions, against))

    def _still_under_way(self, plan: Plan) -> Precondition | None:
        """A node may still be at an earlier call: a second one may cost gas for nothing."""
        if self._simulated:
            return None
        name, account = "no earlier call under way", dict(plan.facts).get("account")
        try:
            calls = self.audit.open_calls(self._clock.now() - ACTION_DEADLINE_S)
        except OSError as error:
            why = f"the record cannot be read: {clean(str(error))}"
            return Precondition(name, None, why, "make the state folder readable")
        for call in calls:
            if account != call.account and (plan.action, plan.target) != (call.action, call.target):
                continue
            why = (
                f"another action is under way: {call.action} for {call.target}, called at"
                f" {iso(call.at)} by process {call.pid}; if that is gone,"
                " the node may still be at it"
            )
            until = iso(call.at + ACTION_DEADLINE_S)
            return Precondition(
                name, False, why, f"wait until the chain shows it, or until {until}"
            )
        return None


class _Running:
    """One run, from the start that is on record to its end."""

    def __init__(
        self,
        runner: Runner,
        action: Action,
        plan: Plan,
        progress: Progress,
        deadline_s: float,
        record: Run,
    ) -> None:
        self._runner = runner
        self._action = action
        self._plan = plan
        self._progress = progress
        self._record = record
        self._begun = False
        self._execution = runner.execution(action, progress, deadline_s, record)
        self.result = self._unfinished("ended")

    async def go(self) -> None:
        """Leaves `result`, also when it is cancelled."""
        try:
            self.result = await self._guard_and_execute()
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

    async def _guard_and_execute(self) -> Result:
        snapshot, fresh, ended = await self._runner.guarded(self._action, self._plan)
        if ended is not None:
            if ended.outcome is not Outcome.DONE:
                return ended
            proof = await self._action.prove(fresh, snapshot, self._execution)
            return replace(ended, proof=proof or ())
        execution = replace(self._execution, journal=self._step)
        lock = self._runner.fleet_lock(self._plan)
        if lock is None:
            return await self._action.execute(self._plan, snapshot, execution)
        failure = await lock.take()
        if failure:
            self._progress(f"no lock that other operators see: {failure}")
        result: Result | None = None
        try:
            result = await self._action.execute(self._plan, snapshot, execution)
            return result
        finally:
            # A node that may still be at it keeps others away until the lock has aged.
            under_way = result.under_way if result is not None else self._begun
            if not under_way:
                await lock.release()

    def _step(self, step: Step) -> None:
        self._execution.journal(step)
        self._begun = self._begun or step == self._plan.steps[0]

    def _unfinished(self, why: str, remedy: str = "") -> Result:
        """Ended half-way: harmless before the first step, unknown after it."""
        if not self._begun:
            return _refused(self._plan, f"{why}; nothing was sent", remedy)
        summary = f"{why}; the node was asked and may still do it"
        advice = remedy or "do not call again before the chain shows it, or the node has given up"
        step = StepResult(self._plan.steps[0].title, Outcome.UNKNOWN, why)
        return Result(self._plan, Outcome.UNKNOWN, summary, (step,), remedy=advice, under_way=True)

    def _ended(self, result: Result) -> Result:
        """Records the end. A record that cannot be written does not change what happened."""
        try:
            self._record.ended(result)
        except OSError as error:
            words = f"the end could not be recorded: {clean(str(error))}"
            self._progress(words)
            remedy = f"{result.remedy}; {words}" if result.remedy else words
            return replace(result, remedy=remedy)
        return result


def _refused(plan: Plan, why: str, remedy: str) -> Result:
    return Result(plan, Outcome.REFUSED, why, remedy=remedy)
