"""Events: what began, what ended, how long it lasted; newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from lptui.present.model import Line, Span, Tone
from lptui.text import plural
from lptui.tui.screens.page import Page

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp


class EventsScreen(Page):
    """The whole list since the console started."""

    def title_line(self) -> Line:
        feed = cast("LptuiApp", self.app).feed
        count = len(feed.events) if feed is not None else 0
        return (
            Span(" Events", Tone.STRONG),
            Span(
                f"   {plural(count, 'event')} since the console started; times in UTC", Tone.MUTED
            ),
        )

    def content(self) -> Sequence[Line]:
        app = cast("LptuiApp", self.app)
        if app.feed is None or not len(app.feed.events):
            return [(Span(" nothing has happened yet", Tone.MUTED),)]
        from lptui.present.events import event_line

        now = app.clock.now()
        return [
            (Span(" "), *event_line(event, now, dated=True))
            for event in reversed(list(app.feed.events))
        ]
