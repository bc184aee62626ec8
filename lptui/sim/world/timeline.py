"""Block numbers and rounds as functions of time.

Contracts on Arbitrum see L1 block numbers while `eth_blockNumber` and logs count L2 blocks; the
two clocks are kept apart here on purpose (livepeer.md §5.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

L2_BLOCKS_PER_SECOND: Final = 4
L1_BASE: Final = 25_400_000
L2_BASE: Final = 512_000_000


@dataclass(frozen=True, slots=True)
class Timeline:
    """Maps UTC seconds to L1 and L2 blocks and back; `start` has the two base numbers."""

    start: float
    l1_seconds: float = 1.0

    def l2_at(self, when: float) -> int:
        """The newest L2 block at a time."""
        return L2_BASE + int((when - self.start) * L2_BLOCKS_PER_SECOND // 1)

    def time_of_l2(self, block: int) -> float:
        """When an L2 block was made."""
        return self.start + (block - L2_BASE) / L2_BLOCKS_PER_SECOND

    def l1_at_l2(self, block: int) -> int:
        """The L1 height that contracts see in an L2 block."""
        return L1_BASE + int((self.time_of_l2(block) - self.start) // self.l1_seconds)

    def l2_of_l1(self, block: int) -> int:
        """The first L2 block that sees an L1 height."""
        seconds = (block - L1_BASE) * self.l1_seconds
        return L2_BASE + -int(-seconds * L2_BLOCKS_PER_SECOND // 1)


@dataclass(frozen=True, slots=True)
class RoundClock:
    """Round arithmetic of the RoundsManager; all blocks are L1 blocks.

    `base_round` began at `base_block` (the contract's lastRoundLengthUpdate… pair).
    """

    base_round: int
    base_block: int
    length: int
    lock_ppm: int = 100_000

    def round_at(self, block: int) -> int:
        return self.base_round + (block - self.base_block) // self.length

    def start_of(self, number: int) -> int:
        return self.base_block + (number - self.base_round) * self.length

    @property
    def lock_blocks(self) -> int:
        return self.length * self.lock_ppm // 1_000_000

    def locked_at(self, block: int) -> bool:
        into = block - self.start_of(self.round_at(block))
        return into >= self.length - self.lock_blocks
