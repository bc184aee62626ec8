"""What the BondingManager says of stake: who is in the pool, and what changed an own stake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.units import Address, L2Block, Lptu, Round


@dataclass(frozen=True, slots=True)
class PoolMember:
    """An orchestrator in the pool with its total stake."""

    address: Address
    stake: Lptu


@dataclass(frozen=True, slots=True)
class TranscoderPool:
    """The pool that the next round's active set is taken from, most stake first. Target: the
    network's name.

    Attributes:
        most: how many there is room for; None when the contract did not say.
        block: the L2 block at which all of it was read, `read_at` when (UTC seconds): it is read
            seldom, and given again in between.
    """

    members: tuple[PoolMember, ...]
    most: int | None
    block: L2Block
    read_at: float

    @property
    def is_full(self) -> bool | None:
        """Whether a newcomer pushes the last one out; None when not known."""
        return None if self.most is None else len(self.members) >= self.most

    def place(self, address: Address) -> int | None:
        """An orchestrator's place, counted from 1; None when it is not in the pool."""
        places = (n for n, one in enumerate(self.members, 1) if one.address == address)
        return next(places, None)


class StakeChange(StrEnum):
    """What an event did to an orchestrator's stake or standing."""

    BOND = "bond"
    UNBOND = "unbond"
    REBOND = "rebond"
    SLASHED = "slashed"
    WITHDRAWN = "withdrawn"
    RATES = "rates"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"


@dataclass(frozen=True, slots=True)
class StakeEvent:
    """One of the BondingManager's logs about an orchestrator. What a change has not is None.

    Attributes:
        amount: of a bond, what came to this orchestrator: all that was moved here where the
            delegator came from another one; of a slashing, the penalty.
        who: the delegator; of a slashing, who found it.
        lock: number of the unbonding lock.
        effective: the round from which it counts: of an unbonding lock, from which it can be
            withdrawn; None where none is told.
        reward_cut, fee_share: of a change of rates, of 1,000,000.
    """

    change: StakeChange
    round: Round | None
    block: L2Block
    index: int
    tx: str
    amount: Lptu | None = None
    who: Address | None = None
    lock: int | None = None
    effective: Round | None = None
    reward_cut: int | None = None
    fee_share: int | None = None


@dataclass(frozen=True, slots=True)
class StakeHistory:
    """An orchestrator's stake events, oldest first. Target: the orchestrator's name.

    Seen in the L2 blocks `since_block` to `upto_block`; `complete` False when these do not reach
    back as far as wanted. A delegator who moves its stake to another orchestrator leaves no log
    that names the one it left first: such a loss shows in `most` alone, the most stake that was
    seen in each of the last rounds, oldest first.
    """

    events: tuple[StakeEvent, ...]
    since_block: L2Block
    upto_block: L2Block
    complete: bool = True
    most: tuple[tuple[Round, Lptu], ...] = ()
