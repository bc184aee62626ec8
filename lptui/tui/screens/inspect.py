"""What a node answers on a route that only reads; asked when it is opened, and by a key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.binding import Binding, BindingType

from lptui.errors import LptuiError
from lptui.present.model import Line, Span, Tone
from lptui.tui.screens.page import Page, keys_line

if TYPE_CHECKING:
    from lptui.fleet.topology import Node
    from lptui.present.inspected import Inspected
    from lptui.tui.app import LptuiApp

TICK_S: Final = 1.0

KEYS: Final = "Esc back   r ask again   n another route   ↑↓ scroll   c copy   q quit"


class InspectScreen(Page):
    """An answer stays, with its age, when the next one fails. Closing it ends the question."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask", show=False),
        Binding("n", "another", show=False),
    ]

    def __init__(self, node: str, route: str) -> None:
        super().__init__()
        self._node = node
        self._route = route
        self._found: Inspected | None = None
        self._failure: LptuiError | None = None
        self._lines: list[Line] = []
        self._asking: asyncio.Task[None] | None = None
        self._since = 0.0

    def on_mount(self) -> None:
        super().on_mount()
        self.action_ask()
        self.set_interval(TICK_S, self.follow)

    def on_unmount(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def action_ask(self) -> None:
        """Asks, unless an answer is still to come."""
        if self._asking is None:
            self._since = self._app.clock.monotonic()
            self._asking = self._app.keep(self._ask())
            self.follow()

    async def _ask(self) -> None:
        from lptui.present.inspected import page

        try:
            self._found = await self._app.session.inspect(self._node, self._route)
            self._failure = None
        except LptuiError as error:
            self._failure = error
        self._asking = None
        self._lines = page(self._found, self._failure)
        self.follow()

    def action_another(self) -> None:
        """Lets another route be chosen."""

        def given(route: str) -> None:
            # Not awaited: it waits for the screen whose turn this is.
            self._app.switch_screen(InspectScreen(self._node, route))

        choose_route(self._app, self._node, given)

    def title_line(self) -> Line:
        from lptui.present.inspected import title

        now = self._app.clock.now()
        line = title(self._node, self._route, self._found, self._failure, now)
        if self._asking is None:
            return line
        waited = self._app.clock.monotonic() - self._since
        return (*line, Span(f"   asking, {waited:.0f} s", Tone.ACCENT))

    def content(self) -> Sequence[Line]:
        return self._lines

    def keys(self) -> Line:
        return keys_line(KEYS)

    @property
    def _app(self) -> LptuiApp:
        return cast("LptuiApp", self.app)


def open_inspector(app: LptuiApp, node: Node) -> None:
    """Lets a route of the node be chosen and shows its answer."""
    if node.cli is None:
        app.say(f"{node.name} has no CLI API: set its `cli` in the configuration", Tone.WARN)
        return

    def given(route: str) -> None:
        app.push_screen(InspectScreen(node.name, route))

    choose_route(app, node.name, given)


def choose_route(app: LptuiApp, node: str, given: Callable[[str], None]) -> None:
    """Calls back with the route that the operator chooses, or never."""
    from lptui.tui.palette import choose

    choose(app, f"what to ask {node}: only routes that read…", app.session.routes(), given)
