"""What a pane is made of, in words and tones. Light to import: the first frame needs it.

Everything here is plain text; whoever draws it must not parse it. A tone always comes with a
word or sign that says the same without colour.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import NamedTuple


class Tone(StrEnum):
    """What a colour stands for; a theme gives each its colour."""

    NORMAL = "normal"
    STRONG = "strong"
    MUTED = "muted"
    ACCENT = "accent"
    OK = "ok"
    WARN = "warn"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class State(IntEnum):
    """How a row, a pane or the fleet is, from best to worst. PENDING: nobody has looked yet."""

    OK = 0
    PENDING = 1
    WARNING = 2
    UNKNOWN = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        return ("ok", "…", "WARN", "?", "CRIT")[self.value]

    @property
    def long_word(self) -> str:
        return ("OK", "connecting", "WARNING", "UNKNOWN", "CRITICAL")[self.value]

    @property
    def tone(self) -> Tone:
        return (Tone.OK, Tone.MUTED, Tone.WARN, Tone.UNKNOWN, Tone.CRITICAL)[self.value]


class Span(NamedTuple):
    """A piece of text in one tone."""

    text: str
    tone: Tone = Tone.NORMAL


Line = tuple[Span, ...]
"""One line of a screen."""

Sortable = float | int | str | Fraction | None
"""What a cell may sort by; money stays an integer."""


class Cell(NamedTuple):
    """One cell of a table.

    Attributes:
        sort: what the cell sorts by; None: nothing is known, sorts last.
        since: set when the value is an old one: taken at that time (UTC seconds). It is drawn
            muted; with its age, or `~` for want of room, unless the row's own age says it.
        spans: drawn instead of `text` where one tone is not enough; same text in all.
    """

    text: str
    tone: Tone = Tone.NORMAL
    sort: Sortable = None
    since: float | None = None
    spans: Line = ()


UNKNOWN_CELL = Cell("?", Tone.UNKNOWN)
"""What could not be read."""

EMPTY_CELL = Cell("-", Tone.MUTED)
"""What does not apply here."""


class Column(NamedTuple):
    """One column.

    Attributes:
        width: in terminal cells; with `grow` the least.
        priority: 0 is always shown; the higher, the sooner it gives way on a narrow screen.
        right: aligned to the right.
        grow: takes what room is left.
        tail: where there is no room, the end of the text is kept, not its beginning.
    """

    key: str
    title: str
    width: int
    priority: int = 0
    right: bool = False
    grow: bool = False
    tail: bool = False


AGE = "age"
"""Key of the column that tables fill by themselves, from `Row.taken_at`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a thing of the fleet, identified by its key.

    Attributes:
        cells: as many as the section has columns; the age column's is ignored.
        subjects: (kind, name) pairs that findings and actions may be about, the row's own first.
        readings: keys of the readings that the row rests on, the main one first.
        taken_at: when the main value that is shown was taken (UTC seconds), 0 for never; its source
            is asked every `interval_s`.
        search: lower-case text that filters look at.
        problem: why the main reading has no value; "" when it has one.
    """

    key: str
    cells: tuple[Cell, ...]
    state: State
    subjects: tuple[tuple[str, str], ...] = ()
    readings: tuple[Hashable, ...] = ()
    taken_at: float = 0.0
    interval_s: float = 0.0
    search: str = ""
    problem: str = ""
    acknowledged: bool = False
    series: tuple[tuple[str, str, str], ...] = ()
    """(target, figure, label) of what can be drawn as a chart, the most telling first."""

    def subject(self, kind: str) -> str | None:
        """The name of the row's thing of that kind."""
        return next((name for found, name in self.subjects if found == kind), None)


@dataclass(frozen=True, slots=True)
class Section:
    """Rows with the same columns. `noun` is what a row is ("host"), for counts."""

    key: str
    noun: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def name_of(self, row: Row) -> str:
        """What the row is called."""
        place = next((n for n, column in enumerate(self.columns) if column.key == "name"), None)
        return row.key if place is None else row.cells[place].text


@dataclass(frozen=True, slots=True)
class PaneModel:
    """A pane at one moment.

    Attributes:
        summary: the pane in a few words, for when it has but one line.
        lead: lines above the table, the most important first; small panes drop the last ones.
        empty: what to say when there are no rows, and why.
    """

    id: str
    state: State = State.PENDING
    counts: tuple[tuple[State, int], ...] = ()
    summary: Line = ()
    lead: tuple[Line, ...] = ()
    sections: tuple[Section, ...] = ()
    empty: str = ""

    def row(self, key: str) -> Row | None:
        """A row by its key."""
        return next((row for part in self.sections for row in part.rows if row.key == key), None)

    def name_of(self, row: Row) -> str:
        """What one of the pane's rows is called."""
        return next((part.name_of(row) for part in self.sections if row in part.rows), row.key)


def text_of(line: Line) -> str:
    """A line without its tones."""
    return "".join(span.text for span in line)


def spans_cell(spans: Line, sort: Sortable = None) -> Cell:
    """A cell of several tones."""
    return Cell(text_of(spans), Tone.NORMAL, sort, None, spans)


def word(text: str, tone: Tone = Tone.NORMAL, sort: Sortable = None) -> Cell:
    """A cell of one tone that sorts by its text unless told otherwise."""
    return Cell(text, tone, text.lower() if sort is None else sort)
