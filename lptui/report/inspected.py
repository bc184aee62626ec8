"""What a node's route answered, as text and as JSON; all of it is safe to print."""

from __future__ import annotations

import json
from typing import Final, NoReturn

from lptui.report.encode import time
from lptui.report.json_report import SCHEMA_VERSION
from lptui.text import clean, clean_lines
from lptui.transport.protocols import HttpAnswer

MOST_LINES: Final = 20_000
LONGEST: Final = 4_000
"""Characters of a line."""

BLOCK: Final = "/currentBlock"
"""Its answer is a number as big-endian bytes (go-livepeer server/handlers.go)."""

_LONGEST_BLOCK: Final = 32


def render(node: str, route: str, answer: HttpAnswer, now: float, form: str) -> str:
    """`form` is text or json. JSON that a node gives is laid out; its text is cleaned."""
    value = _json(answer.body)
    if route == BLOCK and answer.status == 200 and len(answer.body) <= _LONGEST_BLOCK:
        value = int.from_bytes(answer.body, "big")
    if form == "json":
        body = value if value is not None else "\n".join(_lines(answer.body))
        document = {
            "schema_version": SCHEMA_VERSION,
            "kind": "get",
            "collected_at": time(now),
            "node": node,
            "route": route,
            "http_status": answer.status,
            "took_seconds": round(answer.took_s, 6),
            "body": body,
        }
        return _laid_out(document) + "\n"
    head = "" if answer.status == 200 else f"HTTP {answer.status}\n"
    text = _laid_out(value) if value is not None else "\n".join(_lines(answer.body))
    return f"{head}{text}\n" if text else head or "(an empty answer)\n"


def _laid_out(value: object) -> str:
    """ASCII: what a terminal would obey is escaped."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=2)


def _json(raw: bytes) -> object:
    """The value of a JSON text; None for what is none, or cannot be written as JSON again."""
    try:
        value: object = json.loads(raw, parse_constant=_no_number)
        _laid_out(value)
    except (ValueError, RecursionError):
        return None
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{clean(word, 20)} is not JSON")


def _lines(raw: bytes) -> tuple[str, ...]:
    return clean_lines(raw, MOST_LINES, LONGEST)
