"""Winning tickets: what a node has to redeem, by its database; what was redeemed, by the chain."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.fleet.units import Address, L2Block, Round, Wei


@dataclass(frozen=True, slots=True)
class TicketsOfRound:
    """Tickets that were created in one round; `value` is the sum of their face values."""

    round: Round
    count: int
    value: Wei


@dataclass(frozen=True, slots=True)
class TicketQueue:
    """The table `ticketQueue` of a node's database. Target of its reading: the node's name.

    Each part is by the round that tickets were created in, the newest first, of the last
    `ROUNDS` rounds that the table has.

    Attributes:
        path: the database, as its host knows it.
        waiting: neither redeemed nor given up.
        redeemed: marked as redeemed, with a transaction.
        given_up: marked as redeemed without one: refused for good, or used before.
        oldest_at: when the oldest waiting ticket came, as its host writes time (UTC).
        last_redeemed_at: when a ticket was last redeemed; "" for never.
        complete: False when there was more than is read.
        as_root: the login may not read it itself.
    """

    path: str
    waiting: tuple[TicketsOfRound, ...] = ()
    redeemed: tuple[TicketsOfRound, ...] = ()
    given_up: tuple[TicketsOfRound, ...] = ()
    oldest_at: str = ""
    last_redeemed_at: str = ""
    complete: bool = True
    as_root: bool = False


@dataclass(frozen=True, slots=True)
class RedeemedInRound:
    """Tickets that were redeemed in one round; `value` is the sum of their face values.

    `begun` is the block that the round began in.
    """

    round: Round
    begun: L2Block
    count: int
    value: Wei


@dataclass(frozen=True, slots=True)
class Redemption:
    """One redeemed ticket; `payer` is the gateway, `at` its block's time (UTC seconds), where that
    is known."""

    payer: Address
    value: Wei
    block: L2Block
    tx: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Redemptions:
    """Tickets that the chain shows redeemed for an orchestrator, from the TicketBroker's
    `WinningTicketRedeemed` logs. Target: the orchestrator's name.

    What a ticket pays may be less than its face value where the gateway's deposit and reserve
    are used up; and of what it pays only a part is pending fees, the rest is the delegators'.

    Attributes:
        rounds: the last rounds, oldest first, those whose blocks were all read so far; the last
            one is not over.
        partial: a round before them of which only the later blocks were read: there may be more.
        newest: None: there is none in the blocks that were read.
        since_block: the first block whose logs were read, `upto_block` the last one.
        read_at: when that was (UTC seconds): these logs are asked for seldom.
        missing: why older blocks' logs were not had; "" where nothing is in the way.
        anchor: the last block with its hash: as long as the chain has it, all this still holds.
    """

    rounds: tuple[RedeemedInRound, ...]
    newest: Redemption | None
    since_block: L2Block
    upto_block: L2Block
    read_at: float
    missing: str = ""
    anchor: tuple[L2Block, str] | None = None
    partial: RedeemedInRound | None = None

    @property
    def parts(self) -> tuple[RedeemedInRound, ...]:
        """All that was counted, oldest first."""
        return (*((self.partial,) if self.partial else ()), *self.rounds)

    def of(self, number: int) -> RedeemedInRound | None:
        """A round; None where its tickets are not known."""
        return next((part for part in self.rounds if part.round == number), None)
