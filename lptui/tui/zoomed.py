"""What stands below a zoomed pane's table: the selected row's history; blocks as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lptui.present.model import Line
    from lptui.tui.app import LptuiApp

LEAST_HEIGHT = 4
SYNC = "sync"


class Zoomed:
    """Draws it anew with each snapshot; the ages of blocks also each second."""

    def __init__(self, app: LptuiApp) -> None:
        self._app = app
        self._chart: list[Line] = []

    def draw(self) -> None:
        """Everything."""
        overview, feed = self._app.overview, self._app.feed
        room = overview.chart.size.height
        if not overview.zoomed or feed is None or room < LEAST_HEIGHT:
            return
        pane = overview.focused_pane
        row, view = pane.selected, feed.view(pane.pane_id)
        if row is None or view is None:
            overview.chart.show(())
            return
        from lptui.present.detail import side_by_side
        from lptui.present.ticker import height

        width = overview.chart.size.width
        taken = height(view, room) if pane.pane_id == SYNC else 0
        self._chart = side_by_side(view, row, pane.model.name_of(row), width, room - taken)
        self._show(taken)

    def tick(self) -> None:
        """Ages go on between readings; the chart below them does not change."""
        overview, feed = self._app.overview, self._app.feed
        if not overview.zoomed or feed is None or overview.focused_pane.pane_id != SYNC:
            return
        taken = overview.chart.size.height - len(self._chart)
        if self._chart and taken > 0:
            self._show(taken)

    def _show(self, taken: int) -> None:
        overview, feed = self._app.overview, self._app.feed
        view = feed.view(overview.focused_pane.pane_id) if feed is not None else None
        if view is None:
            return
        from lptui.present.ticker import ticker

        overview.chart.show([*ticker(view, overview.chart.size.width, taken), *self._chart])
