"""How long an L1 block takes and how much of a round is left, each with its uncertainty. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.reward import L1Pace
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.units import L1Block

STEP_BLOCKS: Final = 5
"""Contracts on a rollup see L1 heights late and in steps: about a minute on Arbitrum."""

ASSUMED_ERROR: Final = 0.02
"""Of a configured length that was not measured; slots of Ethereum that stay empty make the mean
about one in a hundred longer."""

LEAST_BLOCKS: Final = 20
"""A measurement over fewer blocks tells less than the configuration."""

PLAUSIBLE: Final = (0.5, 2.0)
"""A measured length is believed within these multiples of the configured one: beyond, the
height was set, or stood still."""

MOST_SAMPLES: Final = 48
LEAST_APART_S: Final = 55.0
OLDEST_S: Final = 86_400.0

Sample = tuple[float, L1Block]


@dataclass(frozen=True, slots=True)
class BlockTime:
    """Seconds of an L1 block, plus or minus `error_s`; `measured` False: as configured."""

    seconds: float
    error_s: float
    measured: bool


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Seconds until the round ends, plus or minus `error_s`."""

    seconds: float
    error_s: float
    block: BlockTime


def with_sample(pace: L1Pace, at: float, block: L1Block) -> L1Pace:
    """The samples with a new one, of the last day, thinned where there are too many.

    A height that falls (another chain, a clock set back) makes all before it worthless.
    """
    kept = [sample for sample in pace.samples if sample[0] >= at - OLDEST_S]
    if kept and (kept[-1][0] > at or kept[-1][1] > block):
        kept = []
    if kept and at - kept[-1][0] < LEAST_APART_S:
        return L1Pace(tuple(kept))
    kept.append((at, block))
    while len(kept) > MOST_SAMPLES:
        # The newest and the oldest count most: of the others every second one goes.
        kept = [kept[0], *kept[1:-1:2], kept[-1]]
    return L1Pace(tuple(kept))


def block_time(pace: L1Pace | None, configured_s: float) -> BlockTime:
    """The length of an L1 block, measured over all samples where that tells more."""
    assumed = BlockTime(configured_s, configured_s * ASSUMED_ERROR, measured=False)
    if pace is None or len(pace.samples) < 2:
        return assumed
    (first_at, first), (last_at, last) = pace.samples[0], pace.samples[-1]
    blocks = last - first
    if blocks < LEAST_BLOCKS or last_at <= first_at:
        return assumed
    seconds = (last_at - first_at) / blocks
    if not PLAUSIBLE[0] <= seconds / configured_s <= PLAUSIBLE[1]:
        return assumed
    # Each end may be off by a step of the view.
    return BlockTime(seconds, seconds * STEP_BLOCKS * 2 / blocks, measured=True)


def time_left(clock: ChainRound, block: BlockTime, age_s: float = 0.0) -> TimeLeft:
    """How long the round lasts from when its clock was read, `age_s` ago."""
    left = clock.blocks_left
    step = min(STEP_BLOCKS, left) * block.seconds
    return TimeLeft(left * block.seconds, left * block.error_s + step + age_s, block)


def pace_of(snapshot: Snapshot) -> BlockTime:
    """The length of an L1 block as far as the snapshot knows it."""
    chain = snapshot.fleet.chain
    if chain is None:
        return block_time(None, 12.0)
    reading = snapshot.reading(L1Pace, chain.network)
    pace = reading.value or (reading.last_good.value if reading.last_good else None)
    return block_time(pace, chain.block_seconds)
