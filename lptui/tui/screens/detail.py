"""Detail of a row: findings, every value, history, and the readings with their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from lptui.present.model import Line, Span, State, Tone
from lptui.tui.screens.page import Page

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp

CHART_GAP_S = 2.0


class DetailScreen(Page):
    """Follows one row by its key, also while the row is gone."""

    def __init__(self, pane: str, key: str) -> None:
        super().__init__()
        self._pane = pane
        self._key = key
        self._lines: list[Line] = []
        self._charts: list[Line] = []
        self._charts_at = 0.0
        self._charts_width = 0
        self._title: Line = (Span(" Detail", Tone.STRONG),)

    def title_line(self) -> Line:
        return self._title

    def content(self) -> Sequence[Line]:
        app = cast("LptuiApp", self.app)
        feed = app.feed
        model = feed.present(self._pane) if feed is not None else None
        view = feed.view(self._pane) if feed is not None else None
        row = model.row(self._key) if model is not None else None
        if model is None or view is None or row is None:
            gone = Span(" this row is gone; what follows is the last that was known", Tone.WARN)
            return [(gone,), *self._lines]
        from lptui.present.detail import charts, detail

        section = next(part for part in model.sections if row in part.rows)
        name = section.name_of(row)
        state = State.OK if row.acknowledged else row.state
        self._title = (
            Span(f" {section.noun} ", Tone.MUTED),
            Span(name, Tone.STRONG),
            Span(f"   {state.long_word}", state.tone),
        )
        now, width = view.now, self.body.size.width
        if now - self._charts_at >= CHART_GAP_S or width != self._charts_width:
            self._charts_at, self._charts_width = now, width
            self._charts = charts(view, row, width - 2)
        self._lines = detail(view, section, row, self._charts)
        return self._lines
