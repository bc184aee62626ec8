"""Steps on units: what they are planned with, and how far they are by what is read."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from types import MappingProxyType
from typing import Any

import pytest

from lptui.actions.moves import units
from lptui.actions.moves.enablement import BootMove
from lptui.actions.moves.holders import Trace, holder_in, holder_of, rivals, trace_of
from lptui.actions.moves.move import Seen, Standing
from lptui.actions.moves.running import StartMove, StopMove
from lptui.actions.moves.stopped import ProvedStoppedMove
from lptui.actions.moves.wellness import WellMove
from lptui.errors import RefusedError
from lptui.fleet.facts.host import (
    HostProcesses,
    HostUnits,
    LivepeerProcess,
    Trigger,
    Unit,
    UnitLoad,
)
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeIdentity, NodeStatus
from lptui.fleet.facts.rpc import NOT_OFFERED, RpcHead, SyncProgress
from lptui.fleet.topology import Node, Service, SupervisorKind
from tests.snapshots import CHAIN_ID, FleetBuilder

HOST = "core-1"
STOPPED: dict[str, Any] = {
    "active": "inactive",
    "sub": "dead",
    "main_pid": None,
    "invocation": "",
    "since_s": None,
}


def redeemer(fleet: FleetBuilder) -> Node:
    return fleet.fleet.nodes["redeemer"]


def unit_of(fleet: FleetBuilder, name: str = "redeemer") -> Unit:
    node = fleet.fleet.nodes[name]
    assert node.service is not None
    found: Unit = fleet.value(HostUnits, node.host).find(node.service.name)
    return found


def change(fleet: FleetBuilder, name: str = "redeemer", **changes: Any) -> FleetBuilder:
    """Changes what systemd says of a node's unit."""
    return fleet.change_unit(fleet.fleet.nodes[name].host, unit_of(fleet, name).name, **changes)


def stop(fleet: FleetBuilder) -> Seen:
    step = units.stop_step(FleetBuilder().snapshot(), redeemer(fleet))
    return StopMove().seen(step, fleet.snapshot(), None)


# Stopping.


@pytest.mark.parametrize(
    ("own", "deadline_s"),
    [(90.0, 95.0), (None, 95.0), (10.0, 15.0), (3600.0, 330.0), (inf, 330.0)],
)
def test_a_stop_may_take_what_the_unit_says_within_reason(
    own: float | None, deadline_s: float
) -> None:
    fleet = change(FleetBuilder(), stop_timeout_s=own)
    assert units.stop_step(fleet.snapshot(), redeemer(fleet)).deadline_s == deadline_s


@pytest.mark.parametrize(
    ("active", "sub", "standing"),
    [
        ("active", "running", Standing.BEFORE),
        ("activating", "auto-restart", Standing.BEFORE),
        ("activating", "start-pre", Standing.PARTLY),
        ("deactivating", "stop-sigterm", Standing.PARTLY),
        ("inactive", "dead", Standing.MADE),
        ("failed", "failed", Standing.MADE),
        ("inactive", "dead-before-auto-restart", Standing.BEFORE),
        ("failed", "failed-before-auto-restart", Standing.BEFORE),
    ],
)
def test_only_what_will_not_come_back_by_itself_is_stopped(
    active: str, sub: str, standing: Standing
) -> None:
    seen = stop(change(FleetBuilder(), active=active, sub=sub))
    assert seen.standing is standing
    assert f"is {active} ({sub}" in seen.words


def test_a_unit_that_ignores_sigterm_is_told_with_what_becomes_of_it() -> None:
    stuck = {"active": "deactivating", "sub": "stop-sigterm"}
    seen = stop(change(FleetBuilder(), **stuck, stop_timeout_s=600.0))
    assert "systemd kills it after 10 min" in seen.words
    seen = stop(change(FleetBuilder(), **stuck, stop_timeout_s=inf))
    assert "never to kill it" in seen.words


