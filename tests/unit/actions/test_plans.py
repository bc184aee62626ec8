"""Plans: pure, from a snapshot alone; every precondition refuses by itself and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lptui.actions.initialize_round import InitializeRound
from lptui.actions.plan import Plan, Request
from lptui.actions.reward import Reward
from lptui.actions.select import targets
from lptui.errors import ProblemKind, RefusedError
from lptui.fleet.facts.chain import ChainRound, GasPrices, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.topology import Role
from lptui.fleet.units import Address, Round, Wei
from tests.snapshots import DELEGATE, NETWORK, REGISTERED, ROUND, FleetBuilder


def due() -> FleetBuilder:
    """The healthy fleet, with this round's reward not called yet."""
    return FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))


def plan_of(fleet: FleetBuilder) -> Plan:
    return Reward().plan(fleet.snapshot(), Request(("main",)))


def refusal(plan: Plan, name: str) -> str:
    found = [item.evidence for item in plan.refusals if item.name == name]
    assert found, f"{name} does not refuse; refusals: {[item.name for item in plan.refusals]}"
    return found[0]


def test_a_due_reward_may_be_called_through_the_node_that_holds_the_key() -> None:
    plan = plan_of(due())
    assert plan.why_not == ""
    assert [step.target for step in plan.steps] == ["reward", "main"]
    assert plan.steps[0].call.startswith("POST http://127.0.0.1:7937/reward")
    assert plan.fact("account") == REGISTERED
    assert "ETH" in plan.cost


def test_a_reward_that_was_called_is_nothing_to_do() -> None:
    plan = plan_of(FleetBuilder())
    assert plan.done == f"already called in round {ROUND}"


def test_the_hash_names_what_would_be_done() -> None:
    assert plan_of(due()).hash == plan_of(due()).hash
    other = due().change(ChainRound, NETWORK, round=Round(ROUND + 1))
    assert plan_of(other).hash != plan_of(due()).hash


@pytest.mark.parametrize(
    ("name", "breakage", "evidence"),
    [
        (
            "round initialised",
            lambda f: f.change(ChainRound, NETWORK, initialized=False),
            "last initialised",
        ),
        ("protocol not paused", lambda f: f.change(ChainRound, NETWORK, paused=True), "True"),
        (
            "orchestrator active",
            lambda f: f.change(OrchestratorRecord, "main", active=False),
            "active from round",
        ),
        (
            "a node of the fleet holds the key",
            lambda f: f.change(NodeIdentity, "reward", account=DELEGATE),
            "no node acts with",
        ),
        ("node answers", lambda f: f.fail(NodeStatus, "reward"), "no answer"),
        ("node answers", lambda f: f.age(NodeStatus, "reward", 3600), "too old"),
        (
            "transaction routes offered",
            lambda f: f.change(NodeIdentity, "reward", tx_routes=False),
            "404",
        ),
        (
            "transaction routes offered",
            lambda f: f.change(NodeIdentity, "reward", tx_routes=None),
            "could not be told",
        ),
        (
            "gas price under the node's cap",
            lambda f: f.change(NodeIdentity, "reward", has_gas_cap=True, max_gas_price=Wei(1)),
            "against",
        ),
        (
            "balance covers the highest cost",
            lambda f: f.change(SignerAccount, REGISTERED, balance=Wei(1)),
            "cap x gas",
        ),
        (
            "balance covers the highest cost",
            lambda f: f.fail(GasPrices, NETWORK),
            "not read",
        ),
        (
            "no transaction of this account pending",
            lambda f: f.change(SignerAccount, REGISTERED, nonce=5, pending_nonce=6),
            "nonce 5 mined, 6",
        ),
        (
            "no transaction of this account pending",
            lambda f: f.change(SignerAccount, REGISTERED, pending_known=False),
            "does not count pending",
        ),
        (
            "chain read",
            lambda f: f.fail(ChainRound, NETWORK, ProblemKind.WRONG_CHAIN, "chain 1, not 42161"),
            "chain 1",
        ),
        ("chain read", lambda f: f.age(OrchestratorRecord, "main", 3600), "too old"),
    ],
)
def test_each_precondition_refuses_and_says_why(
    name: str, breakage: Callable[[FleetBuilder], FleetBuilder], evidence: str
) -> None:
    plan = plan_of(breakage(due()))
    assert evidence in refusal(plan, name)
    assert plan.why_not


def test_an_authorised_delegate_may_call_and_pays_from_its_own_account() -> None:
    fleet = due()
    fleet.change(OrchestratorRecord, "main", reward_caller=DELEGATE, has_reward_caller=True)
    fleet.change(NodeIdentity, "reward", account=DELEGATE)
    fleet.put(SignerAccount(Wei(10**18), 3, 3), DELEGATE)
    plan = plan_of(fleet.configure_node("reward", recipient=REGISTERED))
    assert plan.why_not == ""
    assert plan.fact("account") == DELEGATE


