"""Winning tickets as a simulated node's database has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

KEPT: Final = 400
"""Tickets that a queue keeps; a real one keeps all."""


@dataclass(slots=True)
class WinningTicket:
    """A ticket; times are UTC seconds. `redeemed` None: it waits."""

    round: int
    face: int
    came: float
    redeemed: float | None = None


@dataclass(slots=True)
class TicketTable:
    """The table `ticketQueue` of one node, the oldest ticket first."""

    tickets: list[WinningTicket] = field(default_factory=list)

    def add(self, ticket: WinningTicket) -> None:
        self.tickets.append(ticket)
        del self.tickets[:-KEPT]

    def waiting(self, since: int) -> list[WinningTicket]:
        """Those of rounds from `since` on that are not redeemed."""
        return [t for t in self.tickets if t.redeemed is None and t.round >= since]
