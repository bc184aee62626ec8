"""Plain text to strips. Nothing here parses what it draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from lptui.present.model import Line, Span, Tone

ELLIPSIS = "…"


def safe(text: str) -> str:
    """Text as it may go to a terminal. Facts are clean already; this is the last door.

    What is not printable becomes one space a character, so that nothing moves.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " for char in text)


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
    for raw, tone in line:
        if left <= 0:
            return
        text = safe(raw)
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


def wrap(line: Line, width: int, most_indent: int = 12) -> list[Line]:
    """A line broken at spaces into lines of at most `width` cells.

    Later lines are indented as the first is. A word that is longer than a line is broken.
    """
    if sum(width_of(span.text) for span in line) <= width or width < 2 * most_indent:
        return [line]
    indent = _indent(line, most_indent)
    lines: list[list[Span]] = [[]]
    used = 0
    for word in _words(line):
        need = width_of(word.text)
        if used + need > width and not word.text.strip():
            continue
        if used + need > width and used > indent:
            lines.append([Span(" " * indent)])
            used = indent
        while need > width - used:
            part = word.text[: max(1, chars_within(word.text, width - used))]
            lines[-1].append(word._replace(text=part))
            word = word._replace(text=word.text[len(part) :])
            need = width_of(word.text)
            lines.append([Span(" " * indent)])
            used = indent
        lines[-1].append(word)
        used += width_of(word.text)
    return [tuple(each) for each in lines if "".join(span.text for span in each).strip()]


def chars_within(text: str, width: int) -> int:
    """How many characters of a text fit into `width` cells."""
    used = 0
    for number, char in enumerate(text):
        used += width_of(char)
        if used > width:
            return number
    return len(text)


def _indent(line: Line, most: int) -> int:
    text = "".join(span.text for span in line)
    return min(most, len(text) - len(text.lstrip(" ")) + 2)


def _words(line: Line) -> Iterable[Span]:
    """Words and the white space between them, each in its tone."""
    for text, tone in line:
        for piece in re.split(r"(\s+)", text):
            if piece:
                yield Span(piece, tone)
