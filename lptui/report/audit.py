"""The record of actions, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from lptui.actions.audit_reading import Record, Verdict
from lptui.clock import iso
from lptui.errors import LptuiError
from lptui.report.json_report import SCHEMA_VERSION, dump
from lptui.text import plural

FORMATS: Final = ("text", "json")

SHOWN_FAULTS: Final = 20

NO_END: Final = "no end"
"""Outcome of a run that is under way, or whose console was killed."""


def refuse_audit_format(form: str) -> None:
    """Raises LptuiError for a format that the record is not told in."""
    if form not in FORMATS:
        raise LptuiError("audit", f"has no format {form}", f"use {' or '.join(FORMATS)}")


def render_records(records: Sequence[Record], form: str, now: float) -> str:
    """All runs, the newest last: one line each, or JSON."""
    if form == "json":
        return _document("audit", now, {"runs": [_brief(record) for record in records]})
    if not records:
        return "no runs yet"
    return "\n".join(_table([_row(record) for record in records]))


def render_record(record: Record, form: str, now: float) -> str:
    """One run with all that happened to its steps."""
    if form == "json":
        whole = _brief(record) | {"events": [asdict(one) for one in record.happenings]}
        return _document("audit-run", now, {"run": whole})
    return "\n".join(_record_lines(record))


def render_verdict(path: str, verdict: Verdict, form: str, now: float) -> str:
    """Whether the chain is whole."""
    if form == "json":
        told = {"path": path, "whole": not verdict.faults, **asdict(verdict)}
        return _document("audit-verify", now, told)
    lines = [str(fault) for fault in verdict.faults[:SHOWN_FAULTS]]
    if len(verdict.faults) > SHOWN_FAULTS:
        lines.append(f"and {len(verdict.faults) - SHOWN_FAULTS} more")
    count = plural(verdict.lines, "line")
    if verdict.faults:
        lines.append(f"{count}, NOT whole: {path}")
    else:
        lines.append(f"{count}, chained, whole")
    if verdict.unchained:
        first = plural(verdict.unchained, "line")
        lines.append(f"the first {first} are older than the chain: nothing shows an edit of those")
    return "\n".join(lines)


def _row(record: Record) -> tuple[str, ...]:
    outcome = record.outcome or NO_END
    return (
        record.at,
        record.run,
        f"{record.who}@{record.where}",
        record.action,
        record.target,
        f"plan {record.plan}",
        f"{outcome} ({record.verb})" if record.verb else outcome,
        record.summary,
    )


def _table(rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _record_lines(record: Record) -> Iterable[str]:
    yield f"run {record.run}: {record.action} {record.target}, plan {record.plan}"
    yield f"  by {record.who} at {record.where}, fleet {record.fleet}"
    for one in record.happenings:
        place = f"{one.number}. {one.title} ({one.target})" if one.number is not None else ""
        words = ": ".join(part for part in (place, one.words) if part)
        yield f"  {one.at}  {one.event:<8} {words}".rstrip()
    yield f"  {record.outcome or NO_END}{f': {record.summary}' if record.summary else ''}"
    for name, value in record.proof:
        yield f"  {name}: {value}"


def _brief(record: Record) -> dict[str, Any]:
    return {
        "run": record.run,
        "at": record.at,
        "who": record.who,
        "from": record.where,
        "fleet": record.fleet,
        "action": record.action,
        "target": record.target,
        "plan": record.plan,
        "outcome": record.outcome or None,
        "taken_up": record.verb or None,
        "summary": record.summary or None,
        "proof": dict(record.proof),
    }


def _document(kind: str, now: float, told: dict[str, Any]) -> str:
    head: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "kind": kind}
    return dump(head | {"collected_at": iso(now)} | told).rstrip("\n")
