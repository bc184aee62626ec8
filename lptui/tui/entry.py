"""A line that asks for one value on top of a screen: Enter gives it, Esc does not."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import Input

from lptui.tui.commands import PROMPT


class Entry(Input):
    """Calls back once, with the text or with None."""

    def __init__(self, hint: str, value: str, given: Callable[[str | None], None]) -> None:
        super().__init__(value, placeholder=hint, classes=PROMPT, compact=True)
        self.cursor_blink = False
        self.is_over = False
        self._given = given

    def on_key(self, event: events.Key) -> None:
        # Before Textual's own bindings, which let keys that follow pass first.
        if self.is_over:
            self.app.post_message(events.Key(event.key, event.character))
        elif event.key == "enter":
            self._end(self.value.strip())
        elif event.key == "escape":
            self._end(None)
        else:
            return
        event.stop()
        event.prevent_default()

    def _end(self, value: str | None) -> None:
        self.is_over = True
        self.remove()
        self._given(value)
