"""Plain text to strips. Nothing here parses what it draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from lptui.present.model import Line, Span, Tone

ELLIPSIS = "…"


def width_of(text: str) -> int:
    """How many terminal cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, right: bool = False) -> str:
    """Text in exactly `width` cells, with an ellipsis where it was cut."""
    have = width_of(text)
    if have == width:
        return text
    if have < width:
        return " " * (width - have) + text if right else text + " " * (width - have)
    if width <= 0:
        return ""
    return clip(text, width - 1) + ELLIPSIS


def clip(text: str, width: int) -> str:
    """The first `width` cells of a text, padded where a wide character was split."""
    if text.isascii():
        return text[:width]
    return set_cell_size(text[: width * 4 + 4], width)


TONE_COLOURS = {
    Tone.NORMAL: "foreground",
    Tone.STRONG: "lp-strong",
    Tone.MUTED: "lp-muted",
    Tone.ACCENT: "accent",
    Tone.OK: "success",
    Tone.WARN: "warning",
    Tone.CRITICAL: "error",
    Tone.UNKNOWN: "lp-unknown",
}
BOLD = frozenset({Tone.STRONG, Tone.CRITICAL})
CURSOR = "cursor"
"""Name of the background of the row under the cursor."""


class Palette:
    """The styles of a theme: each tone on each background, made when first asked for.

    `variables` are the theme's colours by name, `base` the one that is behind everything. Without
    colours the cursor is shown in reverse.
    """

    def __init__(self, variables: Mapping[str, str], base: str, *, colourless: bool) -> None:
        self._variables = variables
        self._base = base
        self._colourless = colourless
        self._cache: dict[tuple[Tone, str], Style] = {}

    def style(self, tone: Tone, background: str = "") -> Style:
        """A tone on the base, or on the cursor."""
        found = self._cache.get((tone, background))
        if found is None:
            found = self._make(tone, background == CURSOR)
            self._cache[(tone, background)] = found
        return found

    def _make(self, tone: Tone, cursor: bool) -> Style:
        name = TONE_COLOURS[tone]
        if cursor and tone in (Tone.NORMAL, Tone.MUTED, Tone.STRONG):
            name = "lp-cursor-text"
        behind = self._variables["lp-cursor" if cursor else self._base]
        return Style(
            color=Color.parse(self._variables[name]).rich_color,
            bgcolor=Color.parse(behind).rich_color,
            bold=tone in BOLD or cursor or None,
            reverse=(cursor and self._colourless) or None,
        )


def line_segments(
    line: Line, width: int, palette: Palette, background: str = ""
) -> Iterable[Segment]:
    """A line in exactly `width` cells."""
    left = width
    for text, tone in line:
        if left <= 0:
            return
        need = width_of(text)
        if need > left:
            text, need = fit(text, left), left
        if text:
            yield Segment(text, palette.style(tone, background))
        left -= need
    if left > 0:
        yield Segment(" " * left, palette.style(Tone.NORMAL, background))


def strip_of(line: Line, width: int, palette: Palette, background: str = "") -> Strip:
    """A line as a strip of exactly `width` cells."""
    return Strip(line_segments(line, width, palette, background), width)


def split_line(
    left: Line, right: Line, width: int, fill: str = " ", tone: Tone = Tone.MUTED
) -> Line:
    """A line with something at both ends; the left end gives way when there is no room."""
    right_width = sum(width_of(span.text) for span in right)
    room = max(0, width - right_width)
    kept, used = _cut(left, room)
    return (*kept, Span(fill * (room - used), tone), *right)


def head_of(line: Line, room: int) -> Line:
    """The first `room` cells of a line, with an ellipsis."""
    return _cut(line, room)[0]


def tail_of(line: Line, room: int) -> Line:
    """The last `room` characters of a line of narrow characters."""
    kept: list[Span] = []
    for span in reversed(line):
        if room <= 0:
            break
        kept.append(span._replace(text=span.text[-room:]))
        room -= len(kept[-1].text)
    return tuple(reversed(kept))


def _cut(line: Line, room: int) -> tuple[Line, int]:
    kept = []
    used = 0
    for span in line:
        need = width_of(span.text)
        if used + need > room:
            if room > used:
                kept.append(span._replace(text=fit(span.text, room - used)))
                used = room
            break
        kept.append(span)
        used += need
    return tuple(kept), used
