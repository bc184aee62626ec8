"""A scrolling text of lines; for detail, events, help and plans."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Size
from textual.strip import Strip

from lptui.present.model import Line, Span, Tone, text_of
from lptui.tui.widgets.drawing import wrap
from lptui.tui.widgets.painted import Painted


class LinesView(Painted, can_focus=True):
    """Lines with a scroll position that stays where the reader left it."""

    def __init__(self, lines: Sequence[Line] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._given = list(lines)
        self._lines = list(lines)
        self._offset = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Other lines; only those that differ are drawn again."""
        before = self._lines
        self._given = list(lines)
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
        page = max(1, self.size.height - 1)
        steps = {
            "up": -1,
            "down": 1,
            "k": -1,
            "j": 1,
            "pageup": -page,
            "pagedown": page,
            "space": page,
            "home": -len(self._lines),
            "end": len(self._lines),
            "g": -len(self._lines),
            "G": len(self._lines),
        }.get(event.key)
        if steps is None:
            return
        self._scroll(steps)
        event.stop()
        event.prevent_default()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll(3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll(-3)
        event.stop()

    def _wrap(self) -> None:
        width = self.size.width - 1
        self._lines = [part for line in self._given for part in wrap(line, width)]

    def _scroll(self, lines: int) -> None:
        before = self._offset
        self._offset += lines
        self._clamp()
        if before != self._offset:
            self.refresh()

    def _clamp(self) -> None:
        self._offset = max(0, min(self._offset, len(self._lines) - self.size.height))

    def _thumb(self, y: int) -> Line:
        height, count = self.size.height, len(self._lines)
        if count <= height:
            return ()
        length = max(1, height * height // count)
        start = (height - length) * self._offset // max(1, count - height)
        return (Span("▐", Tone.MUTED),) if start <= y < start + length else ()
