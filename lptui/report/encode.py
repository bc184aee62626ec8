"""Facts as JSON: units in the names of keys, big integers and money as strings, no NaN.

The rules are taken from the types of the facts' fields, so that a new field needs nothing here
unless its name lacks its unit.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from functools import cache
from math import isfinite
from typing import Any, Final

from lptui.clock import iso
from lptui.fleet.facts.money import Flow
from lptui.fleet.units import Lptu, Percent, Wei
from lptui.report import flows

JSON_SAFE: Final = 2**53 - 1
"""Largest integer that every JSON reader keeps exact."""

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

_SUFFIXES: Final = (
    ("_us", "_microseconds"),
    ("_s", "_seconds"),
    ("_c", "_celsius"),
    ("_w", "_watts"),
    ("_mhz", "_megahertz"),
)
_BYTES: Final = frozenset(
    {
        "first_size",
        "journal_size",
        "memory",
        "memory_available",
        "memory_total",
        "memory_used",
        "resident_memory",
        "swap_free",
        "swap_total",
    }
)
_MOUNT_BYTES: Final = frozenset({"size", "used", "available"})
_SIZED: Final = frozenset({"Mount", "MountGrowth", "BackupState", "LogFiles"})
_TIMES: Final = frozenset(
    {
        "advanced_at",
        "at",
        "begun_at",
        "changed_at",
        "first_at",
        "head_time",
        "l1_advanced_at",
        "loaded_at",
        "modified_at",
        "newest_at",
        "pending_since",
        "pooled_at",
        "read_at",
        "resolved_at",
        "seen_at",
        "since_at",
        "started_at",
        "until_at",
    }
)
_UNITS: Final = {
    "fee_share": "ppm",
    "length": "blocks",
    "prices": "wei_per_pixel",
    "reward_cut": "ppm",
    "slope": "bytes_per_day",
}
"""Of fields whose type does not tell it; ppm is parts of a million, as the contracts count."""


class Kind(Enum):
    """How a field is written."""

    PLAIN = "plain"
    AMOUNT = "amount"
    TIME = "time"


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field of a fact: its attribute, its key in JSON, how it is written, its type."""

    name: str
    key: str
    kind: Kind
    hint: object


@cache
def fields_of(fact: type) -> tuple[Field, ...]:
    """The fields of a fact class, in its own order."""
    hints = typing.get_type_hints(fact)
    return tuple(
        _field(fact, item.name, flows.HINTS.get((fact.__name__, item.name), hints[item.name]))
        for item in dataclasses.fields(fact)
    )


def _field(fact: type, name: str, hint: object) -> Field:
    inner = without_none(hint)
    if inner is Wei:
        return Field(name, f"{name}_wei", Kind.AMOUNT, hint)
    if inner is Lptu:
        return Field(name, f"{name}_lptu", Kind.AMOUNT, hint)
    if name in _TIMES:
        return Field(name, name, Kind.TIME, hint)
    if name in _UNITS:
        return Field(name, f"{name}_{_UNITS[name]}", Kind.PLAIN, hint)
    if inner is Percent:
        return Field(name, f"{name}_percent", Kind.PLAIN, hint)
    if inner is int and (name in _BYTES or (fact.__name__ in _SIZED and name in _MOUNT_BYTES)):
        return Field(name, f"{name}_bytes", Kind.PLAIN, hint)
    if inner is float:
        for short, long in _SUFFIXES:
            if name.endswith(short):
                return Field(name, name.removesuffix(short) + long, Kind.PLAIN, hint)
    return Field(name, name, Kind.PLAIN, hint)


def without_none(hint: object) -> object:
    """`T` of `T | None`; any other type as it is."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        left = [item for item in typing.get_args(hint) if item is not type(None)]
        return left[0] if len(left) == 1 else hint
    return hint


def encode(value: object) -> Json:
    """Any fact, or part of one. What cannot be told (NaN, a time out of range) is null."""
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, (frozenset, set)):
        return sorted(str(item) for item in value)
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.key: _WRITERS[field.kind](_told(getattr(value, field.name), field.hint))
            for field in fields_of(type(value))
        }
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return str(value)


def _told(value: object, hint: object) -> object:
    kind = without_none(hint)
    if isinstance(value, Flow) and isinstance(kind, type) and kind in flows.ROUNDS:
        return flows.in_unit(value, kind)
    return value


def integer(value: int) -> int | str:
    """An integer, as a string where a JSON reader might round it."""
    return int(value) if -JSON_SAFE <= value <= JSON_SAFE else str(int(value))


def number(value: float, places: int | None = None) -> float | None:
    """A number; null for what JSON has no number for."""
    if not isfinite(value):
        return None
    return float(value) if places is None else round(float(value), places)


def time(value: float | None) -> str | None:
    """A timestamp in RFC 3339; null for none and for what no calendar has."""
    if value is None or not isfinite(value):
        return None
    try:
        return iso(value)
    except (OverflowError, OSError, ValueError):
        return None


def _amount(value: int | None) -> str | None:
    return None if value is None else str(int(value))


_WRITERS: Final[Mapping[Kind, Callable[[Any], Json]]] = {
    Kind.PLAIN: encode,
    Kind.AMOUNT: _amount,
    Kind.TIME: time,
}
