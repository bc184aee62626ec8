"""Gas prices against a node's cap: what the cap should be. Pure.

A node bids the smaller of its cap and twice the base fee, and sends nothing while the suggested
price is above its cap (go-livepeer eth/gaspricemonitor.go, livepeer.md section 6.5).
"""

from __future__ import annotations

from typing import Final

from lptui.fleet.facts.chain import GasPrices
from lptui.fleet.facts.gas import FeeTrend
from lptui.fleet.units import WEI_PER_GWEI, Wei

ROOM: Final = 2
"""How far a cap should be above the highest price that was seen."""

_DIGITS: Final = 2


def suggested_cap(prices: GasPrices | None, trend: FeeTrend | None) -> Wei | None:
    """A cap with room above the highest price of late, in two digits; None when no price is
    known."""
    seen = [prices.gas_price, prices.base_fee or 0] if prices is not None else []
    seen += [trend.highest] if trend is not None else []
    highest = max(seen, default=0)
    return _rounded_up(ROOM * highest) if highest else None


def exact_gwei(amount: int) -> str:
    """Wei as gwei, with all its digits: `0.032 gwei`."""
    whole, part = divmod(amount, WEI_PER_GWEI)
    digits = f"{part:09d}".rstrip("0")
    return f"{whole}.{digits} gwei" if digits else f"{whole} gwei"


def _rounded_up(amount: int) -> Wei:
    step = 10 ** max(0, len(str(amount)) - _DIGITS)
    return Wei(-(-amount // step) * step)
