"""What was not watched is not told as zero."""

from __future__ import annotations

from lptui.fleet.facts.money import AccountFlow, EarningsFlow, Flow, RoundFlow
from lptui.fleet.facts.tickets import RedeemedInRound, Redemption, Redemptions
from lptui.fleet.units import Address, L2Block, Round, Wei
from lptui.report import money, render_status
from tests.snapshots import ROUND, FleetBuilder

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


def test_redeemed_tickets_tell_their_blocks_and_what_is_not_known_of_them() -> None:
    partial = RedeemedInRound(Round(4145), L2Block(10), 0, Wei(0))
    whole = RedeemedInRound(Round(4146), L2Block(50), 1, Wei(29 * 10**14))
    payer, tx = Address("0x" + "9a" * 20), "0x" + "6b" * 32
    newest = Redemption(payer, Wei(29 * 10**14), L2Block(60), tx, 0.0)
    seen = (L2Block(40), L2Block(90), 60.0)
    found = Redemptions((whole,), newest, *seen, "logs are pruned", partial=partial)
    assert money.redeemed(found) == (
        "face values by TicketBroker's logs: round 4145: not known, round 4146: 1 ticket, 0.002900 "
        f"ETH; newest 0.002900 ETH in block 60 at 1970-01-01 00:00:00, tx {tx} "
        "(blocks 40 to 90, read 1970-01-01 00:01:00, UTC); older logs are not had: logs are pruned"
    )


def test_status_tells_redeemed_tickets_beside_the_queue_and_the_fees() -> None:
    text = render_status(FleetBuilder().snapshot(), (), "text")
    rounds = f"round {ROUND - 1}: 17 tickets, 0.170000 ETH, round {ROUND}: 2 tickets, 0.020000 ETH"
    assert f"main: face values by TicketBroker's logs: {rounds}; newest 0.010000 ETH" in text
