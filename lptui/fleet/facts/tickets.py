"""Winning tickets that a node is to redeem, as its database has them."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.fleet.units import Round, Wei


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
