"""The reward's state, its limits at their edges, and the orchestrator's place in the active set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.checks.reward import RewardState, assess
from lptui.errors import ProblemKind
from lptui.fleet.deadline import block_time, time_left
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardEvent,
    RewardHistory,
    RoundOutcome,
)
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics
from lptui.fleet.facts.reward import (
    ExplorerReward,
    ExplorerRewards,
    Hindrance,
    L1Pace,
    NodeReward,
    RewardWatch,
    RoundNote,
    RoundSeen,
)
from lptui.fleet.finding import Severity
from lptui.fleet.reading import Key
from lptui.fleet.topology import Endpoint, Thresholds
from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Percent, Round
from tests.snapshots import HEAD, NETWORK, NOW, REWARD_TX, ROUND, ROUND_LENGTH, FleetBuilder
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
    # Measured over 20 hours: 10 blocks of 6000 unsure, and a step of the L1 view.
    assert "600 blocks (~2 h 00 min ± 1) left" in found.summary
    assert any("12.00 s as measured" in line for line in found.evidence)
    assert found.metrics[0].warn == "3189:"
    assert found.metrics[0].critical == "601:"


def test_a_deadline_that_was_not_measured_is_as_configured_and_less_sure() -> None:
    fleet = not_called(blocks_left=600).drop(L1Pace, NETWORK)
    found = finding(fleet, "reward-due@main")
    assert "600 blocks (~2 h 00 min ± 3) left" in found.summary
    assert any("12 s as configured" in line for line in found.evidence)


@pytest.mark.parametrize(("into", "expected"), [(149, OK), (151, WARNING)])
def test_no_alarm_within_the_grace_after_the_rounds_start(into: int, expected: Severity) -> None:
    # 150 blocks of 12 s are the 1800 s of grace.
    fleet = not_called(blocks_left=ROUND_LENGTH - into).limit(reward_warn_left=Percent(100.0))
    assert severity(fleet, "reward-due@main") is expected


@pytest.mark.parametrize(("ago_s", "expected"), [(1799.0, OK), (1801.0, WARNING)])
def test_the_grace_begins_when_the_round_is_initialised(ago_s: float, expected: Severity) -> None:
    fleet = not_called(blocks_left=3000).change(RewardHistory, "main", begun_at=NOW - ago_s)
    assert severity(fleet, "reward-due@main") is expected


def test_the_grace_of_a_round_that_began_late_does_not_eat_what_is_left() -> None:
    # Initialised 100 blocks before its end: a quarter of those 1200 s is what the caller gets.
    fleet = not_called(blocks_left=80).change(RewardHistory, "main", begun_at=NOW - 240)
    assert severity(fleet, "reward-due@main") is OK
    fleet = not_called(blocks_left=60).change(RewardHistory, "main", begun_at=NOW - 480)
    assert severity(fleet, "reward-due@main") is CRITICAL


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
    assert found.cause == "reward-disagrees@main"
    told = finding(fleet, "reward-disagrees@main")
    assert told.severity is WARNING
    assert "Reward log says called" in told.summary
    assert f"contract at nitro says not (lastRewardRound {ROUND - 1})" in told.summary
    assert told.remedy


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


def test_without_the_round_the_state_is_unknown() -> None:
    assert severity(FleetBuilder().fail(ChainRound, NETWORK), "reward-due@main") is UNKNOWN
    # Read every 6 s: three intervals and what the asking took.
    assert severity(FleetBuilder().age(ChainRound, NETWORK, 18.0), "reward-due@main") is OK
    assert severity(FleetBuilder().age(ChainRound, NETWORK, 18.1), "reward-due@main") is UNKNOWN


def test_without_logs_the_record_is_enough_and_the_lack_is_told() -> None:
    found = finding(FleetBuilder().fail(RewardHistory, "main"), "reward-due@main")
    assert found.severity is OK
    assert any("Reward log: not known" in line for line in found.evidence)


class TestWithoutTheRecord:
    """What the next best source says counts, and is named."""

    def test_the_log_of_a_call_is_enough(self) -> None:
        found = finding(FleetBuilder().fail(OrchestratorRecord, "main"), "reward-due@main")
        assert found.severity is OK
        assert found.summary == f"called in round {ROUND} by the word of Reward log alone"
        assert any(line.startswith("contract at nitro: not known") for line in found.evidence)

    def test_all_logs_of_the_round_without_it_mean_that_it_is_not_called(self) -> None:
        fleet = not_called(blocks_left=600).fail(OrchestratorRecord, "main")
        fleet.change(RewardHistory, "main", starts=((ROUND, L2Block(HEAD - 9000)),))
        found = finding(fleet, "reward-due@main")
        assert found.severity is CRITICAL
        assert "by the word of Reward log alone" in found.summary
        assert found.action == "reward"

    def test_the_nodes_word_is_the_last(self) -> None:
        fleet = FleetBuilder().fail(OrchestratorRecord, "main").fail(RewardHistory, "main")
        found = finding(fleet, "reward-due@main")
        assert found.severity is OK
        assert "by the word of node reward alone" in found.summary

    def test_when_nobody_says_it_is_unknown_and_says_what_each_lacks(self) -> None:
        fleet = FleetBuilder().fail(OrchestratorRecord, "main").fail(RewardHistory, "main")
        found = finding(fleet.fail(NodeReward, "reward"), "reward-due@main")
        assert found.severity is UNKNOWN
        for source in ("contract at nitro", "Reward log", "node reward"):
            assert f"{source}: " in found.summary
        assert found.remedy


def test_all_sources_that_agree_are_named() -> None:
    found = finding(FleetBuilder(), "reward-disagrees@main")
    assert found.severity is OK
    assert found.summary == (f"round {ROUND} called by contract at nitro, Reward log, node reward")


class TestTheNodesWord:
    """It comes through the node's own RPC endpoint, and at another moment than ours."""

    def not_by_the_chain(self, **word: object) -> FleetBuilder:
        fleet = not_called(blocks_left=3000).change(NodeReward, "reward", **word)
        return fleet.change(RewardHistory, "main", starts=((ROUND, L2Block(HEAD - 9000)),))

    def test_called_while_a_later_block_does_not_show_it(self) -> None:
        fleet = self.not_by_the_chain()
        found = finding(fleet, "reward-disagrees@main")
        assert found.severity is WARNING
        assert "node reward says called" in found.summary
        assert "contract at nitro says not" in found.summary
        assert "RPC endpoint behind node reward" in found.remedy
        # The chain decides: it still has to be called.
        assert finding(fleet, "reward-due@main").action == "reward"

    def test_called_after_the_block_that_we_know_is_only_news(self) -> None:
        fleet = self.not_by_the_chain().age(NodeReward, "reward", 1.0)
        assert severity(fleet, "reward-disagrees@main") is OK

    def test_not_called_though_it_has_seen_the_block_of_the_call(self) -> None:
        fleet = FleetBuilder().change(NodeReward, "reward", last_reward_round=Round(ROUND - 1))
        event = fleet.value(RewardHistory, "main").event_of(ROUND)
        fleet.change(NodeBlock, "reward", block=L2Block(event.block - 1)).age(
            NodeBlock, "reward", 25.0
        )
        fleet.readings[Key(NodeBlock, "reward")] = replace(
            fleet.readings[Key(NodeBlock, "reward")], interval_s=60.0
        )
        assert severity(fleet, "reward-disagrees@main") is OK
        fleet.change(NodeBlock, "reward", block=event.block)
        assert severity(fleet, "reward-disagrees@main") is WARNING

    @pytest.mark.parametrize(
        "word",
        [
            {"address": Address("0x" + "12" * 20)},
            {"last_reward_round": Round(ROUND - 2), "round": Round(ROUND - 1)},
            {"last_reward_round": None, "errors": (("/orchestratorInfo", "HTTP 500"),)},
        ],
    )
    def test_of_another_account_or_round_it_says_nothing(self, word: dict[str, object]) -> None:
        fleet = self.not_by_the_chain(**word)
        found = finding(fleet, "reward-disagrees@main")
        assert found.severity is OK
        assert "node reward" not in found.summary


