"""A pane: a table under a title line that says its number, state and age."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.present.model import AGE, Line, PaneModel, Row, Span, State, Tone, text_of
from lptui.present.words import age, fresh_age
from lptui.tui.widgets.drawing import split_line, width_of
from lptui.tui.widgets.table import Table

LEAD_ROWS = 7
"""A pane shows lines above its table when the whole table fits below, or this many lines of it."""


class Pane(Table):
    """One of the six panes. Collapsed to one line it is its title and summary."""

    def __init__(self, number: int, name: str, title: str) -> None:
        super().__init__(id=name)
        self.number = number
        self.pane_id = name
        self.pane_title = title
        self.model = PaneModel(name)
        self.query_text = ""
        self.message = "connecting"
        """What to say while there is nothing to show."""
        self._title: Line = ()

    def show(self, model: PaneModel, now: float) -> None:
        """Shows a model; draws again only what differs."""
        lead = self.model.lead
        self.model = model
        if lead != model.lead:
            self.refresh()
        self.fill(model.sections, now)
        self._retitle()

    def tick(self, now: float) -> None:
        super().tick(now)
        self._retitle()

    def say(self, message: str) -> None:
        """What stands in place of rows until there are some."""
        self.message = message
        self.refresh()

    @property
    def wanted_height(self) -> int:
        """Lines that would show everything."""
        rows = sum(len(s.rows) + 1 for s in self.model.sections)
        return 1 + len(self.model.lead) + max(2, rows)

    @property
    def is_collapsed(self) -> bool:
        return self.size.height <= 1

    @property
    def top_lines(self) -> Sequence[tuple[Line, str]]:
        title = (self._title or self._make_title(), "")
        if self.is_collapsed:
            return (title,)
        height = self.size.height
        rows = sum(len(section.rows) + 1 for section in self.sections)
        room = max(0, height - 2 - LEAD_ROWS, height - 1 - max(2, rows))
        lead = self.model.lead[:room]
        return (title, *((line, "") for line in lead))

    def after_lines(self) -> Sequence[Line]:
        if self.shown:
            return ()
        if self.total and self.query_text:
            return ((Span(f"no row matches {self.query_text!r} · Esc shows all", Tone.MUTED),),)
        return ((Span(self.model.empty or self.message, Tone.MUTED),),)

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._retitle()

    def on_resize(self) -> None:
        super().on_resize()
        self._retitle()

    def on_table_moved(self) -> None:
        self._retitle()

    def retitle(self) -> None:
        """Brings the title up to date after a filter or an order changed."""
        self._retitle()

    def _retitle(self) -> None:
        title = self._make_title()
        if title != self._title:
            self._title = title
            self._refresh_line(0)

    def _make_title(self) -> Line:
        width = self.size.width
        focused = self.has_focus
        fill, edge = ("━", Tone.ACCENT) if focused else ("─", Tone.MUTED)
        name = Span(self.pane_title, Tone.STRONG)
        left: list[Span] = [
            Span(f"{fill} " if width >= 50 else "", edge),
            Span(f"{self.number} ", Tone.ACCENT),
            name,
            Span(" "),
            *self._state_spans(),
        ]
        right = self._right_spans(fill, edge)
        if self.is_collapsed or width >= 70:
            used = sum(width_of(span.text) for span in (*left, *right))
            summary = self.model.summary
            if summary and used + min(24, width_of(text_of(summary))) + 3 <= width:
                left.extend(
                    (Span(f"{fill} " if not self.is_collapsed else "· ", edge), *summary, Span(" "))
                )
        blank = " " if self.is_collapsed and not focused else fill
        return split_line(tuple(left), right, width, blank, edge)

    def _state_spans(self) -> list[Span]:
        if self.model.state <= State.PENDING:
            word = self.model.state.long_word if self.model.sections else self.message
            return [Span(f"{word} ", self.model.state.tone)]
        return [
            Span(f"{state.long_word if self.size.width >= 60 else state.word} {count} ", state.tone)
            for state, count in self.model.counts
            if state > State.PENDING
        ]

    def _right_spans(self, fill: str, edge: Tone) -> Line:
        spans: list[Span] = []
        if self.is_lost and self.shown:
            spans.append(Span(" row gone ", Tone.WARN))
        if self.query_text:
            spans.append(Span(f" /{self.query_text} {self.shown} of {self.total} ", Tone.ACCENT))
        if self.order is not None:
            spans.append(Span(f" {order_words(self)} ", Tone.MUTED))
        spans.extend(self._age_spans())
        spans.append(Span(fill if not self.is_collapsed else " ", edge))
        return tuple(spans)

    def _age_spans(self) -> list[Span]:
        """The age of the pane: of its oldest row, and how many rows have fallen behind."""
        rows = [row for part in self.sections for row in part.rows]
        if not rows:
            return []
        behind = [row for row in rows if not _keeps_pace(row, self._now)]
        if not behind:
            oldest = min(rows, key=lambda row: row.taken_at)
            slowest = max(rows, key=lambda row: row.interval_s)
            text = fresh_age(self._now - oldest.taken_at, slowest.interval_s)
            return [Span(f" {text} ", Tone.MUTED)]
        taken = [row.taken_at for row in behind if row.taken_at]
        words = [f"{len(taken)} old, {age(self._now - min(taken))}"] if taken else []
        if len(taken) < len(behind) and self.model.state is not State.PENDING:
            words.append(f"{len(behind) - len(taken)} never read")
        return [Span(f" {', '.join(words)} ", Tone.WARN)] if words else []


def _keeps_pace(row: Row, now: float) -> bool:
    return bool(row.taken_at) and fresh_age(now - row.taken_at, row.interval_s).startswith("<")


def column_keys(table: Table) -> list[str]:
    """What `s` goes through: columns that can be seen and that put rows in an order."""
    found: dict[str, None] = {}
    for section in table.sections:
        for index in table.visible_columns(section):
            if any(row.cells[index].sort is not None for row in section.rows):
                found.setdefault(section.columns[index].key)
    found.setdefault(AGE)
    return list(found)


def order_words(table: Table) -> str:
    """The order that was chosen, by the column's title; "" for the pane's own."""
    if table.order is None:
        return ""
    key, reverse = table.order
    titles = (c.title for section in table.sections for c in section.columns if c.key == key)
    return f"{next(titles, key)}{'▼' if reverse else '▲'}"
