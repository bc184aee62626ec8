"""Runs a plan: the guards that hold for every action, the lock, the record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from lptui.actions.audit import Audit
from lptui.actions.exclusive import exclusive
from lptui.actions.plan import Outcome, Plan, Result
from lptui.actions.spec import Action, Execution, Progress
from lptui.clock import Clock
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
    ) -> None:
        self._fleet = fleet_name
        self._reach = reach
        self._clock = clock
        self._observe = observe
        self._locks = state / "locks"
        self._read_only = read_only
        self.audit = Audit(state / "audit.jsonl", clock)

    async def run(
        self,
        action: Action,
        plan: Plan,
        progress: Progress,
        deadline_s: float = ACTION_DEADLINE_S,
    ) -> Result:
        """Executes a plan; every way to end is a Result, and is in the record."""
        if self._read_only:
            return _refused(plan, "this console is read-only", "start it without --read-only")
        purpose = f"{plan.action} for {plan.target}"
        try:
            with exclusive(self._locks, self._fleet, purpose, self._clock):
                return await self._recorded(action, plan, progress, deadline_s)
        except RefusedError as error:
            return _refused(plan, error.why, error.remedy)
        except OSError as error:
            why = f"the record cannot be written: {clean(str(error))}"
            return _refused(plan, why, "nothing was changed; make the state folder writable")

    async def _recorded(
        self, action: Action, plan: Plan, progress: Progress, deadline_s: float
    ) -> Result:
        self.audit.started(plan, self._fleet)
        execution = Execution(
            self._reach,
            self._clock,
            lambda: self._observe(action.spec.probes),
            progress,
            deadline_s,
        )
        result = Result(plan, Outcome.UNKNOWN, "interrupted; what was sent may still happen")
        try:
            result = await self._guarded(action, plan, execution)
        except asyncio.CancelledError:
            raise
        except LptuiError as error:
            result = Result(plan, Outcome.UNKNOWN, str(error), remedy=error.remedy)
        except Exception as error:  # a bug after something may have been sent: unknown, recorded
            why = clean(f"{type(error).__name__}: {error}")
            result = Result(plan, Outcome.UNKNOWN, f"lptui failed: {why}")
        finally:
            self.audit.ended(result, self._fleet)
        return result

    async def _guarded(self, action: Action, plan: Plan, execution: Execution) -> Result:
        """Plans again from a new reading: what was confirmed must still be what would be done."""
        snapshot = await execution.observe()
        fresh = action.plan(snapshot, plan.target)
        if fresh.done:
            proof = await action.prove(plan, snapshot, execution) if plan.facts else None
            return Result(plan, Outcome.DONE, fresh.done, proof=proof or ())
        if fresh.refusals:
            first = fresh.refusals[0]
            return _refused(plan, f"{first.name}: {first.evidence}", first.remedy)
        if fresh.hash != plan.hash:
            why = "the fleet is no longer as it was when the plan was made"
            return _refused(plan, why, "make the plan again and look at it")
        return await action.execute(plan, snapshot, execution)


def _refused(plan: Plan, why: str, remedy: str) -> Result:
    return Result(plan, Outcome.REFUSED, why, remedy=remedy)
