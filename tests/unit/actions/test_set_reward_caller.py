"""Plans of `set-reward-caller`: who may set it, whom they mean, and what would follow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lptui.actions.plan import Plan, Request
from lptui.actions.set_reward_caller import ZERO, SetRewardCaller
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.units import Wei
from tests.snapshots import DELEGATE, NETWORK, REGISTERED, FleetBuilder


def settable() -> FleetBuilder:
    """A fleet whose contract and nodes know of reward callers; none is set."""
    fleet = FleetBuilder().change(OrchestratorRecord, "main", has_reward_caller=True)
    return fleet.change(NodeIdentity, "reward", knows_reward_caller=True)


def plan_of(fleet: FleetBuilder, caller: str = DELEGATE) -> Plan:
    options = (("caller", caller),) if caller else ()
    return SetRewardCaller().plan(fleet.snapshot(), Request(("main",), options))


def test_the_node_with_the_registered_key_sets_it() -> None:
    plan = plan_of(settable())
    assert plan.why_not == ""
    assert [step.target for step in plan.steps] == ["reward", "main"]
    expected = f"POST http://127.0.0.1:7937/setRewardCaller rewardCaller={DELEGATE}"
    assert plan.steps[0].call == expected
    assert (plan.fact("account"), plan.fact("former")) == (REGISTERED, ZERO)
    assert plan.steps[0].undo == "lptui --headless set-reward-caller main --caller none"


def test_what_is_set_is_taken_back_by_setting_the_former_one() -> None:
    fleet = settable().change(OrchestratorRecord, "main", reward_caller=DELEGATE)
    plan = plan_of(fleet, "none")
    assert plan.why_not == ""
    assert plan.steps[0].call.endswith(f"rewardCaller={ZERO}")
    assert plan.steps[0].undo.endswith(f"--caller {DELEGATE}")
    assert any("no longer" in warning for warning in plan.warnings)


def test_a_node_stands_for_the_account_that_it_acts_with() -> None:
    fleet = settable().change(NodeIdentity, "redeemer", account=DELEGATE)
    assert plan_of(fleet, "redeemer").fact("caller") == DELEGATE


def test_what_is_so_already_is_nothing_to_do() -> None:
    fleet = settable().change(OrchestratorRecord, "main", reward_caller=DELEGATE)
    assert plan_of(fleet).done == f"the contract names {DELEGATE} already"
    assert plan_of(settable(), "none").done == "the contract names nobody already"


@pytest.mark.parametrize(
    ("name", "breakage", "evidence"),
    [
        (
            "the contract knows reward callers",
            lambda f: f.change(OrchestratorRecord, "main", has_reward_caller=False),
            "not deployed",
        ),
        (
            "the contract knows reward callers",
            lambda f: f.change(OrchestratorRecord, "main", has_reward_caller=None),
            "could not be asked",
        ),
        (
            "the node knows reward callers",
            lambda f: f.change(NodeIdentity, "reward", knows_reward_caller=False),
            "404",
        ),
        (
            "the node knows reward callers",
            lambda f: f.change(NodeIdentity, "reward", knows_reward_caller=None),
            "could not be told",
        ),
        (
            "a node of the fleet holds the registered key",
            lambda f: f.change(NodeIdentity, "reward", account=DELEGATE),
            "no node acts with",
        ),
        (
            "transaction routes offered",
            lambda f: f.change(NodeIdentity, "reward", tx_routes=False),
            "404",
        ),
        ("protocol not paused", lambda f: f.change(ChainRound, NETWORK, paused=True), "True"),
        (
            "a node of the fleet holds the registered key",
            lambda f: f.fail(NodeIdentity, "reward"),
            "not known of reward",
        ),
        ("chain read", lambda f: f.age(OrchestratorRecord, "main", 3600), "too old"),
        (
            "no transaction of this account pending",
            lambda f: f.change(SignerAccount, REGISTERED, nonce=5, pending_nonce=6),
            "nonce 5 mined, 6",
        ),
    ],
)
def test_each_precondition_refuses_by_itself(
    name: str, breakage: Callable[[FleetBuilder], FleetBuilder], evidence: str
) -> None:
    plan = plan_of(breakage(settable()))
    found = [item.evidence for item in plan.refusals if item.name == name]
    assert found, [item.name for item in plan.refusals]
    assert evidence in found[0]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "nobody is"),
        ("0x12", "no node and no account"),
        ("nobody-i-know", "no node and no account"),
        ("0x" + "g" * 40, "no node and no account"),
        (REGISTERED, "may call anyway"),
        ("reward", "may call anyway"),
        ("trans-1", "does not tell which account"),
        ("x\x1b[31m\n", "no node and no account"),
    ],
)
def test_who_is_meant_must_be_clear(written: str, why: str) -> None:
    plan = plan_of(settable(), written)
    [refused] = [item for item in plan.refusals if item.name == "the caller is named"]
    assert why in refused.evidence
    assert "\x1b" not in refused.evidence
    assert plan.steps == ()


@pytest.mark.parametrize(
    ("balance", "warning"),
    [(None, "balance of 0xdddd…dddd is not known"), (Wei(0), "has no ETH")],
)
def test_a_caller_that_may_not_be_able_to_pay_is_told(balance: Wei | None, warning: str) -> None:
    fleet = settable()
    if balance is not None:
        fleet.put(SignerAccount(balance, 0, 0), DELEGATE)
    assert any(warning in told for told in plan_of(fleet).warnings)
