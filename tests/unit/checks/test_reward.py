"""The reward's state, its limits at their edges, and the orchestrator's place in the active set."""

from __future__ import annotations

import pytest

from lptui.checks.reward import RewardState, assess
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardEvent,
    RewardHistory,
    RoundOutcome,
)
from lptui.fleet.facts.livepeer import NodeIdentity, NodeMetrics
from lptui.fleet.finding import Severity
from lptui.fleet.topology import Thresholds
from lptui.fleet.units import L1Block, L2Block, Lptu, Percent, Round
from tests.snapshots import HEAD, NETWORK, REWARD_TX, ROUND, ROUND_LENGTH, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

START = FleetBuilder().value(ChainRound, NETWORK).start_block


def not_called(*, blocks_left: int) -> FleetBuilder:
    """The round's reward is not called, with so many blocks left."""
    fleet = FleetBuilder()
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    fleet.change(RewardHistory, "main", events=())
    block = L1Block(START + ROUND_LENGTH - blocks_left)
    return fleet.change(ChainRound, NETWORK, block=block)


def test_called_with_its_log_as_evidence() -> None:
    found = finding(FleetBuilder(), "reward-due@main")
    assert found.severity is OK
    assert found.summary == f"called in round {ROUND}"
    assert any(REWARD_TX in line for line in found.evidence)
    assert found.action == ""


@pytest.mark.parametrize(
    ("blocks_left", "expected"),
    [
        (ROUND_LENGTH, OK),
        (3189, OK),  # 50 % of 6377 is 3188.5: more than half is left
        (3188, WARNING),
        (601, WARNING),
        (600, CRITICAL),
        (1, CRITICAL),
        (0, CRITICAL),
    ],
)
def test_severity_rises_as_the_blocks_run_out(blocks_left: int, expected: Severity) -> None:
    found = finding(not_called(blocks_left=blocks_left), "reward-due@main")
    assert found.severity is expected
    assert found.action == "reward"
    assert found.remedy
    assert found.metrics[0].value == blocks_left


def test_the_deadline_is_told_in_blocks_and_in_time() -> None:
    found = finding(not_called(blocks_left=600), "reward-due@main")
    assert "600 blocks (2 h 00 min) left" in found.summary
    assert found.metrics[0].warn == "3189:"
    assert found.metrics[0].critical == "601:"


@pytest.mark.parametrize(("into", "expected"), [(149, OK), (150, WARNING)])
def test_no_alarm_within_the_grace_after_the_rounds_start(into: int, expected: Severity) -> None:
    # 150 blocks of 12 s are the 1800 s of grace.
    fleet = not_called(blocks_left=ROUND_LENGTH - into).limit(reward_warn_left=Percent(100.0))
    assert severity(fleet, "reward-due@main") is expected


def test_limits_longer_than_a_short_round_are_cut_to_a_quarter_of_it() -> None:
    def state(block: int) -> Severity:
        fleet = FleetBuilder()
        fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
        fleet.change(RewardHistory, "main", events=())
        fleet.change(ChainRound, NETWORK, length=20, block=L1Block(START + block))
        return severity(fleet, "reward-due@main")

    assert [state(block) for block in (0, 4, 9, 10, 14, 15, 20)] == [
        OK, OK, OK, WARNING, WARNING, CRITICAL, CRITICAL,
    ]  # fmt: skip


def test_an_uninitialised_round_blames_nobody() -> None:
    fleet = not_called(blocks_left=100).change(ChainRound, NETWORK, initialized=False)
    found = finding(fleet, "reward-due@main")
    assert found.severity is OK
    assert "not initialised" in found.summary
    assert found.action == ""


@pytest.mark.parametrize("change", [{"active": False}, {"registered": False}])
def test_without_a_place_in_the_set_there_is_nothing_to_call(change: dict[str, bool]) -> None:
    fleet = not_called(blocks_left=100).change(OrchestratorRecord, "main", **change)
    assert severity(fleet, "reward-due@main") is OK
    assert severity(fleet, "orchestrator-active@main") is CRITICAL


