"""What nodes turn out to be, and what runs that nobody declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess, Origin
from lptui.fleet.facts.livepeer import NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.roles import observe, settings_of
from lptui.fleet.settings import NodeType
from lptui.fleet.topology import Role
from tests.snapshots import DELEGATE, REDEEMER, REGISTERED, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

URL = "http://127.0.0.1:8547"


def process(host: str, fleet: FleetBuilder) -> LivepeerProcess:
    first: LivepeerProcess = fleet.value(HostProcesses, host).livepeer[0]
    return first


def runs(fleet: FleetBuilder, host: str, *flags: tuple[str, str]) -> FleetBuilder:
    """The first node of a host runs with these flags, beside those of its key and its address."""
    first = process(host, fleet)
    kept = tuple(flag for flag in first.flags if flag[0] in ("cliAddr", "ethAcctAddr", "ethUrl"))
    others = fleet.value(HostProcesses, host).livepeer[1:]
    changed = replace(first, flags=(*kept, *flags))
    return fleet.change(HostProcesses, host, livepeer=(changed, *others))


def says(fleet: FleetBuilder, node: str, **told: bool | None) -> FleetBuilder:
    return fleet.change(NodeIdentity, node, **told)


def seen(fleet: FleetBuilder, node: str) -> tuple[NodeType | None, tuple[Role, ...]]:
    observed = observe(fleet.snapshot(), fleet.fleet.nodes[node])
    return observed.node_type, observed.roles


def test_the_roles_of_a_healthy_fleet_are_those_declared() -> None:
    fleet = FleetBuilder()
    for node in fleet.fleet.nodes.values():
        if node.is_livepeer:
            assert set(seen(fleet, node.name)[1]) == node.roles
            assert severity(fleet, f"role-mismatch@{node.name}") is OK


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([("orchestrator", ""), ("transcoder", "")], NodeType.ORCHESTRATOR),
        ([("orchestrator", ""), ("redeemer", "true")], NodeType.REDEEMER),
        ([("orchestrator", "false"), ("transcoder", "1")], NodeType.TRANSCODER),
        ([("broadcaster", "")], NodeType.GATEWAY),
        ([("gateway", ""), ("aiWorker", "")], NodeType.AI_WORKER),
        ([("remoteSigner", ""), ("reward", "")], NodeType.REMOTE_SIGNER),
        ([("initializeRound", "")], NodeType.SERVICE),
        ([("monitor", "")], None),
    ],
)
def test_of_several_role_flags_the_strongest_counts(
    flags: list[tuple[str, str]], expected: NodeType | None
) -> None:
    fleet = runs(FleetBuilder().drop(NodeIdentity, "orch-1"), "edge-1", *flags)
    assert seen(fleet, "orch-1")[0] is expected


def test_an_orchestrator_that_runs_as_a_transcoder() -> None:
    fleet = runs(FleetBuilder(), "edge-1", ("transcoder", ""))
    says(fleet, "orch-1", is_orchestrator=False)
    found = finding(fleet, "role-mismatch@orch-1")
    assert found.severity is CRITICAL
    assert found.summary == "declared orchestrator, but runs as transcoder"
    assert any("-transcoder" in line for line in found.evidence)
    assert "not known" not in found.summary
    # It serves nobody, whatever it answers.
    assert "1 of 2" in finding(fleet, "orchestrators-serving@example").summary


def test_two_role_flags_of_which_one_does_not_count() -> None:
    fleet = runs(FleetBuilder(), "edge-1", ("orchestrator", ""), ("redeemer", ""))
    says(fleet, "orch-1", is_orchestrator=False, is_redeemer=True)
    found = finding(fleet, "role-mismatch@orch-1")
    assert found.severity is CRITICAL
    assert "of -redeemer, -orchestrator only the first counts" in found.summary


def test_the_nodes_own_word_tells_where_its_process_does_not() -> None:
    fleet = FleetBuilder().change(HostProcesses, "edge-1", livepeer=())
    assert severity(fleet, "role-mismatch@orch-1") is OK
    says(fleet, "orch-1", is_orchestrator=False)
    found = finding(fleet, "role-mismatch@orch-1")
    assert found.severity is CRITICAL
    assert "is no orchestrator" in found.summary


def test_the_label_of_its_metrics_names_a_transcoder() -> None:
    fleet = FleetBuilder().change(HostProcesses, "gpu-1", livepeer=())
    assert Role.TRANSCODER not in observe(fleet.snapshot(), fleet.fleet.nodes["trans-1"]).does
    fleet.change(NodeMetrics, "trans-1", node_type="trcr")
    assert seen(fleet, "trans-1") == (NodeType.TRANSCODER, (Role.TRANSCODER,))


def test_process_and_word_that_differ_are_told() -> None:
    fleet = says(FleetBuilder(), "orch-1", is_orchestrator=False)
    found = finding(fleet, "role-mismatch@orch-1")
    assert found.severity is WARNING
    assert "its process runs as orchestrator, but what answers says that it is not" in found.summary


@pytest.mark.parametrize(
    ("flags", "registered", "expected"),
    [
        ((("reward", ""),), True, OK),
        ((("redeemer", ""),), True, OK),
        ((("redeemer", ""),), False, CRITICAL),
        ((("redeemer", ""), ("reward", "false")), True, CRITICAL),
    ],
)
def test_whether_a_reward_node_calls(
    flags: tuple[tuple[str, str], ...], registered: bool, expected: object
) -> None:
    """Without -reward a node calls when its own account is registered, and else not."""
    fleet = FleetBuilder().change(OrchestratorRecord, "main", registered=registered)
    first, second = fleet.value(HostProcesses, "core-1").livepeer
    kept = tuple(flag for flag in second.flags if flag[0] != "reward")
    second = replace(second, flags=(*kept, *flags))
    fleet.change(HostProcesses, "core-1", livepeer=(first, second))
    says(fleet, "reward", is_redeemer=None, is_orchestrator=None)
    found = finding(fleet, "role-mismatch@reward")
    assert found.severity is expected
    if expected is CRITICAL:
        assert "does not call reward" in found.summary


def test_what_an_unread_environment_may_say_is_not_claimed() -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", registered=False)
    first, second = fleet.value(HostProcesses, "core-1").livepeer
    kept = tuple(flag for flag in second.flags if flag[0] != "reward")
    second = replace(second, flags=(*kept, ("redeemer", "")), unread=(Origin.ENVIRONMENT,))
    fleet.change(HostProcesses, "core-1", livepeer=(first, second))
    says(fleet, "reward", is_redeemer=True)
    assert "role-mismatch@reward" not in {i for i, f in by_id(fleet).items() if f.severity}


def test_a_transcoder_with_a_chain_and_a_key() -> None:
    fleet = runs(FleetBuilder(), "gpu-1", ("transcoder", ""), ("ethUrl", URL))
    found = finding(fleet, "role-mismatch@trans-1")
    assert found.severity is WARNING
    assert "acts on the chain" in found.summary


def test_a_reward_node_that_ended_because_nothing_was_asked_of_it() -> None:
    fleet = FleetBuilder().change(HostProcesses, "core-1", livepeer=())
    fleet.fail(NodeIdentity, "reward").fail(NodeStatus, "reward", ProblemKind.REFUSED)
    unit = "livepeer-reward.service"
    fleet.change_unit("core-1", unit, active="failed", sub="failed", exit_status=2, main_pid=None)
    fleet.change_unit("core-1", unit, result="exit-code")
    found = finding(fleet, "role-mismatch@reward")
    assert found.severity is CRITICAL
    assert "-reward is not given" in found.summary
    assert found.cause == "unit-state@reward"


def test_a_node_that_cannot_be_asked_is_unknown_because_of_its_host() -> None:
    found = finding(FleetBuilder().lose_host("edge-1"), "role-mismatch@orch-1")
    assert (found.severity, found.cause) == (UNKNOWN, "host-up@edge-1")


def test_settings_tell_where_they_are_from() -> None:
    fleet = FleetBuilder()
    flags = (("nodes", "https://a.example.org:8935"), ("orchestrator", ""), ("maxSessions", "7"))
    told = LivepeerProcess(
        1000,
        "livepeer",
        flags,
        unit=process("edge-1", fleet).unit,
        origins=(Origin.FILE, Origin.ENVIRONMENT, Origin.ARGUMENT),
        config_file="/etc/livepeer/o.conf",
    )
    fleet.change(HostProcesses, "edge-1", livepeer=(told,))
    node, snapshot = fleet.fleet.nodes["orch-1"], fleet.snapshot()
    found = settings_of(snapshot, node, observe(snapshot, node))
    by_name = {one.name: (one.value, one.origin) for one in found}
    assert by_name["nodes"] == (flags[0][1], "configuration file /etc/livepeer/o.conf")
    assert by_name["orchestrator"] == ("true", "environment")
    assert by_name["maxSessions"] == ("7", "command line")
    assert by_name["price for default"] == ("1200 wei/pixel", "/status")


def stray(fleet: FleetBuilder, host: str, *flags: tuple[str, str], unit: str = "") -> FleetBuilder:
    extra = LivepeerProcess(4242, "root", flags, unit=unit)
    there = fleet.value(HostProcesses, host).livepeer
    return fleet.change(HostProcesses, host, livepeer=(*there, extra))


def test_a_process_that_nobody_declared() -> None:
    fleet = stray(FleetBuilder(), "gpu-1", ("orchestrator", ""), unit="old.service")
    found = finding(fleet, "unknown-process@gpu-1")
    assert found.severity is WARNING
    assert "old.service (orchestrator)" in found.summary


def test_a_stranger_with_one_of_our_keys_is_worse() -> None:
    chain = ("ethUrl", URL)
    alone = stray(FleetBuilder(), "gpu-1", ("redeemer", ""), ("ethAcctAddr", REDEEMER), chain)
    found = finding(alone, "unknown-process@gpu-1")
    assert found.severity is CRITICAL
    assert "redeemer" in found.summary
    twin = stray(FleetBuilder(), "gpu-1", ("reward", ""), ("ethAcctAddr", REGISTERED), chain)
    assert severity(twin, "registered-key-once@main") is CRITICAL
    assert finding(twin, "unknown-process@gpu-1").cause == "registered-key-once@main"


def test_a_stranger_whose_environment_is_closed_may_act_with_the_key_that_it_names() -> None:
    fleet = FleetBuilder()
    flags = (("reward", ""), ("ethAcctAddr", REGISTERED))
    twin = LivepeerProcess(4242, "root", flags, unread=(Origin.ENVIRONMENT,))
    there = fleet.value(HostProcesses, "gpu-1").livepeer
    fleet.change(HostProcesses, "gpu-1", livepeer=(*there, twin))
    assert severity(fleet, "registered-key-once@main") is CRITICAL


def test_a_node_without_a_unit_is_known_by_its_port() -> None:
    fleet = FleetBuilder().configure_node("trans-1", service=None)
    there = process("gpu-1", fleet)
    fleet.change(HostProcesses, "gpu-1", livepeer=(replace(there, unit="", pid=77),))
    assert severity(fleet, "unknown-process@gpu-1") is OK
    seen_process = observe(fleet.snapshot(), fleet.fleet.nodes["trans-1"]).process
    assert seen_process is not None
    assert seen_process.pid == 77
    # At another port it may still be that node's, but it is not two.
    elsewhere = replace(there, unit="", pid=77, flags=(("transcoder", ""), ("cliAddr", ":6999")))
    fleet.change(HostProcesses, "gpu-1", livepeer=(elsewhere,))
    assert severity(fleet, "unknown-process@gpu-1") is OK
    fleet.change(HostProcesses, "gpu-1", livepeer=(elsewhere, replace(elsewhere, pid=78)))
    assert severity(fleet, "unknown-process@gpu-1") is WARNING


def test_a_host_that_hides_processes_is_not_called_free_of_strangers() -> None:
    fleet = FleetBuilder().change(HostProcesses, "gpu-1", hidden=True)
    assert "that may be seen" in finding(fleet, "unknown-process@gpu-1").summary


def test_no_value_of_a_delegates_key_is_taken_for_ours() -> None:
    fleet = stray(FleetBuilder(), "gpu-1", ("reward", ""), ("ethAcctAddr", DELEGATE))
    assert severity(fleet, "unknown-process@gpu-1") is WARNING
