"""What gas has cost of late, and what was paid for it."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.fleet.units import L2Block, Wei


@dataclass(frozen=True, slots=True)
class FeeWindow:
    """Base fees of a stretch of blocks, in wei a unit of gas; `at` is when it was read (UTC s)."""

    at: float
    lowest: Wei
    median: Wei
    highest: Wei


@dataclass(frozen=True, slots=True)
class FeeTrend:
    """Base fees by `eth_feeHistory`. Target: the network's name.

    `windows` are stretches of blocks that were read one after the other, oldest first; what lies
    between two of them was not read. `upto` is the newest block, `blocks` how many each has;
    `tried_at` is when it was last asked for: an endpoint may have no such history.
    """

    windows: tuple[FeeWindow, ...]
    upto: L2Block
    blocks: int
    tried_at: float = 0.0

    @property
    def highest(self) -> Wei:
        return max((window.highest for window in self.windows), default=Wei(0))


@dataclass(frozen=True, slots=True)
class PaidCall:
    """What the newest reward call that was seen has cost, by its receipt. Target: the
    orchestrator's name.

    `price` is the effective one, in wei a unit of gas; Arbitrum counts its L1 share as gas.
    """

    tx: str
    block: L2Block
    gas: int
    price: Wei

    @property
    def cost(self) -> Wei:
        return Wei(self.gas * self.price)
