"""The filter line: what is typed narrows the focused pane at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.widgets import Input

from lptui.present.query import matcher
from lptui.tui.commands import PROMPT
from lptui.tui.panes import Pane

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp

HINT = "text  !not  /regex/  state:warn  role:O  host:NAME   Enter keep   Esc clear"


class FilterPrompt(Input):
    """Edits the filter of one pane."""

    def __init__(self, pane: Pane) -> None:
        super().__init__(pane.query_text, placeholder=HINT, classes=PROMPT, compact=True)
        self.cursor_blink = False
        self.is_over = False
        self._pane = pane

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if not self.is_over:
            set_filter(self._pane, event.value)

    def on_key(self, event: events.Key) -> None:
        # Before Textual's own bindings, which let keys that follow pass first.
        if self.is_over:
            self.app.post_message(events.Key(event.key, event.character))
        elif event.key == "enter":
            set_filter(self._pane, self.value)
            self._end()
        elif event.key == "escape":
            set_filter(self._pane, "")
            self._end()
        else:
            return
        event.stop()
        event.prevent_default()

    def on_blur(self) -> None:
        if self.is_attached:
            self.remove()

    def _end(self) -> None:
        self.is_over = True
        self.screen.set_focus(self._pane)


def ask_filter(app: LptuiApp) -> None:
    """Opens the line for the focused pane; the very next key goes to it."""
    overview = app.overview
    if any(not prompt.is_over for prompt in overview.query(FilterPrompt)):
        return
    prompt = FilterPrompt(overview.focused_pane)
    overview.mount(prompt, before=overview.footer)
    overview.set_focus(prompt)


def set_filter(pane: Pane, query: str) -> None:
    """Narrows a pane to what matches; "" shows all."""
    pane.query_text = query.strip()
    pane.narrow(matcher(query) if query.strip() else None)
    pane.retitle()