class TestTheExplorer:
    """A witness that indexes when it pleases."""

    def asked(self, *rewards: ExplorerReward) -> FleetBuilder:
        fleet = FleetBuilder()
        chain = fleet.fleet.chain
        assert chain is not None
        explorer = Endpoint("https://explorer.example/api", None)
        fleet.fleet = replace(fleet.fleet, chain=replace(chain, explorer=explorer))
        fleet.change(RewardHistory, "main", starts=((ROUND, L2Block(HEAD - 9000)),))
        value = ExplorerRewards(rewards, L2Block(HEAD - 9_000_000))
        return fleet.put(value, "main", age=30.0, interval=600.0)

    def test_agrees(self) -> None:
        fleet = self.asked(ExplorerReward(L2Block(HEAD - 500), REWARD_TX, Lptu(10**18), NOW - 90))
        assert "explorer" in finding(fleet, "reward-disagrees@main").summary

    def test_has_a_call_that_the_contract_does_not_know_of(self) -> None:
        call = ExplorerReward(L2Block(HEAD - 500), REWARD_TX, Lptu(10**18), NOW - 90)
        fleet = self.asked(call)
        fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
        fleet.change(RewardHistory, "main", events=()).fail(NodeReward, "reward")
        found = finding(fleet, "reward-disagrees@main")
        assert found.severity is WARNING
        assert "explorer says called" in found.summary

    @pytest.mark.parametrize(("ago_s", "expected"), [(600.0, OK), (3700.0, WARNING)])
    def test_has_an_hour_to_index(self, ago_s: float, expected: Severity) -> None:
        fleet = self.asked()
        event = fleet.value(RewardHistory, "main").event_of(ROUND)
        fleet.change(RewardHistory, "main", events=(replace(event, at=NOW - ago_s),))
        assert severity(fleet, "reward-disagrees@main") is expected

    def test_that_gives_no_answer_is_told_with_the_reason(self) -> None:
        fleet = self.asked().fail(ExplorerRewards, "main", ProblemKind.RATE_LIMITED, "NOTOK: max")
        found = finding(fleet, "reward-disagrees@main")
        assert found.severity is OK
        assert any("explorer: not known: not available" in one for one in found.evidence)


