"""JSON Schemas of the JSON reports, made from the facts' types.

`python -m lptui.report.schema` writes them to `schemas/`; a test compares.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from lptui.errors import ProblemKind
from lptui.fleet.evidence import Kind as EvidenceKind
from lptui.fleet.finding import Severity
from lptui.fleet.layout import Layout
from lptui.report.encode import Kind, fields_of, without_none
from lptui.report.json_report import SCHEMA_VERSION
from lptui.report.topics import TOPICS

FOLDER: Final = Path(__file__).parent / "schemas"
Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_NUMBER_OR_NULL: Final[Schema] = {"type": ["number", "null"]}
_TIME_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_COUNTS: Final = ("findings", "failing", "explained", "ok", "warning", "critical", "unknown")
_VERDICT: Final[Schema] = {
    "rpc": _TEXT,
    "verdict": {**_TEXT, "description": "well, unknown, or what is wrong, in the checks' order"},
    "severity": {"$ref": "#/$defs/severity"},
    "because": {**_TEXT_OR_NULL, "description": "id of the finding that says so"},
    "evidence": {"type": "array", "items": _TEXT},
    "requests": {
        "type": ["integer", "null"],
        "description": "documents sent to it since lptui was started, over all ways",
    },
    "log_queries": {"type": ["integer", "null"], "description": "calls for logs among them"},
}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}


def schema(kind: str) -> Schema:
    """The schema of "check" or "status"."""
    properties: Schema = {
        "schema_version": {"const": SCHEMA_VERSION},
        "kind": {"const": kind},
        "lptui_version": _TEXT,
        "collected_at": {"type": "string", "format": "date-time"},
        "complete": _BOOLEAN,
        "fleet": _TEXT,
        "demo": _BOOLEAN,
        "status": {"$ref": "#/$defs/severity"},
        "exit_code": {"enum": [0, 1, 2, 3]},
        "summary": _object(dict.fromkeys(_COUNTS, _COUNT)),
        "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
        "readings": {"type": "array", "items": {"$ref": "#/$defs/reading"}},
    }
    if kind == "check":
        properties["page_only"] = _BOOLEAN
    if kind == "status":
        properties["topology"] = {"$ref": "#/$defs/topology"}
        properties["layout"] = {"$ref": "#/$defs/Layout"}
        properties["rewards"] = {"type": "array", "items": {"$ref": "#/$defs/reward"}}
        properties["rpc_verdicts"] = {"type": "array", "items": _object(_VERDICT)}
    definitions = _definitions((*TOPICS, Layout) if kind == "status" else TOPICS)
    if kind != "status":
        del definitions["topology"], definitions["reward"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"lptui --headless {kind} --format json",
        "description": "Unknown is null, never 0. Wei, LPTU and integers beyond 2^53 are strings. "
        "New keys may appear within one schema_version; none goes away.",
        **_object(properties),
        "$defs": definitions,
    }


def _object(properties: Mapping[str, Any]) -> Schema:
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


def _definitions(described: Iterable[type]) -> Schema:
    facts: Schema = {}
    for one in described:
        _fact(one, facts)
    return {
        "severity": {"enum": [severity.name for severity in Severity]},
        "integer": {
            "description": "a string where it is beyond 2^53",
            "anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]+$"}],
        },
        "amount": {"type": "string", "pattern": "^-?[0-9]+$"},
        "finding": _finding(),
        "metric": _metric(),
        "reading": _reading(),
        "topology": _topology(),
        "reward": _reward(),
        **dict(sorted(facts.items())),
    }


_PAGE: Final[Schema] = {
    "now": {**_BOOLEAN, "description": "worth a page now"},
    "why": _TEXT,
    "waits_until": _TIME_OR_NULL,
}


def _finding() -> Schema:
    return _object(
        {
            "id": _TEXT,
            "check": _TEXT,
            "target": _TEXT,
            "subject": _TEXT,
            "severity": {"$ref": "#/$defs/severity"},
            "summary": _TEXT,
            "evidence": {"type": "array", "items": _TEXT},
            "remedy": _TEXT_OR_NULL,
            "action": _TEXT_OR_NULL,
            "cause": {**_TEXT_OR_NULL, "description": "id of the finding that explains this one"},
            "page": {
                "description": "null where all is well, or without `paging` in the configuration",
                "anyOf": [{"type": "null"}, _object(_PAGE)],
            },
            "metrics": {"type": "array", "items": {"$ref": "#/$defs/metric"}},
        }
    )


def _metric() -> Schema:
    value: Schema = {
        "anyOf": [{"type": ["number", "null"]}, {"type": "string", "pattern": "^-?[0-9]+$"}]
    }
    return _object(
        {
            "label": _TEXT,
            "value": value,
            "unit": _TEXT_OR_NULL,
            "warn": {**_TEXT_OR_NULL, "description": "a range as monitoring plugins write it"},
            "critical": _TEXT_OR_NULL,
        }
    )


def _reading() -> Schema:
    error = _object(
        {
            "kind": {"enum": [kind.value for kind in ProblemKind]},
            "what": _TEXT,
            "why": _TEXT,
            "remedy": _TEXT_OR_NULL,
        }
    )
    value: Schema = {"type": ["object", "null"]}
    last_good = _object({"value": value, "taken_at": _TIME_OR_NULL, "age_seconds": _NUMBER_OR_NULL})
    properties = {
        "topic": _TEXT,
        "target": _TEXT,
        "value": {**value, "description": "null exactly when there is an error"},
        "source": _TEXT,
        "taken_at": _TIME_OR_NULL,
        "age_seconds": _NUMBER_OR_NULL,
        "took_seconds": _NUMBER_OR_NULL,
        "interval_seconds": _NUMBER_OR_NULL,
        "stale": _BOOLEAN,
        "error": {"anyOf": [{"type": "null"}, error]},
        "last_good": {"anyOf": [{"type": "null"}, last_good]},
    }
    by_topic = [
        {
            "if": {"properties": {"topic": {"const": topic.__name__}}},
            "then": {
                "properties": {
                    "value": {"anyOf": [{"type": "null"}, {"$ref": f"#/$defs/{topic.__name__}"}]}
                }
            },
        }
        for topic in TOPICS
    ]
    return {**_object(properties), "allOf": by_topic}


def _topology() -> Schema:
    names: Schema = {"type": "array", "items": _TEXT}
    chain = _object(
        {
            "network": _TEXT,
            "chain_id": {"$ref": "#/$defs/integer"},
            "controller": _TEXT,
            "rpcs": names,
            "orchestrators": {"type": "array", "items": {"type": "object"}},
        }
    )
    named: Schema = {
        "type": "array",
        "items": {"type": "object", "required": ["name"], "properties": {"name": _TEXT}},
    }
    return _object(
        {
            "production": _BOOLEAN,
            **dict.fromkeys(("hosts", "nodes", "rpcs", "balancers", "signers"), named),
            "chain": {"anyOf": [{"type": "null"}, chain]},
        }
    )


def _reward() -> Schema:
    """One orchestrator's reward, with what every source says of it."""
    deadline = _object(
        {
            "blocks_left": _COUNT,
            "seconds_left": _NUMBER_OR_NULL,
            "uncertainty_seconds": _NUMBER_OR_NULL,
            "block_seconds": _NUMBER_OR_NULL,
            "block_seconds_measured": _BOOLEAN,
            "warn_blocks": {"type": "integer"},
            "critical_blocks": {"type": "integer"},
        }
    )
    evidence = _object(
        {
            "kind": {"enum": [kind.value for kind in EvidenceKind]},
            "source": _TEXT,
            "called": {"type": ["boolean", "null"]},
            "text": _TEXT,
            "read_from": _TEXT,
            "age_seconds": _NUMBER_OR_NULL,
        }
    )
    fruitless = _object({"round": _COUNT, "outcome": _TEXT, "why": _TEXT})
    return _object(
        {
            "orchestrator": _TEXT,
            "round": {"type": ["integer", "null"]},
            "state": _TEXT,
            "deadline": {"anyOf": [{"type": "null"}, deadline]},
            "evidence": {"type": "array", "items": evidence},
            "contradictions": {"type": "array", "items": _TEXT},
            "fruitless_rounds": {"type": "array", "items": fruitless},
        }
    )


