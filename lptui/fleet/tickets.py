"""Which nodes have winning tickets to redeem, and what redeeming takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lptui.fleet.chains import L1_CHAINS
from lptui.fleet.facts.tickets import TicketsOfRound
from lptui.fleet.topology import NO_DATABASE, Fleet, Node, Role
from lptui.fleet.units import Round, Wei

VALID_ROUNDS: Final = 2
"""A ticket is good in the round of its creation and in the next (go-livepeer pm/queue.go)."""

_GAS: Final = 1_200_000
_L1_GAS: Final = 350_000
"""What a node reckons with for one redemption on Arbitrum, and on L1."""


def keepers(fleet: Fleet) -> tuple[Node, ...]:
    """Nodes whose queue is looked at: redeemers, and any other node with `database` set.

    An orchestrator that has a redeemer keeps no ticket itself.
    """
    return tuple(
        node
        for node in fleet.nodes.values()
        if node.is_livepeer
        and node.database != NO_DATABASE
        and (node.database or Role.REDEEMER in node.roles)
        and node.standby_for is None
    )


def redemption_gas(chain_id: int) -> int:
    """Gas that a node reckons with for one redemption: a ticket worth less waits."""
    return _L1_GAS if chain_id in L1_CHAINS else _GAS


def total(parts: Iterable[TicketsOfRound]) -> TicketsOfRound:
    """The tickets of several rounds together, under the newest of them."""
    listed = list(parts)
    return TicketsOfRound(
        max((part.round for part in listed), default=Round(0)),
        sum(part.count for part in listed),
        Wei(sum(part.value for part in listed)),
    )