def test_two_holders_of_the_registered_key_are_a_warning_in_the_plan() -> None:
    plan = plan_of(due().change(NodeIdentity, "orch-1", account=REGISTERED))
    assert plan.fact("node") == "reward"
    assert "2 nodes hold the registered key" in plan.warnings[0]


def test_a_node_that_has_not_said_who_it_is_may_hold_the_key() -> None:
    plan = plan_of(due().fail(NodeIdentity, "reward"))
    [held] = [item for item in plan.refusals if item.name == "a node of the fleet holds the key"]
    assert held.met is None
    assert held.evidence.startswith("not known of reward")


def test_the_holder_that_is_able_is_chosen_over_the_one_that_is_expected() -> None:
    fleet = due().change(NodeIdentity, "orch-1", account=REGISTERED)
    fleet.change(NodeIdentity, "reward", tx_routes=False)
    plan = plan_of(fleet)
    assert plan.why_not == ""
    assert plan.fact("node") == "orch-1"


def test_the_cost_is_exact_to_the_wei() -> None:
    fleet = due().change(GasPrices, NETWORK, gas_price=Wei(12_345_678_901), base_fee=Wei(10**10))
    fleet.change(NodeIdentity, "reward", has_gas_cap=True, max_gas_price=Wei(15 * 10**9))
    cost = plan_of(fleet).exact_cost
    assert cost is not None
    assert (cost.likely, cost.most) == (cost.gas * 12_345_678_901, cost.gas * 15 * 10**9)


def test_an_orchestrator_that_transcodes_itself_can_initialise_a_round() -> None:
    fleet = FleetBuilder().change(ChainRound, NETWORK, initialized=False)
    snapshot = fleet.snapshot()
    [one] = [node for node in snapshot.fleet.nodes.values() if node.name == "reward"]
    both = replace(one, roles=frozenset({Role.ORCHESTRATOR, Role.TRANSCODER}))
    alone = replace(snapshot, fleet=replace(snapshot.fleet, nodes={"reward": both}))
    plan = InitializeRound().plan(alone, Request((NETWORK,)))
    assert (plan.why_not, plan.fact("node")) == ("", "reward")


def test_a_round_that_is_initialised_is_nothing_to_do() -> None:
    plan = InitializeRound().plan(FleetBuilder().snapshot(), Request((NETWORK,)))
    assert "is initialised already" in plan.done


def test_a_round_can_be_initialised_through_a_node_that_is_able_to() -> None:
    fleet = FleetBuilder().change(ChainRound, NETWORK, initialized=False)
    plan = InitializeRound().plan(fleet.snapshot(), Request((NETWORK,)))
    assert plan.why_not == ""
    assert plan.steps[0].call.endswith("/initializeRound")
    fleet.change(SignerAccount, REGISTERED, balance=Wei(0))
    other = InitializeRound().plan(fleet.snapshot(), Request((NETWORK,)))
    assert other.fact("node") != plan.fact("node")
    assert other.why_not == ""


def test_selectors_choose_orchestrators_by_name_role_host_and_all() -> None:
    snapshot = due().snapshot()
    for word in ("main", "all", "role:reward", "host:core-1", "orch-1", "reward"):
        assert targets(Reward(), snapshot, [word]) == ("main",), word
    assert targets(Reward(), snapshot, []) == ("main",)


def test_a_selector_that_selects_nothing_is_refused_with_a_suggestion() -> None:
    for word, remedy in (
        ("mian", "did you mean main?"),
        ("role:rewrd", "did you mean role:reward?"),
        ("host:gpu-1", "nothing there works for main"),
        ("xyzzy", "there are: main"),
    ):
        with pytest.raises(RefusedError) as caught:
            targets(Reward(), due().snapshot(), [word])
        assert caught.value.remedy == remedy


def delegated(recipient: Address | None) -> FleetBuilder:
    """Only the delegate's node can call; it was declared to work for `recipient`."""
    fleet = due().change(OrchestratorRecord, "main", reward_caller=DELEGATE)
    fleet.change(NodeIdentity, "reward", account=DELEGATE)
    fleet.put(SignerAccount(Wei(10**18), 0, 0), DELEGATE)
    return fleet.configure_node("reward", recipient=recipient)


def test_a_delegates_node_calls_for_the_orchestrator_that_it_works_for() -> None:
    plan = plan_of(delegated(REGISTERED))
    assert plan.why_not == ""
    assert (plan.fact("node"), plan.fact("account")) == ("reward", DELEGATE)


def test_a_key_that_is_the_delegate_of_two_is_not_asked_through_the_others_node() -> None:
    """That node would call for the orchestrator that it was started for."""
    other = Address("0x" + "ee" * 20)
    assert "no node acts with" in refusal(
        plan_of(delegated(other)), "a node of the fleet holds the key"
    )


def test_a_delegates_node_that_nobody_declared_to_work_for_it_is_not_asked() -> None:
    evidence = refusal(plan_of(delegated(None)), "the node calls for this orchestrator")
    assert "not declared to work for it" in evidence