def test_a_host_that_cannot_be_read_leaves_it_unknown() -> None:
    assert stop(FleetBuilder().lose_host(HOST)).standing is Standing.UNKNOWN


def test_a_unit_that_nobody_may_stop_by_hand_is_refused() -> None:
    fleet = change(FleetBuilder(), refuses_stop=True)
    step = units.stop_step(fleet.snapshot(), redeemer(fleet))
    assert "RefuseManualStop" in StopMove().hindrance(step, fleet.snapshot())


def test_a_node_without_a_service_has_no_such_steps() -> None:
    fleet = FleetBuilder().configure_node("redeemer", service=None)
    with pytest.raises(RefusedError, match="neither its unit nor its container"):
        units.stop_step(fleet.snapshot(), redeemer(fleet))


def test_the_plan_of_a_unit_that_comes_and_goes_does_not_change_each_time() -> None:
    up = change(FleetBuilder(), restarts=7, since_s=1.0, invocation="one")
    down = change(
        FleetBuilder(), restarts=8, **STOPPED | {"active": "activating", "sub": "auto-restart"}
    )
    down.change(HostProcesses, HOST, livepeer=())
    for build in (units.stop_step, units.start_step, units.proved_stopped_step):
        first, second = (build(one.snapshot(), redeemer(one)) for one in (up, down))
        assert first == second


# Starting.


def start(fleet: FleetBuilder, before: FleetBuilder | None = None) -> Seen:
    step = units.start_step(fleet.snapshot(), redeemer(fleet))
    return StartMove().seen(step, fleet.snapshot(), before.snapshot() if before else None)


def test_a_unit_that_runs_is_started() -> None:
    stopped = change(FleetBuilder(), **STOPPED)
    assert start(stopped).standing is Standing.BEFORE
    assert start(FleetBuilder(), stopped).standing is Standing.MADE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"active": "failed", "sub": "failed", "result": "exit-code", "invocation": "new"},
            "see its log",
        ),
        ({"active": "failed", "sub": "failed", "result": "start-limit-hit"}, "too often in a row"),
        ({"invocation": "new"}, "it ended at once, by itself"),
    ],
)
def test_a_start_that_failed_is_not_waited_for(changes: dict[str, str], words: str) -> None:
    stopped = change(FleetBuilder(), **STOPPED)
    seen = start(change(FleetBuilder(), **STOPPED | changes), stopped)
    assert seen.standing is Standing.FAILED
    assert words in seen.words


def test_what_it_failed_of_before_says_nothing_of_this_start() -> None:
    failed = change(FleetBuilder(), **STOPPED | {"active": "failed", "invocation": "old"})
    assert start(failed, failed).standing is Standing.BEFORE
    assert start(failed).standing is Standing.BEFORE


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (UnitLoad.MASKED, "systemctl unmask"),
        (UnitLoad.NOT_FOUND, "does not exist"),
        (UnitLoad.OTHER, "systemctl status"),
    ],
)
def test_what_cannot_be_loaded_cannot_be_started(load: UnitLoad, words: str) -> None:
    fleet = change(FleetBuilder(), **STOPPED, load=load)
    step = units.start_step(fleet.snapshot(), redeemer(fleet))
    assert words in StartMove().hindrance(step, fleet.snapshot())


# Who holds a key.


def process(**flags: str) -> LivepeerProcess:
    return LivepeerProcess(9, "ops", tuple(flags.items()))


