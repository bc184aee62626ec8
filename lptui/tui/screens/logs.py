"""Logs: the last lines of one or several, and what is added to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from lptui.errors import LptuiError
from lptui.present.logs import LogBook, Query, notes, title
from lptui.present.model import Tone
from lptui.tui.entry import Entry
from lptui.tui.screens.page import keys_line
from lptui.tui.widgets.bars import Band, Lines
from lptui.tui.widgets.drawing import split_line
from lptui.tui.widgets.logs import LogView

if TYPE_CHECKING:
    from lptui.collector.follow import State
    from lptui.fleet.logs import Choice, LogLine, Stream
    from lptui.tui.app import LptuiApp
    from lptui.tui.session import Followed

TICK_S: Final = 0.1
"""How often what has come is drawn."""

MOST_NOTES: Final = 3

HINT: Final = "text  !not  /regex/  level:warn   Enter keep   Esc clear"


class LogsScreen(Screen[None], inherit_bindings=False):
    """Reads while it is open; what runs for it on the hosts ends with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("p,space", "hold", show=False),
        Binding("slash", "search", show=False, priority=True),
        Binding("w", "wrap", show=False),
        Binding("m", "widen", show=False),
    ]

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._choices = choices
        self._chosen = 0
        self.book = LogBook()
        self.states: dict[Stream, State] = {}
        self.head = Band(id="page-head")
        self.notes = Lines(id="logs-notes")
        self.view = LogView(self.book, id="page-body")
        self.foot = Band(id="page-foot")
        self._followed: Followed | None = None
        self._opening: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.notes
        yield self.view
        yield self.foot

    @property
    def choice(self) -> Choice:
        return self._choices[self._chosen]

    def on_mount(self) -> None:
        self.view.focus()
        self._open()
        self.set_interval(TICK_S, self.follow)
        self.call_after_refresh(self.follow)

    def on_unmount(self) -> None:
        self._close()

    def on_resize(self) -> None:
        self.call_after_refresh(self.follow)

    # What is read.

    def _open(self) -> None:
        self.view.names = tuple(stream.name for stream in self.choice.streams)
        self._opening = self._app.keep(self._begin(self.choice))

    async def _begin(self, choice: Choice) -> None:
        try:
            followed = await self._app.session.follow(choice.streams, self)
        except LptuiError as error:
            self.view.message = str(error)
            return
        if choice is self.choice and self.is_attached:
            self._followed = followed
        else:
            await followed.close()

    def _close(self) -> None:
        followed, self._followed = self._followed, None
        if followed is not None:
            self._app.keep(followed.close())

    def add(self, read: Iterable[tuple[Stream, LogLine]]) -> None:
        """See `Sink`; what an earlier choice still gives is not wanted any more."""
        wanted = set(self.choice.streams)
        self.book.add(one for one in read if one[0] in wanted)

    def restart(self, stream: Stream) -> None:
        self.book.restart(stream)

    def state(self, stream: Stream, state: State) -> None:
        self.states[stream] = state

    # What is shown.

    def follow(self) -> None:
        """Draws what has changed."""
        app, width = self._app, self.size.width
        left, right = title(self.choice, self.book, self.states)
        self.head.show([split_line(left, right, width)])
        said = notes(self.choice.streams, self.states, MOST_NOTES)
        if len(said) != len(self.notes.lines):
            self.notes.styles.height = len(said)
        self.notes.show(said)
        if self.book.query.text and self.book.total and not self.book.shown:
            self.view.message = f"no line matches {self.book.query.text!r}: Esc shows all"
        else:
            self.view.message = "no line yet"
        self.view.follow(app.clock.now())
        self.foot.show([keys_line(self._keys())])

    def _keys(self) -> str:
        back = "Esc all lines" if self.book.query.text else "Esc back"
        hold = "p go on   End newest" if self.book.held else "p pause"
        found = f"/ {self.book.query.text}" if self.book.query.text else "/ filter"
        wider = self._choices[(self._chosen + 1) % len(self._choices)].word
        more = f"   m {wider}" if len(self._choices) > 1 else ""
        wrap = "w cut" if self.view.wraps else "w wrap"
        return f"{back}   {hold}   {found}   {wrap}{more}   c copy   times in UTC"

    def on_log_view_moved(self) -> None:
        self.follow()

    def plain_text(self) -> str:
        """What matches, for the clipboard."""
        return self.view.plain

    # Keys.

    def action_hold(self) -> None:
        """Holds the lines; again: on from the newest."""
        if self.book.held:
            self.view.release()
        else:
            self.view.hold()
        self.follow()

    def action_wrap(self) -> None:
        """Long lines whole, or cut."""
        self.view.toggle_wrap()
        self.follow()

    def action_search(self) -> None:
        """A line for what is looked for."""

        def given(text: str | None) -> None:
            self.set_focus(self.view)
            self._look_for(text or "")

        entry = Entry(HINT, self.book.query.text, given)
        self.mount(entry, before=self.foot)
        self.set_focus(entry)

    def action_back(self) -> None:
        """All lines again; then back to the panes."""
        if self.book.query.text:
            self._look_for("")
        else:
            self.dismiss()

    def _look_for(self, text: str) -> None:
        self.book.search(Query(text))
        self.follow()

    def action_widen(self) -> None:
        """The next choice: the node's role, its host, and the first again."""
        if len(self._choices) < 2:
            return
        self._close()
        self._chosen = (self._chosen + 1) % len(self._choices)
        query = self.book.query
        self.book = self.view.book = LogBook()
        self.book.search(query)
        self.states.clear()
        self.view.release()
        self._open()
        self.follow()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # What is typed into the line is no command.
        if action == "search" and isinstance(self.focused, Entry):
            return False
        return super().check_action(action, parameters)

    @property
    def _app(self) -> LptuiApp:
        return cast("LptuiApp", self.app)


def open_logs(app: LptuiApp) -> None:
    """The logs of the row under the cursor, or a word on why there are none."""
    row = app.overview.focused_pane.selected
    if row is None:
        app.say("no row is selected", Tone.WARN)
        return
    found = app.session.logs(words_for_logs(row.subjects))
    if not found:
        app.say("no log is known for this row: it has no unit, container or logs:", Tone.WARN)
        return
    app.push_screen(LogsScreen(found))


def words_for_logs(subjects: Sequence[tuple[str, str]]) -> list[str]:
    """Selectors for what a row is about; of holders only where nothing else has a log."""
    prefixes = {"server": "lb:", "balancer": "lb:", "host": "host:"}
    plain = [name for kind, name in subjects if kind in ("node", "orchestrator", "rpc")]
    held = [f"{prefixes[kind]}{name}" for kind, name in subjects if kind in prefixes]
    return [*plain, *held]
