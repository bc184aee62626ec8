"""What a command has said, once."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.present.model import Line, Span, Tone
from lptui.tui.screens.page import Page


class SaidScreen(Page):
    """Lines of a command's output."""

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def title_line(self) -> Line:
        return (Span(f" {self._title}", Tone.STRONG),)

    def content(self) -> Sequence[Line]:
        if not self._lines:
            return [(Span(" it said nothing", Tone.MUTED),)]
        return [(Span(f" {line}"),) for line in self._lines]
