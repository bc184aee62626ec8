"""What amounts did round by round: an account's ETH, an orchestrator's fees and stake."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.fleet.units import Round


@dataclass(frozen=True, slots=True)
class RoundFlow:
    """How an amount moved in one round, as far as it was watched.

    Attributes:
        down: the sum of its falls, `up` of its rises: one does not hide the other, unless both
            came between two looks.
        seconds: for how long it was watched.
        transactions: that the account sent meanwhile.
        hidden: those of them whose cost a rise between the same two looks may hide, or a transfer.
        moved: what was sent elsewhere: falls beyond all that the transactions can have cost.
    """

    round: Round
    down: int = 0
    up: int = 0
    seconds: float = 0.0
    transactions: int = 0
    hidden: int = 0
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount (wei, or LPTU), when it was last seen (UTC seconds, round, nonce), and its past
    rounds, oldest first; the last one is not over."""

    amount: int
    nonce: int
    round: Round
    at: float
    rounds: tuple[RoundFlow, ...]


@dataclass(frozen=True, slots=True)
class AccountFlow:
    """An account's ETH round by round. Target: its address."""

    balance: Flow


@dataclass(frozen=True, slots=True)
class EarningsFlow:
    """An orchestrator's pending fees (ETH) and stake (LPT) round by round. Target: its name.

    Rises are what it earned, falls what was withdrawn; a stake rises by bonding as well.
    """

    fees: Flow | None = None
    stake: Flow | None = None
