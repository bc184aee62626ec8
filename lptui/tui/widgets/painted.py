"""The base of the widgets that draw themselves, in the styles of the app's theme.

Styles come straight from the theme's colours and are shared by all widgets: a stylesheet's
component classes cost every widget a dozen matches before the first frame.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, cast

from textual.strip import Strip
from textual.widget import Widget

from lptui.present.model import Line
from lptui.tui.widgets.drawing import Palette, strip_of


class HasPalettes(Protocol):
    """The app, as far as drawing needs it."""

    def palette_on(self, base: str) -> Palette:
        """The theme's styles on a colour of the theme ("background", "surface", "lp-band")."""
        ...


class Painted(Widget):
    """Draws lines of spans; subclasses say which line is where by `render_line`."""

    BASE: ClassVar[str] = "background"
    """The theme's colour that everything stands on unless a line says otherwise."""

    @property
    def palette(self) -> Palette:
        """The theme's styles for this widget."""
        return cast("HasPalettes", self.app).palette_on(self.BASE)

    def draw(self, line: Line, width: int, background: str = "") -> Strip:
        """A line of this widget."""
        return strip_of(line, width, self.palette, background)
