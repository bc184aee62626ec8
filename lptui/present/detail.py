"""Everything known of one row: findings, values, charts, readings with their raw fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from rich.cells import cell_len

from lptui.checks.paging import words
from lptui.clock import iso
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.reading import Key, Reading
from lptui.present.callers import caller_lines
from lptui.present.chart import chart
from lptui.present.host_detail import card_lines, host_lines
from lptui.present.layers import layer_lines
from lptui.present.model import AGE, Line, Row, Section, Span, State, Tone
from lptui.present.rewards import reward_lines
from lptui.present.safety_detail import safety_lines, unit_lines
from lptui.present.ticker import lines_of as block_lines
from lptui.present.view import STATE_OF, View, rest_words
from lptui.present.words import age
from lptui.text import clean, plural

DEPTH = 3
TIMES = ("_at", "_time")
"""Fields of such names hold seconds since 1970; absurd numbers stay as they are."""

FIELD_LINES = 120
"""Most lines of raw fields of one reading."""

CHART_HEIGHT = 10
MOST_CHARTS = 3
LEAST_WIDTH = 40


def detail(view: View, section: Section, row: Row, drawn: list[Line]) -> list[Line]:
    """The lines of a row's detail; `drawn` are its charts."""
    lines = list(_findings(view, row))
    lines.append((Span(" Now", Tone.ACCENT),))
    for column, cell in zip(section.columns, row.cells, strict=True):
        if column.key in (AGE, "state", "note", "history", "trend") or not cell.text:
            continue
        spans = cell.spans or (Span(cell.text.strip(), cell.tone),)
        tail: Line = ()
        if cell.since is not None:
            spans = (Span(cell.text, Tone.MUTED),)
            tail = (Span(f"  seen {age(view.now - cell.since)} ago", Tone.WARN),)
        lines.append((Span(f"   {column.title:<20}", Tone.MUTED), *spans, *tail))
    lines.append(())
    for more in _MORE.get(section.key, ()):
        lines.extend(more(view, row))
    lines.extend(drawn)
    lines.append(
        (Span(" Evidence", Tone.ACCENT), Span("  what was read, where and when", Tone.MUTED))
    )
    for key in row.readings:
        if isinstance(key, Key):
            lines.extend(_reading(view, key))
    return lines


_MORE: Mapping[str, tuple[Callable[[View, Row], Iterator[Line]], ...]] = {
    "orchestrators": (reward_lines, caller_lines),
    "rpcs": (block_lines,),
    "nodes": (layer_lines,),
    "hosts": (host_lines, safety_lines),
    "units": (unit_lines,),
    "gpus": (card_lines,),
}
"""What the rows of some sections have to show besides."""


