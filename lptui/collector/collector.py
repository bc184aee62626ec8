"""The live collector: one loop a source, each at its own pace; snapshots for whoever listens."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from lptui.clock import Clock
from lptui.collector.asking import Source, ask
from lptui.collector.ledger import Ledger, with_fast_interval
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Answer, Probe
from lptui.transport.protocols import Reach

PUBLISH_GAP_S = 0.25
"""Snapshots are at least this far apart, however many answers come in."""

FIRST_RETRY_S = 4.0
"""A source that failed once is asked again so soon, however long its own interval."""

SLOWEST_RETRY_S = 30.0
"""A source that fails is asked at least this often, unless its own interval is longer."""

JITTER = (0.95, 1.05)
APART = (0.3, 1.0)
"""Parts of its interval after which a source is asked again: usually, and after all were asked."""

OTHERS_S = 2.0
"""How long a source's first reading waits for needed sources of other targets."""

Subscriber = Callable[[Snapshot], None]


class Collector:
    """Asks every source of a fleet for as long as it runs.

    A source that is slow or dead delays no other. Subscribers are called on the event loop, one
    after the other, and must return at once.
    """

    def __init__(
        self,
        fleet: Fleet,
        reach: Reach,
        clock: Clock,
        probes: Sequence[Probe],
        spread: random.Random | None = None,
        remembered: Mapping[Key, Reading[object]] = MappingProxyType({}),
    ) -> None:
        self._fleet = fleet
        self._reach = reach
        self._clock = clock
        self._sources = [Source(p, target) for p in probes for target in p.targets(fleet)]
        expected = (key for s in self._sources for key in s.probe.keys(fleet, s.target))
        self._ledger = Ledger(fleet, expected, remembered)
        self._random = spread or random.Random()  # noqa: S311 (spreads load, guards nothing)
        self._subscribers: list[Subscriber] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting: dict[Source, asyncio.Future[bool]] = {}
        self._changed = asyncio.Event()
        self._going = asyncio.Event()
        self._going.set()

    @property
    def snapshot(self) -> Snapshot:
        """The newest published snapshot; an empty one at first."""
        return self._ledger.snapshot

    @property
    def fleet(self) -> Fleet:
        """The fleet with the intervals that are in force."""
        return self._fleet

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Calls `subscriber` with each new snapshot; the result ends the subscription."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def start(self) -> None:
        """Begins to ask; must be called on a running event loop, once."""
        self._tasks = [
            asyncio.create_task(self._loop(source), name=str(source)) for source in self._sources
        ]
        self._tasks.append(asyncio.create_task(self._publish(), name="publish"))
        for task in self._tasks:
            task.add_done_callback(_report_death)

    async def stop(self) -> None:
        """Ends all loops; returns when they have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def set_fast_interval(self, seconds: float) -> None:
        """Another pace for the fast readings, from now on."""
        self._fleet = with_fast_interval(self._fleet, seconds)
        self._ledger.rescale(self._fleet)
        self.refresh()

    def pause(self) -> None:
        """Asks nothing more until `resume`; readings keep their times and so grow old."""
        self._going.clear()

    def resume(self) -> None:
        """Goes on, and asks everything at once."""
        self._going.set()
        self.refresh()

    def refresh(self, *names: str) -> None:
        """Asks all sources at once, or only those of the named probes."""
        for source, future in list(self._waiting.items()):
            if (not names or source.probe.name in names) and not future.done():
                future.set_result(False)

    def learn(self, key: Key, value: object, source: str) -> None:
        """Enters what was learnt otherwise than by asking; who asks goes on from there."""
        now = self._clock.now()
        self._ledger.record(
            [Answer(key, value)], source=source, taken_at=now, took_s=0.0, interval_s=0.0
        )
        self._changed.set()

    async def _loop(self, source: Source) -> None:
        failures = 0
        together = True
        if source.probe.needs:
            await self._needed(source)
        while True:
            await self._going.wait()
            started = self._clock.monotonic()
            answered = await ask(
                source,
                fleet=self._fleet,
                reach=self._reach,
                clock=self._clock,
                ledger=self._ledger,
                deadline_s=self._fleet.intervals.timeout,
            )
            self._changed.set()
            failures = 0 if answered else failures + 1
            interval = pace(source.probe.interval_s(self._fleet, source.target), failures)
            took = self._clock.monotonic() - started
            # Those that were asked at the same moment go apart, so that no moment is a busy one.
            share = self._random.uniform(*(APART if together else JITTER))
            due = interval * share - took
            together = not await self._pause(source, max(due, interval * 0.1))

    async def _needed(self, source: Source) -> None:
        """Waits until what this source builds on was asked once, but not for ever."""
        own: set[Key] = set()
        others: set[Key] = set()
        for other in self._sources:
            if other.probe.name in source.probe.needs:
                keys = other.probe.keys(self._fleet, other.target)
                (own if other.target == source.target else others).update(keys)
        await self._read_once(source, others, OTHERS_S)
        await self._read_once(source, own, self._fleet.intervals.timeout)

    async def _read_once(self, source: Source, keys: set[Key], longest_s: float) -> None:
        end = self._clock.monotonic() + longest_s
        while self._clock.monotonic() < end and not keys <= self.snapshot.readings.keys():
            await self._pause(source, PUBLISH_GAP_S)

    async def _pause(self, source: Source, seconds: float) -> bool:
        """True when the time is up, False when all are to be asked at once."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        handle = loop.call_later(seconds, _wake, future)
        self._waiting[source] = future
        try:
            return await future
        finally:
            handle.cancel()
            del self._waiting[source]

    async def _publish(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            snapshot = self._ledger.publish(self._clock.now())
            for subscriber in tuple(self._subscribers):
                subscriber(snapshot)
            await asyncio.sleep(PUBLISH_GAP_S)


def pace(interval_s: float, failures: int) -> float:
    """Seconds until a source is asked again that has failed so many times in a row."""
    if not failures:
        return interval_s
    longest = max(interval_s, SLOWEST_RETRY_S)
    return float(min(min(interval_s, FIRST_RETRY_S) * 2 ** min(failures - 1, 16), longest))


def _wake(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(True)


def _report_death(task: asyncio.Task[None]) -> None:
    """A loop that ended by itself would leave old figures behind: say so loudly."""
    if not task.cancelled() and (error := task.exception()) is not None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"the loop {task.get_name()} ended", "exception": error, "task": task}
        )
