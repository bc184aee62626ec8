"""Actions from the screen: target at the key press, plan, question, execution, outcome.

One at a time. The screen stays live; what is going on is in the events strip.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lptui.errors import LptuiError
from lptui.fleet.finding import Severity
from lptui.present.model import Row, Tone
from lptui.present.words import duration
from lptui.text import clean
from lptui.tui.commands import Command
from lptui.tui.session import Session

if TYPE_CHECKING:
    from lptui.actions.plan import Plan, Result
    from lptui.tui.app import LptuiApp
    from lptui.tui.feed import Feed

OUTCOMES = {
    "done": Severity.OK,
    "refused": Severity.WARNING,
    "failed": Severity.CRITICAL,
    "unknown": Severity.UNKNOWN,
}


WATCH_S: Final = 5.0
"""Between two looks at what was left unknown."""


class Acting:
    """The one action that may be under way.

    `abandoned` says what was under way when the console ended; "" when nothing was.
    """

    def __init__(self, app: LptuiApp, session: Session, feed: Feed) -> None:
        self._app = app
        self._session = session
        self._feed = feed
        self._busy = ""
        self._doing = ""
        self._since = 0.0
        self.abandoned = ""

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
        target = self._target(item, row)
        if target is None:
            self._app.say(f"{item.title}: no {item.subject} to act on", Tone.WARN)
            return
        self._busy = f"{item.id} of {target}"
        self._app.keep(self._go(item, target))

    def _target(self, item: Command, row: Row | None) -> str | None:
        if item.subject == "round":
            snapshot = self._feed.snapshot
            chain = snapshot.fleet.chain if snapshot is not None else None
            return chain.network if chain is not None else None
        return row.subject(item.subject) if row is not None else None

    async def _go(self, item: Command, target: str) -> None:
        try:
            from lptui.actions.plan import Request

            self._app.say(f"planning {item.id} of {target}…", seconds=30)
            plan = await self._session.plan(item.action, Request((target,)))
            self._app.say(f"{item.id} of {target}: planned", seconds=1)
            if not await self._ask(plan, item):
                self._app.say("nothing was done")
                return
            self._event(f"{item.id} of {target} started (plan {plan.hash})", Severity.OK)
            result = await self._executed(plan)
            self._report(result)
            if result.outcome.value == "unknown":
                self._app.keep(self._watch(item, plan))
        except LptuiError as error:
            self._event(f"{item.id} of {target} refused: {error}", Severity.WARNING)
            self._app.say(f"refused: {error}", Tone.WARN, seconds=10)
        finally:
            self._busy = self._doing = ""
            self._app.refresh_bars()

    async def _executed(self, plan: Plan) -> Result:
        self._since = self._app.clock.now()
        self._progress("checking once more")
        self.abandoned = f"{plan.action} of {plan.target}"
        result = await self._session.execute(plan, self._progress)
        self.abandoned = ""
        return result

    async def _watch(self, item: Command, before: Plan) -> None:
        """The chain may yet show what was left unknown, until its round is over."""
        what, number = f"{item.id} of {before.target}", dict(before.facts).get("round")
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                now = await self._session.plan(item.action, before.request)
            except LptuiError:
                continue
            if dict(now.facts).get("round", number) != number:
                self._event(f"{what}: its round has ended, and it was not seen", Severity.WARNING)
                return
            if now.done:
                self._event(f"{what} shows on the chain after all: {now.done}", Severity.OK)
                return

    async def _ask(self, plan: Plan, item: Command) -> bool:
        from lptui.tui.screens.confirm import ConfirmScreen

        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answered(value: bool | None) -> None:
            if not answer.done():
                answer.set_result(bool(value))

        self._app.push_screen(ConfirmScreen(plan, item), answered)
        return await answer

    def _progress(self, line: str) -> None:
        self._doing = clean(line)
        self._app.refresh_bars()

    def _report(self, result: Result) -> None:
        severity = OUTCOMES[result.outcome.value]
        words = f"{result.plan.action} of {result.plan.target} {result.outcome.value}"
        text = clean(f"{words}: {result.summary}")
        self._event(text, severity)
        if result.remedy:
            self._event(clean(f"→ {result.remedy}"), severity)
        self._app.say(text, Tone.OK if severity is Severity.OK else Tone.WARN, seconds=8)

    def _event(self, text: str, severity: Severity) -> None:
        self._feed.events.action(self._app.clock.now(), clean(text), severity)
        self._feed.wake()
