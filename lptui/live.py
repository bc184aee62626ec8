"""The live session behind the screen: opens the fleet, collects, plans and executes.

Nothing heavy is imported before `start`, so that the first frame does not wait for it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lptui.errors import LptuiError, RefusedError
from lptui.text import clean

if TYPE_CHECKING:
    from pathlib import Path

    from lptui.actions.comparing import Compared, Verb
    from lptui.actions.journal import Entry
    from lptui.actions.plan import Plan, Request, Result
    from lptui.actions.runner import Runner
    from lptui.actions.spec import Action, ActionSpec, Progress, Told
    from lptui.collector.collector import Collector
    from lptui.collector.follow import Follower, Sink
    from lptui.fleet.logs import Choice, Stream
    from lptui.fleet.retry import Decision
    from lptui.fleet.snapshot import Snapshot
    from lptui.fleet.topology import Fleet
    from lptui.present.inspected import Inspected
    from lptui.session import Session

LOG_LINES = 500
"""Lines of a log that are there at once."""

INSPECT_S = 120.0
"""Deadline of a route that the operator asks, and may leave."""


class LiveSession:
    """A fleet that is being watched; `lptui.tui.session.Session` says what each method does."""

    def __init__(
        self,
        *,
        config: Path | None = None,
        scenario: str | None = None,
        demo_hosts: int | None = None,
        read_only: bool = False,
        interval_s: float | None = None,
    ) -> None:
        self.title = "demo" if scenario is not None else str(config)
        self.read_only = read_only
        self.demo = scenario is not None
        self._source = {"config": config, "scenario": scenario, "demo_hosts": demo_hosts}
        self._interval_s = interval_s
        self._session: Session | None = None
        self._collector: Collector | None = None
        self._used_runner: Runner | None = None
        self._waiting: list[Callable[[Snapshot], None]] = []

    async def start(self) -> None:
        module: Any = await asyncio.to_thread(importlib.import_module, "lptui.session")
        source = module.Source(**self._source)
        session: Session = await module.Session.open(source, read_only=self.read_only)
        self._session = session
        self.title = session.fleet.name
        await asyncio.to_thread(lambda: session.probes)
        self._collector = await session.collector()
        for callback in self._waiting:
            self._collector.subscribe(callback)
        self._waiting.clear()
        if self._interval_s is not None:
            self._collector.set_fast_interval(self._interval_s)
        self._collector.start()

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        if self._collector is not None:
            return self._collector.subscribe(callback)
        self._waiting.append(callback)
        return lambda: self._forget(callback)

    def _forget(self, callback: Callable[[Snapshot], None]) -> None:
        if callback in self._waiting:
            self._waiting.remove(callback)

    def set_interval(self, seconds: float) -> None:
        self._interval_s = seconds
        if self._collector is not None:
            self._collector.set_fast_interval(seconds)

    def pause(self) -> None:
        if self._collector is not None:
            self._collector.pause()

    def resume(self) -> None:
        if self._collector is not None:
            self._collector.resume()

    async def spec(self, action_id: str) -> ActionSpec:
        return (await asyncio.to_thread(_action, action_id, self._fleet)).spec

    async def plan(self, action_id: str, request: Request) -> Plan:
        return await asyncio.to_thread(self._plan, action_id, request)

    async def propose(self, actions: Sequence[str], words: Sequence[str] | None) -> Plan:
        return await asyncio.to_thread(self._propose, actions, words)

    async def refusals(
        self, asks: Sequence[tuple[Sequence[str], Sequence[str] | None]]
    ) -> Sequence[str]:
        if self._collector is None:
            return ["nothing has been read yet"] * len(asks)
        snapshot, own_run = self._collector.snapshot, self.own_run
        return await asyncio.to_thread(lambda: [refusal(snapshot, *ask, own_run) for ask in asks])

    @property
    def own_run(self) -> str:
        return self._used_runner.latest_run if self._used_runner is not None else ""

    @property
    def _fleet(self) -> Fleet | None:
        return self._session.fleet if self._session is not None else None

    def _plan(self, action_id: str, request: Request) -> Plan:
        """In a thread: it reads the record of earlier runs."""
        found = _action(action_id, self._fleet)
        if self.read_only:
            raise RefusedError(found.spec.title, "this console is read-only")
        if self._collector is None or self._session is None:
            raise RefusedError(found.spec.title, "nothing has been read yet", "wait a moment")
        runner, snapshot = self._session.runner, self._collector.snapshot
        return runner.plan(found, snapshot, request)

    def _propose(self, actions: Sequence[str], words: Sequence[str] | None) -> Plan:
        plan: Plan | None = None
        for name in actions:
            found = _action(name, self._fleet)
            if self._collector is None:
                raise RefusedError(found.spec.title, "nothing has been read yet", "wait a moment")
            plan = self._plan(name, aim(found, self._collector.snapshot, words))
            if not plan.done:
                break
        if plan is None:
            raise LptuiError("plan", "no action was named")
        return plan

    async def due(self) -> Sequence[tuple[Plan, Decision]]:
        chain = self._fleet.chain if self._fleet is not None else None
        if chain is None or chain.reward_retry is None:
            return ()
        return await asyncio.to_thread(self._due, [item.name for item in chain.orchestrators])

    def _due(self, names: Sequence[str]) -> Sequence[tuple[Plan, Decision]]:
        """In a thread: it reads the record of earlier calls."""
        from lptui.actions.due import due
        from lptui.actions.plan import Request

        if self._collector is None or not self._collector.snapshot.complete:
            return ()
        runner, snapshot = self._runner, self._collector.snapshot
        try:
            found = [due(runner, snapshot, Request((name,))) for name in names]
        except LptuiError:
            raise
        except Exception as error:  # a plan's own bug must not end the console that watches
            why = clean(f"{type(error).__name__}: this is a bug in lptui; please report it")
            raise LptuiError("automatic calls", why) from None
        return [(plan, decision) for plan, decision in found if decision is not None]

    async def execute(self, plan: Plan, progress: Progress, told: Told, by: str = "") -> Result:
        found = await asyncio.to_thread(_action, plan.action, self._fleet)
        try:
            return await self._runner.run(found, plan, progress, told=told, by=by)
        finally:
            await self._follow()
            self._look_again(found.spec.probes)

    async def read(self, action_id: str, words: Sequence[str]) -> Sequence[str]:
        from lptui.actions import declared, reading
        from lptui.fleet.snapshot import Snapshot
        from lptui.report.declared import render

        found = await asyncio.to_thread(_action, action_id, self._fleet)
        if self._session is None or not isinstance(found, declared.Declared):
            raise RefusedError(found.spec.title, "nothing has been read yet", "wait a moment")
        session, command = self._session, found.command
        snapshot = Snapshot(session.fleet)
        chosen = declared.meant(snapshot, command, aim(found, snapshot, words))
        said = await reading.read(session.fleet, session.reach, command, chosen)
        return render(command.name, said, session.clock.now(), "text").splitlines()

    def routes(self) -> Mapping[str, str]:
        from lptui.probes.livepeer.routes import INSPECTABLE

        return INSPECTABLE

    async def inspect(self, node: str, route: str) -> Inspected:
        if self._session is None:
            raise RefusedError(f"get {node}", "nothing has been read yet", "wait a moment")
        return await self._session.inspect(node, route, INSPECT_S)

    def logs(self, words: Sequence[str]) -> Sequence[Choice]:
        from lptui.fleet.logs import choices

        return choices(self._fleet, words) if self._fleet is not None else ()

    async def follow(self, streams: Sequence[Stream], sink: Sink) -> Follower:
        follow: Any = await asyncio.to_thread(importlib.import_module, "lptui.collector.follow")
        if self._session is None:
            raise RefusedError("logs", "nothing has been read yet", "wait a moment")
        session = self._session
        follower: Follower = follow.Follower(
            session.reach, session.clock, streams, sink, lines=LOG_LINES
        )
        follower.start()
        return follower

    def host_of(self, subjects: Sequence[tuple[str, str]]) -> str:
        from lptui.fleet.naming import host_of

        return host_of(self._fleet, subjects) if self._fleet is not None else ""

    def login(self, host: str) -> tuple[str, ...]:
        from lptui.transport.login import argv

        if self._fleet is None:
            raise RefusedError("shell", "nothing has been read yet", "wait a moment")
        return argv(self._fleet, self._fleet.hosts[host])

    def abort(self) -> None:
        self._runner.abort()

    async def last_run(self) -> Entry | None:
        runner = self._runner
        try:
            return await asyncio.to_thread(runner.journal.entry, runner.latest_run)
        except OSError:
            return None

    async def unfinished(self) -> Sequence[Entry]:
        try:
            # In the thread too: the first use of the runner loads it.
            return await asyncio.to_thread(lambda: self._runner.unfinished())
        except OSError as error:
            from lptui.actions.on_disk import remedy_for

            why = f"cannot be read: {clean(str(error))}"
            raise LptuiError("the journal", why, remedy_for(error)) from None

    async def compare(self, entry: Entry, verb: Verb) -> Sequence[Compared]:
        return await self._runner.compare(entry, verb)

    async def again(self, entry: Entry, verb: Verb, progress: Progress, told: Told) -> Result:
        runner = self._runner
        do = runner.resume if verb.value == "resume" else runner.undo
        try:
            return await do(entry, progress, told=told)
        finally:
            self._look_again(())

    @property
    def _runner(self) -> Runner:
        if self._session is None:
            raise RefusedError(self.title, "nothing has been read yet", "wait a moment")
        self._used_runner = self._session.runner
        return self._used_runner

    async def _follow(self) -> None:
        """Has the transactions followed that a node has just named."""
        from lptui.fleet.facts.rpc import SentTransactions
        from lptui.fleet.reading import Key

        chain = self._fleet.chain if self._fleet is not None else None
        if self._session is None or self._collector is None or chain is None:
            return
        told = await asyncio.to_thread(self._session.sent)
        held = self._collector.snapshot.value(SentTransactions, chain.network)
        before = held or SentTransactions()
        known = {item.hash: item for item in (*told, *before.sent)}
        if known.keys() - {item.hash for item in before.sent} - set(before.settled):
            followed = SentTransactions(tuple(known.values()), before.settled)
            self._collector.learn(Key(SentTransactions, chain.network), followed, "lptui's record")

    def _look_again(self, probes: Sequence[str]) -> None:
        """At once by these probes, () by all: the panes show what a change did."""
        if self._collector is not None:
            self._collector.refresh(*probes, *(("chain-events",) if probes else ()))

    async def close(self) -> None:
        if self._collector is not None:
            await self._collector.stop()
        if self._session is not None:
            await self._session.close()


def aim(action: Action, snapshot: Snapshot, words: Sequence[str] | None) -> Request:
    """What an action is asked to do for the first of the words that selects something for it.

    None stands for the one target there is. Raises RefusedError when nothing is selected.
    """
    from lptui.actions.select import UnreadError, requests

    spec = action.spec
    if words is None or not action.targets(snapshot):
        return requests(action, snapshot, ())[0]
    hidden: UnreadError | None = None
    for word in words:
        try:
            found = requests(action, snapshot, (word,))
        except UnreadError as error:
            hidden = hidden or error
            continue
        except RefusedError:
            continue
        if len(found) == 1:
            return found[0]
        names = ", ".join(request.target for request in found)
        raise RefusedError(spec.title, f"{len(found)} are selected: {names}", "select one of them")
    raise hidden or RefusedError(spec.title, f"no {spec.subject} selected")


def _action(name: str, fleet: Fleet | None) -> Action:
    """In a thread: the first time it loads all actions. Raises LptuiError."""
    from lptui.actions.registry import action

    found = action(name, fleet)
    if found is None:
        raise LptuiError(name, "no such action")
    return found


def refusal(
    snapshot: Snapshot, actions: Sequence[str], words: Sequence[str] | None, own_run: str = ""
) -> str:
    """Why none of the actions has anything to do now; "" when one has. Pure but for loading."""
    from lptui.present.locks import in_the_way

    why = ""
    for name in actions:
        try:
            found = _action(name, snapshot.fleet)
            plan = found.plan(snapshot, aim(found, snapshot, words))
        except LptuiError as error:
            return error.why
        except Exception as error:  # a plan's own bug must not end the console before it is wanted
            return clean(f"{type(error).__name__}: this is a bug in lptui; please report it")
        if not plan.done:
            return plan.why_not or in_the_way(plan, snapshot, own_run)
        why = plan.done
    return why
