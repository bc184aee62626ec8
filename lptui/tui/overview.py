"""The main screen: header, six panes, events, footer; where everything goes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from lptui.present.model import State
from lptui.tui.commands import PANES
from lptui.tui.panes import Pane
from lptui.tui.widgets.bars import Footer, Header, Lines

GRID_WIDTH, GRID_HEIGHT = 110, 30
"""At least this large a screen shows six panes at once."""

LEAST_PANE = 5

LEAST_MORE = 3
"""Lines that are worth giving to a pane of one line: titles of columns, and two rows."""


class Overview(Screen[None]):
    """Six panes side by side, one above the other, or one alone."""

    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = ""

    # Textual's own repaints the whole screen whenever the focus moves; here panes draw their own.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self.panes = [Pane(number, *pane) for number, pane in enumerate(PANES, 1)]
        self.zoomed = False
        self._open = self.panes[0]
        self.header = Header()
        self.footer = Footer()
        self.strip = Lines(id="events")
        self.chart = Lines(id="chart")
        self._heights: tuple[int, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.header
        with Widget(id="body"):
            with Widget(id="left"):
                yield from self.panes[:3]
            with Widget(id="right"):
                yield from self.panes[3:]
        yield self.chart
        yield self.strip
        yield self.footer

    def on_mount(self) -> None:
        self.lay_out(self.app.size)
        self.panes[0].focus()

    @property
    def focused_pane(self) -> Pane:
        """The pane that keys act on."""
        return self._open

    @property
    def visible_panes(self) -> list[Pane]:
        """Panes that show at least a line; the others cost nothing."""
        return [self.focused_pane] if self.zoomed else self.panes

    @property
    def is_stacked(self) -> bool:
        return not is_grid(self.app.size)

    def on_descendant_focus(self) -> None:
        focused = self.focused
        if isinstance(focused, Pane):
            self.open(focused)

    def open(self, pane: Pane) -> None:
        """Makes a pane the one that keys act on, and that has the room where room is scarce."""
        self._open = pane
        if self.is_stacked or self.zoomed:
            self._show_open()
            # What shows all of itself stays where it is, also under the mouse.
            if self.zoomed or pane.size.height < pane.wanted_height:
                self.lay_out(self.app.size)

    def _show_open(self) -> None:
        """Tells the stylesheet; where all panes have their room it would only repaint them."""
        for other in self.panes:
            other.set_class(other is self._open, "open")
        for name in ("#left", "#right"):
            holder = self.query_one(name)
            holder.set_class(holder is self._open.parent, "has-open")

    def zoom(self, on: bool) -> None:
        """One pane alone, or all of them."""
        self.zoomed = on
        self.query_one("#body").set_class(on, "zoomed")
        self.lay_out(self.app.size)

    def on_resize(self) -> None:
        self.lay_out(self.app.size)

    def lay_out(self, size: Size) -> None:
        """Chooses the layout for a size, and the height of each pane."""
        grid = is_grid(size)
        if not grid or self.zoomed:
            self._show_open()
        self.query_one("#body").set_class(not grid and not self.zoomed, "stacked")
        self.strip.styles.height = strip_height(size)
        self.chart.styles.height = chart_height(size) if self.zoomed else 0
        room = size.height - 2 - strip_height(size)
        wanted = [pane.wanted_height for pane in self.panes]
        heights: tuple[int, ...] = ()
        if grid and not self.zoomed:
            heights = (*share(wanted[:3], room), *share(wanted[3:], room))
        elif not self.zoomed:
            heights = tuple(stack(wanted, self._by_need(), room))
        if heights == self._heights:
            return
        self._heights = heights
        stacked = heights if not grid else ()
        for name, part in (("#left", stacked[:3]), ("#right", stacked[3:])):
            self.query_one(name).styles.height = sum(part) if part else None
        for pane, height in zip(self.panes, heights or (None,) * 6, strict=True):
            pane.styles.height = height

    def _by_need(self) -> list[int]:
        """The open pane, then those in trouble, the worst first, then the others."""

        def need(index: int) -> tuple[bool, int, int]:
            pane = self.panes[index]
            trouble = pane.model.state if pane.model.state > State.PENDING else State.OK
            return pane is not self._open, -trouble, index

        return sorted(range(len(self.panes)), key=need)


def is_grid(size: Size) -> bool:
    """Whether six panes fit side by side."""
    return size.width >= GRID_WIDTH and size.height >= GRID_HEIGHT


def chart_height(size: Size) -> int:
    """Lines for the chart of the selected row below a pane that is alone."""
    return 0 if size.height < 24 else max(8, min(18, size.height // 3))


def strip_height(size: Size) -> int:
    """Lines for events."""
    return 1 if size.height < 30 else 3 if size.height < 48 else 5


def stack(wanted: list[int], order: list[int], room: int) -> list[int]:
    """Heights one above the other; [] when there is room for the first of `order` alone.

    Each has a line. What is left goes to them in that order, and what nobody wants to the first.
    """
    left = room - len(wanted)
    if left < LEAST_MORE:
        return []
    heights = [1] * len(wanted)
    for index in order:
        more = min(wanted[index] - 1, left)
        if index == order[0] or more >= LEAST_MORE:
            heights[index] += more
            left -= more
    heights[order[0]] += left
    return heights


def share(wanted: list[int], room: int) -> list[int]:
    """Shares out lines: nobody gets more than it wants while another lacks, all have the least.

    What is left over when all have what they want goes to the last.
    """
    result = [0] * len(wanted)
    left = room
    open_ = sorted(range(len(wanted)), key=lambda i: wanted[i])
    for place, index in enumerate(open_):
        fair = left // (len(open_) - place)
        result[index] = min(max(wanted[index], LEAST_PANE), fair)
        left -= result[index]
    result[-1] += left
    return result
