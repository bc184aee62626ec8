"""When lptui may call reward by itself: every limit that the operator gives, at its edge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lptui.actions.audit import Audit, Try
from lptui.actions.plan import Outcome, Plan, Request, Result
from lptui.actions.retry import decide
from lptui.actions.reward import Reward
from lptui.clock import FrozenClock
from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    RewardHistory,
    SignerAccount,
)
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.retry import Decision, RewardRetry, Standing
from lptui.fleet.units import L1Block, Round, Wei
from tests.snapshots import NETWORK, NOW, REGISTERED, ROUND, ROUND_LENGTH, FleetBuilder

POLICY = RewardRetry(
    tries=3, spacing_s=1200.0, after_s=1800.0, last_blocks=20, max_gas_price=Wei(50_000_000)
)
START = FleetBuilder().value(ChainRound, NETWORK).start_block


def missed(policy: RewardRetry | None = POLICY) -> FleetBuilder:
    """Half a round has gone by, its reward was not called, and lptui may call it."""
    fleet = FleetBuilder().configure_chain(reward_retry=policy)
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    return fleet.change(RewardHistory, "main", events=())


def decided(fleet: FleetBuilder, tries: Sequence[Try] = ()) -> Decision:
    snapshot = fleet.snapshot()
    found = decide(snapshot, Reward().plan(snapshot, Request(("main",))), tries)
    assert found is not None
    return found


def called(*seconds_ago: float) -> list[Try]:
    return [Try(NOW - ago, called=True) for ago in seconds_ago]


def test_without_a_word_from_the_operator_nothing_is_called() -> None:
    snapshot = missed(None).snapshot()
    assert decide(snapshot, Reward().plan(snapshot, Request(("main",))), ()) is None


def test_a_reward_that_the_node_failed_to_call_is_due() -> None:
    found = decided(missed())
    assert (found.standing, found.why) == (Standing.DUE, f"not called in round {ROUND}")
    assert (found.at, found.tries, found.most) == (NOW, 0, 3)


def test_what_was_called_is_nothing_to_do() -> None:
    found = decided(FleetBuilder().configure_chain(reward_retry=POLICY))
    assert (found.standing, found.why) == (Standing.IDLE, f"already called in round {ROUND}")


@pytest.mark.parametrize(("into", "due"), [(0, False), (149, False), (150, True)])
def test_the_nodes_own_try_comes_first(into: int, due: bool) -> None:
    # 150 blocks of 12 s are the half hour that it has.
    found = decided(missed().change(ChainRound, NETWORK, block=L1Block(START + into)))
    assert (found.standing is Standing.DUE) == due
    if not due:
        assert found.standing is Standing.WAITING
        assert found.at == NOW + (150 - into) * 12


def test_in_a_short_round_it_has_a_quarter_of_it() -> None:
    fleet = missed().change(ChainRound, NETWORK, length=40, block=L1Block(START + 9))
    assert decided(fleet).standing is Standing.WAITING
    fleet.change(ChainRound, NETWORK, block=L1Block(START + 10))
    assert decided(fleet).standing is Standing.DUE


@pytest.mark.parametrize(("left", "due"), [(21, True), (20, False), (0, False)])
def test_nothing_is_called_that_would_be_mined_too_late(left: int, due: bool) -> None:
    block = L1Block(START + ROUND_LENGTH - left)
    found = decided(missed().change(ChainRound, NETWORK, block=block))
    assert found.standing is (Standing.DUE if due else Standing.HINDERED)
    assert due or "too late" in found.why


@pytest.mark.parametrize(("ago", "due"), [(1.0, False), (1199.0, False), (1200.0, True)])
def test_tries_are_spaced(ago: float, due: bool) -> None:
    found = decided(missed(), called(9000.0, ago))
    assert found.standing is (Standing.DUE if due else Standing.WAITING)
    assert found.at == (NOW if due else NOW - ago + 1200.0)
    assert found.tries == 2


def test_a_run_that_was_refused_before_it_called_is_spaced_but_costs_no_try() -> None:
    found = decided(missed(), [Try(NOW - 60.0, called=False)])
    assert (found.standing, found.tries) == (Standing.WAITING, 0)


def test_the_tries_of_a_round_are_spent_once() -> None:
    found = decided(missed(), called(9000.0, 6000.0, 3000.0))
    assert found.standing is Standing.HINDERED
    assert found.why == "all 3 tries of this round are made"


@pytest.mark.parametrize(("price", "due"), [(50_000_000, True), (50_000_001, False)])
def test_nothing_is_called_while_gas_costs_more_than_allowed(price: int, due: bool) -> None:
    found = decided(missed().change(GasPrices, NETWORK, gas_price=Wei(price)))
    assert found.standing is (Standing.DUE if due else Standing.HINDERED)


@pytest.mark.parametrize(
    ("breakage", "standing", "why"),
    [
        (
            lambda f: f.change(SignerAccount, REGISTERED, nonce=5, pending_nonce=6),
            Standing.HINDERED,
            "no transaction of this account pending",
        ),
        (lambda f: f.fail(NodeStatus, "reward"), Standing.HINDERED, "node answers"),
        (lambda f: f.fail(ChainRound, NETWORK), Standing.HINDERED, "chain read"),
        (lambda f: f.age(OrchestratorRecord, "main", 3600), Standing.HINDERED, "too old"),
        (lambda f: f.fail(GasPrices, NETWORK), Standing.HINDERED, "gas price could not be read"),
        (
            lambda f: f.change(ChainRound, NETWORK, initialized=False),
            Standing.WAITING,
            "not initialised",
        ),
        (
            lambda f: f.change(OrchestratorRecord, "main", active=False),
            Standing.IDLE,
            "not active",
        ),
        (
            lambda f: f.put(FleetBuilder().value(RewardHistory, "main"), "main"),
            Standing.HINDERED,
            "says that it was called",
        ),
    ],
)
def test_what_stands_in_the_way_is_told(
    breakage: Callable[[FleetBuilder], FleetBuilder], standing: Standing, why: str
) -> None:
    found = decided(breakage(missed()))
    assert found.standing is standing
    assert why in found.why


class TestTries:
    """What the audit record knows of a round's calls."""

    plan: Plan

    @pytest.fixture
    def audit(self, tmp_path: Path) -> Audit:
        snapshot = missed().snapshot()
        self.plan = Reward().plan(snapshot, Request(("main",)))
        return Audit(tmp_path / "audit.jsonl", FrozenClock())

    def tries(self, audit: Audit) -> list[bool]:
        return [one.called for one in audit.tries("example", "reward", "main", str(ROUND))]

    def test_each_run_is_one_and_says_whether_it_called(self, audit: Audit) -> None:
        assert self.tries(audit) == []
        refused = audit.run(self.plan, "example", by="automatic")
        refused.started()
        refused.ended(Result(self.plan, Outcome.REFUSED, "no"))
        made = audit.run(self.plan, "example")
        made.started()
        made.step(self.plan.steps[0])
        made.step(self.plan.steps[1])
        assert self.tries(audit) == [False, True]

    def test_others_runs_do_not_count(self, audit: Audit) -> None:
        facts = (("round", str(ROUND - 1)), *self.plan.facts[:1])
        for plan, fleet in (
            (replace(self.plan, facts=facts), "example"),
            (replace(self.plan, target="other"), "example"),
            (replace(self.plan, action="initialize-round"), "example"),
            (self.plan, "another"),
        ):
            audit.run(plan, fleet).started()
        assert self.tries(audit) == []

    def test_who_did_it_is_on_record(self, audit: Audit) -> None:
        audit.run(self.plan, "example", by="automatic").started()
        assert '"who":"automatic, for ' in audit.path.read_text().replace('": ', '":')