@pytest.mark.parametrize(
    ("flags", "is_same"),
    [
        ({"ethAcctAddr": "0xAA"}, True),
        ({"ethAcctAddr": "0xbb", "dataDir": "/srv/lp", "cliAddr": ":7935"}, False),
        ({"dataDir": "/srv/lp/"}, True),
        ({"dataDir": "/srv/other"}, False),
        ({"ethKeystorePath": "/srv/keys"}, True),
        ({"cliAddr": "0.0.0.0:7935"}, True),
        ({"cliAddr": "127.0.0.1:7936"}, False),
        ({"transcoder": "", "cliAddr": "127.0.0.1:7935"}, False),
        ({"transcoder": "", "orchestrator": "", "cliAddr": "127.0.0.1:7935"}, True),
        ({}, False),
    ],
)
def test_a_process_is_known_by_its_key_else_by_its_places(
    flags: dict[str, str], is_same: bool
) -> None:
    trace = Trace(account="0xaa", keystore="/srv/keys", datadir="/srv/lp", port="7935")
    assert trace.is_of(process(**flags)) is is_same


def test_a_data_folder_that_is_not_given_is_the_user_s_own_for_the_network() -> None:
    mine = trace_of(process(network="arbitrum-one-mainnet"))
    assert mine.datadir == "~ops/.lpData/arbitrum-one-mainnet"
    other = replace(process(network="arbitrum-one-mainnet"), user="root")
    assert not mine.is_of(other)


def test_a_holder_comes_back_from_a_step_as_it_was() -> None:
    fleet = FleetBuilder()
    holder = holder_of(fleet.snapshot(), redeemer(fleet))
    assert holder.seen == "yes"
    assert holder.trace.account == redeemer(fleet).account
    assert holder_in(str(holder)) == holder


def test_rivals_have_the_same_account_or_stand_by() -> None:
    fleet = FleetBuilder()
    own = redeemer(fleet)
    assert rivals(fleet.snapshot(), own) == ()
    twin = replace(own, name="twin", host="edge-1")
    spare = replace(own, name="spare", host="edge-2", account=None, standby_for="redeemer")
    nodes = {**fleet.fleet.nodes, "twin": twin, "spare": spare}
    fleet.configure(nodes=MappingProxyType(nodes))
    assert [node.name for node in rivals(fleet.snapshot(), own)] == ["twin", "spare"]
    assert [node.name for node in rivals(fleet.snapshot(), spare)] == ["redeemer"]
    fenced = units.start_step(fleet.snapshot(), own, fenced=("edge-1",))
    holders = [holder_in(text).service.node for name, text in fenced.given if name == "holder"]
    assert holders == ["redeemer", "spare"]
    assert fenced.gate
    assert not units.start_step(fleet.snapshot(), own, group="wave 1").gate


# Proof that it is stopped.


def stopped_for_good(**changes: Any) -> FleetBuilder:
    fleet = change(FleetBuilder(), **STOPPED | {"enabled": "disabled"} | changes)
    there = fleet.value(HostProcesses, HOST)
    others = tuple(one for one in there.livepeer if one.unit != unit_of(fleet).name)
    return fleet.change(HostProcesses, HOST, livepeer=others).drop(NodeStatus, "redeemer")


def prove(fleet: FleetBuilder, planned: FleetBuilder | None = None) -> Seen:
    step = units.proved_stopped_step((planned or FleetBuilder()).snapshot(), redeemer(fleet))
    return ProvedStoppedMove().seen(step, fleet.snapshot(), None)


def test_a_node_that_is_stopped_disabled_and_gone_is_proved_stopped() -> None:
    assert prove(stopped_for_good()).standing is Standing.MADE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"enabled": "enabled"}, "is enabled"),
        ({"enabled": "static", "pulled_in_by": ("fleet.target",)}, "fleet.target starts it"),
        ({"triggers": (Trigger("x.timer", "active", "static"),)}, "x.timer would start"),
        ({"active": "activating", "sub": "auto-restart"}, "auto-restart"),
        ({"main_pid": 7}, "inactive"),
    ],
)
def test_what_would_come_back_is_not_proved_stopped(changes: dict[str, Any], words: str) -> None:
    seen = prove(stopped_for_good(**changes))
    assert seen.standing in (Standing.BEFORE, Standing.FAILED)
    assert words in seen.words


def test_a_mask_keeps_it_down_whatever_wants_it() -> None:
    masked = {"enabled": "masked", "load": UnitLoad.MASKED, "pulled_in_by": ("fleet.target",)}
    assert prove(stopped_for_good(**masked)).standing is Standing.MADE