def _fact(fact: type, into: Schema) -> None:
    """Adds the definition of a fact class, and of those within it."""
    if fact.__name__ in into:
        return
    into[fact.__name__] = {}
    properties: Schema = {}
    for field in fields_of(fact):
        if field.kind is Kind.AMOUNT:
            described: Schema = {"$ref": "#/$defs/amount"}
        elif field.kind is Kind.TIME:
            described = {"type": "string", "format": "date-time"}
        else:
            described = _type(without_none(field.hint), into)
        # A float may be what JSON has no number for, a time what no calendar has.
        if field.hint is not without_none(field.hint) or field.kind is Kind.TIME:
            described = {"anyOf": [{"type": "null"}, described]}
        properties[field.key] = described
    into[fact.__name__] = _object(properties)


def _type(hint: object, into: Schema) -> Schema:
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    origin = typing.get_origin(hint)
    if origin is tuple:
        inner = typing.get_args(hint)
        if inner[-1] is Ellipsis:
            return {"type": "array", "items": _type(inner[0], into)}
        return {
            "type": "array",
            "prefixItems": [_type(item, into) for item in inner],
            "minItems": len(inner),
            "maxItems": len(inner),
        }
    if not isinstance(hint, type):
        return {}
    if dataclasses.is_dataclass(hint):
        _fact(hint, into)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if issubclass(hint, Enum):
        return {"enum": [member.value for member in hint.__members__.values()]}
    if hint is int:
        return {"$ref": "#/$defs/integer"}
    return dict(_PLAIN.get(hint, {}))


_PLAIN: Final[Mapping[type, Schema]] = {
    bool: _BOOLEAN,
    float: _NUMBER_OR_NULL,
    str: _TEXT,
    Fraction: {"type": "string", "pattern": "^-?[0-9]+/[0-9]+$"},
}


def text(kind: str) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(kind), indent=2) + "\n"


def main() -> None:
    """Writes the files."""
    for kind in ("check", "status"):
        (FOLDER / f"{kind}.schema.json").write_text(text(kind), encoding="utf-8")


if __name__ == "__main__":
    main()
