"""What can be done to the row under the cursor, and why the rest cannot.

Plans are made for it in a thread, once the cursor has come to rest and then now and again: what
a key really does is planned when it is pressed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lptui.tui.aiming import words_of
from lptui.tui.commands import CHANGES, Command

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp

REST_S = 0.2
"""How long the cursor must have been still."""

AGAIN_S = 5.0
"""The same row is looked at again after so long."""

SHARE = 40
"""Looking may take a fortieth of the time at most."""


class Offers:
    """Why each command that changes the fleet cannot be used on the selected row.

    `looked_at` are the selectors that the reasons are about; None before the first look.
    """

    def __init__(self, app: LptuiApp) -> None:
        self._app = app
        self._why: dict[str, str] = {}
        self._moved = asyncio.Event()
        self.looked_at: Sequence[str] | None = None
        self._next = 0.0

    def why_not(self, item: Command) -> str:
        """The reason as it was when the row was last looked at; "" when it can be used."""
        return self._why.get(item.id, "")

    def look(self) -> None:
        """The cursor may stand on another row, or the row may have changed."""
        self._moved.set()

    async def run(self) -> None:
        """Looks for as long as the console runs."""
        while True:
            await self._moved.wait()
            await asyncio.sleep(REST_S)
            self._moved.clear()
            await self._look()

    async def _look(self) -> None:
        app = self._app
        words = words_of(app.overview.focused_pane.selected)
        now = app.clock.monotonic()
        if words == self.looked_at and now < self._next:
            return
        asks = [(item.actions, None if item.anywhere else words) for item in _usable()]
        refusals = await app.session.refusals(asks)
        self._next = now + max(AGAIN_S, SHARE * (app.clock.monotonic() - now))
        found = {item.id: why for item, why in zip(_usable(), refusals, strict=True)}
        if found != self._why:
            self._why = found
            app.refresh_bars()
        self.looked_at = words


def _usable() -> list[Command]:
    return list(CHANGES)