def test_a_paused_protocol_explains_the_missing_call() -> None:
    found = by_id(not_called(blocks_left=100).change(ChainRound, NETWORK, paused=True))
    assert found["controller-paused@arbitrum-one-mainnet"].severity is CRITICAL
    assert found["reward-due@main"].severity is WARNING
    assert found["reward-due@main"].cause == "controller-paused@arbitrum-one-mainnet"


def test_record_and_log_that_contradict_each_other_are_told() -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    found = finding(fleet, "reward-due@main")
    assert found.severity is WARNING
    assert "disagree" in found.summary


@pytest.mark.parametrize(("since", "expected"), [(100, WARNING), (101, OK)])
def test_a_call_without_its_log_is_told_where_all_logs_were_seen(
    since: int, expected: Severity
) -> None:
    fleet = FleetBuilder().change(
        RewardHistory,
        "main",
        events=(),
        rounds=((ROUND, RoundOutcome.CALLED),),
        starts=((ROUND, L2Block(100)),),
        since_block=L2Block(since),
    )
    found = finding(fleet, "reward-due@main")
    assert found.severity is expected
    assert ("disagree" in found.summary) is (expected is WARNING)
    # Called only after the logs were read.
    fleet.change(RewardHistory, "main", rounds=((ROUND, RoundOutcome.PENDING),))
    assert severity(fleet, "reward-due@main") is OK


def test_the_node_that_is_to_call_is_named_with_what_it_counts() -> None:
    fleet = not_called(blocks_left=600).change(NodeMetrics, "reward", reward_errors=1)
    found = finding(fleet, "reward-due@main")
    assert found.remedy == "call reward now on reward"
    assert any("reward counts 1 failed call" in line for line in found.evidence)
    fleet.change(NodeIdentity, "reward", tx_routes=False)
    assert "-enableCliTxRoutes" in finding(fleet, "reward-due@main").remedy
    fleet.fail(NodeIdentity, "reward")
    assert "on the node that holds the key" in finding(fleet, "reward-due@main").remedy


def test_a_log_younger_than_the_record_is_believed() -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    event = RewardEvent(ROUND, L2Block(HEAD + 10), REWARD_TX, Lptu(10**18))
    fleet.change(RewardHistory, "main", events=(event,))
    found = finding(fleet, "reward-due@main")
    assert found.severity is OK
    assert found.summary == f"called in round {ROUND}"


def test_a_record_of_a_later_round_than_the_clocks_is_called() -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", last_reward_round=Round(ROUND + 1))
    assert severity(fleet, "reward-due@main") is OK


@pytest.mark.parametrize("topic", [ChainRound, OrchestratorRecord])
def test_without_the_chain_the_state_is_unknown(topic: type) -> None:
    target = NETWORK if topic is ChainRound else "main"
    assert severity(FleetBuilder().fail(topic, target), "reward-due@main") is UNKNOWN
    # Read every 6 s: three intervals and what the asking took.
    assert severity(FleetBuilder().age(topic, target, 18.0), "reward-due@main") is OK
    assert severity(FleetBuilder().age(topic, target, 18.1), "reward-due@main") is UNKNOWN


def test_without_logs_the_record_is_enough_and_the_lack_is_told() -> None:
    found = finding(FleetBuilder().fail(RewardHistory, "main"), "reward-due@main")
    assert found.severity is OK
    assert any("Reward logs not known" in line for line in found.evidence)


def test_states_have_names_for_the_screen() -> None:
    fleet = not_called(blocks_left=3000)
    clock, record = fleet.value(ChainRound, NETWORK), fleet.value(OrchestratorRecord, "main")
    assert assess(clock, record, None, Thresholds(), 12.0).state is RewardState.OVERDUE


