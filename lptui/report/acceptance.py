"""A node's acceptance, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from lptui.fleet.snapshot import Snapshot
from lptui.present.acceptance import Acceptance, Line, Verdict
from lptui.report.encode import time
from lptui.report.json_report import SCHEMA_VERSION, dump
from lptui.text import clean


def render(snapshot: Snapshot, found: Acceptance, form: str) -> str:
    """`form` is text or json."""
    if form == "json":
        return dump(
            {
                "schema_version": SCHEMA_VERSION,
                "kind": "acceptance",
                "collected_at": time(snapshot.taken_at),
                "fleet": snapshot.fleet.name,
                "node": found.node,
                "verdict": found.verdict.value,
                "exit_code": found.verdict.exit_code,
                "lines": [
                    {
                        "topic": line.topic,
                        "verdict": line.verdict.value,
                        "words": line.words,
                        "evidence": list(line.evidence),
                        "remedy": line.remedy or None,
                        "findings": list(line.findings),
                        "cause": line.cause or None,
                    }
                    for line in found.lines
                ],
            }
        )
    return "\n".join(_text(found)) + "\n"


def _text(found: Acceptance) -> Iterator[str]:
    yield f"{found.node}: {found.verdict.headline} ({found.counts})"
    for line in found.lines:
        yield from _line(line)


def _line(line: Line) -> Iterator[str]:
    yield f"  {line.verdict.sign:<4} {line.topic:<28} {clean(line.words)}"
    if line.verdict not in (Verdict.NOT, Verdict.UNKNOWN):
        return
    if line.cause:
        yield f"         because of {clean(line.cause)}"
    for told in line.evidence:
        yield f"         seen: {clean(told)}"
    if line.remedy:
        yield f"         do: {clean(line.remedy)}"
