"""What became of each round: nothing is called a miss that was not seen to be one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.facts.chain import (
    ChainRound,
    Contracts,
    OrchestratorRecord,
    RewardEvent,
    RoundOutcome,
)
from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Round
from lptui.probes.chain.history import history, merge_events, merge_starts, outcomes
from lptui.probes.chain.logs import RewardLog, RoundLog
from tests.unit.probes.hostile import HOSTILE

WHO = Address("0x" + "01" * 20)
TX = "0x" + "02" * 32
CALLED, MISSED, UNKNOWN = RoundOutcome.CALLED, RoundOutcome.MISSED, RoundOutcome.UNKNOWN
CLOCK = ChainRound(
    round=Round(100),
    initialized=True,
    locked=False,
    start_block=L1Block(1),
    length=10,
    lock_blocks=1,
    block=L1Block(2),
    last_initialized=Round(100),
    paused=False,
    contracts=Contracts(WHO, WHO, WHO),
    rpc="own",
    head=L2Block(10_000),
)
RECORD = OrchestratorRecord(
    address=WHO,
    last_reward_round=Round(98),
    reward_cut=0,
    fee_share=0,
    activation_round=Round(1),
    deactivation_round=None,
    active=True,
    registered=True,
)


def start(number: int, block: int) -> tuple[Round, L2Block]:
    return Round(number), L2Block(block)


def event(number: int | None, block: int) -> RewardEvent:
    return RewardEvent(
        None if number is None else Round(number), L2Block(block), f"0x{block:064x}", Lptu(1)
    )


def log(block: int, index: int = 0) -> RewardLog:
    return RewardLog(WHO, Lptu(1), L2Block(block), index, f"0x{block:064x}")


STARTS = (start(96, 6000), start(97, 7000), start(98, 8000), start(99, 9000), start(100, 9900))


def what(
    number: int,
    clock: ChainRound = CLOCK,
    record: OrchestratorRecord | None = RECORD,
    starts: tuple[tuple[Round, L2Block], ...] = STARTS,
    events: tuple[RewardEvent, ...] = (event(98, 8100),),
    upto: int = 10_000,
) -> RoundOutcome:
    return dict(outcomes(clock, record, starts, events, L2Block(upto)))[Round(number)]


class TestOutcomes:
    def test_an_event_or_the_record_proves_a_call(self) -> None:
        assert what(98) is CALLED
        assert what(98, events=()) is CALLED
        assert what(97, events=(event(97, 7100),)) is CALLED

    def test_an_initialised_round_without_an_event_is_missed(self) -> None:
        assert what(97) is MISSED
        assert what(99) is MISSED

    def test_a_round_whose_logs_were_not_seen_is_unknown(self) -> None:
        assert what(95) is UNKNOWN
        assert what(97, starts=STARTS[2:]) is UNKNOWN

    def test_a_round_whose_end_was_not_seen_is_unknown(self) -> None:
        rewarded_later = replace(RECORD, last_reward_round=Round(100))
        assert what(99, record=rewarded_later, starts=STARTS[:4], upto=9500) is UNKNOWN
        assert what(99, record=rewarded_later, starts=STARTS[:4], upto=10_000) is MISSED

    def test_the_record_alone_proves_a_miss_after_the_last_reward(self) -> None:
        assert what(99, starts=STARTS[:4], upto=9500) is MISSED

    def test_without_a_record_nothing_is_missed(self) -> None:
        assert what(97, record=None) is UNKNOWN
        assert what(100, record=None) is UNKNOWN
        assert what(98, record=None) is CALLED

    def test_rounds_that_nobody_initialised(self) -> None:
        skipped = (*STARTS[:1], *STARTS[2:])
        assert what(97, starts=skipped) is RoundOutcome.NOT_INITIALIZED
        late = replace(CLOCK, initialized=False, last_initialized=Round(98))
        assert what(99, clock=late, starts=STARTS[:3]) is RoundOutcome.NOT_INITIALIZED
        assert what(100, clock=late, starts=STARTS[:3]) is RoundOutcome.NOT_INITIALIZED

    def test_the_current_round_is_pending_until_called(self) -> None:
        assert what(100) is RoundOutcome.PENDING
        assert what(100, record=replace(RECORD, active=False)) is RoundOutcome.INACTIVE
        assert what(100, record=replace(RECORD, last_reward_round=Round(100))) is CALLED
        assert what(100, starts=()) is RoundOutcome.PENDING

    def test_rounds_before_and_after_its_active_time(self) -> None:
        joined = replace(RECORD, activation_round=Round(98))
        assert what(97, record=joined) is RoundOutcome.INACTIVE
        left = replace(RECORD, deactivation_round=Round(99))
        assert what(99, record=left) is RoundOutcome.INACTIVE

    def test_young_protocols_have_few_rounds(self) -> None:
        young = replace(CLOCK, round=Round(2), last_initialized=Round(2))
        found = outcomes(young, RECORD, (), (), L2Block(10_000))
        assert [number for number, _ in found] == [0, 1, 2]

    @HOSTILE
    @given(
        st.sets(st.integers(70, 100)),
        st.sets(st.integers(70, 100)),
        st.integers(0, 100),
        st.integers(0, 12_000),
    )
    def test_a_miss_always_has_its_proof(
        self, begun: set[int], called: set[int], last: int, upto: int
    ) -> None:
        starts = tuple(start(number, number * 90) for number in sorted(begun))
        events = tuple(event(number, number * 90 + 5) for number in sorted(called))
        record = replace(RECORD, last_reward_round=Round(last))
        for number, outcome in outcomes(CLOCK, record, starts, events, L2Block(upto)):
            if outcome is MISSED:
                assert number in begun
                assert number not in called
                assert number != last
                assert number < CLOCK.round


class TestMerging:
    def test_an_event_is_of_the_last_round_that_began_before_it(self) -> None:
        (found,) = merge_events([], [log(8100)], [], STARTS, {}, {})
        assert found.round == 98

    @pytest.mark.parametrize(("place", "number"), [(0, 97), (2, 98)])
    def test_within_a_block_the_order_of_logs_decides(self, place: int, number: int) -> None:
        begun = RoundLog(Round(98), L2Block(8000), 1, TX)
        (found,) = merge_events([], [log(8000, place)], [begun], STARTS, {}, {})
        assert found.round == number

    def test_older_logs_tell_a_round_later(self) -> None:
        (early,) = merge_events([], [log(7100)], [], STARTS[2:], {}, {})
        assert early.round is None
        (told,) = merge_events([early], [], [], STARTS, {}, {})
        assert told.round == 97

    def test_a_sender_once_known_is_kept(self) -> None:
        (first,) = merge_events(
            [], [log(8100)], [], STARTS, {f"0x{8100:064x}": WHO}, {L2Block(8100): 12.0}
        )
        assert (first.caller, first.at) == (WHO, 12.0)
        (again,) = merge_events([first], [log(8100)], [], STARTS, {}, {})
        assert again == first

    def test_beginnings_are_in_order_and_replaced(self) -> None:
        found = merge_starts(
            [start(97, 7000), start(98, 8000)], [RoundLog(Round(98), L2Block(8001), 0, TX)]
        )
        assert found == (start(97, 7000), start(98, 8001))

    def test_what_is_older_than_the_rounds_is_dropped(self) -> None:
        old = (start(60, 100), *STARTS)
        found = history(
            CLOCK,
            RECORD,
            old,
            (event(60, 150), event(None, 50), event(98, 8100)),
            since=L2Block(10),
            upto=L2Block(10_000),
            window=5,
            complete=True,
        )
        assert found.starts == STARTS
        assert found.events == (event(98, 8100),)
        assert found.event_of(98) is not None
        assert len(found.rounds) == 31
