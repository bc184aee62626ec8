"""The console: wires keys to commands, the session to the panes. It knows no fleet facts.

Before the first frame it imports nothing but Textual and what draws; the rest comes after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent
from textual.filter import LineFilter, NoColor
from textual.notifications import SeverityLevel
from textual.reactive import Reactive
from textual.screen import Screen
from textual.theme import Theme

from lptui.clock import Clock, SystemClock
from lptui.errors import LptuiError
from lptui.present.model import Line, Span, Tone
from lptui.tui import declared, theming
from lptui.tui.background import in_thread
from lptui.tui.commands import BY_ID, CHANGES, COMMANDS, PROMPT, Command
from lptui.tui.handlers import HANDLERS
from lptui.tui.memory import Sweeper
from lptui.tui.overview import Overview
from lptui.tui.panes import Pane
from lptui.tui.session import Session
from lptui.tui.widgets.bars import Footer
from lptui.tui.widgets.drawing import Palette
from lptui.tui.widgets.table import Table
from lptui.tui.zoomed import Zoomed

if TYPE_CHECKING:
    from lptui.tui.acting import Acting
    from lptui.tui.feed import Checks, Feed
    from lptui.tui.offers import Offers

TASKS_S = 0.5
"""How long own background work is waited for after it was cancelled."""

NO_COLOUR = NoColor()

OLD_VERDICT_S = 10.0
"""What the header says of the fleet has its age when it is older than this and three intervals."""

OVERVIEW_ONLY = frozenset(
    {
        *(item.id for item in COMMANDS if item.id.startswith("pane-")),
        *("zoom", "detail", "filter", "sort", "next-pane", "previous-pane", "acknowledge"),
        *("events", "help", "topology", "watch", "logs", "shell"),
        *(item.id for item in CHANGES),
    }
)
"""Commands that make no sense while another screen is open over the panes."""


class LptuiApp(App[int], inherit_bindings=False):
    """The console of one session. After it has run, `failure` says why it ended, if it failed."""

    CSS_PATH = "console.tcss"
    TITLE = "lptui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            ",".join(item.keys),
            f"command('{item.id}')",
            item.title,
            show=False,
            id=item.id,
            # At once: what follows is typed into it, and would be commands until it is there.
            priority=item.id == "filter",
        )
        for item in COMMANDS
        if item.keys
    ]

    def __init__(
        self,
        session: Session,
        *,
        clock: Clock | None = None,
        theme: str | None = None,
        interval_s: float | None = None,
        checks: Checks | None = None,
        settle: Callable[[], None] | None = None,
    ) -> None:
        """`settle` is called once, when every source has been asked and all is loaded."""
        super().__init__()
        self.session = session
        self.clock = clock or SystemClock()
        self.failure: LptuiError | None = None
        self.overview = Overview()
        self.feed: Feed | None = None
        self.acting: Acting | None = None
        self.offers: Offers | None = None
        self.paused = False
        self._checks = checks
        self._settle = settle
        self._is_settled = False
        self.interval_s = interval_s or 2.0
        self._wanted_theme = theme
        self.theme_names = [theming.DEFAULT]
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe: Callable[[], None] | None = None
        self._message_until = 0.0
        self._sweeper = Sweeper(self.clock.monotonic())
        self._zoomed = Zoomed(self)
        self.animation_level = "none"

        self._palettes: dict[str, Palette] = {}
        self.register_theme(theming.BUILT_IN)

    # Beginning and end

    theme: Reactive[str] = Reactive(theming.DEFAULT)

    def get_theme(self, theme_name: str) -> Theme | None:
        # Textual asks for it before it can be registered; changing to it later costs a frame.
        found = super().get_theme(theme_name)
        return theming.BUILT_IN if found is None and theme_name == theming.DEFAULT else found

    def get_css_variables(self) -> dict[str, str]:
        self._palettes = {}
        return super().get_css_variables()

    def palette_on(self, base: str) -> Palette:
        """The theme's styles on one of its colours."""
        found = self._palettes.get(base)
        if found is None:
            found = Palette(self.theme_variables, base, colourless=self.no_color)
            self._palettes[base] = found
        return found

    def get_line_filters(self) -> Sequence[LineFilter]:
        # Textual's own makes greys of colours, on a background that may not be the terminal's.
        return (NO_COLOUR,) if self.no_color else super().get_line_filters()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(theming.VARIABLES)

    def get_default_screen(self) -> Screen[Any]:
        return self.overview

    def on_mount(self) -> None:
        self.refresh_bars()
        self.app_resume_signal.subscribe(self, lambda _: self._draw_anew())
        self.call_after_refresh(self._begin)

    def _draw_anew(self) -> None:
        # Coming back from the shell, Textual by itself leaves lines out.
        self.screen.refresh(layout=True)

    def _begin(self) -> None:
        """The first frame is on the screen: now load what makes it live."""
        self.keep(self._run())
        self.set_interval(1.0, self._tick)

    async def _run(self) -> None:
        from lptui.tui.acting import Acting
        from lptui.tui.feed import Feed, all_checks
        from lptui.tui.offers import Offers
        from lptui.tui.retrying import Retrying

        feed = Feed(self.clock, self._checks or all_checks)
        self.feed = feed
        self.acting = Acting(self, self.session, feed)
        self.offers = Offers(self)
        self._unsubscribe = self.session.subscribe(feed.receive)
        self.keep(self._load_themes())
        try:
            await self.session.start()
        except LptuiError as error:
            self.failure = error
            self.exit(return_code=1)
            return
        if not self.session.read_only:
            self.keep(self.offers.run())
        self.keep(Retrying(self, self.session, feed, self.acting).run())
        while True:
            await feed.changes()
            await feed.digest(self.session.own_run)
            with feed.drawing():
                await self.redraw()
            if not self._is_settled and feed.snapshot is not None and feed.snapshot.complete:
                self._is_settled = True
                self.keep(self.acting.look_for_cut(show=True))
                if self._settle is not None:
                    self._settle()

    def keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs something in the background; it is cancelled at the end, its failure is fatal."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, Exception):
                self._handle_exception(error)
            else:
                raise error

    async def on_unmount(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=TASKS_S)

    def _fatal_error(self) -> None:
        """Textual's own would print local variables, and with them what must stay secret."""
        from lptui.tui.crash import report

        self.bell()
        error = self._exception
        self.failure = report(error, self.clock.now()) if error is not None else None
        self._close_messages_no_wait()

    async def _load_themes(self) -> None:
        from lptui.paths import theme_dirs

        themes, mistakes = await in_thread(theming.load_all, theme_dirs())
        for theme in themes.values():
            self.register_theme(theme)
        self.theme_names = [theming.DEFAULT, *(n for n in sorted(themes) if n != theming.DEFAULT)]
        for mistake in mistakes:
            self.note(str(mistake), bad=True)
        wanted = self._wanted_theme or await in_thread(theming.remembered)
        if wanted is None and self.console.color_system == "standard":
            wanted = theming.SIXTEEN
        if wanted is not None and wanted in themes:
            self.theme = wanted
        elif wanted is not None and wanted != self.theme:
            self.note(f"no theme {wanted!r}; there are {', '.join(self.theme_names)}", bad=True)

    # Drawing

    async def redraw(self) -> None:
        """Brings what is visible up to date; keys are answered while rows are made."""
        feed = self.feed
        if feed is None:
            return
        wanted = [(pane.wanted_height, pane.model.state) for pane in self.overview.panes]
        panes = self.overview.visible_panes
        models = [await in_thread(feed.present, pane.pane_id) for pane in panes]
        if not self.screen_stack:
            return  # it is being closed
        # All in one turn: each turn that changes something is a frame of its own to Textual.
        for pane, model in zip(panes, models, strict=True):
            if model is not None:
                pane.show(model, self.clock.now())
        if wanted != [(pane.wanted_height, pane.model.state) for pane in self.overview.panes]:
            self.overview.lay_out(self.size)
        self.draw_chart()
        self.refresh_bars()
        screen = self.screen
        if screen is not self.overview and hasattr(screen, "follow"):
            screen.follow()

    def _fill(self, pane: Pane) -> None:
        model = self.feed.present(pane.pane_id) if self.feed is not None else None
        if model is not None:
            pane.show(model, self.clock.now())

    def draw_chart(self) -> None:
        """In the zoomed view, the selected row's history under the table."""
        self._zoomed.draw()

    def _tick(self) -> None:
        if not self.screen_stack:
            return  # it is being closed
        now = self.clock.now()
        if self.screen is self.overview:
            for pane in self.overview.visible_panes:
                pane.tick(now)
            self._zoomed.tick()
        if self._message_until and now >= self._message_until:
            self._message_until = 0.0
            self.overview.footer.say(())
        self.refresh_bars()
        self._look_at_row()
        self._sweeper.tick(self.clock.monotonic())

    async def on_event(self, event: Event) -> None:
        if isinstance(event, InputEvent):
            self._sweeper.pressed(self.clock.monotonic())
        await super().on_event(event)

    def refresh_bars(self) -> None:
        """Header, events and footer."""
        from lptui.tui.bars_content import clock_part, footer_commands, strip_lines

        left, worst = self._header_parts()
        running = self.acting.running if self.acting is not None else ""
        right = clock_part(self.clock.now(), self.paused, self.interval_s, running)
        self.overview.header.show(left, (*worst, *right))
        if self.feed is not None:
            count = max(1, self.overview.strip.size.height)
            self.overview.strip.show(
                strip_lines(self.feed.events, count, self.clock.now(), running)
            )
        self.overview.footer.show(footer_commands(self))

    def _header_parts(self) -> tuple[Any, Any]:
        session = self.session
        if self.feed is None:
            left: list[tuple[int, Line]] = [
                (4, (Span("lptui", Tone.MUTED),)),
                (0, (Span(session.title, Tone.STRONG),)),
            ]
            return tuple(left), ((0, (Span("connecting", Tone.MUTED),)),)
        return self.feed.header_parts(
            session.title,
            demo=session.demo,
            read_only=session.read_only,
            old_s=0.0 if self.paused else OLD_VERDICT_S + 3 * self.interval_s,
        )

    def say(self, text: str, tone: Tone = Tone.ACCENT, seconds: float = 4.0) -> None:
        """A short message in the footer; "" takes the last one away. Plain text."""
        self.overview.footer.say((Span(text, tone),) if text else ())
        self._message_until = self.clock.now() + seconds

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Textual's own notices; whatever they say, it is never parsed."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def note(self, text: str, *, bad: bool = False) -> None:
        """A message that is kept among the events."""
        self.say(text, Tone.WARN if bad else Tone.ACCENT)
        if self.feed is not None:
            from lptui.fleet.finding import Severity

            severity = Severity.WARNING if bad else Severity.OK
            self.feed.events.note(self.clock.now(), text, severity)
            self.feed.wake()

    # Commands

    def why_not(self, item: Command) -> str:
        """Why a command cannot be used now; "" when it can."""
        never = self._never(item)
        return never or (self.offers.why_not(item) if self.offers is not None else "")

    def _never(self, item: Command) -> str:
        """Why a command cannot be used whatever is selected."""
        if (item.actions or item.id == "shell") and self.session.read_only:
            return "read-only"
        if item.actions and (self.feed is None or self.feed.snapshot is None):
            return "nothing has been read yet"
        return ""

    def _look_at_row(self) -> None:
        if self.offers is not None:
            self.offers.look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action != "command":
            return True
        item = BY_ID[str(parameters[0])]
        if item.id == "filter" and self.focused is not None and self.focused.has_class(PROMPT):
            return False
        return self.screen is self.overview or item.id not in OVERVIEW_ONLY

    def action_command(self, identity: str) -> None:
        """Runs a command by its id, or says why not."""
        self.run_command(BY_ID[identity])

    def run_command(self, item: Command) -> None:
        """The same of any command: those that the operator has declared have no key."""
        refusal = self._never(item)
        if refusal:
            self.say(f"{item.words}: {refusal}", Tone.WARN)
            return
        if item.id.startswith("pane-"):
            self.focus_pane(int(item.id.removeprefix("pane-")) - 1)
        elif item.actions:
            self._act(item)
        elif item.id in HANDLERS:
            HANDLERS[item.id](self)
        else:
            self.keep(declared.read(self, item))
        self.refresh_bars()

    def focus_pane(self, index: int) -> None:
        """Gives a pane, counted from 0, the keys and where it is scarce the room."""
        pane = self.overview.panes[index]
        self.overview.open(pane)
        pane.focus()
        self._look_at_row()
        if self.overview.zoomed:
            # It was not kept up to date while it was hidden.
            self._fill(pane)
            self.overview.lay_out(self.size)
            self.call_after_refresh(self.draw_chart)

    def _act(self, item: Command) -> None:
        # The target is taken now, at the key press: the table may change before the plan is made.
        if self.acting is None:
            self.say("not connected yet", Tone.WARN)
            return
        pane = self.overview.focused_pane
        if pane.is_lost and not item.anywhere:
            self.say(f"{item.words}: the row is gone; select another", Tone.WARN)
        else:
            self.acting.begin(item, pane.selected)

    # Messages from widgets

    def on_table_opened(self, message: Table.Opened) -> None:
        HANDLERS["detail"](self)

    def on_table_moved(self, message: Table.Moved) -> None:
        self._look_at_row()
        self.refresh_bars()
        self.draw_chart()

    def on_table_heading_clicked(self, message: Table.HeadingClicked) -> None:
        table, key = message.table, message.column.key
        reverse = table.order == (key, False)
        table.sort(key, reverse)
        if isinstance(table, Pane):
            table.retitle()

    def on_footer_pressed(self, message: Footer.Pressed) -> None:
        self.action_command(message.command.id)
