"""Amounts round by round as JSON tells them: with their unit in the names of their keys."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from lptui.fleet.facts.money import Flow, RoundFlow
from lptui.fleet.units import Lptu, Round, Wei


@dataclass(frozen=True, slots=True)
class WeiRound:
    """A `RoundFlow` of ETH."""

    round: Round
    down: Wei
    up: Wei
    seconds: float
    transactions: int
    hidden: int
    moved: Wei


@dataclass(frozen=True, slots=True)
class LptuRound:
    """A `RoundFlow` of LPT."""

    round: Round
    down: Lptu
    up: Lptu
    seconds: float
    transactions: int
    hidden: int
    moved: Lptu


@dataclass(frozen=True, slots=True)
class WeiFlow:
    """A `Flow` of ETH."""

    amount: Wei
    nonce: int
    round: Round
    at: float
    rounds: tuple[WeiRound, ...]


@dataclass(frozen=True, slots=True)
class LptuFlow:
    """A `Flow` of LPT."""

    amount: Lptu
    nonce: int
    round: Round
    at: float
    rounds: tuple[LptuRound, ...]


ROUNDS: Final[dict[type, type]] = {WeiFlow: WeiRound, LptuFlow: LptuRound}

HINTS: Final[dict[tuple[str, str], object]] = {
    ("AccountFlow", "balance"): WeiFlow,
    ("EarningsFlow", "fees"): WeiFlow | None,
    ("EarningsFlow", "stake"): LptuFlow | None,
}
"""Which of these stands for a fact's field: the flow itself does not know what it is of."""


def in_unit(flow: Flow, kind: type) -> object:
    """The flow as one of the classes here."""
    values = {field.name: getattr(flow, field.name) for field in fields(Flow)}
    values["rounds"] = tuple(_round(part, ROUNDS[kind]) for part in flow.rounds)
    return kind(**values)


def _round(part: RoundFlow, kind: type) -> object:
    return kind(**{field.name: getattr(part, field.name) for field in fields(RoundFlow)})
