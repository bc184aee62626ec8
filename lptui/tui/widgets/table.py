"""The table of every pane: rows with keys, a cursor that follows its row, lines drawn from cells.

The cursor is a row's key, never a position: it stays on its row through sorting, inserting and
removing. When its row vanishes the cursor is lost, says so, and selects nothing until it is
moved, so that no key press ever lands on a neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from lptui.present.model import Column, Line, Row, Section, Tone
from lptui.present.query import Match, ordered
from lptui.tui.widgets.columns import layout
from lptui.tui.widgets.drawing import fit
from lptui.tui.widgets.painted import Painted
from lptui.tui.widgets.rows import Look, age_texts, draw_row

WHEEL_LINES = 3


class Item(NamedTuple):
    """One line below the heading: a row, or (row None) the heading of a further section."""

    section: Section
    row: Row | None


class Table(Painted, can_focus=True):
    """Sections of rows under a heading, with a cursor, a filter and an order."""

    class Opened(Message):
        """Enter or a double click on a row."""

        def __init__(self, table: Table, row: Row) -> None:
            super().__init__()
            self.table = table
            self.row = row

    class Moved(Message):
        """The cursor is on another row, or on none."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

    class HeadingClicked(Message):
        """A column's title was clicked."""

        def __init__(self, table: Table, column: Column) -> None:
            super().__init__()
            self.table = table
            self.column = column

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sections: tuple[Section, ...] = ()
        self._items: list[Item] = []
        self._total = 0
        self._match: Match | None = None
        self._order: tuple[str, bool] | None = None
        self._key: str | None = None
        self._place = 0
        self._offset = 0
        self._now = 0.0
        self._pressed: Column | Row | None = None
        self._strips: dict[str, tuple[Row, tuple[object, ...], Strip]] = {}
        self._shapes: dict[tuple[tuple[Column, ...], int], tuple[tuple[int, int], ...]] = {}
        self._ages: dict[str, tuple[str, ...]] = {}

    # What is in it

    @property
    def cursor_key(self) -> str | None:
        """The key of the row that the cursor was put on, whether or not it is still there."""
        return self._key

    @property
    def is_lost(self) -> bool:
        """The cursor's row has vanished."""
        return self._key is not None and self.selected is None

    @property
    def selected(self) -> Row | None:
        """The row under the cursor; None when there is none or it has vanished."""
        if self._key is None:
            return None
        return next(
            (i.row for i in self._items if i.row is not None and i.row.key == self._key), None
        )

    @property
    def shown(self) -> int:
        """How many rows pass the filter."""
        return sum(1 for item in self._items if item.row is not None)

    @property
    def total(self) -> int:
        return self._total

    @property
    def order(self) -> tuple[str, bool] | None:
        """The column key that rows are ordered by and whether reversed; None: the pane's own."""
        return self._order

    @property
    def sections(self) -> tuple[Section, ...]:
        return self._sections

    def fill(self, sections: tuple[Section, ...], now: float) -> None:
        """Shows these rows; only lines that differ are drawn again."""
        shapes = [section.columns for section in self._sections]
        self._sections = sections
        self._now = now
        self._rebuild(force=shapes != [section.columns for section in sections])

    def tick(self, now: float) -> None:
        """Lets the ages go on; draws only lines whose ages read differently."""
        self._now = now
        top, bottom = self._window()
        for place in range(top, min(bottom, len(self._items))):
            row = self._items[place].row
            if row is not None and self._ages.get(row.key) != age_texts(row, self._now):
                self._refresh_line(self.heading_height + place - top)

    def narrow(self, match: Match | None) -> None:
        """Shows only rows that match. A cursor that this hides goes to the first of them."""
        self._match = match
        self._offset = 0
        known = {row.key for section in self._sections for row in section.rows}
        self._rebuild(force=True)
        if self._key in known and self._found() is None:
            self.move_to_end(last=False)

    def sort(self, column: str | None, reverse: bool = False) -> None:
        """Orders by a column; None for the pane's own order."""
        self._order = None if column is None else (column, reverse)
        self._rebuild(force=True)

    def visible_columns(self, section: Section) -> list[int]:
        """Which of a section's columns there is room for."""
        return [index for index, _ in self._shape(section, self.size.width)]

    # Above the rows

    @property
    def top_lines(self) -> Sequence[tuple[Line, str]]:
        """Lines above the column titles with their backgrounds; panes put their title here."""
        return ()

    @property
    def heading_height(self) -> int:
        """Lines above the first row: own lines and the column titles."""
        return len(self.top_lines) + 1

    # Moving

    def move(self, steps: int) -> None:
        """Moves the cursor by rows. A lost cursor comes back where its row was."""
        rows = [place for place, item in enumerate(self._items) if item.row is not None]
        if not rows:
            return
        current = next((n for n, place in enumerate(rows) if place == self._found()), None)
        if current is None:
            near = next((n for n, place in enumerate(rows) if place >= self._place), len(rows) - 1)
            target = near
        else:
            target = max(0, min(len(rows) - 1, current + steps))
        self._put(rows[target])

    def move_to_end(self, last: bool) -> None:
        """To the first or the last row."""
        rows = [place for place, item in enumerate(self._items) if item.row is not None]
        if rows:
            self._put(rows[-1 if last else 0])

    def select(self, key: str) -> bool:
        """Puts the cursor on a row; False when it is not shown."""
        for place, item in enumerate(self._items):
            if item.row is not None and item.row.key == key:
                self._put(place)
                return True
        return False

    @property
    def page(self) -> int:
        """How many rows are visible."""
        return max(1, self.size.height - self.heading_height)

    # Events

    def on_key(self, event: events.Key) -> None:
        steps = {"up": -1, "down": 1, "k": -1, "j": 1}.get(event.key)
        if steps is None:
            steps = {"pageup": -self.page, "pagedown": self.page}.get(event.key)
        if steps is not None:
            self.move(steps)
        elif event.key in ("home", "end", "g", "G"):
            self.move_to_end(event.key in ("end", "G"))
        else:
            return
        event.stop()
        event.prevent_default()

    def on_focus(self) -> None:
        if self._key is None:
            self.move_to_end(last=False)
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self._strips.clear()
        self._shapes.clear()
        self._keep_visible()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll(WHEEL_LINES)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll(-WHEEL_LINES)
        event.stop()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        # Now, not at the click: the focus that comes with it can move everything.
        y = event.y - self.heading_height
        self._pressed = self._column_at(event.x) if y == -1 else None
        place = self._offset + y
        if y >= 0 and place < len(self._items) and self._items[place].row is not None:
            self._put(place)
            self._pressed = self._items[place].row

    def on_click(self, event: events.Click) -> None:
        pressed = self._pressed
        if isinstance(pressed, Column):
            self.post_message(self.HeadingClicked(self, pressed))
        elif pressed is not None and event.chain > 1:
            self.post_message(self.Opened(self, pressed))

    # Drawing

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.heading_height + len(self._items)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        tops = self.top_lines
        if y < len(tops):
            line, background = tops[y]
            return self.draw(line, width, background)
        y -= len(tops)
        if y == 0:
            return self._heading(self._section_at(self._offset), width)
        place = self._offset + y - 1
        if place >= len(self._items):
            return self._after(place - len(self._items), width)
        item = self._items[place]
        if item.row is None:
            is_above = place == self._offset  # its titles stand above the first line
            return self.draw((), width) if is_above else self._heading(item.section, width)
        return self._row_strip(item.section, item.row, place, width)

    def after_lines(self) -> Sequence[Line]:
        """What to say below the last row (why there is none)."""
        return ()

    # Inside

    def _rebuild(self, force: bool = False) -> None:
        items: list[Item] = []
        self._total = 0
        for section in self._sections:
            rows = section.rows if self._order is None else ordered(section, *self._order)
            self._total += len(section.rows)
            if self._match is not None:
                rows = [row for row in rows if self._match(row)]
            if rows and items:
                items.append(Item(section, None))
            items.extend(Item(section, row) for row in rows)
        before, self._items = self._items, items
        found = self._found()
        if found is not None:
            self._place = found
        elif self._key is None and items and self.has_focus:
            self.move_to_end(last=False)
        before_offset = self._offset
        self._clamp()
        if (
            found is not None
            and before_offset <= self._place_before(before) < before_offset + self.page
        ):
            self._keep_visible(repaint=False)
        if force or self._offset != before_offset or len(before) != len(items):
            self._drop_old_strips()
            self.refresh()
            return
        top, bottom = self._window()
        for place in range(top, min(bottom, len(items))):
            if (
                before[place].row is not items[place].row
                or before[place].section.columns != items[place].section.columns
            ):
                self._refresh_line(self.heading_height + place - top)

    def _place_before(self, before: list[Item]) -> int:
        return next(
            (n for n, i in enumerate(before) if i.row is not None and i.row.key == self._key), -1
        )

    def _drop_old_strips(self) -> None:
        if len(self._strips) > 4 * len(self._items) + 200:
            self._strips.clear()

    def _found(self) -> int | None:
        if self._key is None:
            return None
        return next(
            (n for n, i in enumerate(self._items) if i.row is not None and i.row.key == self._key),
            None,
        )

    def _put(self, place: int) -> None:
        row = self._items[place].row
        if row is None:
            return
        old = self._found()
        changed = self._key != row.key
        self._key, self._place = row.key, place
        offset = self._offset
        self._keep_visible(repaint=False)
        if offset != self._offset or old is None:
            self.refresh()
        else:
            for each in (old, place):
                self._refresh_line(self.heading_height + each - self._offset)
        if changed:
            self.post_message(self.Moved(self))

    def _window(self) -> tuple[int, int]:
        return self._offset, self._offset + self.page

    def _clamp(self) -> None:
        self._offset = max(0, min(self._offset, len(self._items) - self.page))

    def _keep_visible(self, repaint: bool = True) -> None:
        place = self._found()
        if place is not None:
            if place < self._offset:
                self._offset = place
            elif place >= self._offset + self.page:
                self._offset = place - self.page + 1
        self._clamp()
        if repaint:
            self.refresh()

    def _scroll(self, lines: int) -> None:
        before = self._offset
        self._offset += lines
        self._clamp()
        if self._offset != before:
            self.refresh()

    def _refresh_line(self, y: int) -> None:
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _section_at(self, place: int) -> Section | None:
        if place < len(self._items):
            return self._items[place].section
        return self._sections[0] if self._sections else None

    def _shape(self, section: Section, width: int) -> tuple[tuple[int, int], ...]:
        held = self._shapes.get((section.columns, width))
        if held is None:
            held = layout(section.columns, width - 1, self._gap(width))
            self._shapes[(section.columns, width)] = held
        return held

    def _gap(self, width: int) -> int:
        return 2 if width >= 90 else 1

    def _column_at(self, x: int) -> Column | None:
        section = self._section_at(self._offset)
        if section is None:
            return None
        left = 0
        for index, width in self._shape(section, self.size.width):
            if left <= x < left + width + self._gap(self.size.width):
                return section.columns[index]
            left += width + self._gap(self.size.width)
        return None

    def _heading(self, section: Section | None, width: int) -> Strip:
        if section is None:
            return self.draw((), width)
        gap = self._gap(width)
        segments = []
        for number, (index, room) in enumerate(self._shape(section, width)):
            column = section.columns[index]
            title = column.title
            if self._order is not None and self._order[0] == column.key:
                title += "▼" if self._order[1] else "▲"
            if number:
                segments.append(Segment(" " * gap, self.palette.style(Tone.MUTED)))
            text = fit(title, room, column.right)
            segments.append(Segment(text, self.palette.style(Tone.MUTED)))
        strip = Strip(segments)
        return strip.adjust_cell_length(width, self.palette.style(Tone.MUTED))

    def _row_strip(self, section: Section, row: Row, place: int, width: int) -> Strip:
        ages = age_texts(row, self._now)
        self._ages[row.key] = ages
        here = row.key == self._key and self.has_focus
        thumb = self._thumb(place)
        palette = self.palette
        variant = (palette, section.columns, width, here, ages, thumb)
        held = self._strips.get(row.key)
        if held is not None and held[0] is row and held[1] == variant:
            return held[2]
        shape = self._shape(section, width)
        look = Look(palette, width, self._gap(width), here, thumb)
        strip = draw_row(section, row, shape, look, self._now)
        self._strips[row.key] = (row, variant, strip)
        return strip

    def _thumb(self, place: int) -> str:
        """The last column: where we are when not everything is visible."""
        page, count = self.page, len(self._items)
        if count <= page:
            return " "
        length = max(1, page * page // count)
        start = (page - length) * self._offset // max(1, count - page)
        return "▐" if start <= place - self._offset < start + length else " "

    def _after(self, number: int, width: int) -> Strip:
        lines = self.after_lines()
        return self.draw(lines[number] if number < len(lines) else (), width)