def test_a_cli_api_that_answers_is_a_process_that_runs() -> None:
    fleet = stopped_for_good()
    fleet.put(FleetBuilder().value(NodeStatus, "redeemer"), "redeemer")
    assert "still answers" in prove(fleet).words


def test_a_process_that_was_never_seen_proves_nothing_by_its_absence() -> None:
    """Its program has another name, say."""
    planned = FleetBuilder().change(HostProcesses, HOST, livepeer=())
    seen = prove(stopped_for_good(), planned)
    assert seen.standing is Standing.FAILED
    assert "not named livepeer" in seen.words
    assert "not named livepeer" in units.why_not_proved(planned.snapshot(), redeemer(planned))


def test_before_it_is_stopped_only_what_stopping_and_disabling_leave_is_named() -> None:
    fleet = change(FleetBuilder(), enabled="enabled", pulled_in_by=("multi-user.target",))
    assert units.why_not_proved(fleet.snapshot(), redeemer(fleet)) == ""
    fleet = change(FleetBuilder(), enabled="static", pulled_in_by=("fleet.target",))
    assert "fleet.target" in units.why_not_proved(fleet.snapshot(), redeemer(fleet))
    fleet = change(FleetBuilder(), triggers=(Trigger("x.timer", "active", "enabled"),))
    assert "x.timer" in units.why_not_proved(fleet.snapshot(), redeemer(fleet))
    fleet = FleetBuilder().change(HostProcesses, HOST, hidden=True)
    assert "hidepid" in units.why_not_proved(fleet.snapshot(), redeemer(fleet))


# Starting with the host.


def test_what_is_so_already_needs_no_undoing() -> None:
    fleet = change(FleetBuilder(), enabled="enabled")
    enable = units.enable_step(fleet.snapshot(), redeemer(fleet))
    assert enable.returns
    assert BootMove().seen(enable, fleet.snapshot(), None).standing is Standing.MADE
    disable = units.disable_step(fleet.snapshot(), redeemer(fleet))
    assert not disable.returns
    assert BootMove().seen(disable, fleet.snapshot(), None).standing is Standing.BEFORE


def test_a_unit_without_an_install_section_cannot_be_enabled() -> None:
    fleet = change(FleetBuilder(), enabled="static")
    assert "no [Install]" in units.why_not_enabled(fleet.snapshot(), redeemer(fleet))


@pytest.mark.parametrize(
    ("policy", "call", "undone"),
    [
        ("always", "docker update --restart=no", "docker update --restart=always"),
        ("unless-stopped", "docker update --restart=no", "docker update --restart=unless-stopped"),
    ],
)
def test_a_container_is_kept_down_by_its_restart_policy(
    policy: str, call: str, undone: str
) -> None:
    fleet = FleetBuilder()
    service = Service(SupervisorKind.CONTAINER, unit_of(fleet).name)
    change(fleet, restart_policy=policy, container="livepeer/go-livepeer:v0.8.9", enabled="")
    fleet.configure_node("redeemer", service=service)
    disable = units.disable_step(fleet.snapshot(), redeemer(fleet))
    assert disable.call.startswith(call)
    change(fleet, **STOPPED)
    back = replace(disable, given=tuple({**dict(disable.given), "to": "on"}.items()))
    assert BootMove().seen(back, fleet.snapshot(), None).standing is Standing.MADE
    assert undone.rpartition("=")[2] == dict(disable.given)["how"]


# Being well again.


def well(fleet: FleetBuilder, name: str, planned: FleetBuilder | None = None) -> Seen:
    step = units.well_step(
        (planned or FleetBuilder()).snapshot(), fleet.fleet.nodes[name], wait_s=9
    )
    return WellMove().seen(step, fleet.snapshot(), None)


