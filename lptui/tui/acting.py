"""Actions from the screen: target at the key press, plan, question, execution, outcome.

One at a time. The screen stays live; what is going on is in the events strip.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
    from lptui.actions.plan import Plan, Result
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
    """The one action that may be under way.

    `abandoned` is what was under way when the console ended; None when nothing was.
    """

    def __init__(self, app: LptuiApp, session: Session, feed: Feed) -> None:
        self._app = app
        self._session = session
        self._feed = feed
        self._busy = ""
        self._doing = ""
        self._since = 0.0
        self.abandoned: Plan | None = None

    @property
    def running(self) -> str:
        """What is being done and for how long; "" when idle."""
        if not self._doing:
            return ""
        return f"{self._busy}, {duration(self._app.clock.now() - self._since)}: {self._doing}"

    def begin(self, item: Command, row: Row | None) -> None:
        """Starts with the target that the row stands for now."""
        if self._busy:
            self._app.say(f"one at a time: {self._busy} is under way", Tone.WARN)
            return
        self._busy = item.hint
        self._app.keep(self._go(item, None if item.anywhere else words_of(row)))

    async def _go(self, item: Command, words: Sequence[str] | None) -> None:
        try:
            plan = await self._planned(item, words)
            if plan is None:
                return
            confirmed = await self._ask(plan)
            if confirmed is None:
                self._app.say("nothing was done")
                return
            await self._do(confirmed)
        except LptuiError as error:
            self._event(f"{self._busy} refused: {error}", Severity.WARNING)
            self._app.say(f"refused: {error}", Tone.WARN, seconds=10)
        finally:
            self._busy = self._doing = ""
            self._app.refresh_bars()

    async def _planned(self, item: Command, words: Sequence[str] | None) -> Plan | None:
        """None when there is nothing to plan for; why is said in the footer."""
        key = f"{item.key_word} {item.hint}"
        self._app.say(f"{key}: planning…", seconds=30)
        try:
            plan = await self._session.propose(item.actions, words)
        except LptuiError as error:
            self._app.say(f"{key}: {error.why}; {error.remedy}".rstrip("; "), Tone.WARN)
            return None
        if plan.why_not:
            self._app.say(f"{key}: {plan.why_not}", Tone.WARN)
        else:
            self._app.say("")
        return plan

    async def _do(self, plan: Plan) -> None:
        self._event(f"{named(plan)} started (plan {plan.hash})", Severity.OK)
        result = await self._executed(plan)
        self._report(result)
        if result.outcome.value == "unknown" and not plan.is_stepwise:
            self._app.keep(self._watch(plan))

    async def _executed(self, plan: Plan) -> Result:
        self._busy = named(plan)
        self._since = self._app.clock.now()
        self._progress("checking once more")
        self.abandoned = plan
        result = await self._session.execute(plan, self._progress)
        self.abandoned = None
        return result

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

    async def _ask(self, plan: Plan) -> Plan | None:
        """The plan that was agreed to: choices may have been changed. None for no."""
        from lptui.tui.screens.plan import PlanScreen

        spec = await self._session.spec(plan.action)
        screen = PlanScreen(plan, spec, self._session.plan, self._phrase)
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

    def _progress(self, line: str) -> None:
        self._doing = clean(line)
        self._app.refresh_bars()

    def _report(self, result: Result) -> None:
        severity = OUTCOMES[result.outcome.value]
        text = clean(f"{named(result.plan)} {result.outcome.value}: {result.summary}")
        self._event(text, severity)
        if result.remedy:
            self._event(clean(f"→ {result.remedy}"), severity)
        self._app.say(text, Tone.OK if severity is Severity.OK else Tone.WARN, seconds=8)

    def _event(self, text: str, severity: Severity) -> None:
        self._feed.events.action(self._app.clock.now(), clean(text), severity)
        self._feed.wake()


def named(plan: Plan) -> str:
    """What a plan does, for one line."""
    return f"{plan.action} of {clean(plan.target, NAME_LIMIT)}"
