"""Plans of failovers of keys and of RPC endpoints: one holder at any time, and proof of it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from lptui.actions.failover import Failover
from lptui.actions.moves.move import Standing
from lptui.actions.moves.rewarded import RewardedMove
from lptui.actions.plan import Plan, Precondition
from lptui.actions.select import requests, targets
from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import OrchestratorRecord, RewardHistory
from lptui.fleet.facts.environment import NodeEnvironment
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess, UnitLoad
from lptui.fleet.facts.keystore import KeyAtStart, KeyFile, NamedFile, Use
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.facts.reward import NodeReward
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.topology import Orchestrator, Role, Rpc
from lptui.fleet.units import Address
from tests.snapshots import CHAIN_ID, REGISTERED, FleetBuilder

KEY = KeyFile(f"UTC--2025-01-01T00-00-00.0Z--{REGISTERED[2:]}", REGISTERED, readable=True)
FOUND = KeyAtStart("livepeer", "/srv/lp/keystore", there=True, keys=(KEY,), enterable=True)


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
    fleet.put(FOUND, "spare")
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
        ("rewarded", "main"),
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
    assert {target for _, target in kinds(stated)} == {"spare", "main"}
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


def key(made: Plan) -> Precondition:
    """What the plan has to say of the new holder's key."""
    [one] = [one for one in made.preconditions if one.name == "spare has its key on edge-1"]
    return one


def files(made: Plan) -> Precondition:
    [one] = [one for one in made.preconditions if one.name.startswith("the files that livepeer-")]
    return one


def test_a_key_that_is_seen_by_its_name_is_told_with_its_place() -> None:
    made = plan(with_spare(), "reward")
    assert key(made).evidence == f"/srv/lp/keystore has {KEY.name}, by its name"
    assert made.warnings == ()


OTHERS = Address("0x" + "77" * 20)


@pytest.mark.parametrize(
    ("changes", "evidence", "remedy"),
    [
        ({"there": False, "keys": ()}, "/srv/lp/keystore is not there", "copy the key file"),
        ({"keys": ()}, "/srv/lp/keystore has no key, and none of 0xaaaa", "keystore verify"),
        (
            {"keys": (replace(KEY, account=OTHERS),)},
            "has 1 key of other accounts, and none of 0xaaaa",
            "copy the key file",
        ),
        ({"keys": (replace(KEY, readable=False),)}, "livepeer may not read it", "chown livepeer"),
        ({"enterable": False}, "livepeer may not look into it", "chown livepeer"),
        ({"account": OTHERS}, "its unit says -ethAcctAddr 0x7777", "set it to 0xaaaa"),
    ],
)
def test_a_key_that_is_known_not_to_be_there_refuses_whatever_is_stated(
    changes: dict[str, Any], evidence: str, remedy: str
) -> None:
    fleet = with_spare().put(replace(FOUND, **changes), "spare")
    for stated in ("", "edge-1"):
        made = plan(fleet, "reward", **{"has-key": stated})
        assert key(made).met is False
        assert evidence in key(made).evidence
        assert remedy in key(made).remedy
        assert not made.steps


@pytest.mark.parametrize(
    ("changes", "evidence"),
    [
        ({"there": None, "unknown": "the login may not run it"}, "/srv/lp/keystore: the login"),
        ({"path": "", "there": None, "unknown": "its unit starts /x"}, "its unit starts /x"),
        ({"keys": (KeyFile("key.json"),)}, "has key.json, which may be any account's by name"),
    ],
)
def test_a_key_that_is_not_seen_must_be_stated_to_be_there(
    changes: dict[str, Any], evidence: str
) -> None:
    fleet = with_spare().put(replace(FOUND, **changes), "spare")
    refused = plan(fleet, "reward")
    assert key(refused).met is None
    assert evidence in key(refused).evidence
    assert key(refused).remedy.endswith("--has-key edge-1")
    assert plan(fleet, "reward", **{"has-key": "core-1"}).why_not
    stated = plan(fleet, "reward", **{"has-key": "edge-1"})
    assert stated.why_not == ""
    assert "its operator states that it is there" in key(stated).evidence
    [told] = stated.warnings
    assert "whether edge-1 has the key is not seen" in told
    assert dict(stated.facts)["has-key"] == "edge-1"


def test_a_host_that_does_not_answer_for_its_key_is_no_reason_to_trust_it() -> None:
    fleet = with_spare().fail(KeyAtStart, "spare", ProblemKind.COMMAND_FAILED)
    assert key(plan(fleet, "reward")).met is None


def test_a_file_of_the_unit_that_is_not_there_refuses() -> None:
    lost = NamedFile("/etc/lp/pw", Use.PASSPHRASE, False)
    fleet = with_spare().put(replace(FOUND, files=(lost,)), "spare")
    refused = files(plan(fleet, "reward", **{"has-key": "edge-1"}))
    assert refused.met is False
    assert refused.evidence.startswith("/etc/lp/pw (passphrase) is not there: go-livepeer would")
    fleet.put(replace(FOUND, files=(replace(lost, there=None, why="closed"),)), "spare")
    assert files(plan(fleet, "reward")).met is None
    assert plan(fleet, "reward", **{"has-key": "edge-1"}).why_not == ""
    fleet.put(replace(FOUND, files=(replace(lost, there=True, readable=False),)), "spare")
    assert "livepeer may not read it" in files(plan(fleet, "reward")).evidence
    fleet.put(replace(FOUND, files=(replace(lost, there=True),)), "spare")
    assert files(plan(fleet, "reward")).evidence == "/etc/lp/pw (passphrase)"


def told_of_the_reward(fleet: FleetBuilder) -> str:
    """What the last step of the failover says once it is made."""
    [step] = [one for one in plan(fleet, "reward").steps if one.kind == "rewarded"]
    seen = RewardedMove().seen(step, fleet.snapshot(), None)
    assert seen.standing is Standing.MADE, "it is no reason to give the key back"
    return seen.words


def test_at_the_end_it_is_said_who_calls_reward_and_whether_it_was_called() -> None:
    fleet = with_spare()
    assert told_of_the_reward(fleet) == (
        "main: reward holds the registered key; its reward: called in round 4121"
    )
    record = fleet.value(OrchestratorRecord, "main")
    fleet.change(OrchestratorRecord, "main", last_reward_round=record.last_reward_round - 1)
    fleet.drop(RewardHistory, "main").drop(NodeReward, "reward").drop(NodeIdentity, "reward")
    words = told_of_the_reward(fleet)
    assert words.startswith("main: not known: NodeIdentity: not read yet; its reward: due in round")


def test_a_key_that_calls_no_reward_is_moved_without_a_word_of_it() -> None:
    fleet = with_spare()
    main = Orchestrator("main", REGISTERED, None)
    fleet.configure_chain(orchestrators=(main,))
    for name in ("reward", "spare"):
        roles = frozenset({Role.REDEEMER})
        fleet.configure_node(name, roles=roles, account=OTHERS, recipient=REGISTERED)
    fleet.put(replace(FOUND, keys=(replace(KEY, account=OTHERS),)), "spare")
    made = plan(fleet, "reward")
    assert made.steps
    assert "rewarded" not in [kind for kind, _ in kinds(made)]


def test_of_one_that_runs_already_no_key_is_asked() -> None:
    fleet = with_spare().put(replace(FOUND, there=False), "spare")
    fleet.change_unit("edge-1", "livepeer-reward.service", active="active", sub="running")
    made = plan(fleet, "reward", to="spare")
    assert "spare has its key on edge-1" not in [one.name for one in made.preconditions]


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
