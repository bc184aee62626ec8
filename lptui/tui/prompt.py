"""The filter line: what is typed narrows the focused pane at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from lptui.present.query import matcher
from lptui.tui.panes import Pane

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp

HINT = "text  !not  /regex/  state:warn  role:O  host:NAME   Enter keep   Esc clear"


class FilterPrompt(Input):
    """Edits the filter of one pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "Clear the filter", show=False),
    ]

    def __init__(self, pane: Pane) -> None:
        super().__init__(pane.query_text, placeholder=HINT, id="prompt", compact=True)
        self.cursor_blink = False
        self._pane = pane

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        set_filter(self._pane, event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._end()

    def action_drop(self) -> None:
        """Clears the filter and closes the line."""
        set_filter(self._pane, "")
        self._end()

    def on_blur(self) -> None:
        if self.is_attached:
            self.remove()

    def _end(self) -> None:
        self._pane.focus()


def ask_filter(app: LptuiApp) -> None:
    """Opens the line for the focused pane."""
    overview = app.overview
    if overview.query(FilterPrompt):
        return
    prompt = FilterPrompt(overview.focused_pane)
    overview.mount(prompt, before=overview.footer)
    prompt.focus()


def set_filter(pane: Pane, query: str) -> None:
    """Narrows a pane to what matches; "" shows all."""
    pane.query_text = query.strip()
    pane.narrow(matcher(query) if query.strip() else None)
    pane.retitle()
