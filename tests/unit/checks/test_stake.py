"""An orchestrator's place, its slashings and its losses, from the pool and the logs."""

from __future__ import annotations

from typing import Any

import pytest

from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.stake import (
    PoolMember,
    StakeChange,
    StakeEvent,
    StakeHistory,
    TranscoderPool,
)
from lptui.fleet.finding import Severity
from lptui.fleet.units import Address, L2Block, Lptu, Round
from tests.snapshots import DELEGATE, HEAD, NETWORK, NOW, REGISTERED, ROUND, FleetBuilder
from tests.unit.checks.verdicts import finding, severity

MARGIN, SLASHED, DROPPED = "stake-margin@main", "slashed@main", "stake-dropped@main"
LPT = 10**18


def pool(*stakes: int, own: int | None, most: int | None = None) -> FleetBuilder:
    """A pool of these stakes in LPT, and the fleet's own among them."""
    everyone = sorted((*stakes, *([own] if own is not None else [])), reverse=True)
    members = [
        PoolMember(REGISTERED if stake == own else Address(f"0x{stake:040x}"), Lptu(stake * LPT))
        for stake in everyone
    ]
    room = len(members) if most is None else most
    found = TranscoderPool(tuple(members), room, L2Block(HEAD - 900), NOW - 240.0)
    return FleetBuilder().put(found, NETWORK)


def event(change: StakeChange, lpt: int, ago: int = 0, **more: Any) -> StakeEvent:
    block, number = L2Block(HEAD - 5000 - ago), Round(ROUND - ago)
    tx = "0x" + "5a" * 32
    return StakeEvent(change, number, block, 1, tx, Lptu(lpt * LPT), DELEGATE, **more)


def history(*events: StakeEvent, **changes: Any) -> FleetBuilder:
    return FleetBuilder().change(StakeHistory, "main", events=events, **changes)


class TestMargin:
    def test_far_from_the_last_place(self) -> None:
        found = finding(FleetBuilder(), MARGIN)
        assert found.severity is Severity.OK
        assert found.summary == "place 51 of 100, 147000.00 LPT (58.8 %) above the last"
        assert found.metrics[0].value == 51
        assert "as of L2 block" in found.evidence[0]

    def test_near_the_last_place(self) -> None:
        found = finding(pool(1000, 980, 960, own=1000 - 10), MARGIN)
        assert found.severity is Severity.WARNING
        assert "place 2 of 4, 30.00 LPT (3.0 %) above the last" in found.summary
        # 10 for the third and 30 for the fourth.
        assert "2 orchestrators behind it would need 40.00 LPT in all" in found.summary

    def test_the_last_place_is_anybodys_who_bonds_more(self) -> None:
        found = finding(pool(1000, 980, own=700), MARGIN)
        assert found.severity is Severity.WARNING
        assert "place 3 of 3, the last: whoever bonds more than 700.00 LPT" in found.summary

    def test_a_pool_with_free_places_pushes_nobody_out(self) -> None:
        found = finding(pool(1000, 980, own=700, most=10), MARGIN)
        assert found.severity is Severity.OK
        assert "7 places free" in found.summary

    def test_outside_the_pool_it_says_what_is_lacking(self) -> None:
        fleet = pool(1000, 980, own=None).change(
            OrchestratorRecord, "main", stake=Lptu(900 * LPT), active=False
        )
        found = finding(fleet, MARGIN)
        assert found.severity is Severity.CRITICAL
        assert "in no place of the pool of 2: it lacks 80.00 LPT" in found.summary
        assert found.cause == "orchestrator-active@main"

    def test_a_pool_that_was_not_read_is_unknown(self) -> None:
        assert severity(FleetBuilder().fail(TranscoderPool, NETWORK), MARGIN) is Severity.UNKNOWN

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({}, "may be changed for"),
            ({"locked": True}, "refused while the round is locked"),
            ({"initialized": False}, "refused until the round is initialised"),
        ],
    )
    def test_rates_that_cannot_be_changed_now_are_told(
        self, changes: dict[str, Any], words: str
    ) -> None:
        fleet = FleetBuilder().change(ChainRound, NETWORK, **changes)
        (line,) = [one for one in finding(fleet, MARGIN).evidence if "reward cut" in one]
        assert "reward cut 10 %, fee share 50 %" in line
        assert words in line

    def test_rates_wait_for_the_rounds_reward(self) -> None:
        fleet = FleetBuilder().change(
            OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1)
        )
        lines = finding(fleet, MARGIN).evidence
        assert any("until this round's reward is called" in one for one in lines)

    def test_own_unbonding_locks_are_told_until_they_are_withdrawn(self) -> None:
        own = {"lock": 3, "effective": Round(ROUND + 5)}
        unbond = StakeEvent(
            *(StakeChange.UNBOND, Round(ROUND - 2), L2Block(HEAD - 9000), 1, "0x" + "5a" * 32),
            *(Lptu(7 * LPT), REGISTERED),
            **own,  # type: ignore[arg-type]
        )
        lines = finding(history(unbond), MARGIN).evidence
        assert f"own unbonding lock 3: 7.00 LPT, to be withdrawn from round {ROUND + 5}" in lines
        gone = StakeEvent(
            *(StakeChange.WITHDRAWN, Round(ROUND), L2Block(HEAD - 90), 1, "0x" + "5b" * 32),
            *(Lptu(7 * LPT), REGISTERED, 3),
        )
        lines = finding(history(unbond, gone), MARGIN).evidence
        assert not any("unbonding lock" in one for one in lines)