def test_a_node_that_answers_as_before_is_well() -> None:
    seen = well(FleetBuilder(), "redeemer")
    assert seen.standing is Standing.MADE
    assert "acts as" in seen.words


def test_a_node_that_has_just_come_up_is_looked_at_again() -> None:
    assert well(change(FleetBuilder(), since_s=1.0), "redeemer").standing is Standing.BEFORE


def test_a_node_that_failed_is_not_waited_for() -> None:
    fleet = change(FleetBuilder(), active="failed", sub="failed")
    assert well(fleet, "redeemer").standing is Standing.FAILED


def test_a_node_that_lost_its_role_or_its_account_is_not_well() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "redeemer", is_redeemer=False)
    assert "is_redeemer false, and said true" in well(fleet, "redeemer").words
    fleet = FleetBuilder().change(NodeIdentity, "redeemer", account=None)
    assert well(fleet, "redeemer").standing is Standing.BEFORE
    fleet = FleetBuilder().fail(NodeStatus, "redeemer")
    assert "does not answer yet" in well(fleet, "redeemer").words


def test_an_rpc_node_is_well_when_it_is_synced_fresh_and_level() -> None:
    assert well(FleetBuilder(), "nitro-1").standing is Standing.MADE
    old = FleetBuilder()
    old.change(RpcHead, "nitro", head_time=old.now - 900, advanced_at=None)
    assert well(old, "nitro-1").standing is Standing.BEFORE
    syncing = FleetBuilder().change(RpcHead, "nitro", syncing=SyncProgress(5, 900))
    assert "syncing" in well(syncing, "nitro-1").words
    behind = FleetBuilder()
    behind.change(RpcHead, "nitro", head=behind.value(RpcHead, "nitro").head - 5000)
    assert "behind reference" in well(behind, "nitro-1").words
    wrong = FleetBuilder().change(RpcHead, "nitro", chain_id=CHAIN_ID + 1)
    assert well(wrong, "nitro-1").standing is Standing.FAILED
    silent = FleetBuilder().fail(RpcHead, "nitro")
    assert well(silent, "nitro-1").standing is Standing.BEFORE


def test_what_an_rpc_node_does_not_tell_is_not_taken_for_in_sync() -> None:
    mute = FleetBuilder().change(RpcHead, "nitro", errors=(("eth_syncing", "not an object"),))
    seen = well(mute, "nitro-1")
    assert seen.standing is Standing.UNKNOWN
    assert "rpc-syncing not known: not an object" in seen.words
    alone = FleetBuilder().fail(RpcHead, "reference")
    assert "no other endpoint of this chain answers" in well(alone, "nitro-1").words
    provider = FleetBuilder().change(RpcHead, "nitro", errors=(("eth_syncing", NOT_OFFERED),))
    assert well(provider, "nitro-1").standing is Standing.MADE


def test_a_transcoder_is_well_when_its_orchestrator_has_it_again() -> None:
    planned = FleetBuilder()
    works_for = (("transcoder", ""), ("orchAddr", "edge-1:8935"))
    [process] = planned.value(HostProcesses, "gpu-1").livepeer
    planned.change(HostProcesses, "gpu-1", livepeer=(replace(process, flags=works_for),))
    before = (ConnectedTranscoder("192.0.2.9:41000", 4), ConnectedTranscoder("192.0.2.8:5", 4))
    planned.change(NodeStatus, "orch-1", transcoders=before, transcoders_number=2)
    assert well(planned, "trans-1", planned).standing is Standing.BEFORE, "the old connection"
    gone = FleetBuilder().change(NodeStatus, "orch-1", transcoders=before[1:], transcoders_number=1)
    assert "1 transcoders registered of 2" in well(gone, "trans-1", planned).words
    again = (ConnectedTranscoder("192.0.2.9:42000", 4), before[1])
    back = FleetBuilder().change(NodeStatus, "orch-1", transcoders=again, transcoders_number=2)
    assert well(back, "trans-1", planned).standing is Standing.MADE
