"""The base of the widgets that draw themselves: styles by tone, cached until the theme changes."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from lptui.present.model import Line, Tone
from lptui.tui.widgets.drawing import TONES, Palette, strip_of


class Painted(Widget):
    """Draws lines of spans; subclasses say which line is where by `render_line`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONES}
    BACKGROUNDS: ClassVar[dict[str, str]] = {}
    """Background names to the component classes that define them."""

    _palette: Palette | None = None

    @property
    def palette(self) -> Palette:
        """The theme's styles for this widget."""
        if self._palette is None:
            styles = {tone: self.get_component_rich_style(f"tone--{tone.value}") for tone in Tone}
            backgrounds = {
                name: self.get_component_rich_style(component)
                for name, component in self.BACKGROUNDS.items()
            }
            plain = {name: _background_only(style) for name, style in backgrounds.items()}
            self._palette = Palette(styles, plain)
        return self._palette

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self.forget_strips()

    def forget_strips(self) -> None:
        """Called when everything drawn so far has become wrong."""

    def draw(self, line: Line, width: int, background: str = "") -> Strip:
        """A line of this widget."""
        return strip_of(line, width, self.palette, background)


def _background_only(style: Style) -> Style:
    """A style's background, bold and reverse, without its text colour unless it reverses."""
    return Style(bgcolor=style.bgcolor, bold=style.bold or None, reverse=style.reverse or None)
