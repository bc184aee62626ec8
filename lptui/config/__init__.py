"""What the operator wrote: one YAML file, checked as a whole, made into a fleet.

`load_fleet` is for whoever needs the fleet, `find_mistakes` for whoever wants to know what is
wrong with the file, `json_schema` for editors. pydantic is imported when the first is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lptui.config.mistakes import ConfigMistakes, Mistake

if TYPE_CHECKING:
    from lptui.fleet.topology import Fleet

__all__ = [
    "ConfigMistakes",
    "Mistake",
    "find_mistakes",
    "find_mistakes_in",
    "json_schema",
    "load_fleet",
]


def load_fleet(path: Path) -> Fleet:
    """The fleet that a file describes; raises ConfigMistakes with all that is wrong with it."""
    from lptui.config.check import fleet_of
    from lptui.config.load import read_document

    return fleet_of(read_document(path), path)


def find_mistakes_in(text: str, name: str) -> tuple[Mistake, ...]:
    """All mistakes of a text that is called `name`, by position."""
    from lptui.config.check import fleet_of
    from lptui.config.load import parse_document

    try:
        fleet_of(parse_document(text, name), Path(name))
    except ConfigMistakes as error:
        return error.mistakes
    return ()


def find_mistakes(path: Path) -> tuple[Mistake, ...]:
    """All mistakes of a file, by position; none when `load_fleet` would succeed."""
    try:
        load_fleet(path)
    except ConfigMistakes as error:
        return error.mistakes
    return ()


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of configuration files, for editors."""
    from lptui.config.check import json_schema

    return json_schema()