def history(*outcomes: RoundOutcome) -> FleetBuilder:
    """The rounds before the current one, newest last."""
    count = len(outcomes)
    rounds = [(Round(ROUND - count + at), outcome) for at, outcome in enumerate(outcomes)]
    rounds.append((ROUND, RoundOutcome.PENDING))
    return FleetBuilder().change(RewardHistory, "main", rounds=tuple(rounds))


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([RoundOutcome.CALLED, RoundOutcome.MISSED], WARNING),
        ([RoundOutcome.MISSED, RoundOutcome.CALLED], OK),
        ([RoundOutcome.CALLED, RoundOutcome.UNKNOWN], UNKNOWN),
        ([RoundOutcome.CALLED, RoundOutcome.INACTIVE], OK),
        ([RoundOutcome.CALLED, RoundOutcome.NOT_INITIALIZED], OK),
        ([], UNKNOWN),
    ],
)
def test_only_the_last_finished_round_raises_an_alarm(
    outcomes: list[RoundOutcome], expected: Severity
) -> None:
    assert severity(history(*outcomes), "reward-missed@main") is expected


@pytest.mark.parametrize(
    ("last", "outcome", "expected"),
    [
        (ROUND - 1, RoundOutcome.PENDING, OK),
        (ROUND - 2, RoundOutcome.PENDING, WARNING),
        # Called in the new round already: of the one before it only the logs can tell.
        (ROUND, RoundOutcome.PENDING, UNKNOWN),
        (ROUND - 2, RoundOutcome.NOT_INITIALIZED, WARNING),
    ],
)
def test_a_round_that_was_open_when_the_logs_were_read_is_settled_by_the_record(
    last: int, outcome: RoundOutcome, expected: Severity
) -> None:
    rounds = ((Round(ROUND - 2), RoundOutcome.CALLED), (Round(ROUND - 1), outcome))
    fleet = FleetBuilder().change(RewardHistory, "main", rounds=rounds)
    fleet.change(ChainRound, NETWORK, initialized=False, last_initialized=Round(ROUND - 1))
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(last))
    assert severity(fleet, "reward-missed@main") is expected
    fleet.age(OrchestratorRecord, "main", 60.0)
    assert severity(fleet, "reward-missed@main") is UNKNOWN


def test_a_round_that_was_skipped_stays_so() -> None:
    rounds = ((Round(ROUND - 1), RoundOutcome.NOT_INITIALIZED),)
    fleet = FleetBuilder().change(RewardHistory, "main", rounds=rounds)
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 2))
    assert severity(fleet, "reward-missed@main") is OK


def test_older_misses_are_told() -> None:
    found = finding(history(RoundOutcome.MISSED, RoundOutcome.CALLED), "reward-missed@main")
    assert f"missed earlier: {ROUND - 2}" in found.summary


def test_logs_that_end_before_the_last_round_say_nothing_of_it() -> None:
    rounds = ((Round(ROUND - 3), RoundOutcome.CALLED),)
    fleet = FleetBuilder().change(RewardHistory, "main", rounds=rounds)
    assert severity(fleet, "reward-missed@main") is UNKNOWN


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, OK),
        ({"deactivation_round": Round(ROUND + 1)}, WARNING),
        ({"active": False, "activation_round": Round(ROUND + 1)}, WARNING),
        ({"active": False, "deactivation_round": ROUND}, CRITICAL),
        ({"active": False}, CRITICAL),
        ({"registered": False, "active": False}, CRITICAL),
    ],
)
def test_place_in_the_active_set(change: dict[str, object], expected: Severity) -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", **change)
    assert severity(fleet, "orchestrator-active@main") is expected


@pytest.mark.parametrize(
    ("into", "expected"),
    [(0, OK), (75, OK), (76, WARNING), (5776, WARNING), (5777, CRITICAL), (6377, CRITICAL)],
)
def test_a_round_that_nobody_initialises(into: int, expected: Severity) -> None:
    # 900 s of grace are 75 blocks; critical with 600 blocks left.
    fleet = FleetBuilder().change(
        ChainRound, NETWORK, initialized=False, block=L1Block(START + into)
    )
    found = finding(fleet, f"round-initialized@{NETWORK}")
    assert found.severity is expected
    assert found.action == "initialize-round"