def test_states_have_names_for_the_screen() -> None:
    fleet = not_called(blocks_left=3000)
    clock, record = fleet.value(ChainRound, NETWORK), fleet.value(OrchestratorRecord, "main")
    left = time_left(clock, block_time(None, 12.0))
    assert assess(clock, record, False, Thresholds(), left).state is RewardState.OVERDUE


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


class TestSkippedRounds:
    """What the NewRound logs that were seen tell; nothing of the time before them."""

    def seen(self, *begun: int) -> FleetBuilder:
        starts = tuple((Round(number), L2Block(HEAD - 9000 + number)) for number in begun)
        rounds = tuple((Round(ROUND - back), RoundOutcome.UNKNOWN) for back in range(30, -1, -1))
        return FleetBuilder().change(RewardHistory, "main", starts=starts, rounds=rounds)

    @pytest.mark.parametrize(
        ("begun", "expected", "words"),
        [
            ((ROUND - 2, ROUND - 1, ROUND), OK, "all of 2 finished rounds"),
            ((ROUND - 2, ROUND), WARNING, f"nobody ever initialised round {ROUND - 1}"),
            ((ROUND - 3, ROUND - 1, ROUND), OK, f"never initialised: {ROUND - 2}"),
            ((ROUND,), OK, f"no NewRound log of round {ROUND - 1} is known"),
            ((), OK, "no NewRound log"),
        ],
    )
    def test_told(self, begun: tuple[int, ...], expected: Severity, words: str) -> None:
        found = finding(self.seen(*begun), f"round-skipped@{NETWORK}")
        assert found.severity is expected
        assert words in found.summary

    def test_the_last_round_that_the_contract_knows_of_is_not_called_skipped(self) -> None:
        fleet = self.seen(ROUND - 2).change(
            ChainRound, NETWORK, initialized=False, last_initialized=Round(ROUND - 1)
        )
        assert severity(fleet, f"round-skipped@{NETWORK}") is OK

    def test_logs_that_were_not_seen_tell_nothing(self) -> None:
        fleet = self.seen(ROUND).change(RewardHistory, "main", complete=False)
        assert severity(fleet, f"round-skipped@{NETWORK}") is UNKNOWN

    @pytest.mark.parametrize("topic", [ChainRound, RewardHistory])
    def test_unknown_without_its_sources(self, topic: type) -> None:
        target = NETWORK if topic is ChainRound else "main"
        assert severity(FleetBuilder().fail(topic, target), f"round-skipped@{NETWORK}") is UNKNOWN


class TestExplanations:
    """Why a finished round earned nothing, as far as anybody saw."""

    def missed(self, watch: RewardWatch | None) -> str:
        fleet = history(RoundOutcome.CALLED, RoundOutcome.MISSED)
        if watch is not None:
            fleet.put(watch, "main")
        return finding(fleet, "reward-missed@main").summary

    def test_what_was_seen_is_told_with_its_times(self) -> None:
        number = Round(ROUND - 1)
        notes = (
            RoundNote(number, Hindrance.NODE_DOWN, "reward did not answer", NOW - 90, NOW - 90),
            RoundNote(number, Hindrance.SHORT_OF_ETH, "reward had 0 ETH", NOW - 900, NOW - 60),
            RoundNote(Round(ROUND - 2), Hindrance.PAUSED, "paused", NOW - 900, NOW - 60),
        )
        told = self.missed(RewardWatch(notes=notes))
        assert told.startswith(f"the reward of round {ROUND - 1} was missed: reward had 0 ETH")
        assert "reward did not answer (seen 2027-" in told
        assert "paused" not in told

    def test_nothing_seen_and_nobody_looking_are_told_apart(self) -> None:
        seen = RewardWatch(seen=(RoundSeen(Round(ROUND - 1), NOW - 900, NOW - 60, 5000),))
        assert "no evidence why: nothing stood in its way from" in self.missed(seen)
        assert "no evidence why: nobody looked" in self.missed(RewardWatch())

    def test_inactive_and_uninitialised_rounds_say_so(self) -> None:
        fleet = history(RoundOutcome.CALLED, RoundOutcome.INACTIVE)
        fleet.change(OrchestratorRecord, "main", activation_round=ROUND)
        found = finding(fleet, "reward-missed@main")
        assert found.severity is OK
        assert f"earned nothing: not active before round {ROUND}" in found.summary
        fleet = history(RoundOutcome.CALLED, RoundOutcome.NOT_INITIALIZED)
        assert "nobody ever initialised it" in finding(fleet, "reward-missed@main").summary
