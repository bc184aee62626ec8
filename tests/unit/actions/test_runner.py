"""What holds for every action: locks, record, guards, and an end that tells the truth."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from lptui.actions.audit import Audit
from lptui.actions.exclusive import exclusive
from lptui.actions.plan import Outcome, Plan, Precondition, Request, Result, Step
from lptui.actions.runner import ACTION_DEADLINE_S, Runner
from lptui.actions.spec import ActionSpec, Effect, Execution, Proof
from lptui.clock import FrozenClock
from lptui.errors import LptuiError
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.transport.fake import FakeReach
from tests.snapshots import FleetBuilder

STEPS = (
    Step("send", "node-1", "POST /send", "it says so", 600),
    Step("verify", "chain", "look", "it shows", 600),
)
PLAN = Plan(
    "act",
    "it",
    "act on it",
    STEPS,
    (),
    "nothing",
    "none",
    (("account", "0xa"),),
    request=Request(("it",)),
)


@dataclass
class Scripted:
    """An action that plans what it is told and does what it is told."""

    now: Plan = PLAN
    does: Callable[[Execution], object] | None = None
    sent: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    spec = ActionSpec("act", "Act", "a", Effect.WRITE, "thing", "acts", ("all",), ("proof",))

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return ("it",)

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return ()

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        return self.now

    async def execute(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result:
        execution.journal(plan.steps[0])
        self.sent += 1
        self.entered.set()
        if self.does is not None:
            self.does(execution)
        else:
            await self.hold.wait()
        return Result(plan, Outcome.DONE, "done indeed")

    async def prove(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Proof | None:
        return (("seen", plan.target),)


@dataclass
class Bench:
    folder: Path
    clock: FrozenClock = field(default_factory=FrozenClock)
    said: list[str] = field(default_factory=list)

    def runner(self, name: str = "fleet", *, read_only: bool = False) -> Runner:
        async def observe(names: tuple[str, ...]) -> Snapshot:
            return FleetBuilder().snapshot()

        async def look_at(sources: object) -> Snapshot:
            return FleetBuilder().snapshot()

        fleet = replace(FleetBuilder().fleet, name=name)
        return Runner(
            fleet, FakeReach(), self.clock, observe, look_at, self.folder, read_only=read_only
        )

    async def run(self, action: Scripted, plan: Plan = PLAN, *, read_only: bool = False) -> Result:
        return await self.runner(read_only=read_only).run(action, plan, self.said.append)

    @property
    def record(self) -> list[Any]:
        path = self.folder / "audit.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def at_once(_: Execution) -> None:
    """Nothing to wait for."""


async def test_a_run_is_on_record_before_each_step_and_at_its_end(bench: Bench) -> None:
    seen: list[list[str]] = []
    action = Scripted(does=lambda _: seen.append([line["event"] for line in bench.record]))
    result = await bench.run(action)
    assert result.outcome is Outcome.DONE
    assert seen == [["started", "step"]]
    lines = bench.record
    assert [line["event"] for line in lines] == ["started", "step", "ended"]
    assert len({line["run"] for line in lines}) == 1
    assert lines[1]["step"]["call"] == "POST /send"
    assert lines[2]["outcome"] == "done"


async def test_a_read_only_console_refuses_and_that_is_on_record(bench: Bench) -> None:
    action = Scripted(does=at_once)
    result = await bench.run(action, read_only=True)
    assert (result.outcome, action.sent) == (Outcome.REFUSED, 0)
    [line] = bench.record
    assert (line["outcome"], line["summary"]) == ("refused", "this console is read-only")


async def test_what_is_done_already_is_done_with_its_proof(bench: Bench) -> None:
    action = Scripted(replace(PLAN, done="somebody did it"))
    result = await bench.run(action, replace(PLAN, facts=()))
    assert (result.outcome, result.proof) == (Outcome.DONE, (("seen", "it"),))
    assert action.sent == 0


@pytest.mark.parametrize("met", [False, None])
async def test_preconditions_are_checked_again(bench: Bench, met: bool | None) -> None:
    action = Scripted(replace(PLAN, preconditions=(Precondition("key", met, "gone", "find it"),)))
    result = await bench.run(action)
    assert (result.outcome, result.summary) == (Outcome.REFUSED, "key: gone")
    assert action.sent == 0


async def test_what_was_confirmed_must_still_be_what_would_be_done(bench: Bench) -> None:
    action = Scripted(replace(PLAN, facts=(("account", "0xb"),)))
    result = await bench.run(action)
    assert result.outcome is Outcome.REFUSED
    assert "no longer as it was" in result.summary
    assert action.sent == 0


async def test_never_two_at_once_in_a_fleet_nor_for_an_account(bench: Bench) -> None:
    first = Scripted()
    task = asyncio.create_task(bench.run(first))
    await first.entered.wait()
    second = Scripted(does=at_once)
    same = await bench.run(second)
    other = await bench.runner("another name").run(second, PLAN, bench.said.append)
    for refused in (same, other):
        assert refused.outcome is Outcome.REFUSED
        assert "another action is under way: act for it" in refused.summary
    assert second.sent == 0
    first.hold.set()
    assert (await task).outcome is Outcome.DONE
    assert (await bench.run(second)).outcome is Outcome.DONE


async def test_a_cancelled_run_is_on_record_as_unknown(bench: Bench) -> None:
    action = Scripted()
    runner = bench.runner()
    task = asyncio.create_task(runner.run(action, PLAN, bench.said.append))
    await action.entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert runner.latest is not None
    assert runner.latest.interrupted
    assert bench.record[-1]["outcome"] == "unknown"
    assert bench.record[-1]["under_way"] is True


async def test_a_second_call_waits_until_the_node_has_given_up_the_first(bench: Bench) -> None:
    first = Scripted()
    task = asyncio.create_task(bench.run(first))
    await first.entered.wait()
    task.cancel()
    await asyncio.wait({task})
    second = Scripted(does=at_once)
    bench.clock.advance(ACTION_DEADLINE_S - 1)
    refused = await bench.run(second)
    assert refused.outcome is Outcome.REFUSED
    assert "the node may still be at it" in refused.summary
    assert second.sent == 0
    bench.clock.advance(2)
    assert (await bench.run(second)).outcome is Outcome.DONE


async def test_a_killed_run_counts_as_under_way(bench: Bench) -> None:
    """A process that was killed has written no end."""
    run = Audit(bench.folder / "audit.jsonl", bench.clock).run(PLAN, "fleet")
    run.started()
    bench.clock.advance(1)
    assert (await bench.run(Scripted(does=at_once))).outcome is Outcome.DONE
    run.step(STEPS[0])
    refused = await bench.run(Scripted(does=at_once))
    assert refused.outcome is Outcome.REFUSED
    elsewhere = replace(PLAN, target="other", facts=(("account", "0xb"),))
    other = Scripted(elsewhere, does=at_once)
    assert (await bench.run(other, elsewhere)).outcome is Outcome.DONE


async def test_the_plan_says_already_that_a_call_may_be_under_way(bench: Bench) -> None:
    run = Audit(bench.folder / "audit.jsonl", bench.clock).run(PLAN, "fleet")
    runner, snapshot = bench.runner(), FleetBuilder().snapshot()
    assert runner.plan(Scripted(), snapshot, Request(("it",))).why_not == ""
    run.step(STEPS[0])
    assert "may still be at it" in runner.plan(Scripted(), snapshot, Request(("it",))).why_not
    # What is on the chain already is not held up by it.
    assert (
        runner.plan(Scripted(replace(PLAN, done="called")), snapshot, Request(("it",))).done
        == "called"
    )


async def test_rubbish_in_the_record_is_passed_over(bench: Bench) -> None:
    path = bench.folder / "audit.jsonl"
    path.write_bytes(b'\xff\x00{"event":"step"}\n[1]\n{"event":"step","number":1,"facts":7}\n{"ev')
    assert (await bench.run(Scripted(does=at_once))).outcome is Outcome.DONE


async def test_without_a_record_nothing_is_sent(bench: Bench) -> None:
    (bench.folder / "audit.jsonl").mkdir()
    action = Scripted(does=at_once)
    result = await bench.run(action)
    assert (result.outcome, action.sent) == (Outcome.REFUSED, 0)
    assert "the record cannot be written" in result.summary


async def test_a_step_that_cannot_be_written_down_is_not_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_at(monkeypatch, "step")
    action = Scripted(does=at_once)
    result = await bench.run(action)
    assert (result.outcome, action.sent) == (Outcome.REFUSED, 0)
    assert "nothing was sent" in result.summary


async def test_an_end_that_cannot_be_written_down_changes_no_outcome(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_at(monkeypatch, "ended")
    result = await bench.run(Scripted(does=at_once))
    assert result.outcome is Outcome.DONE
    assert "could not be recorded" in result.remedy


def _fail_at(monkeypatch: pytest.MonkeyPatch, event: str) -> None:
    write = Audit.append

    def append(self: Audit, line: Any) -> None:
        if line["event"] == event:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, line)

    monkeypatch.setattr(Audit, "append", append)


@pytest.mark.parametrize("error", [LptuiError("it", "broke"), RuntimeError("a bug")])
async def test_a_failure_after_the_call_is_unknown_and_recorded(
    bench: Bench, error: Exception
) -> None:
    def fail(_: Execution) -> None:
        raise error

    result = await bench.run(Scripted(does=fail))
    assert result.outcome is Outcome.UNKNOWN
    assert bench.record[-1]["outcome"] == "unknown"


def test_a_lock_of_a_dead_process_holds_nobody_up(tmp_path: Path) -> None:
    stale = tmp_path / "fleet.lock"
    stale.write_text('{"purpose": "reward", "pid": 1, "since": "long ago"}')
    with exclusive(tmp_path, "fleet", "reward for main", FrozenClock()):
        assert "reward for main" in stale.read_text()
    assert stale.read_text() == ""
