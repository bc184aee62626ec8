"""What a chain's id tells of its blocks: how old the newest may be, and who has peers."""

from __future__ import annotations

from typing import Final

from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    RewardHistory,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Thresholds

OF_CHAIN: Final = (
    ChainRound,
    OrchestratorRecord,
    SignerAccount,
    GasPrices,
    SenderDeposit,
    RewardHistory,
)
"""Facts that are as old as the head that they were read at, however lately that was."""

L1_CHAINS: Final = frozenset({1, 11155111, 17000, 560048})
_L1_AGE: Final = (60.0, 180.0)
"""Least limits of a head's age where blocks come every 12 s and slots may be missed."""

ROLLUPS: Final = frozenset({42161, 42170, 421614})
"""Arbitrum One, Nova and Sepolia: their nodes follow a sequencer, not peers."""

PARENTS: Final = {42161: 1, 42170: 1, 421614: 11155111}
"""The chain whose blocks a rollup's rounds are counted in."""

_DEVELOPMENT_CHAINS: Final = frozenset({1337, 31337, 412346})
"""They mine on demand, so the age of their head means nothing."""

AHEAD_S: Final = 60.0
"""A head this far in the future is no matter of seconds: one of two clocks is wrong."""


def head_age_limits(limits: Thresholds, chain_id: int) -> tuple[float, float] | None:
    """From which age on (s) a head is old, and too old to go by; None where age means nothing."""
    if chain_id in _DEVELOPMENT_CHAINS:
        return None
    warn, critical = limits.head_age_warn_s, limits.head_age_critical_s
    if chain_id in L1_CHAINS:
        return max(warn, _L1_AGE[0]), max(critical, _L1_AGE[1])
    return warn, critical


def is_too_old(age_s: float, limits: Thresholds, chain_id: int) -> bool:
    """Whether what was read at a head of this age is of the past."""
    ages = head_age_limits(limits, chain_id)
    return ages is not None and age_s > ages[1]


def of_the_past(snapshot: Snapshot) -> float | None:
    """Of when (UTC seconds) the chain's state is that is known, when its head is too old."""
    chain = snapshot.fleet.chain
    if chain is None:
        return None
    reading = snapshot.reading(ChainRound, chain.network)
    clock = reading.value
    if clock is None or clock.head_time is None:
        return None
    age = reading.taken_at - clock.head_time
    return clock.head_time if is_too_old(age, snapshot.fleet.thresholds, chain.chain_id) else None
