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
from lptui.actions.audit import Audit, whoami
from lptui.actions.comparing import Compared, Verb, compare, refusal, sources
from lptui.actions.exclusive import exclusive, holder
from lptui.actions.fleet_lock import FleetLock
from lptui.actions.journal import Entry, Journal
from lptui.actions.on_disk import on_disk, remedy_for
from lptui.actions.plan import Outcome, Plan, Precondition, Request, Result
from lptui.actions.running import Running
from lptui.actions.spec import Action, Progress, Source, Told, nobody
from lptui.clock import Clock, iso
from lptui.errors import RefusedError
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.text import clean
from lptui.transport.protocols import Reach

ACTION_DEADLINE_S: Final = 660.0
"""A node may try for ten minutes before it gives up on a transaction."""

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
        """`latest` is how the newest run ended, also when it was cancelled; `latest_run` its id."""
        self.fleet = fleet
        self.reach = reach
        self.clock = clock
        self.observe = observe
        self.look_at = look_at
        self._locks = state / "locks"
        self.read_only = read_only
        self._abort = asyncio.Event()
        self.latest: Result | None = None
        self.latest_run = ""
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
        told: Told = nobody,
        by: str = "",
    ) -> Result:
        """Executes a plan; every way to end is a Result, and is in the record.

        With `steal` another operator's lock is taken over. `by` is who does it when that is not
        the operator. Cancelled, it raises CancelledError, with the end on record and in `latest`.
        """
        running = Running(self, plan, progress, deadline_s, steal=steal, told=told, by=by)
        return await self._locked(running, running.audit.started, lambda: running.execute(action))

    async def resume(
        self, entry: Entry, progress: Progress, *, steal: bool = False, told: Told = nobody
    ) -> Result:
        """Takes up a run that was cut, from the fleet as it is now."""
        return await self._again(entry, Verb.RESUME, progress, steal, told)

    async def undo(
        self, entry: Entry, progress: Progress, *, steal: bool = False, told: Told = nobody
    ) -> Result:
        """Takes back what a run has made."""
        return await self._again(entry, Verb.UNDO, progress, steal, told)

    async def compare(self, entry: Entry, verb: Verb) -> tuple[Compared, ...]:
        """What would become of each step, by a new reading of the fleet.

        Raises RefusedError when the run cannot be taken up, or back.
        """
        from lptui.actions.moves.registry import MOVES

        self._refuse_useless(entry, verb)
        snapshot = await self.look_at(sources(entry, verb, MOVES))
        return compare(entry, verb, MOVES, snapshot)

    def abort(self) -> None:
        """No further step; what was made is undone, where the plan says so."""
        self._abort.set()

    def unfinished(self) -> tuple[Entry, ...]:
        """Runs of this fleet that were cut and that nobody is at, the oldest first.

        Those that have left nothing are closed on the way. Blocks; raises OSError.
        """
        found = self.journal.unfinished(self.fleet.name)
        busy = holder(self._locks, self._fleet_lock_name) if found else None
        # Who has left no note may be at any of them.
        cut = [entry for entry in found if busy is None or busy not in (0, entry.pid)]
        settled = [e for e in cut if not e.begun or e.went_with(self.fleet)]
        for entry in settled:
            self.journal.close(entry)
        return tuple(entry for entry in cut if entry not in settled)

    def refuse(self, plan: Plan, why: str, remedy: str) -> Result:
        """A refusal before anything was begun; recorded as well as that can be done."""
        result = self.latest = Result(plan, Outcome.REFUSED, why, remedy=remedy)
        with suppress(OSError):
            self.audit.run(plan, self.fleet.name).ended(result)
        return result

    def _refuse_useless(self, entry: Entry, verb: Verb) -> None:
        from lptui.actions.moves.registry import MOVES

        unknown = sorted({step.kind for step in entry.plan.steps} - MOVES.keys())
        why = refusal(entry, verb)
        if unknown:
            why = f"its steps are of kinds that this lptui does not know: {', '.join(unknown)}"
        if why:
            raise RefusedError(f"{verb} {entry.id}", why, "lptui --headless runs lists all")

    async def _again(
        self, entry: Entry, verb: Verb, progress: Progress, steal: bool, told: Told
    ) -> Result:
        deadline_s = ACTION_DEADLINE_S
        running = Running(self, entry.plan, progress, deadline_s, entry.id, steal=steal, told=told)
        try:
            self._refuse_useless(entry, verb)
        except RefusedError as error:
            return self.refuse(entry.plan, error.why, error.remedy)
        return await self._locked(
            running, lambda: running.audit.taken_up(verb), lambda: running.again(entry, verb)
        )

    async def _locked(
        self, running: Running, begin: Callable[[], None], go: Callable[[], Awaitable[Result]]
    ) -> Result:
        plan = running.plan
        if self.read_only:
            return self.refuse(plan, "this console is read-only", "start it without --read-only")
        self._abort.clear()
        self.latest_run = running.run
        try:
            with ExitStack() as stack:
                for lock in self._lock_names(plan):
                    purpose = f"{plan.action} for {plan.target}"
                    stack.enter_context(exclusive(self._locks, lock, purpose, self.clock))
                await on_disk(begin)
                try:
                    await running.to_the_end(go)
                finally:
                    self.latest = running.result
                return running.result
        except RefusedError as error:
            return self.refuse(plan, error.why, error.remedy)
        except OSError as error:
            why = f"the record cannot be written: {clean(str(error))}"
            return self.refuse(plan, why, f"nothing was changed; {remedy_for(error)}")

    @property
    def _fleet_lock_name(self) -> str:
        return f"fleet-{self.fleet.name}"

    def _lock_names(self, plan: Plan) -> tuple[str, ...]:
        """One for the fleet, and one for the account: another configuration may have it too."""
        account = dict(plan.facts).get("account")
        return (self._fleet_lock_name, *((f"account-{account}",) if account else ()))

    def fleet_lock(self, plan: Plan, run: str, by: str = "") -> FleetLock | None:
        """The lock that other operators see, by the run's id; None where a plan needs none."""
        if plan.lock is None:
            return None
        name = f"{by}, for {whoami()}" if by else whoami()
        who = f"{plan.action} for {plan.target}, by {name}, since {iso(self.clock.now())}"
        steps = [f"{step.title} ({step.target})" for step in plan.steps]
        note = f"{who}, plan {plan.hash}: {'; '.join(steps)}"
        return FleetLock(self.reach, plan.lock, note, run)

    async def guarded(self, action: Action, plan: Plan) -> tuple[Snapshot, Plan, Result | None]:
        """Plans again from a new reading: what was confirmed must still be what would be done.

        The result is None when it may go on.
        """
        snapshot = await self.observe(action.spec.probes)
        # What it reads of the record and the journal waits for the disk.
        fresh = await asyncio.to_thread(self.plan, action, snapshot, plan.request)
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
