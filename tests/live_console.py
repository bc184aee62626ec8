"""A console on a real fleet, driven by keys and read as an operator reads it."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.pilot import Pilot

from lptui.tui.app import LptuiApp

LONGEST_S = 60.0


class LiveConsole:
    """What is on its screen, and waits until something is."""

    def __init__(self, app: LptuiApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return "\n".join(strip.text for strip in strips)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + LONGEST_S
        while not condition():
            assert time.monotonic() < end, f"waited in vain for: {what}\n{self.text().rstrip()}"
            await self.pilot.pause(0.02)

    async def shows(self, words: str) -> None:
        await self.until(lambda: words in self.text(), words)
