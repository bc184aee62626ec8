"""One row of a table as a strip: cells into widths, old values with their ages."""

from __future__ import annotations

from typing import Final, NamedTuple

from rich.segment import Segment
from textual.strip import Strip

from lptui.present.model import AGE, Cell, Column, Line, Row, Section, Span, Tone
from lptui.present.words import age, fresh_age
from lptui.tui.widgets.drawing import CURSOR, Palette, fit, head_of, safe, tail_of, width_of

SAME_AGE_S: Final = 3.0
"""Values that were taken this near to each other have one age."""


class Look(NamedTuple):
    """How a row is drawn: in which styles, how wide, under the cursor or not, with what mark of
    the scroll position at its end."""

    palette: Palette
    width: int
    gap: int
    here: bool
    thumb: str


def age_texts(row: Row, now: float) -> tuple[str, ...]:
    """All of a row's texts that change as time goes by; the row's own age first."""
    own = fresh_age(max(0.0, now - row.taken_at), row.interval_s) if row.taken_at else "never"
    old = tuple(age(max(0.0, now - c.since)) for c in row.cells if c.since is not None)
    return (own, *old)


def draw_row(
    section: Section, row: Row, shape: tuple[tuple[int, int], ...], look: Look, now: float
) -> Strip:
    """The row's strip; `shape` are (index, width) of the columns that are shown."""
    background = CURSOR if look.here else ""
    blank = look.palette.style(Tone.NORMAL, background)
    segments: list[Segment] = []
    used = 0
    for number, (index, room) in enumerate(shape):
        column = section.columns[index]
        if number:
            segments.append(Segment(" " * look.gap, blank))
            used += look.gap
        cell = _age_cell(row, now) if column.key == AGE else row.cells[index]
        for text, tone in cell_spans(row, cell, room, column, now):
            segments.append(Segment(text, look.palette.style(tone, background)))
        used += room
    segments.append(Segment(" " * (look.width - 1 - used), blank))
    segments.append(Segment(look.thumb, look.palette.style(Tone.MUTED)))
    return Strip(segments, look.width)


def _age_cell(row: Row, now: float) -> Cell:
    text = age_texts(row, now)[0]
    return Cell(text, Tone.MUTED if text.startswith("<") else Tone.WARN)


def cell_spans(row: Row, cell: Cell, room: int, column: Column, now: float) -> Line:
    """A cell in exactly `room` cells of the terminal."""
    if not cell.text.isprintable():
        cell = Cell(safe(cell.text), cell.tone, cell.sort, cell.since)
    if cell.since is not None:
        return (Span(fit(_old_text(row, cell, room, now), room, column.right), Tone.MUTED),)
    if not cell.spans:
        return (Span(fit(cell.text, room, column.right), cell.tone),)
    have = width_of(cell.text)
    if have > room:
        return tail_of(cell.spans, room) if column.tail else head_of(cell.spans, room)
    padding = Span(" " * (room - have))
    return (padding, *cell.spans) if column.right else (*cell.spans, padding)


def _old_text(row: Row, cell: Cell, room: int, now: float) -> str:
    """An old value with its age, unless it is as old as the row's own age says."""
    if cell.since is None or abs(cell.since - row.taken_at) < SAME_AGE_S:
        return cell.text
    mark = f" {age(max(0.0, now - cell.since))}"
    if width_of(cell.text) + len(mark) <= room:
        return cell.text + mark
    return f"~{cell.text}"
