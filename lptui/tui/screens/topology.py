"""The fleet's topology: which set-up it is, who is linked to whom, what each node was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from lptui.present.model import Line, Span, State, Tone
from lptui.tui.screens.page import Page

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp


class TopologyScreen(Page):
    """The whole picture as of the newest snapshot, made once for each."""

    def __init__(self) -> None:
        super().__init__()
        self._of: tuple[object, object] = (None, None)
        self._lines: list[Line] = []

    def title_line(self) -> Line:
        return (
            Span(" Topology", Tone.STRONG),
            Span("   roles as they are seen, and the links between them", Tone.MUTED),
        )

    def content(self) -> Sequence[Line]:
        feed = cast("LptuiApp", self.app).feed
        if feed is None or feed.snapshot is None:
            return [(Span(" nothing has been read yet", Tone.MUTED),)]
        snapshot, findings = feed.snapshot, feed.findings
        if self._of[0] is snapshot and self._of[1] is findings:
            return self._lines
        from lptui.fleet.layout import layout
        from lptui.present.topology import draw, settings

        def verdict(kind: str, name: str) -> tuple[State, str]:
            found = findings.verdict(((kind, name),))
            return found.state, found.note

        picture = layout(snapshot)
        lines = draw(snapshot.fleet, picture, verdict)
        told = list(settings(picture))
        if told:
            title = (
                Span(" Settings in force", Tone.ACCENT),
                Span("  of the command line, of LP_ variables, of a file, or asked", Tone.MUTED),
            )
            lines += [(), title, *told]
        self._of, self._lines = (snapshot, findings), lines
        return lines
