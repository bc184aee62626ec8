"""Reads the BondingManager's logs about an orchestrator's stake and standing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.stake import StakeChange
from lptui.fleet.units import PARTS_PER_MILLION, Address, L2Block, Lptu, Round
from lptui.probes.chain import abi
from lptui.probes.chain.codec import NOBODY, decode_types

TOPICS: Final = frozenset(event.topic for event in abi.STAKE_EVENTS)

_SMALL: Final = 2**63


@dataclass(frozen=True, slots=True)
class StakeLog:
    """What one log says; the fields as in `StakeEvent`."""

    orchestrator: Address
    change: StakeChange
    block: L2Block
    index: int
    tx: str
    amount: Lptu | None = None
    who: Address | None = None
    lock: int | None = None
    effective: Round | None = None
    reward_cut: int | None = None
    fee_share: int | None = None


def parse_stake(topics: Sequence[str], raw: bytes, place: tuple[L2Block, int], tx: str) -> StakeLog:
    """One of the logs whose topic is among `TOPICS`. Raises BadAnswerError."""
    event, change, read = _READ[topics[0]]
    values = decode_types(event.data, raw, f"{event.signature.partition('(')[0]} log")
    block, index = place
    try:
        fields = read(topics, values)
    except IndexError:
        why = f"a log of {len(topics)} topics"
        raise BadAnswerError(event.signature.partition("(")[0], why) from None
    return StakeLog(_address(topics[1]), change, block, index, tx, **fields)


def _address(topic: str) -> Address:
    return Address("0x" + topic[-40:])


def _count(value: int) -> int | None:
    return value if value < _SMALL else None


def _round(value: int) -> Round | None:
    return Round(value) if value < _SMALL else None


Fields = dict[str, Any]


def _bond(topics: Sequence[str], values: tuple[Any, ...]) -> Fields:
    additional, bonded = values
    came_from = _address(topics[2])
    moved = came_from not in (_address(topics[1]), NOBODY)
    return {"amount": Lptu(bonded if moved else additional), "who": _address(topics[3])}


def _unbond(topics: Sequence[str], values: tuple[Any, ...]) -> Fields:
    lock, amount, withdraw = values
    return {
        "amount": Lptu(amount),
        "who": _address(topics[2]),
        "lock": _count(lock),
        "effective": _round(withdraw),
    }


def _rebond(topics: Sequence[str], values: tuple[Any, ...]) -> Fields:
    lock, amount = values
    return {"amount": Lptu(amount), "who": _address(topics[2]), "lock": _count(lock)}


def _withdrawn(topics: Sequence[str], values: tuple[Any, ...]) -> Fields:
    lock, amount, _ = values
    return {"amount": Lptu(amount), "who": _address(topics[1]), "lock": _count(lock)}


def _slashed(_: Sequence[str], values: tuple[Any, ...]) -> Fields:
    finder, penalty, _reward = values
    return {"amount": Lptu(penalty), "who": Address(str(finder).lower())}


def _rates(_: Sequence[str], values: tuple[Any, ...]) -> Fields:
    cut, share = (value if value <= PARTS_PER_MILLION else None for value in values)
    return {"reward_cut": cut, "fee_share": share}


def _standing(_: Sequence[str], values: tuple[Any, ...]) -> Fields:
    return {"effective": _round(values[0])}


_READ: Final[
    dict[
        str,
        tuple[abi.Event, StakeChange, Callable[[Sequence[str], tuple[Any, ...]], Fields]],
    ]
] = {
    event.topic: (event, change, read)
    for event, change, read in (
        (abi.BOND, StakeChange.BOND, _bond),
        (abi.UNBOND, StakeChange.UNBOND, _unbond),
        (abi.REBOND, StakeChange.REBOND, _rebond),
        (abi.WITHDRAW_STAKE, StakeChange.WITHDRAWN, _withdrawn),
        (abi.SLASHED, StakeChange.SLASHED, _slashed),
        (abi.RATES, StakeChange.RATES, _rates),
        (abi.ACTIVATED, StakeChange.ACTIVATED, _standing),
        (abi.DEACTIVATED, StakeChange.DEACTIVATED, _standing),
    )
}
