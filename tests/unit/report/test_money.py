"""What was not watched is not told as zero."""

from __future__ import annotations

from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow, RoundFlow
from lptui.fleet.units import Round
from lptui.report import money

GWEI = 10**9


def flow(*rounds: RoundFlow) -> Flow:
    return Flow(10**18, 3, rounds[-1].round, 0.0, rounds)


def test_a_round_tells_for_how_long_it_was_watched() -> None:
    watched = RoundFlow(Round(4145), down=7000 * GWEI, up=9000 * GWEI, seconds=3600.0)
    just_begun = RoundFlow(Round(4146))
    told = money.account(AccountFlow(flow(watched, just_begun)))
    assert told == "spent in round 4145: 0.000007 ETH in 60 min watched, 4146: not watched yet"
    earned = money.earnings(EarningsFlow(flow(watched), flow(just_begun)))
    assert earned.startswith("pending fees rose in round 4145: 0.000009 ETH in 60 min watched; ")
    assert "bonds included" in earned