def side_by_side(view: View, row: Row, name: str, width: int, height: int) -> list[Line]:
    """As many of a row's charts as fit beside each other, under their titles."""
    count = max(1, min(len(row.series), width // LEAST_WIDTH))
    each = width // count
    blocks: list[list[Line]] = []
    for target, figure, title in row.series[:count]:
        points = _points(view, target, figure)
        head: Line = (Span(f" {title}", Tone.ACCENT), Span(f"  {name}", Tone.MUTED))
        body = chart(points, each - 1, height - 1, _most(title)) if points else []
        if not body:
            body = [(Span(" no history yet", Tone.MUTED),)]
        blocks.append([head, *body])
    return [
        tuple(span for block in blocks for span in _padded(_line_at(block, number), each))
        for number in range(height)
    ]


def _most(title: str) -> float:
    return 100.0 if "%" in title else math.inf


def _line_at(block: list[Line], number: int) -> Line:
    return block[number] if number < len(block) else ()


def _padded(line: Line, width: int) -> Line:
    return (*line, Span(" " * max(0, width - sum(cell_len(span.text) for span in line))))


def _points(view: View, target: str, figure: str) -> list[tuple[float, float | None]]:
    """What was recorded of a figure, in the unit of its chart; [] when too little was."""
    series = view.history.get(target, figure)
    points = series.points() if series is not None else []
    if sum(1 for _, value in points if value is not None) < 2:
        return []
    scale = 1e-18 if figure == "balance" else 1.0
    return [(at, None if value is None else float(value) * scale) for at, value in points]


def charts(view: View, row: Row, width: int) -> list[Line]:
    """The row's history, drawn with axes; nothing where nothing was recorded."""
    if width < LEAST_WIDTH:
        return []
    lines: list[Line] = []
    for target, figure, title in row.series[:MOST_CHARTS]:
        points = _points(view, target, figure)
        if not points:
            continue
        lines.append(
            (Span(f" {title}", Tone.ACCENT), Span("  since this console started", Tone.MUTED))
        )
        lines.extend(chart(points, width, CHART_HEIGHT, _most(title)))
        lines.append(())
    return lines


def _findings(view: View, row: Row) -> Iterator[Line]:
    found = view.findings.of(row.subjects[:1])
    bad = [f for f in found if f.severity is not Severity.OK]
    checked = f"  as of {age(view.now - view.findings.at)} ago" if view.findings.at else ""
    yield (Span(" Findings", Tone.ACCENT), Span(checked, Tone.MUTED))
    if not view.findings.checked:
        yield (Span("   the checks have not run yet", Tone.MUTED),)
    causes: dict[str, list[Finding]] = {}
    for finding in bad:
        if finding.cause:
            causes.setdefault(finding.cause, []).append(finding)
        else:
            yield from _finding(finding, finding.id in view.findings.acknowledged)
    for cause, following in causes.items():
        yield from _following(cause, following)
    well = [f.check for f in found if f.severity is Severity.OK]
    if well:
        yield (
            Span("   ok    ", Tone.OK),
            Span(f"{plural(len(well), 'check')}: {', '.join(well)}", Tone.MUTED),
        )
    elif not bad and view.findings.checked:
        yield (Span("   no check is about this", Tone.MUTED),)
    yield ()


def _finding(finding: Finding, acknowledged: bool) -> Iterator[Line]:
    state = STATE_OF[finding.severity]
    mark = (
        Span("   ack   ", Tone.MUTED) if acknowledged else Span(f"   {state.word:<6}", state.tone)
    )
    yield (mark, Span(finding.summary, Tone.STRONG), Span(f"  {finding.check}", Tone.MUTED))
    for line in finding.evidence:
        yield (Span(f"         {line}", Tone.MUTED),)
    if paged := words(finding):
        yield (Span(f"         {paged}", Tone.MUTED),)
    if finding.remedy:
        yield (Span("         → ", Tone.ACCENT), Span(finding.remedy))


def _following(cause: str, findings: list[Finding]) -> Iterator[Line]:
    """Findings that another one explains, as one."""
    first = findings[0]
    state = STATE_OF[first.severity]
    yield (
        Span(f"   {state.word:<6}", state.tone),
        Span(first.summary, Tone.STRONG),
        Span(f"  because of {cause}", Tone.MUTED),
    )
    names = ", ".join(finding.check for finding in findings)
    yield (Span(f"         {plural(len(findings), 'check')}: {names}", Tone.MUTED),)
    if first.remedy:
        yield (Span("         → ", Tone.ACCENT), Span(first.remedy))


def _reading(view: View, key: Key) -> Iterator[Line]:
    reading: Reading[Any] = view.snapshot.reading(key.topic, key.target)
    is_lacking = reading.problem is not None and not rest_words(reading)
    state = State.UNKNOWN if is_lacking else State.WARNING if view.is_old(reading) else State.OK
    seen = f"{age(reading.age(view.now))} ago" if reading.taken_at else "never"
    facts = [seen, f"took {reading.took_s * 1000:.0f} ms" if reading.taken_at else ""]
    if reading.interval_s:
        facts.append(f"every {reading.interval_s:g} s")
    yield (
        Span(f"   {key.topic.__name__} ", Tone.STRONG),
        Span(key.target, Tone.NORMAL),
        Span(f"  {', '.join(fact for fact in facts if fact)}", state.tone if state else Tone.MUTED),
        Span(f"  {reading.source}", Tone.MUTED),
    )
    value = reading.value
    if reading.problem is not None:
        problem = reading.problem
        tone = Tone.MUTED if rest_words(reading) else Tone.UNKNOWN
        yield (Span(f"     {problem.kind.value}: ", tone), Span(str(problem)))
        if problem.remedy:
            yield (Span("     → ", Tone.ACCENT), Span(problem.remedy))
        good = reading.last_good
        if good is not None and good.value is not None:
            value = good.value
            yield (Span(f"     last good, {age(good.age(view.now))} ago:", Tone.MUTED),)
    if value is None:
        return
    tone = Tone.MUTED if reading.value is None else Tone.NORMAL
    for number, (name, text) in enumerate(raw_fields(value)):
        if number >= FIELD_LINES:
            yield (Span("     … more", Tone.MUTED),)
            return
        yield (Span(f"     {name:<22} ", Tone.MUTED), Span(text, tone))


def raw_fields(value: object, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The fields of a fact as (name, text), nested ones with dotted names."""
    for field in fields(value) if is_dataclass(value) else ():
        yield from _raw(f"{prefix}{field.name}", getattr(value, field.name), depth)


def _raw(name: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if is_dataclass(value) and not isinstance(value, type) and depth < DEPTH:
        yield from raw_fields(value, f"{name}.", depth + 1)
    elif isinstance(value, tuple) and value and is_dataclass(value[0]) and depth < DEPTH:
        for number, item in enumerate(value):
            yield from raw_fields(item, f"{name}[{number}].", depth + 1)
    elif isinstance(value, tuple):
        yield name, clean(", ".join(_plain(item) for item in value)) or "none"
    elif isinstance(value, (int, float)) and name.endswith(TIMES) and 1e9 < value < 1e11:
        yield name, iso(value)
    else:
        yield name, clean(_plain(value))


def _plain(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return " ".join(_plain(item) for item in value)
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e9 else f"{value:.0f}"
    return str(value)