class TestSlashed:
    def test_lately(self) -> None:
        found = finding(history(event(StakeChange.SLASHED, 300, ago=1)), SLASHED)
        assert found.severity is Severity.CRITICAL
        assert found.summary == f"slashed in round {ROUND - 1}: 300.00 LPT lost"
        assert any("tx 0x5a5a" in line for line in found.evidence)

    def test_rounds_ago_it_is_told_and_no_emergency(self) -> None:
        assert severity(history(event(StakeChange.SLASHED, 300, ago=9)), SLASHED) is (
            Severity.WARNING
        )

    def test_never(self) -> None:
        assert severity(FleetBuilder(), SLASHED) is Severity.OK

    def test_missing_logs_are_not_well(self) -> None:
        fleet = history(complete=False).change(RewardHistory, "main", starts=())
        assert severity(fleet, SLASHED) is Severity.UNKNOWN

    def test_logs_of_the_last_rounds_are_enough(self) -> None:
        starts = ((Round(ROUND - 1), L2Block(HEAD - 400_000)), (Round(ROUND), L2Block(HEAD - 9)))
        fleet = history(complete=False).change(RewardHistory, "main", starts=starts)
        assert severity(fleet, SLASHED) is Severity.OK


class TestDropped:
    def test_nothing(self) -> None:
        found = finding(FleetBuilder(), DROPPED)
        assert found.severity is Severity.OK
        assert "250000.00 LPT, nothing lost" in found.summary

    def test_what_was_unbonded_is_the_cause(self) -> None:
        found = finding(history(event(StakeChange.UNBOND, 50_000)), DROPPED)
        assert found.severity is Severity.WARNING
        assert "50000.00 LPT (16.7 %) lost" in found.summary
        assert "50000.00 LPT unbonded" in found.summary
        assert any(DELEGATE[:6] in line for line in found.evidence)

    def test_a_small_loss_is_told_and_no_warning(self) -> None:
        found = finding(history(event(StakeChange.UNBOND, 5_000)), DROPPED)
        assert found.severity is Severity.OK
        assert "5000.00 LPT (2.0 %) lost" in found.summary

    def test_what_came_back_is_no_loss(self) -> None:
        fleet = history(event(StakeChange.UNBOND, 50_000), event(StakeChange.BOND, 50_000))
        assert "nothing lost" in finding(fleet, DROPPED).summary

    def test_an_older_loss_is_of_the_past(self) -> None:
        assert severity(history(event(StakeChange.UNBOND, 90_000, ago=4)), DROPPED) is Severity.OK

    def test_stake_that_went_without_a_log_has_moved_to_another(self) -> None:
        seen = ((Round(ROUND - 1), Lptu(300_000 * LPT)), (Round(ROUND), Lptu(299_000 * LPT)))
        found = finding(history(event(StakeChange.UNBOND, 10_000), most=seen), DROPPED)
        assert found.severity is Severity.WARNING
        assert "10000.00 LPT unbonded" in found.summary
        assert "40000.00 LPT moved to others" in found.summary

    def test_neither_logs_nor_an_earlier_stake(self) -> None:
        fleet = history(complete=False).change(RewardHistory, "main", starts=())
        assert severity(fleet, DROPPED) is Severity.UNKNOWN
