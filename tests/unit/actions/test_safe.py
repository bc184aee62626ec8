"""`restart --when-safe`: what keeps a node from being taken away at this moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.actions.moves.move import Standing
from lptui.actions.moves.registry import MOVES
from lptui.actions.plan import Plan
from lptui.actions.restart import Restart
from lptui.actions.select import requests
from lptui.config.windows import window
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, SignerAccount
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.guards import Guards
from lptui.fleet.units import L1Block, Round
from tests.snapshots import NETWORK, REGISTERED, ROUND, ROUND_LENGTH, FleetBuilder


def plan(fleet: FleetBuilder, *words: str, **options: str) -> Plan:
    snapshot = fleet.snapshot()
    chosen = (("when-safe", "yes"), *options.items())
    [request] = requests(Restart(), snapshot, words, tuple(chosen))
    return Restart().plan(snapshot, request)


def why_not(fleet: FleetBuilder, *words: str, **options: str) -> str:
    return plan(fleet, *words, **options).why_not


def left(fleet: FleetBuilder, blocks: int) -> FleetBuilder:
    clock = fleet.value(ChainRound, NETWORK)
    block = L1Block(clock.start_block + ROUND_LENGTH - blocks)
    return fleet.change(ChainRound, NETWORK, block=block)


def uncalled() -> FleetBuilder:
    return FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))


def test_a_node_whose_work_is_done_may_go_and_the_plan_shows_why() -> None:
    made = plan(FleetBuilder(), "reward")
    assert made.why_not == ""
    told = {one.name: one.evidence for one in made.preconditions}
    assert told["main's reward of the round is called"] == f"called in round {ROUND}"
    assert "at least 300 wanted" in told["the round's end is not near"]
    assert "at any time" in told["inside a maintenance window"]


def test_without_the_word_nothing_of_it_is_asked() -> None:
    snapshot = uncalled().snapshot()
    [request] = requests(Restart(), snapshot, ("reward",), ())
    made = Restart().plan(snapshot, request)
    assert made.why_not == ""
    assert "wait until it is safe" not in [step.title for step in made.steps]


@pytest.mark.parametrize(
    ("node", "waits"),
    [("reward", True), ("nitro-1", True), ("redeemer", False), ("orch-1", False)],
    ids=["who calls", "whose RPC node", "redeemer", "orchestrator with its own key"],
)
def test_a_reward_that_is_still_to_call_keeps_its_caller(node: str, waits: bool) -> None:
    told = why_not(uncalled(), node)
    assert ("main's reward of the round is called" in told) is waits
    if waits:
        assert f"last called in round {ROUND - 1}" in told
    else:
        assert told == ""


def test_an_orchestrator_that_is_not_active_has_no_reward_to_call() -> None:
    assert why_not(uncalled().change(OrchestratorRecord, "main", active=False), "reward") == ""


@pytest.mark.parametrize(("blocks", "near"), [(299, True), (300, False)])
def test_the_end_of_a_round_is_no_time_for_it(blocks: int, near: bool) -> None:
    told = why_not(left(FleetBuilder(), blocks), "redeemer")
    assert told.startswith("the round's end is not near") is near


def test_the_margin_is_the_operator_s() -> None:
    fleet = left(FleetBuilder(), 10).configure(guards=Guards(safe_blocks=5))
    assert why_not(fleet, "redeemer") == ""


def test_a_transcoder_does_not_care_for_rounds() -> None:
    fleet = left(uncalled(), 1)
    for host in ("gpu-1",):
        gpus = fleet.value(HostGpus, host).gpus
        fleet.change(HostGpus, host, gpus=tuple(replace(g, encoder_sessions=0) for g in gpus))
    assert why_not(fleet, "trans-1") == ""


def test_sessions_keep_a_node_that_no_balancer_leads_them_away_from() -> None:
    assert why_not(FleetBuilder(), "trans-1") == (
        "trans-1 has no sessions: 8 sessions, by encoder sessions on gpu-1"
    )
    fleet = FleetBuilder().change_server("front", "o1", admin=AdminState.DRAIN)
    assert "orch-1 has no sessions: 10 sessions" in why_not(fleet, "orch-1")
    fleet.change(NodeMetrics, "orch-1", current_sessions=0)
    assert why_not(fleet, "orch-1") == ""
    fleet.change(NodeMetrics, "orch-1", current_sessions=None)
    assert "neither its metrics" in why_not(fleet, "orch-1")


def test_a_node_in_service_is_drained_and_its_own_sessions_are_waited_for() -> None:
    titles = [step.title for step in plan(FleetBuilder(), "orch-1").steps]
    assert titles[:5] == [
        "wait until it is safe",
        "take out of service",
        "wait for sessions to end",
        "wait for its sessions to end",
        "stop",
    ]
    assert "does not wait for them" in why_not(FleetBuilder(), "orch-1", late="cut")


@pytest.mark.parametrize("topic", [ChainRound, OrchestratorRecord, SignerAccount])
def test_what_is_not_known_is_not_safe(topic: type) -> None:
    target = {ChainRound: NETWORK, OrchestratorRecord: "main", SignerAccount: str(REGISTERED)}
    fleet = FleetBuilder().fail(topic, target[topic])
    refused = plan(fleet, "reward").refusals
    assert refused
    assert all(one.met is None for one in refused)
    assert plan(FleetBuilder().age(topic, target[topic], 600.0), "reward").refusals


def test_a_chain_that_stands_still_is_not_known() -> None:
    fleet = FleetBuilder()
    old = fleet.now - 3600.0
    fleet.change(ChainRound, NETWORK, head_time=old)
    for rpc in ("nitro", "reference"):
        fleet.change(RpcHead, rpc, head_time=old, advanced_at=old)
    assert why_not(fleet, "reward") == "the round is known: the endpoint's head is old"


def test_the_window_that_now_is_in_is_named() -> None:
    inside = Guards(windows=(window("00:00-24:00"),))
    told = plan(FleetBuilder().configure(guards=inside), "reward").preconditions
    assert [one.evidence for one in told if "window" in one.name] == ["00:00-24:00 UTC"]


def test_a_later_wave_waits_for_its_turn() -> None:
    made = plan(FleetBuilder(), "reward")
    [step] = [step for step in made.steps if step.kind == "safe"]
    move = MOVES["safe"]
    assert move.sources(step) == (("chain", NETWORK),)

    def standing(fleet: FleetBuilder) -> Standing:
        return move.seen(step, fleet.snapshot(), None).standing

    assert standing(FleetBuilder()) is Standing.MADE
    assert standing(uncalled()) is Standing.BEFORE
    assert standing(left(FleetBuilder(), 10)) is Standing.BEFORE
    assert standing(FleetBuilder().fail(ChainRound, NETWORK)) is Standing.UNKNOWN
