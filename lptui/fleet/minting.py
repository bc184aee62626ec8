"""What a call of reward mints, and what that is worth. Pure; money is integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.topology import Chain
from lptui.fleet.units import WEI_PER_ETH, Lptu, Wei, format_units

WHOLE: Final = 10**27
"""100 % of the treasury's share (BondingManager, treasuryRewardCutRate)."""


@dataclass(frozen=True, slots=True)
class Mint:
    """What a call would mint now for an orchestrator and its delegators.

    Attributes:
        amount: by its share of the active stake; the contract goes by the stake at the round's
            start, so that this is about right.
        is_net: the treasury's share is taken off; else that share could not be read.
        worth: at the configured price of LPT; None where none is configured.
    """

    amount: Lptu
    is_net: bool
    worth: Wei | None = None

    def __str__(self) -> str:
        share = "" if self.is_net else ", before the treasury's share"
        price = "the price of LPT is not configured"
        if self.worth is not None:
            price = f"{format_units(self.worth, 6)} ETH at the configured price"
        return f"about {format_units(self.amount, 4)} LPT{share} ({price})"


def mint_of(chain: Chain, now: ChainRound | None, record: OrchestratorRecord | None) -> Mint | None:
    """What a call would mint; None when a part of it could not be read."""
    if now is None or record is None or now.mintable is None or record.stake is None:
        return None
    if not now.total_active_stake:
        return None
    amount = now.mintable * record.stake // now.total_active_stake
    cut = now.treasury_cut
    if cut is not None:
        amount -= amount * cut // WHOLE
    price = chain.lpt_price
    worth = None if price is None else Wei(amount * price // WEI_PER_ETH)
    return Mint(Lptu(amount), cut is not None, worth)
