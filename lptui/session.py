"""An opened fleet: configuration or demo, transports, probes and the runner, put together.

The one place that composes the parts; the screen and the headless commands both start here.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lptui.clock import Clock, SystemClock
from lptui.collector.collector import Collector
from lptui.collector.once import collect_once
from lptui.collector.registry import on_demand
from lptui.errors import DeadlineError, LptuiError
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.history.memory import Memory
from lptui.paths import record_dir
from lptui.probes.probe import Probe
from lptui.transport.reach import FleetReach

if TYPE_CHECKING:
    from lptui.actions.runner import Runner
    from lptui.fleet.facts.rpc import SentTransaction
    from lptui.present.inspected import Inspected
    from lptui.sim.thread import DemoThread

CLOSE_S = 2.0
"""Closing connections never keeps the operator waiting longer."""

OBSERVE_S = 20.0
"""Longest independent reading for an action's guard or proof."""


SENT_S = 86_400.0
"""Transactions are followed for a day."""

FILES = 10_240
"""Open files that the largest fleets need; also the most that macOS allows."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the fleet comes from: a configuration file, or the demo's scenario."""

    config: Path | None = None
    scenario: str | None = None
    demo_hosts: int | None = None


class Session:
    """A fleet with everything that is needed to read it and to act on it."""

    def __init__(
        self,
        fleet: Fleet,
        clock: Clock,
        *,
        read_only: bool = False,
        demo: DemoThread | None = None,
    ) -> None:
        self.fleet = fleet
        self.clock = clock
        self.read_only = read_only
        self.reach = FleetReach(fleet, clock=clock)
        self._demo = demo
        self._probes: tuple[Probe, ...] | None = None
        self._runner: Runner | None = None
        self._memory: Memory | None = None

    @classmethod
    async def open(
        cls, source: Source, *, clock: Clock | None = None, read_only: bool = False
    ) -> Session:
        """Reads the configuration (or starts the demo) off the event loop.

        Raises ConfigError with all mistakes, LptuiError when the demo cannot start.
        """
        clock = clock or SystemClock()
        _allow_many_files()
        if source.scenario is not None:
            demo, fleet = await _start_demo(source.scenario, source.demo_hosts)
            return cls(fleet, clock, read_only=read_only, demo=demo)
        assert source.config is not None  # noqa: S101 (a source is one of the two)
        fleet = await asyncio.to_thread(_load, source.config)
        return cls(fleet, clock, read_only=read_only)

    @property
    def probes(self) -> Sequence[Probe]:
        """The probes that have something to ask here; loading them takes a moment."""
        if self._probes is None:
            from lptui.collector.registry import probes_for

            self._probes = probes_for(self.fleet)
        return self._probes

    @property
    def runner(self) -> Runner:
        """Executes actions, one at a time."""
        if self._runner is None:
            from lptui.actions.runner import Runner

            self._runner = Runner(
                self.fleet,
                self.reach,
                self.clock,
                self.observe,
                self.look_at,
                self.state,
                read_only=self.read_only,
            )
        return self._runner

    @property
    def state(self) -> Path:
        """Folder of the audit record, the journal and the locks."""
        return record_dir(demo=self.fleet.demo)

    def sent(self) -> Sequence[SentTransaction]:
        """Transactions that nodes named in the last day when they were asked to send something.

        Blocks. A record that was not written to since is not even opened: cron pays for that.
        """
        path = self.state / "audit.jsonl"
        since = self.clock.now() - SENT_S
        with suppress(OSError):
            if path.stat().st_mtime >= since:
                from lptui.actions.audit import Audit

                return Audit(path, self.clock).sent(since)
        return ()

    async def collector(self) -> Collector:
        """A live collector of the whole fleet, not started."""
        memory = Memory.of(self.fleet, self.state)
        remembered = await memory.recall(self.sent) if memory else {}
        collector = Collector(
            self.fleet, self.reach, self.clock, self.probes, remembered=remembered
        )
        if memory is not None:
            self._memory = memory
            collector.subscribe(memory.keep)
        return collector

    async def collect(self, deadline_s: float) -> Snapshot:
        """One collection of everything, with what earlier runs saw begin."""
        memory = Memory.of(self.fleet, self.state)
        if memory is None:
            return await collect_once(self.fleet, self.reach, self.clock, self.probes, deadline_s)
        snapshot = await collect_once(
            self.fleet,
            self.reach,
            self.clock,
            self.probes,
            deadline_s,
            remembered=await memory.recall(self.sent),
        )
        return await memory.carry_on(snapshot)

    async def observe(self, names: tuple[str, ...]) -> Snapshot:
        """One independent collection by the named probes alone."""
        probes = [probe for probe in self.probes if probe.name in names]
        return await collect_once(self.fleet, self.reach, self.clock, probes, OBSERVE_S)

    async def look_at(self, sources: Sequence[tuple[str, str]]) -> Snapshot:
        """One independent collection of these (probe's name, target) alone."""
        wanted = frozenset(sources)
        names = {name for name, _ in wanted}
        known = (*self.probes, *on_demand(self.fleet))
        probes = [probe for probe in known if probe.name in names]
        return await collect_once(
            self.fleet, self.reach, self.clock, probes, OBSERVE_S, only=wanted
        )

    async def inspect(self, name: str, route: str, timeout_s: float) -> Inspected:
        """What a node answers on one of `routes.INSPECTABLE`. Raises LptuiError for no answer."""
        from lptui.config.mistakes import nearest
        from lptui.present.inspected import inspected
        from lptui.probes.livepeer import routes

        node = self.fleet.nodes.get(name)
        if node is None:
            near = nearest(name, self.fleet.nodes)
            there = f"there are: {', '.join(self.fleet.nodes)}"
            hint = f"did you mean {near}?" if near else there
            raise LptuiError(f"get {name}", "the fleet has no such node", hint)
        if node.cli is None:
            raise LptuiError(f"get {name}", "it has no CLI API", "set its `cli`")
        try:
            with routes.of(name):
                answer = await routes.inspect(self.reach.http(node.cli), route, timeout_s)
        except DeadlineError as error:
            error.remedy = f"give it longer: lptui --headless get {name} {route} --timeout S"
            raise
        return await asyncio.to_thread(
            inspected,
            *(name, route, answer.status, answer.body),
            took_s=answer.took_s,
            at=self.clock.now(),
        )

    async def close(self) -> None:
        """Closes all connections and ends the demo; bounded in time, never raises."""
        if self._memory is not None:
            await self._memory.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.reach.close()
        if self._demo is not None:
            await asyncio.to_thread(self._demo.stop)
            self._demo = None


def _allow_many_files() -> None:
    """A host takes two or three files, and macOS gives a program 256 unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _load(path: Path) -> Fleet:
    from lptui.config import load_fleet

    fleet = load_fleet(path)
    if fleet.paging is not None:
        # Only those who know the checks can tell that there is no such one.
        from lptui.checks import CHECKS
        from lptui.checks.paging import refuse_unknown

        refuse_unknown(fleet.paging, [check.id for check in CHECKS])
    return fleet


async def _start_demo(scenario: str, hosts: int | None) -> tuple[DemoThread, Fleet]:
    demo_thread = await asyncio.to_thread(import_module, "lptui.sim.thread")
    demo: DemoThread = demo_thread.DemoThread(scenario, hosts=hosts)
    try:
        return demo, await asyncio.to_thread(demo.start)
    except BaseException:
        # Interrupted while it starts: it must not be left running, nor its files.
        demo.stop()
        raise
