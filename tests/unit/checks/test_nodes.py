"""Nodes, transcoders, sessions, identities and keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.finding import Severity
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import L2Block, Round
from tests.snapshots import DELEGATE, HEAD, NETWORK, NOW, REGISTERED, ROUND, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity


@pytest.mark.parametrize(
    ("kind", "expected", "words"),
    [
        (ProblemKind.REFUSED, CRITICAL, "down"),
        (ProblemKind.TIMEOUT, CRITICAL, "down"),
        (ProblemKind.HTTP_STATUS, CRITICAL, "not as a Livepeer node"),
        (ProblemKind.BAD_ANSWER, CRITICAL, "not as a Livepeer node"),
        (ProblemKind.FORBIDDEN, UNKNOWN, "not known"),
        (ProblemKind.NOT_READ, UNKNOWN, "not known"),
    ],
)
def test_node_up(kind: ProblemKind, expected: Severity, words: str) -> None:
    found = finding(FleetBuilder().fail(NodeStatus, "orch-1", kind), "node-up@orch-1")
    assert found.severity is expected
    assert words in found.summary


def test_a_node_whose_unit_failed_is_explained_by_the_unit() -> None:
    fleet = FleetBuilder().fail(NodeStatus, "orch-1", ProblemKind.REFUSED)
    fleet.change_unit("edge-1", "livepeer-orchestrator.service", active="failed", sub="failed")
    found = by_id(fleet)
    assert found["node-up@orch-1"].severity is CRITICAL
    assert found["node-up@orch-1"].cause == "unit-state@orch-1"


def test_gated_routes_are_told_and_are_no_fault() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", tx_routes=False)
    found = by_id(fleet)
    assert found["node-up@reward"].severity is OK
    assert "-enableCliTxRoutes" in found["node-up@reward"].summary
    assert found["reward-caller@main"].severity is OK
    assert "-enableCliTxRoutes" in found["reward-caller@main"].remedy


@pytest.mark.parametrize(
    ("lag", "expected"), [(0, OK), (600, OK), (601, CRITICAL), (-600, OK), (-601, UNKNOWN)]
)
def test_watcher_against_the_highest_head(lag: int, expected: Severity) -> None:
    fleet = FleetBuilder().put(NodeBlock(L2Block(HEAD - lag)), "orch-1")
    assert severity(fleet, "watcher-stalled@orch-1") is expected


@pytest.mark.parametrize(("lag", "expected"), [(0, UNKNOWN), (601, CRITICAL)])
def test_a_watcher_level_with_a_head_that_stands_still_proves_nothing(
    lag: int, expected: Severity
) -> None:
    fleet = FleetBuilder().put(NodeBlock(L2Block(HEAD - lag)), "orch-1")
    for name in ("nitro", "reference"):
        fleet.change(RpcHead, name, head_time=NOW - 3600.0)
    fleet.change(ChainRound, NETWORK, head_time=NOW - 3600.0)
    found = finding(fleet, "watcher-stalled@orch-1")
    assert found.severity is expected
    assert found.cause.startswith("rpc-stalled@") is (expected is UNKNOWN)


def test_a_watcher_behind_an_endpoint_that_stands_still_is_explained_by_that() -> None:
    fleet = FleetBuilder().put(NodeBlock(L2Block(HEAD - 2000)), "orch-1")
    assert finding(fleet, "watcher-stalled@orch-1").cause == ""
    rpc = fleet.fleet.nodes["orch-1"].rpc
    assert rpc is not None
    fleet.change(RpcHead, rpc, head=L2Block(HEAD - 2000), head_time=NOW - 500.0)
    found = finding(fleet, "watcher-stalled@orch-1")
    assert (found.severity, found.cause) == (CRITICAL, f"rpc-stalled@{rpc}")


def test_watcher_is_unknown_without_any_head() -> None:
    fleet = FleetBuilder()
    for name in ("nitro", "reference"):
        fleet.fail(RpcHead, name)
    fleet.fail(ChainRound, NETWORK)
    found = finding(fleet, "watcher-stalled@orch-1")
    assert found.severity is UNKNOWN
    assert found.cause == "rpc-reachable@nitro"


def test_transcoders_have_no_watcher_and_need_no_account() -> None:
    found = by_id(FleetBuilder())
    assert "watcher-stalled@trans-1" not in found
    assert "account-expected@trans-1" not in found


def test_metrics_switched_off_are_told_and_hide_the_sessions() -> None:
    fleet = FleetBuilder().put(NodeMetrics(monitored=False), "orch-1")
    found = by_id(fleet)
    assert found["node-metrics@orch-1"].severity is OK
    assert "-monitor" in found["node-metrics@orch-1"].summary
    assert "sessions-capacity@orch-1" not in found


def test_version_skew_within_a_role() -> None:
    fleet = FleetBuilder().change(NodeStatus, "orch-2", version="0.8.8")
    found = by_id(fleet)
    assert found["version-skew@role:orchestrator"].severity is WARNING
    assert found["version-skew@role:transcoder"].severity is OK
    unread = FleetBuilder().fail(NodeStatus, "orch-2")
    assert severity(unread, "version-skew@role:orchestrator") is UNKNOWN


@pytest.mark.parametrize(
    ("connected", "up_for", "expected"),
    [
        (2, 9999.0, OK),
        (3, 9999.0, OK),
        (1, 9999.0, WARNING),
        (0, 9999.0, CRITICAL),
        (0, 89.0, OK),
        (0, 90.0, CRITICAL),
        (1, 90.0, WARNING),
        # By a clock that is ahead of ours: a little, and by an hour.
        (0, -1.0, OK),
        (0, -3600.0, CRITICAL),
    ],
)
def test_transcoders_expected(connected: int, up_for: float, expected: Severity) -> None:
    fleet = FleetBuilder().change(NodeStatus, "orch-1", transcoders_number=connected)
    fleet.change(NodeMetrics, "orch-1", started_at=NOW - up_for)
    assert severity(fleet, "transcoders-expected@orch-1") is expected


def test_transcoder_grace_from_the_unit_when_there_are_no_metrics() -> None:
    fleet = FleetBuilder().change(NodeStatus, "orch-1", transcoders_number=0)
    fleet.put(NodeMetrics(monitored=False), "orch-1")
    fleet.change_unit("edge-1", "livepeer-orchestrator.service", since_s=10.0)
    assert severity(fleet, "transcoders-expected@orch-1") is OK


def test_any_number_of_transcoders_when_none_is_expected() -> None:
    fleet = FleetBuilder().configure_node("orch-1", transcoders=None)
    assert "transcoders-expected@orch-1" not in by_id(fleet)


@pytest.mark.parametrize(
    ("now", "most", "expected"),
    [
        (0, 40, OK),
        (35, 40, OK),
        (36, 40, WARNING),
        (40, 40, WARNING),
        (50, 40, WARNING),
        (0, 0, WARNING),
        (None, 40, UNKNOWN),
        (3, None, UNKNOWN),
    ],
)
def test_sessions_capacity(now: int | None, most: int | None, expected: Severity) -> None:
    fleet = FleetBuilder().change(NodeMetrics, "orch-1", current_sessions=now, max_sessions=most)
    assert severity(fleet, "sessions-capacity@orch-1") is expected


@pytest.mark.parametrize(
    ("told", "expected"), [(REGISTERED, OK), (DELEGATE, CRITICAL), (None, CRITICAL)]
)
def test_account_expected(told: str | None, expected: Severity) -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", account=told)
    assert severity(fleet, "account-expected@reward") is expected


def test_an_account_that_the_node_would_not_tell_is_unknown() -> None:
    errors = (("/ethAddr", "500"),)
    fleet = FleetBuilder().change(NodeIdentity, "reward", account=None, errors=errors)
    assert severity(fleet, "account-expected@reward") is UNKNOWN


def test_node_on_another_chain() -> None:
    assert severity(
        FleetBuilder().change(NodeIdentity, "orch-1", chain_id=1), "node-chain@orch-1"
    ) is (CRITICAL)
    found = finding(
        FleetBuilder().change(NodeIdentity, "orch-1", chain_id=None, account=None),
        "node-chain@orch-1",
    )
    assert found.severity is UNKNOWN
    assert found.cause == "account-expected@orch-1"


def test_node_with_another_controller() -> None:
    fleet = FleetBuilder()
    assert fleet.fleet.chain is not None
    fleet.change(NodeIdentity, "orch-1", controller=fleet.fleet.chain.controller)
    assert severity(fleet, "node-chain@orch-1") is OK
    found = finding(fleet.change(NodeIdentity, "orch-1", controller=DELEGATE), "node-chain@orch-1")
    assert found.severity is CRITICAL
    assert DELEGATE in found.summary
    # Nothing answers at ours: then it may be the wrong one.
    assert severity(fleet.fail(ChainRound, NETWORK), "node-chain@orch-1") is OK


def flags(fleet: FleetBuilder, host: str, **given: str | None) -> FleetBuilder:
    """Changes flags of the processes on a host; None takes one away."""
    processes = []
    for process in fleet.value(HostProcesses, host).livepeer:
        kept = dict(process.flags) | given
        pairs = tuple((k, v) for k, v in kept.items() if v is not None)
        processes.append(replace(process, flags=pairs))
    return fleet.change(HostProcesses, host, livepeer=tuple(processes))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (REGISTERED, OK),
        (REGISTERED.upper().replace("X", "x"), OK),
        (DELEGATE, CRITICAL),
        (None, CRITICAL),
    ],
)
def test_a_node_that_works_for_somebody_else(value: str | None, expected: Severity) -> None:
    fleet = flags(FleetBuilder(), "edge-1", ethOrchAddr=value)
    assert severity(fleet, "recipient-expected@orch-1") is expected


def test_a_process_that_cannot_be_told_apart_is_not_judged() -> None:
    fleet = FleetBuilder().change(HostProcesses, "edge-1", livepeer=())
    assert "recipient-expected@orch-1" not in by_id(fleet)


def test_reward_caller_with_the_registered_key_and_as_delegate() -> None:
    assert "holds the registered key" in finding(FleetBuilder(), "reward-caller@main").summary
    fleet = FleetBuilder().change(NodeIdentity, "reward", account=DELEGATE)
    assert severity(fleet, "reward-caller@main") is CRITICAL
    fleet.change(OrchestratorRecord, "main", reward_caller=DELEGATE)
    found = finding(fleet, "reward-caller@main")
    assert found.severity is OK
    assert "delegated key" in found.summary


def anybody(fleet: FleetBuilder) -> FleetBuilder:
    return fleet.configure_chain(orchestrators=(Orchestrator("main", REGISTERED),))


def test_nobody_holds_a_key_that_may_call() -> None:
    fleet = anybody(FleetBuilder()).change(NodeIdentity, "reward", account=DELEGATE)
    assert severity(fleet, "reward-caller@main") is WARNING  # somebody else did call
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    assert severity(fleet, "reward-caller@main") is WARNING
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 2))
    assert severity(fleet, "reward-caller@main") is CRITICAL


def test_who_calls_is_unknown_while_a_node_is_silent() -> None:
    fleet = anybody(FleetBuilder()).fail(NodeIdentity, "reward")
    assert severity(fleet, "reward-caller@main") is UNKNOWN
    stale = FleetBuilder().age(NodeIdentity, "reward", 5000.0)
    assert severity(stale, "reward-caller@main") is UNKNOWN


def test_another_node_than_the_expected_one_can_call() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", account=DELEGATE)
    fleet.change(NodeIdentity, "orch-1", account=REGISTERED)
    found = finding(fleet, "reward-caller@main")
    assert found.severity is WARNING
    assert "orch-1 can call" in found.summary


def test_two_nodes_with_the_registered_key() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "orch-2", account=REGISTERED)
    found = finding(fleet, "registered-key-once@main")
    assert found.severity is CRITICAL
    assert "reward" in found.summary
    assert "orch-2" in found.summary


def stray(host: str, fleet: FleetBuilder, **given: str) -> FleetBuilder:
    """A livepeer process that belongs to no node of the configuration."""
    extra = LivepeerProcess(4242, "root", tuple(given.items()))
    return fleet.change(
        HostProcesses, host, livepeer=(*fleet.value(HostProcesses, host).livepeer, extra)
    )


def test_a_stray_process_with_the_registered_key() -> None:
    fleet = stray("gpu-1", FleetBuilder(), ethAcctAddr=REGISTERED, ethUrl="http://127.0.0.1:8547")
    found = finding(fleet, "registered-key-once@main")
    assert found.severity is CRITICAL
    assert "process 4242 on gpu-1" in found.summary
    offchain = stray("gpu-1", FleetBuilder(), ethAcctAddr=REGISTERED)
    assert severity(offchain, "registered-key-once@main") is OK


def test_a_nodes_own_process_is_not_counted_twice_even_without_a_unit() -> None:
    fleet = FleetBuilder()
    processes = fleet.value(HostProcesses, "core-1").livepeer
    bare = tuple(replace(process, unit="") for process in processes)
    fleet.change(HostProcesses, "core-1", livepeer=bare)
    units = tuple(replace(u, main_pid=None) for u in fleet.value(HostUnits, "core-1").units)
    fleet.change(HostUnits, "core-1", units=units)
    assert severity(fleet, "registered-key-once@main") is OK


def test_one_key_is_not_sure_while_a_node_is_silent() -> None:
    found = finding(FleetBuilder().fail(NodeIdentity, "orch-1"), "registered-key-once@main")
    assert found.severity is UNKNOWN
    assert "orch-1" in found.summary


def test_two_redeemers_with_one_key() -> None:
    redeemer = FleetBuilder().value(NodeIdentity, "redeemer").account
    fleet = FleetBuilder().change(NodeIdentity, "orch-1", account=redeemer)
    assert severity(fleet, "signer-key-once@redeemer") is CRITICAL
    assert severity(fleet, "registered-key-once@main") is OK


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://stream.example.org:8935", OK),
        ("https://STREAM.example.org", OK),
        ("https://stream.example.org:8936", CRITICAL),
        ("https://other.example.org:8935", CRITICAL),
        ("", CRITICAL),
        ("https://[broken", CRITICAL),
        ("https://stream.example.org:99999", CRITICAL),
        (None, UNKNOWN),
    ],
)
def test_service_uri_on_chain(uri: str | None, expected: Severity) -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", service_uri=uri)
    assert severity(fleet, "service-uri@main") is expected


def test_service_uri_against_the_balancer_when_none_is_expected() -> None:
    fleet = anybody(FleetBuilder())
    assert severity(fleet, "service-uri@main") is OK
    fleet.configure_balancer("front", public_uri="https://elsewhere.example.org:8935")
    assert severity(fleet, "service-uri@main") is WARNING
    # Without a public address anywhere, the nodes' own addresses are what there is.
    fleet.configure_balancer("front", public_uri=None)
    assert severity(fleet, "service-uri@main") is OK
    fleet.configure_node("orch-1", service_uri="https://one.example.org:8935")
    fleet.configure_node("orch-2", service_uri=None)
    assert severity(fleet, "service-uri@main") is WARNING
