"""Plans of failovers of keys and of RPC endpoints: one holder at any time, and proof of it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from lptui.actions.failover import Failover
from lptui.actions.plan import Plan
from lptui.actions.select import requests, targets
from lptui.fleet.facts.environment import NodeEnvironment
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess, UnitLoad
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.topology import Rpc
from tests.snapshots import CHAIN_ID, REGISTERED, FleetBuilder


def plan(fleet: FleetBuilder, *words: str, **options: str) -> Plan:
    snapshot = fleet.snapshot()
    [request] = requests(Failover(), snapshot, words, tuple(options.items()))
    return Failover().plan(snapshot, request)


def kinds(made: Plan) -> list[tuple[str, str]]:
    return [(step.kind, step.target) for step in made.steps]


def with_spare() -> FleetBuilder:
    """The reward node on core-1, and a stopped stand-by for it on edge-1."""
    fleet = FleetBuilder()
    reward = fleet.fleet.nodes["reward"]
    assert reward.service is not None
    spare = replace(reward, name="spare", host="edge-1", cli=None, standby_for="reward")
    fleet.configure(nodes=MappingProxyType({**fleet.fleet.nodes, "spare": spare}))
    unit = fleet.value(HostUnits, reward.host).find(reward.service.name)
    there = fleet.value(HostUnits, "edge-1")
    stopped = replace(
        unit, active="inactive", sub="dead", main_pid=None, enabled="disabled", invocation=""
    )
    return fleet.change(HostUnits, "edge-1", units=(*there.units, stopped))


def test_the_old_holder_is_stopped_and_proved_stopped_before_the_new_one_starts() -> None:
    made = plan(with_spare(), "reward")
    assert made.why_not == ""
    assert kinds(made) == [
        ("unit-stop", "reward"),
        ("unit-boot", "reward"),
        ("proved-stopped", "reward"),
        ("unit-boot", "spare"),
        ("unit-start", "spare"),
        ("well", "spare"),
    ]
    start = next(step for step in made.steps if step.kind == "unit-start")
    assert start.gate
    assert made.fact("account")


def test_either_of_the_two_can_be_named() -> None:
    assert kinds(plan(with_spare(), "spare")) == kinds(plan(with_spare(), "reward"))


def test_a_host_that_cannot_be_asked_must_be_stated_to_be_off() -> None:
    fleet = with_spare().lose_host("core-1")
    refused = plan(fleet, "reward")
    assert "can be stopped" in refused.why_not
    [why] = [item for item in refused.refusals if "reward can be stopped" in item.name]
    assert "--fenced core-1" in why.remedy
    assert plan(fleet, "reward", fenced="edge-1").why_not
    stated = plan(fleet, "reward", fenced="core-1")
    assert stated.why_not == ""
    assert [target for _, target in kinds(stated)] == ["spare"] * len(stated.steps)
    assert any("two hosts act with one key" in warning for warning in stated.warnings)
    assert dict(stated.facts)["fenced"] == "core-1"


def test_two_that_run_with_one_key_are_told_apart_by_the_operator() -> None:
    fleet = with_spare()
    fleet.change_unit("edge-1", "livepeer-reward.service", active="active", sub="running")
    flags = (("reward", ""), ("ethAcctAddr", REGISTERED))
    process = LivepeerProcess(900, "livepeer", flags, unit="livepeer-reward.service")
    there = fleet.value(HostProcesses, "edge-1").livepeer
    fleet.change(HostProcesses, "edge-1", livepeer=(*there, process))
    assert "all run with one key" in plan(fleet, "reward").why_not
    kept = plan(fleet, "reward", to="reward")
    assert kept.why_not == ""
    assert ("unit-stop", "spare") in kinds(kept)
    assert ("unit-start", "reward") not in kinds(kept)


def test_a_stand_by_without_its_unit_is_refused() -> None:
    fleet = with_spare()
    fleet.change_unit("edge-1", "livepeer-reward.service", load=UnitLoad.NOT_FOUND)
    assert "has no unit" in plan(fleet, "reward").why_not


def test_that_a_stopped_stand_bys_key_is_not_seen_is_told_and_refuses_nothing() -> None:
    made = plan(with_spare(), "reward")
    assert made.why_not == ""
    [told] = made.warnings
    assert "whether edge-1 holds the key is not seen" in told
    assert "lptui keystore verify HOST:FILE" in told


def test_what_has_failed_over_is_done() -> None:
    fleet = with_spare()
    fleet.change_unit("core-1", "livepeer-reward.service", active="inactive", sub="dead")
    fleet.change_unit("edge-1", "livepeer-reward.service", active="active", sub="running")
    assert "active holder already" in plan(fleet, "reward", to="spare").done


def with_rpcs() -> FleetBuilder:
    """Two endpoints; orch-1 has its setting in a file."""
    fleet = FleetBuilder()
    second = Rpc("nitro-b", "http://192.0.2.80:8547", None, chain_id=CHAIN_ID)
    fleet.configure(rpcs=MappingProxyType({**fleet.fleet.rpcs, "nitro-b": second}))
    fleet.put(fleet.value(RpcHead, "nitro"), "nitro-b")
    fleet.configure_node("orch-1", environment_file="/etc/livepeer/orch.env")
    said = (("LP_ETHURL", "http://127.0.0.1:8547"),)
    return fleet.put(NodeEnvironment(said), "orch-1")


def test_consumers_are_drained_pointed_elsewhere_and_proved_by_their_watchers() -> None:
    fleet = with_rpcs()
    assert targets(Failover(), fleet.snapshot(), ("rpc:nitro",)) == ("rpc:nitro",)
    made = plan(fleet, "rpc:nitro", to="nitro-b")
    assert made.why_not == ""
    assert [kind for kind, _ in kinds(made)] == [
        "servers",
        "sessions",
        "unit-stop",
        "environment",
        "unit-start",
        "well",
        "watcher",
        "healthy",
        "servers",
        "traffic",
    ]
    edit = next(step for step in made.steps if step.kind == "environment")
    assert "LP_ETHURL=http://192.0.2.80:8547" in edit.call
    assert any("left as they are" in warning and "orch-2" in warning for warning in made.warnings)


def test_another_stalled_endpoint_is_no_help() -> None:
    fleet = with_rpcs()
    head = fleet.value(RpcHead, "nitro-b")
    fleet.change(RpcHead, "nitro-b", head_time=head.head_time - 3600)
    assert "nitro-b is well" in plan(fleet, "rpc:nitro", to="nitro-b").why_not


def test_an_address_of_another_hosts_loopback_must_be_said() -> None:
    fleet = with_rpcs()
    local = replace(fleet.fleet.rpcs["nitro-b"], url="http://127.0.0.1:8547", via="core-1")
    fleet.configure(rpcs=MappingProxyType({**fleet.fleet.rpcs, "nitro-b": local}))
    [why] = [item for item in plan(fleet, "rpc:nitro", to="nitro-b").refusals if not item.met]
    assert "--url" in why.remedy
    said = plan(fleet, "rpc:nitro", to="nitro-b", url="http://192.0.2.81:8547")
    assert said.why_not == ""


def test_an_endpoint_that_nobody_uses_by_a_file_is_no_target() -> None:
    assert "rpc:nitro" not in Failover().targets(FleetBuilder().snapshot())
