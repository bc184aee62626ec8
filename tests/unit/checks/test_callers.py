"""Who may call an orchestrator's reward, who does so by itself, and who can pay for it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from lptui.fleet.facts.chain import GasPrices, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.topology import Endpoint, Node, Role, Service, SupervisorKind
from lptui.fleet.units import Address, Wei
from tests.snapshots import DELEGATE, NETWORK, REGISTERED, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

HOT = Node(
    "hot",
    "core-1",
    frozenset({Role.REWARD}),
    service=Service(SupervisorKind.SYSTEMD, "hot.service"),
    cli=Endpoint("http://127.0.0.1:7938", "core-1"),
    account=DELEGATE,
    recipient=REGISTERED,
)


def with_hot(
    names: Address | None = DELEGATE, *, reward: str | None = None, works_for_it: bool = True
) -> FleetBuilder:
    """The fleet with a node that is there to call with a key of its own.

    The contract names `names`; the node was started with `-reward=…` where that is given, and
    with `-ethOrchAddr` where it `works_for_it`.
    """
    fleet = FleetBuilder()
    fleet.configure(nodes=MappingProxyType({**fleet.fleet.nodes, "hot": HOT}))
    fleet.put(fleet.value(NodeStatus, "reward"), "hot")
    own = replace(fleet.value(NodeIdentity, "reward"), account=DELEGATE, knows_reward_caller=True)
    fleet.put(own, "hot")
    fleet.put(SignerAccount(Wei(10**18), 0, 0), DELEGATE)
    flags = [("ethAcctAddr", str(DELEGATE)), ("ethUrl", "http://127.0.0.1:8547")]
    flags += [("ethOrchAddr", str(REGISTERED))] if works_for_it else []
    flags += [] if reward is None else [("reward", reward)]
    process = LivepeerProcess(4711, "livepeer", tuple(flags), unit="hot.service")
    seen = fleet.value(HostProcesses, "core-1").livepeer
    fleet.change(HostProcesses, "core-1", livepeer=(*seen, process))
    return fleet.change(OrchestratorRecord, "main", reward_caller=names, has_reward_caller=True)


def without_registered_key(fleet: FleetBuilder) -> FleetBuilder:
    """No node has the registered key: it is kept off line."""
    nodes = {name: node for name, node in fleet.fleet.nodes.items() if name != "reward"}
    return fleet.configure(nodes=MappingProxyType(nodes))


def test_a_delegate_that_the_contract_names_is_well() -> None:
    found = finding(with_hot(), "reward-delegate@main")
    assert found.severity is OK
    assert found.summary == "the contract names hot as reward caller"


@pytest.mark.parametrize("names", [None, Address("0x" + "ee" * 20)])
def test_a_revoked_delegate_is_told_with_whom_the_contract_names(names: Address | None) -> None:
    found = finding(with_hot(names), "reward-delegate@main")
    assert found.severity is WARNING
    assert "hot cannot call" in found.summary
    assert "reward can call" in found.summary
    assert ("nobody" if names is None else "0xeeee…eeee") in found.summary
    assert found.remedy.endswith("set-reward-caller main --caller hot")


def test_a_revoked_delegate_is_critical_when_nobody_else_can_call() -> None:
    found = finding(without_registered_key(with_hot(None)), "reward-delegate@main")
    assert found.severity is CRITICAL
    assert "nobody else of the fleet can" in found.summary


def test_a_contract_without_delegates_says_so() -> None:
    fleet = with_hot(None).change(OrchestratorRecord, "main", has_reward_caller=False)
    found = finding(fleet, "reward-delegate@main")
    assert found.severity is WARNING
    assert "LIP-118 is not deployed there" in found.summary
    assert found.action == ""


@pytest.mark.parametrize(
    "fleet",
    [
        with_hot().change(OrchestratorRecord, "main", has_reward_caller=None),
        with_hot().fail(OrchestratorRecord, "main"),
        with_hot().fail(NodeIdentity, "hot"),
    ],
    ids=["the endpoint does not tell", "no record", "the node does not tell"],
)
def test_what_cannot_be_compared_is_unknown(fleet: FleetBuilder) -> None:
    assert severity(fleet, "reward-delegate@main") is UNKNOWN


def test_a_fleet_without_delegates_has_no_such_finding() -> None:
    assert "reward-delegate@main" not in by_id(FleetBuilder())


def test_two_nodes_that_both_call_by_themselves_are_told() -> None:
    found = finding(with_hot(), "reward-called-once@main")
    assert found.severity is WARNING
    assert "reward (registered key), hot (delegated key)" in found.summary


@pytest.mark.parametrize("told", ["false", "0", "F"])
def test_one_that_was_told_not_to_call_is_no_second_caller(told: str) -> None:
    found = finding(with_hot(reward=told), "reward-called-once@main")
    assert (found.severity, found.summary) == (OK, "reward (registered key) alone calls by itself")


def test_a_delegate_that_was_not_told_whom_it_calls_for_does_not_call() -> None:
    assert severity(with_hot(works_for_it=False), "reward-called-once@main") is OK


def test_an_older_build_does_not_call_for_others_by_itself() -> None:
    fleet = with_hot().change(NodeIdentity, "hot", knows_reward_caller=False)
    assert severity(fleet, "reward-called-once@main") is OK


def test_none_that_calls_by_itself_is_told() -> None:
    fleet = without_registered_key(with_hot(reward="false"))
    found = finding(fleet, "reward-called-once@main")
    assert found.severity is WARNING
    assert "no node calls by itself" in found.summary


def test_flags_that_cannot_be_seen_leave_it_open() -> None:
    fleet = with_hot()
    fleet.fail(HostProcesses, "core-1")
    found = finding(fleet, "reward-called-once@main")
    assert found.severity is UNKNOWN
    assert any("its flags cannot be seen" in line for line in found.evidence)


def test_two_processes_with_one_key_are_told_once() -> None:
    fleet = with_hot().change(NodeIdentity, "hot", account=REGISTERED)
    found = by_id(fleet)
    assert found["registered-key-once@main"].severity is CRITICAL
    assert found["reward-called-once@main"].cause == "registered-key-once@main"


def test_a_delegate_without_funds_cannot_call() -> None:
    fleet = without_registered_key(with_hot()).put(SignerAccount(Wei(10**9), 0, 0), DELEGATE)
    found = finding(fleet, "reward-caller-funds@main")
    assert found.severity is CRITICAL
    assert found.remedy == f"send ETH to {DELEGATE}"


def test_a_caller_whose_signer_is_short_is_told_once() -> None:
    fleet = FleetBuilder().change(SignerAccount, REGISTERED, balance=Wei(1))
    found = by_id(fleet)["reward-caller-funds@main"]
    [signer] = [one for one in fleet.fleet.signers if one.address == REGISTERED]
    assert (found.severity, found.cause) == (CRITICAL, f"balance@{signer.name}")


@pytest.mark.parametrize(("topic", "target"), [(SignerAccount, REGISTERED), (GasPrices, NETWORK)])
def test_money_that_could_not_be_read_is_unknown(topic: type, target: str) -> None:
    assert severity(FleetBuilder().fail(topic, target), "reward-caller-funds@main") is UNKNOWN
