"""From a file that was read to a fleet, or to all of its mistakes at once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from lptui.config import cross
from lptui.config.build import Builder
from lptui.config.explain import explain
from lptui.config.load import Document, Loc
from lptui.config.mistakes import MISTAKE_LIMIT, ConfigMistakes, Mistake
from lptui.config.schema import Config
from lptui.config.view import View
from lptui.fleet.topology import Fleet

_EXTENSION: Final = "x-"
"""Top-level keys that are the operator's own, for anchors."""

_ENTRIES: Final = frozenset({"hosts", "nodes", "rpcs", "balancers", "signers", "commands"})
"""Sections whose members have keys of their own."""


def fleet_of(document: Document, path: Path) -> Fleet:
    """The fleet that a file describes; raises ConfigMistakes."""
    data: dict[str, object] = {
        key: value for key, value in document.root.items() if not key.startswith(_EXTENSION)
    }
    found: list[Mistake] = list(document.mistakes)
    wrong: tuple[Loc, ...] = ()
    config: Config | None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        found.extend(islice(explain(error, document), MISTAKE_LIMIT))
        wrong = _places(error)
        config = _rest(data, wrong)
    if config is not None:
        view = View(config, document, wrong)
        found.extend(islice(cross.mistakes(view), MISTAKE_LIMIT))
        if not found:
            return Builder(view, path.absolute().parent).fleet(path.stem or "fleet")
    raise ConfigMistakes(found)


def _places(error: ValidationError) -> tuple[Loc, ...]:
    return tuple(tuple(item["loc"]) for item in error.errors(include_url=False))


def _rest(data: dict[str, object], wrong: Iterable[Loc]) -> Config | None:
    """The configuration less what is wrong in it, so that the rest can be checked too.

    First single keys go; where what is left lacks something, the whole host, node, ….
    """
    for cut in (_key_at, _entry_at):
        for loc in wrong:
            _remove(data, cut(loc))
        try:
            return Config.model_validate(data)
        except ValidationError as error:
            wrong = _places(error)
    return None


def _key_at(loc: Loc) -> Loc:
    """The key of an entry that a mistake is in."""
    if "[key]" in loc:
        return loc[: loc.index("[key]")]
    if loc[:2] == ("chain", "orchestrators"):
        return loc[:4]
    return loc[:3] if loc[0] in _ENTRIES else loc[:2]


def _entry_at(loc: Loc) -> Loc:
    """The entry that a mistake is in."""
    if loc[:2] == ("chain", "orchestrators"):
        return loc[:3]
    return loc[:2] if loc[0] in _ENTRIES else loc[:1]


def _remove(data: dict[str, object], loc: Loc) -> None:
    """Removes one key, from copies of what holds it: aliases share their values."""
    here = data
    for part in loc[:-1]:
        inner = here.get(str(part))
        if not isinstance(inner, dict):
            here.pop(str(part), None)
            return
        own = dict(inner)
        here[str(part)] = own
        here = own
    here.pop(str(loc[-1]), None)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of configuration files."""
    schema = Config.model_json_schema()
    _close(schema)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "lptui configuration"
    schema["patternProperties"] = {f"^{_EXTENSION}": True}
    return schema


def _close(schema: object) -> None:
    """Refuses names that do not fit, which pydantic's schema leaves open."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.pop("propertyNames", None)
            schema["additionalProperties"] = False
        for inner in schema.values():
            _close(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _close(inner)
