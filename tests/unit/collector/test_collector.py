"""The collector: independent sources, deadlines, ages, snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from types import MappingProxyType

import pytest

from lptui.clock import FrozenClock, SystemClock
from lptui.collector.asking import GRACE_S
from lptui.collector.collector import Collector, pace
from lptui.collector.once import collect_once
from lptui.errors import DeadlineError, Problem, ProblemKind, TransportError
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host, Intervals
from lptui.probes.probe import Answer, Asking
from lptui.transport.fake import FakeReach
from tests.waiting import until


@dataclass(frozen=True)
class Pulse:
    count: int


@dataclass
class ScriptedProbe:
    """Answers with what its script says; counts how often it was asked."""

    script: Callable[[str, int], Awaitable[int]]
    name: str = "scripted"
    needs: tuple[str, ...] = ()
    interval: float = 0.01
    asked: dict[str, int] = field(default_factory=dict)
    seen: list[Snapshot] = field(default_factory=list)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(fleet.hosts)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return self.interval

    def source(self, fleet: Fleet, target: str) -> str:
        return f"script of {target}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(Pulse, f"{self.name}/{target}"),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        self.asked[target] = self.asked.get(target, 0) + 1
        self.seen.append(asking.latest)
        count = await self.script(target, self.asked[target])
        return [Answer(self.keys(asking.fleet, target)[0], Pulse(count))]


def fleet_of(*hosts: str, timeout: float = 0.2) -> Fleet:
    return Fleet(
        "test",
        hosts=MappingProxyType({name: Host(name, None) for name in hosts}),
        intervals=Intervals(timeout=timeout),
    )


async def answers(_target: str, count: int) -> int:
    return count


async def hangs(_target: str, _count: int) -> int:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("never")


async def running(fleet: Fleet, *probes: ScriptedProbe) -> Collector:
    collector = Collector(fleet, FakeReach(), SystemClock(), probes)
    collector.start()
    return collector


async def test_a_hanging_source_delays_no_other() -> None:
    async def script(target: str, count: int) -> int:
        return await (hangs if target == "dead" else answers)(target, count)

    probe = ScriptedProbe(script)
    collector = await running(fleet_of("alive", "dead", timeout=30), probe)
    await until(lambda: probe.asked.get("alive", 0) >= 20)
    assert probe.asked["dead"] == 1
    await collector.stop()


async def test_a_source_that_misses_its_deadline_is_a_typed_problem_and_is_asked_again() -> None:
    probe = ScriptedProbe(hangs)
    collector = await running(fleet_of("dead", timeout=0.01), probe)
    await until(lambda: probe.asked.get("dead", 0) >= 2)
    problem = collector.snapshot.reading(Pulse, "scripted/dead").problem
    assert problem is not None
    assert problem.kind is ProblemKind.TIMEOUT
    await collector.stop()


async def test_sources_that_were_asked_together_go_apart() -> None:
    again: list[float] = []

    async def script(_target: str, count: int) -> int:
        if count == 2:
            again.append(asyncio.get_running_loop().time())
        return count

    probe = ScriptedProbe(script, interval=0.5)
    collector = await running(fleet_of(*(f"h{number}" for number in range(30))), probe)
    await until(lambda: len(again) == 30)
    assert max(again) - min(again) > 0.15, "else all are asked within a tenth of the interval"
    await collector.stop()


@pytest.mark.parametrize(
    ("interval_s", "paces"),
    [(2.0, [2, 2, 4, 8, 16, 30, 30]), (60.0, [60, 4, 8, 16, 32, 60, 60])],
)
def test_a_source_that_fails_is_asked_again_soon_then_ever_later(
    interval_s: float, paces: list[float]
) -> None:
    assert [pace(interval_s, failures) for failures in range(7)] == paces
    assert pace(interval_s, 10_000) == paces[-1]


async def test_a_failure_keeps_the_last_good_reading_beside_it_with_its_own_time() -> None:
    async def script(_target: str, count: int) -> int:
        if count > 1:
            raise TransportError("SSH to a", "gone", kind=ProblemKind.DISCONNECTED)
        return count

    probe = ScriptedProbe(script)
    collector = await running(fleet_of("a"), probe)
    await until(lambda: collector.snapshot.reading(Pulse, "scripted/a").last_good is not None)
    reading = collector.snapshot.reading(Pulse, "scripted/a")
    assert reading.value is None
    assert reading.problem is not None
    assert reading.last_good is not None
    assert reading.last_good.value == Pulse(1)
    assert reading.last_good.taken_at < reading.taken_at
    await until(lambda: probe.asked["a"] >= 3)
    assert collector.snapshot.reading(Pulse, "scripted/a").last_good == reading.last_good
    await collector.stop()


async def test_a_probes_own_bug_is_shown_and_stops_nothing() -> None:
    async def script(_target: str, count: int) -> int:
        return count // 0

    probe = ScriptedProbe(script)
    collector = await running(fleet_of("a"), probe)
    await until(lambda: probe.asked.get("a", 0) >= 2)
    problem = collector.snapshot.reading(Pulse, "scripted/a").problem
    assert problem is not None
    assert problem.kind is ProblemKind.INTERNAL
    assert "ZeroDivisionError" in problem.why
    await collector.stop()


async def test_snapshots_are_immutable_and_counted() -> None:
    got: list[Snapshot] = []
    probe = ScriptedProbe(answers)
    collector = await running(fleet_of("a", "b"), probe)
    unsubscribe = collector.subscribe(got.append)
    await until(lambda: len(got) >= 2)
    unsubscribe()
    assert [snapshot.number for snapshot in got[:2]] == [1, 2]
    assert got[0].readings is not got[1].readings
    with pytest.raises(TypeError):
        got[0].readings[Key(Pulse, "x")] = None  # type: ignore[index]
    await collector.stop()


async def test_a_changed_interval_holds_at_once() -> None:
    probe = ScriptedProbe(answers, interval=3600)
    collector = await running(fleet_of("a"), probe)
    await until(lambda: probe.asked.get("a", 0) == 1)
    probe.interval = 0.01
    collector.set_fast_interval(0.5)
    await until(lambda: probe.asked["a"] >= 3)
    assert collector.fleet.intervals.fast == 0.5
    await collector.stop()


async def test_a_paused_collector_asks_nothing_and_goes_on_at_once() -> None:
    probe = ScriptedProbe(answers)
    collector = await running(fleet_of("a"), probe)
    await until(lambda: probe.asked.get("a", 0) >= 2)
    collector.pause()
    await asyncio.sleep(0)
    asked = probe.asked["a"]
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert probe.asked["a"] <= asked + 1
    asked = probe.asked["a"]
    collector.resume()
    await until(lambda: probe.asked["a"] > asked)
    await collector.stop()


async def test_stopping_ends_every_task() -> None:
    before = asyncio.all_tasks()
    collector = await running(fleet_of("a", "b"), ScriptedProbe(hangs))
    await collector.stop()
    assert asyncio.all_tasks() == before


async def test_one_collection_asks_everything_once_and_is_complete() -> None:
    probe = ScriptedProbe(answers)
    fleet = fleet_of("a", "b")
    snapshot = await collect_once(fleet, FakeReach(), SystemClock(), [probe], 5)
    assert probe.asked == {"a": 1, "b": 1}
    assert snapshot.complete
    assert snapshot.value(Pulse, "scripted/a") == Pulse(1)


async def test_what_is_remembered_is_of_who_fails_and_nothing_of_who_is_not_asked() -> None:
    async def fails(_target: str, _count: int) -> int:
        raise TransportError("it", "is down")

    past: Reading[object] = Reading(Pulse(7), None, "earlier", 5.0)
    unread: Reading[object] = Reading(
        None, Problem(ProblemKind.NOT_READ, "it", "not read yet"), "earlier", 0.0
    )
    remembered = {
        Key(Pulse, target): replace(unread, last_good=past) for target in ("scripted/a", "nobody's")
    }
    seen: list[Snapshot] = []

    async def looks(target: str, _count: int) -> int:
        seen.append(probe.seen[-1])
        return await fails(target, 1)

    probe = ScriptedProbe(looks)
    snapshot = await collect_once(
        fleet_of("a"), FakeReach(), SystemClock(), [probe], 5, remembered=remembered
    )
    # The probe can go on from it; the reading is its own failure, with what was known before.
    assert seen[0].reading(Pulse, "scripted/a").last_good == past
    found = snapshot.reading(Pulse, "scripted/a")
    assert found.problem is not None
    assert (found.problem.kind, found.last_good) == (ProblemKind.UNREACHABLE, past)
    assert Key(Pulse, "nobody's") not in snapshot.readings


async def test_one_collection_never_takes_longer_than_its_deadline() -> None:
    fleet = fleet_of("a", timeout=60)
    probe = ScriptedProbe(hangs)
    async with asyncio.timeout(2 + GRACE_S):
        snapshot = await collect_once(fleet, FakeReach(), SystemClock(), [probe], 0.05)
    problem = snapshot.reading(Pulse, "scripted/a").problem
    assert problem is not None
    assert problem.kind is ProblemKind.RUN_DEADLINE
    assert "0.05 s" in problem.why


@pytest.mark.parametrize(
    ("run_s", "kind"), [(5.0, ProblemKind.TIMEOUT), (0.1, ProblemKind.RUN_DEADLINE)]
)
@pytest.mark.parametrize("told", ["raised", "answered"])
async def test_silence_counts_against_a_source_only_when_it_had_its_time(
    run_s: float, kind: ProblemKind, told: str
) -> None:
    @dataclass
    class Late(ScriptedProbe):
        async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
            error = DeadlineError("x", f"no answer within {asking.deadline_s:g} s")
            if told == "raised":
                raise error
            return [Answer(self.keys(asking.fleet, target)[0], problem=error.problem())]

    fleet = fleet_of("a", timeout=0.2)
    snapshot = await collect_once(fleet, FakeReach(), SystemClock(), [Late(answers)], run_s)
    problem = snapshot.reading(Pulse, "scripted/a").problem
    assert problem is not None
    assert problem.kind is kind
    assert ("--timeout" in problem.remedy) is (kind is ProblemKind.RUN_DEADLINE)


async def test_loading_takes_no_time_of_who_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lptui.collector.asking.GRACE_S", 0.0)
    asked_with: list[float] = []

    @dataclass
    class Heavy(ScriptedProbe):
        async def load(self) -> None:
            loaded = asyncio.Event()
            asyncio.get_running_loop().call_later(0.3, loaded.set)
            await loaded.wait()

        async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
            asked_with.append(asking.deadline_s)
            return await super().ask(asking, target)

    fleet = fleet_of("a", timeout=0.1)
    snapshot = await collect_once(fleet, FakeReach(), SystemClock(), [Heavy(answers)], 5)
    assert snapshot.value(Pulse, "scripted/a") == Pulse(1)
    assert asked_with == [0.1]


async def test_a_probe_that_needs_another_sees_its_answers() -> None:
    first = ScriptedProbe(answers, name="first")
    second = ScriptedProbe(answers, name="second", needs=("first",))
    fleet = fleet_of("a")
    await collect_once(fleet, FakeReach(), SystemClock(), [second, first], 5)
    assert second.seen[0].value(Pulse, "first/a") == Pulse(1)


async def test_a_probe_starts_even_when_what_it_needs_fails() -> None:
    async def fails(_target: str, _count: int) -> int:
        raise TransportError("x", "y")

    first = ScriptedProbe(fails, name="first")
    second = ScriptedProbe(answers, name="second", needs=("first",))
    fleet = fleet_of("a")
    snapshot = await collect_once(fleet, FakeReach(), SystemClock(), [first, second], 5)
    assert snapshot.value(Pulse, "second/a") == Pulse(1)


def test_a_reading_knows_its_age_and_when_it_is_stale() -> None:
    clock = FrozenClock(1000.0)
    reading = Reading(Pulse(1), None, "s", taken_at=clock.now(), interval_s=4.0)
    clock.advance(11.9)
    assert reading.age(clock.now()) == pytest.approx(11.9)
    assert reading.fresh(clock.now()) == Pulse(1)
    clock.advance(0.2)
    assert reading.fresh(clock.now()) is None


def test_a_reading_is_not_taken_for_fresh_after_the_clock_was_set_back() -> None:
    reading = Reading(Pulse(1), None, "s", taken_at=10_000.0, interval_s=4.0)
    assert reading.fresh(9_999.0) == Pulse(1)
    assert reading.age(6_400.0) == inf
    assert reading.fresh(6_400.0) is None
