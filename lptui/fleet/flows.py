"""Follows amounts from look to look, round by round, and tells how long a balance lasts. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lptui.fleet.facts.money import Flow, RoundFlow
from lptui.fleet.units import Round, Wei

MOST_ROUNDS: Final = 32
LEAST_ROUNDS: Final = 3
"""Whole rounds that a measured burn takes."""

WHOLE: Final = 0.8
"""A round that was watched for so much of its length counts as whole."""

SHARE: Final = 0.95

DEAREST_GAS: Final = 20_000_000
"""More than any transaction of go-livepeer takes, L1 data included; forty times a reward call."""

PATIENCE_S: Final = 3600.0
"""For how long looks at the past are passed over."""


def watched(
    before: Flow | None,
    amount: int,
    number: Round,
    at: float,
    nonce: int = 0,
    dearest: int | None = None,
) -> Flow:
    """The flow after one more look. What moved over several rounds is shared among them evenly.

    A fall by more than `dearest` a transaction is a transfer, and no cost; None: not told apart.

    A look at the past, by an endpoint that is behind, tells nothing; one that stays in the past is
    of another chain, and begins anew.
    """
    is_past = before is not None and (number < before.round or nonce < before.nonce)
    if before is not None and (is_past or at < before.at) and abs(at - before.at) < PATIENCE_S:
        return before
    if before is None or is_past or at < before.at:
        return Flow(amount, nonce, number, at, (RoundFlow(number),))
    if at == before.at:
        return before
    change, sent = amount - before.amount, nonce - before.nonce
    last = before.rounds[-1]
    missed = min(number - before.round, MOST_ROUNDS)
    if not missed:
        parts = [last]
    else:
        first = number - missed + 1
        parts = [RoundFlow(Round(first + place)) for place in range(missed)]
    down, up, moved = max(0, -change), max(0, change), 0
    if dearest is not None and sent > 0 and down > sent * dearest:
        down, moved = 0, down
    shares = len(parts)
    added = [
        replace(
            part,
            down=part.down + _share(down, shares, place),
            up=part.up + _share(up, shares, place),
            seconds=part.seconds + (at - before.at) / shares,
            transactions=part.transactions + _share(sent, shares, place),
            hidden=part.hidden + (_share(sent, shares, place) if up or moved else 0),
            moved=part.moved + _share(moved, shares, place),
        )
        for place, part in enumerate(parts)
    ]
    kept = before.rounds[:-1] if not missed else before.rounds
    return Flow(amount, nonce, number, at, (*kept, *added)[-MOST_ROUNDS:])


def _share(amount: int, parts: int, place: int) -> int:
    """An even part of an amount; the last one has what is left over."""
    each = amount // parts
    return amount - each * (parts - 1) if place == parts - 1 else each


def whole_rounds(flow: Flow, round_seconds: float) -> tuple[RoundFlow, ...]:
    """The rounds that are over and were watched from end to end, or nearly so."""
    return tuple(
        part
        for part in flow.rounds
        if part.round < flow.round and part.seconds >= WHOLE * round_seconds
    )


def spent(part: RoundFlow, each: int) -> int:
    """What a round has cost: its falls, and `each` for a transaction that something else hides."""
    return part.down + part.hidden * each


def burn(flow: Flow, round_seconds: float) -> tuple[Wei, int] | None:
    """What 19 of 20 rounds do not exceed, and of how many it is known; None when of too few."""
    rounds = whole_rounds(flow, round_seconds)
    if len(rounds) < LEAST_ROUNDS:
        return None
    seen = sum(part.transactions - part.hidden for part in rounds)
    each = sum(part.down for part in rounds) // seen if seen > 0 else 0
    return Wei(_high([spent(part, each) for part in rounds])), len(rounds)


def _high(values: Sequence[int]) -> int:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(SHARE * len(ordered)) - 1)]


class Basis(StrEnum):
    """What a runway rests on."""

    MEASURED = "measured"
    """The account's own spending, round by round."""
    PAID = "paid"
    """What the last reward call cost, by its receipt."""
    PRICE = "price"
    """The gas of a reward call at the present price."""


@dataclass(frozen=True, slots=True)
class Runway:
    """For how long a balance lasts. `rounds` None: nothing is spent, at no price.

    `burn` is wei a round; `over` the rounds that it was measured in.
    """

    rounds: int | None
    burn: Wei
    basis: Basis
    over: int = 0

    def days(self, round_seconds: float) -> float | None:
        return None if self.rounds is None else self.rounds * round_seconds / 86_400


def runway(
    balance: int, flow: Flow | None, round_seconds: float, a_call: Wei | None, paid: Wei | None
) -> Runway | None:
    """By the measured burn, where there is one; else by what one call cost the last time, or
    costs now, whichever is more. None when nothing of this is known."""
    measured = burn(flow, round_seconds) if flow is not None else None
    if measured is not None and measured[0]:
        return Runway(balance // measured[0], measured[0], Basis.MEASURED, measured[1])
    if a_call is None and paid is None:
        return None
    cost = Wei(max(a_call or 0, paid or 0))
    basis = Basis.PAID if paid is not None and paid > (a_call or 0) else Basis.PRICE
    return Runway(balance // cost if cost else None, cost, basis)
