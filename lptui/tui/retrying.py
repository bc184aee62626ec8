"""Calls reward by itself while the console runs, where the operator's configuration allows it.

What may be called is decided elsewhere; this looks now and again, and starts one at a time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from lptui.errors import LptuiError

if TYPE_CHECKING:
    from lptui.fleet.retry import Decision
    from lptui.tui.acting import Acting
    from lptui.tui.app import LptuiApp
    from lptui.tui.feed import Feed
    from lptui.tui.session import Session

LOOK_S: Final = 5.0
"""Between two looks."""

REST_S: Final = 60.0
"""After a run of one orchestrator, also of one that was refused at once and left no trace."""


class Retrying:
    """See the module."""

    def __init__(self, app: LptuiApp, session: Session, feed: Feed, acting: Acting) -> None:
        self._app = app
        self._session = session
        self._feed = feed
        self._acting = acting
        self._rests_until: dict[str, float] = {}
        self._told = ""

    async def run(self) -> None:
        """Looks for as long as the console runs."""
        while True:
            await self._look()
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        from lptui.fleet.retry import Standing

        try:
            found = await self._session.due()
        except LptuiError as error:
            if str(error) != self._told:
                self._told = str(error)
                self._app.note(self._told, bad=True)
            self._show(())
            return
        self._told = ""
        self._show(tuple(decision for _, decision in found))
        now = self._app.clock.monotonic()
        for plan, decision in found:
            name = decision.orchestrator
            is_free = now >= self._rests_until.get(name, 0.0)
            if decision.standing is Standing.DUE and is_free and self._acting.begin_itself(plan):
                self._rests_until[name] = now + REST_S
                return

    def _show(self, decisions: tuple[Decision, ...]) -> None:
        if decisions != self._feed.retries:
            self._feed.retries = decisions
            self._feed.wake()
