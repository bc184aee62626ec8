"""From a file that was read to a fleet, or to all of its mistakes at once."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from lptui.config import cross
from lptui.config.build import Builder
from lptui.config.explain import explain
from lptui.config.load import Document, Loc, YamlMap
from lptui.config.mistakes import ConfigMistakes, Mistake
from lptui.config.schema import Config
from lptui.config.view import View
from lptui.fleet.topology import Fleet

_EXTENSION: Final = "x-"
"""Top-level keys that are the operator's own, for anchors."""

_OF_ENTRIES: Final = frozenset({"hosts", "nodes", "rpcs", "balancers", "signers", "groups"})


def fleet_of(document: Document, path: Path) -> Fleet:
    """The fleet that a file describes; raises ConfigMistakes."""
    found: list[Mistake] = list(document.mistakes)
    config = _config(document, found)
    if config is not None:
        view = View(config, document)
        found.extend(cross.mistakes(view))
        if not found:
            return Builder(view, path.absolute().parent).fleet(path.stem or "fleet")
    raise ConfigMistakes(document.path, found)


def _config(document: Document, found: list[Mistake]) -> Config | None:
    """The configuration; where parts of it are wrong, what is left without those parts."""
    data: dict[str, Any] = {
        key: value for key, value in document.root.items() if not key.startswith(_EXTENSION)
    }
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        found.extend(explain(error, document))
        wrong = [tuple(item["loc"]) for item in error.errors(include_url=False)]
    try:
        return Config.model_validate(_without(data, wrong))
    except ValidationError:
        return None


def _without(data: dict[str, Any], wrong: Iterable[Loc]) -> dict[str, Any]:
    """The data less the entries (a host, a node, a limit) that have mistakes."""
    left = copy.copy(data)
    for loc in wrong:
        depth = 3 if loc[:2] == ("chain", "orchestrators") else 2
        whole = len(loc) <= 1 or (loc[0] == "chain" and depth == 2)
        _remove(left, loc[:1] if whole else loc[:depth])
    return left


def _remove(data: dict[str, Any], loc: Loc) -> None:
    """Removes one entry from copies of what holds it: aliases share their values."""
    here: dict[str, Any] = data
    for part in loc[:-1]:
        inner = here.get(str(part))
        if not isinstance(inner, dict):
            here.pop(str(part), None)
            return
        if not isinstance(here, YamlMap) and type(inner) is dict:
            here = inner
            continue
        here[str(part)] = dict(inner)
        here = here[str(part)]
    here.pop(str(loc[-1]), None)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of configuration files."""
    schema = Config.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "lptui configuration"
    schema["patternProperties"] = {f"^{_EXTENSION}": True}
    return schema
