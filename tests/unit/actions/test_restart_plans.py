"""Plans of coordinated restarts: order, waves, floors, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from lptui.actions.plan import OnFailure, Plan
from lptui.actions.restart import Restart
from lptui.actions.select import requests
from lptui.actions.taking_back import to_undo
from lptui.actions.waves import rank, waves
from lptui.fleet.declared import DeclaredCommand
from lptui.fleet.facts.balancer import AdminState, BalancerState
from lptui.fleet.facts.chain import SignerAccount
from lptui.fleet.facts.host import HostUnits, UnitLoad
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.topology import Role
from tests.snapshots import REDEEMER, FleetBuilder


def plan(fleet: FleetBuilder, *words: str, **options: str) -> Plan:
    snapshot = fleet.snapshot()
    chosen = tuple((name.replace("_", "-"), value) for name, value in options.items())
    [request] = requests(Restart(), snapshot, words, chosen)
    return Restart().plan(snapshot, request)


def order(made: Plan, title: str) -> list[str]:
    return [step.target for step in made.steps if step.title == title]


def test_what_is_needed_comes_first() -> None:
    made = plan(FleetBuilder(), "all")
    assert made.why_not == ""
    stopped = order(made, "stop")
    roles = FleetBuilder().fleet.nodes
    ranks = [rank(roles[name]) for name in stopped]
    assert ranks == sorted(ranks)
    assert stopped[0] == "nitro-1"
    assert set(stopped) == set(roles)


def test_each_wave_is_drained_stopped_started_proved_and_brought_back() -> None:
    made = plan(FleetBuilder(), "orch-1")
    assert [step.title for step in made.steps] == [
        "take out of service",
        "wait for sessions to end",
        "stop",
        "start",
        "see it well",
        "wait for its transcoders",
        "wait for health",
        "bring into service",
        "see traffic",
    ]
    assert {step.group for step in made.steps} == {"wave 1"}
    assert made.on_failure is OnFailure.STOP


def test_one_at_a_time_unless_more_are_allowed() -> None:
    fleet = FleetBuilder(orchestrators=3)
    assert len({step.group for step in plan(fleet, "role:orchestrator").steps}) == 3
    two = plan(fleet, "role:orchestrator", max_unavailable="2")
    assert len({step.group for step in two.steps}) == 2
    # Never so many that a pool would be empty.
    assert len({step.group for step in plan(fleet, "role:orchestrator", max_unavailable="9").steps})
    for wave in waves(fleet.snapshot(), list(fleet.fleet.nodes_with(Role.ORCHESTRATOR)), 9, 1):
        assert len(wave) < 3


def test_what_is_out_of_its_pools_stays_out() -> None:
    fleet = FleetBuilder().change_server("front", "o1", admin=AdminState.DRAIN)
    titles = [step.title for step in plan(fleet, "orch-1").steps]
    assert titles == ["stop", "start", "see it well", "wait for its transcoders"]


def test_an_orchestrator_without_transcoders_waits_for_none() -> None:
    fleet = FleetBuilder().change(NodeStatus, "orch-1", transcoders=(), transcoders_number=0)
    assert "rejoined" not in [step.kind for step in plan(fleet, "orch-1").steps]


def test_the_last_one_that_serves_is_not_restarted() -> None:
    fleet = FleetBuilder().change_server("front", "o2", admin=AdminState.DRAIN)
    assert "keeps at least 1" in plan(fleet, "orch-1").why_not


def test_none_is_restarted_whose_balancer_was_never_read() -> None:
    """Nobody knows then what it is sent, and it could not be drained."""
    fleet = FleetBuilder().drop(BalancerState, "front")
    assert plan(fleet, "orch-1").why_not.startswith("front read:")
    assert plan(fleet, "nitro-1").why_not == ""


def test_what_could_not_be_started_again_is_not_stopped() -> None:
    fleet = FleetBuilder()
    node = fleet.fleet.nodes["orch-1"]
    assert node.service is not None
    fleet.change_unit(node.host, node.service.name, load=UnitLoad.MASKED)
    assert "is masked: `systemctl unmask" in plan(fleet, "orch-1").why_not
    fleet.change_unit(node.host, node.service.name, load=UnitLoad.LOADED, refuses_start=True)
    assert "RefuseManualStart=yes" in plan(fleet, "orch-1").why_not
    assert "RefuseManualStart" not in plan(fleet, "orch-1", preset="reboot").why_not


def test_one_that_is_down_already_counts() -> None:
    fleet = FleetBuilder(orchestrators=3)
    node = fleet.fleet.nodes["orch-3"]
    assert node.service is not None
    fleet.change_unit(node.host, node.service.name, active="failed", sub="failed")
    assert "orch-3 down already" in plan(fleet, "orch-1").why_not
    assert plan(fleet, "orch-1", max_unavailable="2").why_not == ""
    assert plan(fleet, "orch-3").why_not == ""


def test_nothing_is_taken_from_a_transaction() -> None:
    fleet = FleetBuilder().configure_node("redeemer", account=REDEEMER)
    fleet.change(SignerAccount, REDEEMER, pending_nonce=901)
    assert "pending" in plan(fleet, "redeemer").why_not


def test_rpc_first_brings_the_rpc_along() -> None:
    made = plan(FleetBuilder(), "orch-1", preset="rpc-first")
    assert order(made, "stop") == ["nitro-1", "orch-1"]


def test_how_long_an_rpc_node_gets_is_the_operators_choice() -> None:
    made = plan(FleetBuilder(), "orch-1", preset="rpc-first", sync="7200")
    waits = {step.target: step.deadline_s for step in made.steps if step.title == "see it well"}
    assert waits == {"nitro-1": 7200.0, "orch-1": 120.0}


def test_a_stand_by_is_left_stopped() -> None:
    fleet = FleetBuilder()
    reward = fleet.fleet.nodes["reward"]
    assert reward.service is not None
    spare = replace(reward, name="spare", host="edge-1", standby_for="reward")
    nodes = MappingProxyType({**fleet.fleet.nodes, "spare": spare})
    fleet.configure(nodes=nodes)
    unit = fleet.value(HostUnits, reward.host).find(reward.service.name)
    there = fleet.value(HostUnits, "edge-1")
    stopped = replace(unit, active="inactive", sub="dead", main_pid=None)
    fleet.change(HostUnits, "edge-1", units=(*there.units, stopped))
    made = plan(fleet, "all")
    assert "spare" not in order(made, "stop")
    assert any("spare is a stand-by" in warning for warning in made.warnings)


def test_a_reboot_means_the_whole_host() -> None:
    fleet = FleetBuilder()
    host = fleet.fleet.nodes["reward"].host
    names = {node.name for node in fleet.fleet.nodes_on(host)}
    made = plan(fleet, "reward", preset="reboot")
    if len(names) > 1:
        assert "would go as well" in made.why_not
    whole = plan(fleet, f"host:{host}", preset="reboot")
    assert whole.why_not == ""
    kinds = [step.kind for step in whole.steps]
    assert kinds.index("reboot") > max(i for i, kind in enumerate(kinds) if kind == "unit-stop")
    assert kinds.index("reboot") < min(i for i, kind in enumerate(kinds) if kind == "unit-start")


def test_only_what_can_reload_is_reloaded() -> None:
    fleet = FleetBuilder()
    assert "no ExecReload" in plan(fleet, "redeemer", preset="reload").why_not
    node = fleet.fleet.nodes["redeemer"]
    assert node.service is not None
    fleet.change_unit(node.host, node.service.name, can_reload=True, changed_us=5)
    made = plan(fleet, "redeemer", preset="reload")
    assert [step.kind for step in made.steps] == ["unit-reload"]


def test_an_upgrade_runs_its_command_while_the_node_is_stopped() -> None:
    fleet = FleetBuilder()
    assert "upgrade's command" in plan(fleet, "redeemer", preset="upgrade").why_not
    command = DeclaredCommand("fetch", ("/opt/fetch", "{node}"), ("node",), "write")
    fleet.configure(commands=MappingProxyType({"fetch": command}))
    made = plan(fleet, "redeemer", **{"preset": "upgrade", "with": "fetch"})
    assert made.why_not == ""
    assert [step.title for step in made.steps] == ["stop", "run fetch", "start", "see it well"]
    assert "/opt/fetch redeemer" in made.steps[1].call
    assert made.steps[2].returns, "there is nothing to take back"


def test_an_upgrade_is_taken_back_under_a_stopped_node_until_it_was_seen_well() -> None:
    back = DeclaredCommand("fetch", ("/opt/fetch",), ("node",), "write", undo=("/opt/back",))
    fleet = FleetBuilder().configure(commands=MappingProxyType({"fetch": back}))
    made = plan(fleet, "redeemer", **{"preset": "upgrade", "with": "fetch"})
    titles = [step.title for step in made.steps]
    assert titles == ["stop", "run fetch", "start", "see it well"]
    taken_back = [titles[number] for number in to_undo(made, (0, 1, 2, 3), (0, 1, 2))]
    assert taken_back == ["start", "run fetch", "stop"]
    assert made.steps[2].gate, "one that does not stop is not changed under its feet"
    assert made.steps[2].deadline_s >= made.steps[0].deadline_s
    assert to_undo(made, (0, 1, 2, 3), (0, 1, 2, 3)) == ()


@pytest.mark.parametrize("missing", ["orch-1"])
def test_a_node_without_a_unit_is_no_target(missing: str) -> None:
    fleet = FleetBuilder().configure_node(missing, service=None)
    assert missing not in Restart().targets(fleet.snapshot())
