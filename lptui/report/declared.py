"""What declared commands that only read have said, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from lptui.actions.reading import Said
from lptui.clock import iso

SCHEMA_VERSION: Final = 1


def render(command: str, said: Sequence[Said], now: float, form: str) -> str:
    """`form` is text (the output alone where there is one target) or json."""
    if form == "json":
        document = {
            "schema_version": SCHEMA_VERSION,
            "collected_at": iso(now),
            "command": command,
            "runs": [
                {
                    "target": one.target.name,
                    "host": one.target.host,
                    "status": one.status,
                    "stdout": list(one.stdout),
                    "stderr": list(one.stderr),
                    "error": one.error or None,
                }
                for one in said
            ],
        }
        return json.dumps(document, indent=2)
    if len(said) == 1:
        return "\n".join(_lines(said[0]))
    lines = (line for one in said for line in (f"{one.target.name}:", *_indented(one)))
    return "\n".join(lines)


def _indented(said: Said) -> Iterator[str]:
    return (f"  {line}" for line in _lines(said))


def _lines(said: Said) -> Iterator[str]:
    yield from said.stdout
    yield from said.stderr
    if said.error:
        yield f"failed: {said.error}"
    elif said.status:
        yield f"failed: it ended with status {said.status}"


def exit_code(said: Sequence[Said]) -> int:
    """0 when all went well, 2 when one failed, 3 when one cannot be told."""
    codes = [3 if one.status is None else 2 if one.status else 0 for one in said]
    return max(codes, default=3)
