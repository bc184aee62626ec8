"""Snapshots whose every text, number and integer is hostile."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any

from lptui.errors import Problem
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from tests.snapshots import FleetBuilder

TEXTS = (
    "a|b 'c' \"d\" =e\nf\tg \\ `h` **i** <b>j</b> [red]k[/] \x1b[31ml\x1b[0m "
    "\u202em é 漢字 😀 {n} # o",
    "|" * 5000,
    "''",
    "",
    "\x00\x07\n\r\n| 'x'=1 CRITICAL",
)
NUMBERS = (float("nan"), float("inf"), -1.0, 1e308, 0.0)
INTEGERS = (2**256 - 1, -1, 0, 2**53)


def poison(value: Any, text: str, number: float, integer: int) -> Any:
    """The same structure with all its texts, floats and integers replaced."""
    if isinstance(value, (bool, Enum)) or value is None:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, int):
        return integer
    if isinstance(value, float):
        return number
    if isinstance(value, tuple):
        return tuple(poison(item, text, number, integer) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: poison(getattr(value, field.name), text, number, integer)
            for field in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **changes)
    return value


def hostile(text: str, number: float, integer: int, *, failing: bool = False) -> Snapshot:
    """The reference fleet with every reading poisoned; with `failing`, a third of them failed."""
    fleet = FleetBuilder()
    for at, (key, reading) in enumerate(list(fleet.readings.items())):
        changed: Reading[object] = dataclasses.replace(
            reading, value=poison(reading.value, text, number, integer), source=text
        )
        fleet.readings[key] = changed
        if failing and at % 3 == 0:
            fleet.fail(key.topic, key.target)
            broken = fleet.readings[key]
            assert broken.problem is not None
            problem = Problem(broken.problem.kind, text, text, text)
            fleet.readings[key] = dataclasses.replace(broken, problem=problem)
    return fleet.snapshot()
