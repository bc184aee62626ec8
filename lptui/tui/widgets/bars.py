"""The one-line widgets around the panes: header, events strip, footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.message import Message
from textual.strip import Strip

from lptui.present.model import Line, Span, Tone
from lptui.tui.commands import Command
from lptui.tui.widgets.drawing import split_line, width_of
from lptui.tui.widgets.painted import Painted


class Lines(Painted):
    """Shows lines from the top; what does not fit is not shown."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Other lines, drawn only when they differ."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        return self.draw(line, self.size.width)


class Band(Lines):
    """Lines at the edge of a page."""

    BASE: ClassVar[str] = "lp-band"


class Header(Painted):
    """Fleet, round, time left, worst state, clock: parts give way by rank on narrow screens."""

    BASE: ClassVar[str] = "lp-band"

    def __init__(self) -> None:
        super().__init__(id="header")
        self._left: tuple[tuple[int, Line], ...] = ()
        self._right: tuple[tuple[int, Line], ...] = ()

    def show(self, left: Sequence[tuple[int, Line]], right: Sequence[tuple[int, Line]]) -> None:
        """Parts with their ranks (0 always stays); drawn only when they differ."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return self.draw((), width)
        left, right = _keep(self._left, self._right, width)
        return self.draw(split_line(left, right, width), width)


def _keep(
    left: tuple[tuple[int, Line], ...], right: tuple[tuple[int, Line], ...], width: int
) -> tuple[Line, Line]:
    ranks = sorted({rank for rank, _ in (*left, *right)}, reverse=True)
    while ranks:
        first = _join(left, ranks[0])
        last = _join(right, ranks[0])
        if sum(width_of(s.text) for s in (*first, *last)) <= width or len(ranks) == 1:
            return first, last
        ranks.pop(0)
    return (), ()


def _join(parts: tuple[tuple[int, Line], ...], most: int) -> Line:
    spans: list[Span] = [Span(" ")]
    for rank, line in parts:
        if rank <= most and line:
            spans.extend(line)
            spans.append(Span("  "))
    return (*spans[:-1], Span(" "))


class Footer(Painted):
    """The keys that matter here, the most useful first. A click on one presses it."""

    BASE: ClassVar[str] = "lp-band"

    class Pressed(Message):
        """A command was clicked."""

        def __init__(self, command: Command) -> None:
            super().__init__()
            self.command = command

    def __init__(self) -> None:
        super().__init__(id="footer")
        self._commands: tuple[tuple[Command, bool], ...] = ()
        self._spots: list[tuple[int, int, Command]] = []
        self._message: Line = ()

    def show(self, commands: Sequence[tuple[Command, bool]]) -> None:
        """Commands by rank, each with whether it can be used now."""
        if tuple(commands) != self._commands:
            self._commands = tuple(commands)
            self.refresh()

    def say(self, message: Line) -> None:
        """A line in place of the keys; () gives them back."""
        if message != self._message:
            self._message = message
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        for start, end, command in self._spots:
            if start <= event.x < end:
                self.post_message(self.Pressed(command))
                return

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        self._spots = []
        if self._message:
            return self.draw((Span(" "), *self._message), width)
        spans: list[Span] = [Span(" ")]
        used = 1
        for command, usable in self._commands:
            need = width_of(command.key_word) + 1 + width_of(command.hint) + 2
            if used + need > width:
                continue
            tone = Tone.ACCENT if usable else Tone.MUTED
            spans.append(Span(command.key_word, tone))
            spans.append(Span(f" {command.hint}  ", Tone.NORMAL if usable else Tone.MUTED))
            self._spots.append((used, used + need - 1, command))
            used += need
        return self.draw(tuple(spans), width)
