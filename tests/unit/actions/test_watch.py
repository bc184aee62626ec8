"""The call and the chain side by side: done is what the chain shows, whatever the node says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from lptui.actions import transaction
from lptui.actions.plan import Outcome, Plan, Request, Result, Step
from lptui.actions.replies import Verdict
from lptui.actions.reward import Reward
from lptui.actions.spec import Event, Execution, Proof
from lptui.actions.transaction import Evidence, Route, only_watch, send_and_watch
from lptui.clock import SystemClock
from lptui.errors import LptuiError, ProblemKind, RefusedError, TransportError
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.units import Round
from lptui.transport.fake import HANG, FakeReach
from lptui.transport.protocols import HttpAnswer
from tests.snapshots import NETWORK, ROUND, FleetBuilder

WHOLE: Proof = (("lastRewardRound", str(ROUND)), ("tx", "0x1"))
PART: Proof = WHOLE[:1]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become hundredths."""
    monkeypatch.setattr(transaction, "POLL_S", 0.01)
    monkeypatch.setattr(transaction, "DETAILS_S", 0.15)
    settle = {verdict: s / 100 for verdict, s in transaction.AFTER_REPLY_S.items()}
    monkeypatch.setattr(transaction, "AFTER_REPLY_S", settle)


@dataclass
class Chain:
    """What each look at the chain shows, the last one again and again."""

    looks: list[Proof | LptuiError | None]
    journal: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    seen: int = 0
    full: bool = False

    async def confirm(self, _: Snapshot) -> Proof | None:
        found = self.looks[min(self.seen, len(self.looks) - 1)]
        self.seen += 1
        if isinstance(found, LptuiError):
            raise found
        return found

    def write(self, step: Step) -> None:
        if self.full:
            raise RefusedError(step.title, "the disk is full")
        self.journal.append(step.title)


class NoRecord:
    """The journal of a plan that is not made of moves is not written."""

    run = ""

    async def step(self, number: int, event: Event, words: str = "") -> None:
        raise AssertionError


async def called(chain: Chain, answer: object, *, deadline_s: float = 1.0) -> Result:
    plan, execution, evidence, reach = _prepared(chain, deadline_s)
    node = FleetBuilder().snapshot().fleet.nodes["reward"]
    assert node.cli is not None
    reach.pages[f"POST {node.cli.url}/reward"] = answer
    return await send_and_watch(plan, Route(node, "/reward"), execution, evidence)


def _prepared(chain: Chain, deadline_s: float) -> tuple[Plan, Execution, Evidence, FakeReach]:
    due = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    plan = Reward().plan(due.snapshot(), Request(("main",)))
    reach = FakeReach()

    async def look() -> Snapshot:
        if chain.seen < len(chain.looks) and isinstance(chain.looks[chain.seen], LptuiError):
            due.fail(ChainRound, NETWORK, ProblemKind.REFUSED, "connection refused")
        return due.snapshot()

    async def look_at(_: object) -> Snapshot:
        return await look()

    async def hold() -> None:
        """Nobody else wants it."""

    execution = Execution(
        due.fleet,
        reach,
        SystemClock(),
        look,
        chain.write,
        chain.said.append,
        deadline_s,
        look_at,
        NoRecord(),
        hold,
    )
    evidence = Evidence(NETWORK, chain.confirm, lambda proof: len(proof) > 1, lambda _: "called")
    return plan, execution, evidence, reach


OK = HttpAnswer(200, {}, b"")
SOMEBODY = HttpAnswer(500, {}, b"Error calling reward: transaction failed txHash=0x9")
TIMED_OUT = HttpAnswer(
    500, {}, b"Error calling reward: timed out waiting for transaction receipt txHash=0x9"
)
LOST = TransportError("reward", "the connection was lost", kind=ProblemKind.DISCONNECTED)
NOBODY = TransportError("reward", "connection refused", kind=ProblemKind.REFUSED)
UNREAD = TransportError("rpc", "connection refused", kind=ProblemKind.REFUSED)


@pytest.mark.parametrize("answer", [OK, SOMEBODY, TIMED_OUT, LOST, HANG], ids=str)
async def test_what_the_chain_shows_is_done_whatever_the_node_says(answer: object) -> None:
    chain = Chain([None, None, WHOLE])
    result = await called(chain, answer)
    assert (result.outcome, result.proof) == (Outcome.DONE, WHOLE)
    assert chain.journal[0] == "call reward"


async def test_details_that_come_late_are_waited_for() -> None:
    assert (await called(Chain([PART, PART, WHOLE]), OK)).proof == WHOLE


async def test_details_that_never_come_do_not_undo_the_proof() -> None:
    result = await called(Chain([PART]), OK)
    assert (result.outcome, result.proof) == (Outcome.DONE, PART)
    result = await called(Chain([PART, UNREAD]), OK)
    assert (result.outcome, result.proof) == (Outcome.DONE, PART)


@pytest.mark.parametrize("answer", [OK, TIMED_OUT, LOST, HANG], ids=str)
async def test_what_the_chain_does_not_show_is_unknown(answer: object) -> None:
    result = await called(Chain([None]), answer)
    assert result.outcome is Outcome.UNKNOWN
    assert "the chain does not show it yet" in result.summary
    assert "still watching" in result.remedy
    # Only a node that has not answered may still be at it.
    assert result.under_way == (answer in (LOST, HANG))


async def test_a_chain_that_cannot_be_read_is_not_said_to_show_nothing() -> None:
    result = await called(Chain([UNREAD]), OK)
    assert result.outcome is Outcome.UNKNOWN
    assert "the chain cannot be read" in result.summary
    assert "does not show" not in result.summary


async def test_a_refused_transaction_is_a_failure_with_its_cause() -> None:
    result = await called(Chain([None]), HttpAnswer(500, {}, b"insufficient funds"))
    assert (result.outcome, result.summary) == (Outcome.FAILED, "insufficient funds")
    assert (await called(Chain([None]), SOMEBODY)).outcome is Outcome.FAILED


async def test_a_node_that_was_not_reached_has_failed_at_once() -> None:
    result = await called(Chain([None]), NOBODY, deadline_s=600)
    assert result.outcome is Outcome.FAILED
    assert not result.under_way


async def test_a_call_that_cannot_be_written_down_is_not_made() -> None:
    chain = Chain([None], full=True)
    with pytest.raises(RefusedError):
        await called(chain, OK)
    assert chain.seen == 0


async def test_what_somebody_else_did_is_watched_for_without_a_call() -> None:
    chain = Chain([None, WHOLE])
    plan, execution, evidence, reach = _prepared(chain, 5.0)
    result = await only_watch(plan, execution, evidence, "already called reward")
    assert (result.outcome, result.proof) == (Outcome.DONE, WHOLE)
    assert reach.asked == []
    assert chain.journal == ["verify on the chain"]


async def test_a_cancelled_watch_ends_its_call() -> None:
    task = asyncio.create_task(called(Chain([None]), HANG, deadline_s=600))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
    assert not [t for t in asyncio.all_tasks() if t.get_name().startswith("reward on")]


def test_every_reply_that_ends_the_call_has_its_patience() -> None:
    assert set(Verdict) - set(transaction.AFTER_REPLY_S) == {Verdict.PENDING, Verdict.LOST}
