"""Changes from the screen: target at the key press, plan, question, execution, outcome.

One at a time. The screen stays live; what is going on is in the events strip, and step by step on
a page of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lptui.errors import LptuiError
from lptui.fleet.finding import Severity
from lptui.present.model import Row, Tone
from lptui.present.words import duration
from lptui.text import clean
from lptui.tui.aiming import words_of
from lptui.tui.commands import Command
from lptui.tui.session import Session

if TYPE_CHECKING:
    from lptui.actions.comparing import Compared, Verb
    from lptui.actions.journal import Entry
    from lptui.actions.plan import Plan, Result
    from lptui.actions.spec import Event
    from lptui.present.courses import Course
    from lptui.tui.app import LptuiApp
    from lptui.tui.feed import Feed
    from lptui.tui.screens.confirm import ConfirmScreen

OUTCOMES = {
    "done": Severity.OK,
    "refused": Severity.WARNING,
    "failed": Severity.CRITICAL,
    "unknown": Severity.UNKNOWN,
}

NAME_LIMIT: Final = 60
"""Characters of a plan's targets that are shown where there is one line for it."""

WATCH_S: Final = 5.0
"""Between two looks at what was left unknown."""


class Acting:
    """The one change that may be under way.

    Attributes:
        shown: the change that its page is about: the one under way, one that was cut, the last.
        abandoned: what was under way when the console ended; None when nothing was.
    """

    def __init__(self, app: LptuiApp, session: Session, feed: Feed) -> None:
        self._app = app
        self._session = session
        self._feed = feed
        self._busy = ""
        self._doing = ""
        self._since = 0.0
        self._leaving = False
        self._next_cut: Entry | None = None
        self.shown: Course | None = None
        self.abandoned: Plan | None = None

    # What is going on.

    @property
    def running(self) -> str:
        """What is being done and for how long; "" when idle."""
        if not self._doing:
            return ""
        return f"{self._busy}, {duration(self._app.clock.now() - self._since)}: {self._doing}"

    @property
    def is_cut(self) -> bool:
        """The page is about a run that was cut."""
        return self.shown is not None and self.shown.is_cut

    @property
    def offered(self) -> list[tuple[str, str]]:
        """The keys of the page that can be used now, each with its word."""
        course = self.shown
        if course is None or not course.plan.is_stepwise:
            return []
        if course.runs:
            return [] if course.stopping else [("x", "stop after this step")]
        if self._session.read_only or course.entry is None or self._busy:
            return []
        from lptui.actions.comparing import Verb, refusal

        keys = (("r", Verb.RESUME), ("u", Verb.UNDO))
        return [(key, verb.value) for key, verb in keys if not refusal(course.entry, verb)]

    def show(self) -> None:
        """Opens the page of the change under way, of one that was cut, or of the last one."""
        from lptui.tui.screens.run import RunScreen

        if self._next_cut is not None and (self.shown is None or not self.shown.runs):
            self._open_cut(self._next_cut)
        if self.shown is None:
            self._app.say("nothing has been changed since the console started", Tone.WARN)
        elif not isinstance(self._app.screen, RunScreen):
            self._app.push_screen(RunScreen())

    # From a key to a result.

    def begin(self, item: Command, row: Row | None) -> None:
        """Starts with the target that the row stands for now."""
        if self._is_free():
            self._busy = item.hint
            self._app.keep(self._go(item, None if item.anywhere else words_of(row)))

    def begin_itself(self, plan: Plan) -> bool:
        """Starts what the configuration allows without a question; False while it cannot."""
        if self._busy or self._session.read_only:
            return False
        self._busy = named(plan)
        self._app.keep(self._go_itself(plan))
        return True

    def again(self, verb: str) -> None:
        """Takes the shown run up again, or back."""
        course = self.shown
        if course is None or verb not in [word for _, word in self.offered]:
            return
        if course.entry is not None and self._is_free():
            from lptui.actions.comparing import Verb

            self._busy = f"{verb} of {course.plan.action}"
            self._app.keep(self._go_again(course.entry, Verb(verb)))

    def stop(self) -> None:
        """Asks whether no further step shall be made."""
        if ("x", "stop after this step") in self.offered:
            self._app.keep(self._stop())

    def quit(self) -> None:
        """Ends the console: at once, unless that cuts a change; pressed again, at once too."""
        course = self.shown
        if course is None or not course.runs or not course.plan.is_stepwise or self._leaving:
            self._app.exit(return_code=0)
        else:
            self._leaving = True
            self._app.keep(self._quit(course))

    def _is_free(self) -> bool:
        if not self._busy:
            return True
        self._app.say(f"one at a time: {self._busy} is under way", Tone.WARN)
        if self.shown is not None and self.shown.runs and self.shown.plan.is_stepwise:
            self.show()
        return False

    async def _go(self, item: Command, words: Sequence[str] | None) -> None:
        try:
            plan = await self._planned(item, words)
            if plan is None:
                return
            confirmed = await self._ask(plan, item)
            if confirmed is None:
                self._app.say("nothing was done")
                return
            await self._do(confirmed)
        except LptuiError as error:
            self._refused(error)
        finally:
            self._idle()

    async def _go_itself(self, plan: Plan) -> None:
        from lptui.actions.retry import AUTOMATIC

        try:
            await self._do(plan, AUTOMATIC)
        except LptuiError as error:
            self._refused(error)
        finally:
            self._idle()

    async def _planned(self, item: Command, words: Sequence[str] | None) -> Plan | None:
        """None when there is nothing to plan for; why is said in the footer."""
        key = item.words
        self._app.say(f"{key}: planning…", seconds=30)
        try:
            plan = await self._session.propose(item.actions, words)
        except LptuiError as error:
            self._app.say(f"{key}: {error.why}; {error.remedy}".rstrip("; "), Tone.WARN)
            return None
        return plan

    async def _do(self, plan: Plan, by: str = "") -> None:
        from lptui.present.courses import begun

        who = f"{by}, " if by else ""
        self._event(f"{named(plan)} started ({who}plan {plan.hash})", Severity.OK)
        course = begun(plan, self._app.clock.now())
        result = await self._executed(
            course, lambda: self._session.execute(plan, self._progress, self._told, by)
        )
        if result.outcome.value == "unknown" and not plan.is_stepwise:
            self._app.keep(self._watch(plan))

    async def _go_again(self, entry: Entry, verb: Verb) -> None:
        from lptui.present import courses
        from lptui.tui.screens.confirm import ConfirmScreen

        try:
            compared = await self._looked(entry, verb)
            lines = courses.question(entry, verb, compared)
            screen = ConfirmScreen(lines, f"Yes, {verb} {entry.plan.action}", self._phrase)
            if not await self._agreed(screen):
                self._app.say("nothing was done")
                return
            self._event(f"{verb} of {named(entry.plan)} started (run {entry.id})", Severity.OK)
            await self._executed(
                courses.again(entry, verb, self._app.clock.now()),
                lambda: self._session.again(entry, verb, self._progress, self._told),
            )
            self._app.keep(self.look_for_cut(show=False))
        except LptuiError as error:
            self._refused(error)
        finally:
            self._idle()

    async def _executed(self, course: Course, go: Callable[[], Awaitable[Result]]) -> Result:
        plan = course.plan
        self.shown = course
        self._busy = f"{course.verb} of {plan.action}" if course.verb else named(plan)
        self._since = self._app.clock.now()
        self._progress("checking once more")
        self.abandoned = plan
        if plan.is_stepwise:
            self.show()
        try:
            result = await go()
        except LptuiError:
            self.shown = self.abandoned = None
            raise
        self.abandoned = None
        entry = await self._session.last_run() if plan.is_stepwise else None
        self.shown = self.shown.over(result, entry, self._app.clock.now())
        self._report(result, course.verb)
        return result

    async def _stop(self) -> None:
        from lptui.present.courses import what_stops
        from lptui.tui.screens.confirm import ConfirmScreen

        course = self.shown
        if course is None or not await self._agreed(ConfirmScreen(what_stops(course), "Yes, stop")):
            return
        if self.shown is not None and self.shown.runs:
            self._session.abort()
            self.shown = self.shown.stopped()
            self._changed()

    async def _quit(self, course: Course) -> None:
        from lptui.present.courses import what_quitting_cuts
        from lptui.tui.screens.confirm import ConfirmScreen

        if await self._agreed(ConfirmScreen(what_quitting_cuts(course), "Yes, quit")):
            self._app.exit(return_code=0)
        self._leaving = False

    # Runs that were cut.

    async def look_for_cut(self, *, show: bool) -> None:
        """Tells of runs that have no end and that nobody is at; with `show` opens their page."""
        try:
            found = await self._session.unfinished()
        except LptuiError as error:
            self._event(str(error), Severity.WARNING)
            return
        if not found or (self.shown is not None and self.shown.runs):
            return
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        words = f"{named(found[0].plan)} was cut half-way{more} (run {found[0].id})"
        self._event(f"{words}; w shows it", Severity.WARNING)
        self._next_cut = found[0]
        if show and self._app.screen is self._app.overview and not self._session.read_only:
            self.show()

    def _open_cut(self, entry: Entry) -> None:
        from lptui.present.courses import of_entry

        self._next_cut = None
        self.shown = of_entry(entry)
        self._app.keep(self._compare(entry))

    async def _compare(self, entry: Entry) -> None:
        """Looks at the fleet for what resume and undo would do."""
        from lptui.actions.comparing import Verb

        for verb in Verb:
            with suppress(LptuiError):
                await self._looked(entry, verb)

    async def _looked(self, entry: Entry, verb: Verb) -> Sequence[Compared]:
        """The steps as they are now, shown on the page; where they cannot be, why not."""

        def show(found: Sequence[Compared] | str) -> None:
            if self.shown is not None and self.shown.entry == entry:
                self.shown = self.shown.with_look(verb, found)
                self._changed()

        try:
            found = await self._session.compare(entry, verb)
        except LptuiError as error:
            show(error.why)
            raise
        show(found)
        return found

    # Questions.

    async def _ask(self, plan: Plan, item: Command) -> Plan | None:
        """The plan that was agreed to: choices may have been changed. None for no."""
        from lptui.present.locks import in_the_way
        from lptui.tui.screens.plan import PlanScreen

        spec = await self._session.spec(plan.action)
        snapshot, own_run = self._feed.snapshot, self._session.own_run
        others = in_the_way(plan, snapshot, own_run) if snapshot is not None else ""
        screen = PlanScreen(plan, spec, self._session.plan, self._phrase, others)
        is_refused = plan.why_not and not plan.to_choose
        self._app.say(f"{item.words}: {plan.why_not}" if is_refused else "", Tone.WARN)
        return screen.plan if await self._agreed(screen) else None

    @property
    def _phrase(self) -> str:
        """What must be typed to agree; "" where a key is enough."""
        snapshot = self._feed.snapshot
        if snapshot is None or not snapshot.fleet.production:
            return ""
        return snapshot.fleet.name

    async def _agreed(self, screen: ConfirmScreen) -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answered(value: bool | None) -> None:
            if not answer.done():
                answer.set_result(bool(value))

        self._app.push_screen(screen, answered)
        return await answer

    # What is told.

    async def _watch(self, before: Plan) -> None:
        """The chain may yet show what was left unknown, until its round is over."""
        what, number = named(before), dict(before.facts).get("round")
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                now = await self._session.plan(before.action, before.request)
            except LptuiError:
                continue
            if dict(now.facts).get("round", number) != number:
                self._event(f"{what}: its round has ended, and it was not seen", Severity.WARNING)
                return
            if now.done:
                self._event(f"{what} shows on the chain after all: {now.done}", Severity.OK)
                return

    def _told(self, number: int, event: Event | None, words: str) -> None:
        self._feed.hurry()
        if self.shown is not None:
            self.shown = self.shown.told(number, event, words, self._app.clock.now())
            self._changed()

    def _progress(self, line: str) -> None:
        self._doing = clean(line)
        if self.shown is not None:
            self.shown = self.shown.said(line, self._app.clock.now())
        self._changed()

    def _changed(self) -> None:
        from lptui.tui.screens.run import RunScreen

        self._app.refresh_bars()
        screens = self._app.screen_stack  # none at the console's end
        if screens and isinstance(screens[-1], RunScreen):
            screens[-1].follow()

    def _idle(self) -> None:
        self._busy = self._doing = ""
        self._changed()

    def _report(self, result: Result, verb: str) -> None:
        self._feed.hurry()
        severity = OUTCOMES[result.outcome.value]
        what = f"{verb} of {named(result.plan)}" if verb else named(result.plan)
        text = clean(f"{what} {result.outcome.value}: {result.summary}")
        self._event(text, severity)
        if result.remedy:
            self._event(clean(f"→ {result.remedy}"), severity)
        self._app.say(text, Tone.OK if severity is Severity.OK else Tone.WARN, seconds=8)

    def _refused(self, error: LptuiError) -> None:
        self._event(f"{self._busy} refused: {error}", Severity.WARNING)
        self._app.say(f"refused: {error}", Tone.WARN, seconds=10)

    def _event(self, text: str, severity: Severity) -> None:
        self._feed.events.action(self._app.clock.now(), clean(text), severity)
        self._feed.wake()


def named(plan: Plan) -> str:
    """What a plan does, for one line."""
    return f"{plan.action} of {clean(plan.target, NAME_LIMIT)}"
