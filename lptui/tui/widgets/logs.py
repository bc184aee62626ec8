"""The lines of a book of logs: at their end, or held where the reader is."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from lptui.present.logs import Entry, LogBook, line_of, name_width
from lptui.present.model import Line, Span, Tone
from lptui.tui.widgets.drawing import wrap
from lptui.tui.widgets.scrolled import Scrolled

SIDEWAYS = 20
"""Characters that a step to the side moves long lines."""


class LogView(Scrolled):
    """Draws no more entries than it has room for, however many there are."""

    class Moved(Message):
        """It is held now, or goes on from the newest line."""

    def __init__(self, book: LogBook, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.book = book
        self.wraps = False
        self.names: tuple[str, ...] = ()
        self.message = ""
        """What to say while there is nothing to show."""
        self._top: Entry | None = None
        self._first = 0
        self._left = 0
        self._lines: list[Line] = []
        self._now = 0.0

    def follow(self, now: float) -> None:
        """Draws what has changed."""
        self._now = now
        lines = self._visible()
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        return self.draw(line, self.size.width)

    def on_resize(self) -> None:
        self.follow(self._now)
        self.refresh()

    def hold(self) -> None:
        """Stays where it is while lines come."""
        shown = self.book.shown
        self._top = shown[self._first] if self._first < len(shown) else None
        self.book.hold()
        self.follow(self._now)
        self.post_message(self.Moved())

    def release(self) -> None:
        """To the newest line, and on from there."""
        self._top = None
        self.book.release()
        self.follow(self._now)
        self.post_message(self.Moved())

    def toggle_wrap(self) -> None:
        self.wraps = not self.wraps
        self._left = 0
        self.follow(self._now)

    @property
    def plain(self) -> str:
        """All that is shown, without tones."""
        width = name_width(self.names)
        return "\n".join(
            "".join(span.text for span in line_of(entry, self._now, width)).rstrip()
            for entry in self.book.shown
        )

    def on_key(self, event: events.Key) -> None:
        if event.key not in ("left", "right") or self.wraps:
            return
        self._left = max(0, self._left + (SIDEWAYS if event.key == "right" else -SIDEWAYS))
        self.follow(self._now)
        event.stop()
        event.prevent_default()

    @property
    def length(self) -> int:
        return len(self.book.shown) + 1

    def move(self, steps: int) -> None:
        if steps >= self.length:
            self.release()
            return
        shown = self.book.shown
        last = self._first_at_end()
        wanted = max(0, self._first + steps)
        if not shown or (steps < 0 and last == 0 and not self.book.held):
            return
        if wanted >= last and steps > 0:
            self.release()
            return
        self._first = min(wanted, last)
        self.hold()

    def _visible(self) -> list[Line]:
        shown, height = self.book.shown, self.size.height
        if not shown:
            return [(Span(f" {self.message}", Tone.MUTED),)] if self.message else []
        last = self._first_at_end()
        self._first = last if self._top is None else min(self.book.index(self._top), last)
        lines: list[Line] = []
        for entry in shown[self._first : self._first + height]:
            lines += self._drawn(entry)
            if len(lines) >= height + len(self._drawn(shown[self._first])):
                break
        return lines[-height:] if self._first == last else lines[:height]

    def _first_at_end(self) -> int:
        """The first entry of the last page."""
        shown, height = self.book.shown, self.size.height
        if not self.wraps:
            return max(0, len(shown) - height)
        room = height
        for index in range(len(shown) - 1, -1, -1):
            room -= len(self._drawn(shown[index]))
            if room <= 0:
                return index
        return 0

    def _drawn(self, entry: Entry) -> list[Line]:
        width = name_width(self.names)
        line = line_of(entry, self._now, width, self.book.query, self._left)
        return wrap(line, self.size.width) if self.wraps else [line]
