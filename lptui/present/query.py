"""Finding rows and putting them in order: the same for every pane."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lptui.present.model import AGE, Row, Section

Match = Callable[[Row], bool]

TERMS = re.compile(r"!*/(?:\\.|[^/\\])+/(?!\S)|\S+")
"""A regex between slashes with what it holds, or a word."""


def matcher(query: str) -> Match:
    """What a filter lets through.

    Terms are separated by spaces and all must hold: plain text (any case), `/regex/` (which may
    hold spaces), `key:value` (a value that begins so), and `!` before any of them for the
    opposite. A term that is no valid regex is looked for as it stands.
    """
    tests = [_term(term) for term in TERMS.findall(query)]
    return lambda row: all(test(row) for test in tests)


def _term(term: str) -> Match:
    if term.startswith("!") and len(term) > 1:
        inner = _term(term[1:])
        return lambda row: not inner(row)
    if len(term) > 2 and term.startswith("/") and term.endswith("/"):
        try:
            pattern = re.compile(term[1:-1], re.IGNORECASE)
        except re.error:
            return lambda row: term.lower() in row.search
        return lambda row: pattern.search(row.search) is not None
    return _plain(term.lower())


def _plain(term: str) -> Match:
    if ":" in term:
        if term.startswith("state:"):
            wanted = term.removeprefix("state:")
            return lambda row: row.state.long_word.lower().startswith(wanted)
        return lambda row: f" {term}" in f" {row.search}"
    return lambda row: term in row.search


def ordered(section: Section, column: str, reverse: bool) -> Sequence[Row]:
    """The rows by a column; equal ones keep their order, what is unknown comes last.

    A section that has no such column keeps its own order.
    """
    if column == AGE:
        return sorted(section.rows, key=lambda row: row.taken_at, reverse=not reverse)
    index = next((i for i, c in enumerate(section.columns) if c.key == column), None)
    if index is None:
        return section.rows
    known = [row for row in section.rows if row.cells[index].sort is not None]
    unknown = [row for row in section.rows if row.cells[index].sort is None]
    try:
        known.sort(key=lambda row: row.cells[index].sort or 0, reverse=reverse)
    except TypeError:
        known.sort(key=lambda row: str(row.cells[index].sort), reverse=reverse)
    return known + unknown
