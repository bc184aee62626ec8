"""A scrolling text of lines; for detail, events, help and plans."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Size
from textual.strip import Strip

from lptui.present.model import Line, Span, Tone, text_of
from lptui.tui.widgets.drawing import wrap
from lptui.tui.widgets.scrolled import Scrolled


class LinesView(Scrolled):
    """Lines with a scroll position that stays where the reader left it."""

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._given = list(lines)
        self._lines = list(lines)
        self._offset = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Other lines; only those that differ are drawn again."""
        given = list(lines)
        if given == self._given:
            return
        before = self._lines
        self._given = given
        self._wrap()
        offset = self._offset
        self._clamp()
        if offset != self._offset or before != self._lines:
            self.refresh()

    @property
    def plain(self) -> str:
        """The whole text without tones."""
        return "\n".join(text_of(line).rstrip() for line in self._given)

    def render_line(self, y: int) -> Strip:
        place = self._offset + y
        width = self.size.width
        line = self._lines[place] if place < len(self._lines) else ()
        strip = self.draw(line, width - 1)
        return Strip([*strip, *self.draw(self._thumb(y), 1)], width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return sum(len(wrap(line, width - 1)) for line in self._given)

    def on_resize(self) -> None:
        self._wrap()
        self._clamp()
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        if event.key != "space":
            return
        self.move(self.page)
        event.stop()
        event.prevent_default()

    @property
    def length(self) -> int:
        return len(self._lines)

    def move(self, steps: int) -> None:
        before = self._offset
        self._offset += steps
        self._clamp()
        if before != self._offset:
            self.refresh()

    def _wrap(self) -> None:
        width = self.size.width - 1
        self._lines = [part for line in self._given for part in wrap(line, width)]

    def _clamp(self) -> None:
        self._offset = max(0, min(self._offset, len(self._lines) - self.size.height))

    def _thumb(self, y: int) -> Line:
        height, count = self.size.height, len(self._lines)
        if count <= height:
            return ()
        length = max(1, height * height // count)
        start = (height - length) * self._offset // max(1, count - height)
        return (Span("▐", Tone.MUTED),) if start <= y < start + length else ()
