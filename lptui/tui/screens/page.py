"""A page of lines over the panes, with a title and the keys that close it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.screen import Screen

from lptui.present.model import Line, Span, Tone
from lptui.tui.widgets.bars import Band
from lptui.tui.widgets.lines import LinesView

KEYS = "Esc back   ↑↓ PgUp PgDn scroll   c copy   S screenshot   q quit"


def keys_line(keys: str) -> Line:
    """The foot of a page."""
    return (Span(f" {keys}", Tone.MUTED),)


class Page(Screen[None], inherit_bindings=False):
    """Shows `content()`; `follow` brings it up to date."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Band(id="page-head")
        self.body = LinesView(id="page-body")
        self.foot = Band(id="page-foot")

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.body
        yield self.foot

    def on_mount(self) -> None:
        self.body.focus()
        self.call_after_refresh(self.follow)

    def on_resize(self) -> None:
        self.call_after_refresh(self.follow)

    def title_line(self) -> Line:
        """What the page is about."""
        raise NotImplementedError

    def content(self) -> Sequence[Line]:
        """The page's lines now."""
        raise NotImplementedError

    def keys(self) -> Line:
        """The keys that work here."""
        return keys_line(KEYS)

    def follow(self) -> None:
        """Draws what has changed."""
        self.head.show([self.title_line()])
        self.body.show(self.content())
        self.foot.show([self.keys()])

    def plain_text(self) -> str:
        """The page for the clipboard."""
        return self.body.plain
