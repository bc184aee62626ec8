"""Makes the pictures in this folder from the demo: `python screenshots/make.py [NAME…]`.

Each picture is the console itself, run without a terminal on a prepared situation of the
simulated fleet, driven by the keys that are listed with it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot

from lptui.live import LiveSession
from lptui.tui.app import LptuiApp

FOLDER = Path(__file__).parent
WAIT_S = 60.0
SETTLE_S = 25.0
"""How long the fleet is watched first, so that there is some history to show."""


class Shot(NamedTuple):
    """A picture: the situation, the screen's size, and what is pressed before it is taken."""

    name: str
    scenario: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str | None = None


SHOTS = (
    Shot("overview", "healthy", (200, 56)),
    Shot("overview-80x24", "rpc-stuck", (80, 24), ("5",)),
    Shot("trouble", "gpu-hot", (160, 48), ("3",)),
    Shot("zoom", "gpu-hot", (140, 40), ("3", "z", "end")),
    Shot("detail", "backend-down", (120, 40), ("4", "enter")),
    Shot("reward", "reward-missed", (120, 40), ("r",)),
    Shot("palette", "healthy", (120, 36), ("ctrl+p", "g", "p", "u")),
    Shot("light", "low-eth", (140, 40), ("2",), "lptui-light"),
    Shot("deuteranopia", "backend-down", (140, 40), ("4",), "lptui-deuteranopia"),
)


async def take(shot: Shot) -> None:
    """Runs the console for one picture and writes it."""
    session = LiveSession(scenario=shot.scenario)
    app = LptuiApp(session, theme=shot.theme)
    async with app.run_test(size=shot.size) as pilot:
        try:
            await until(pilot, lambda: app.feed is not None and app.feed.snapshot is not None)
            await until(pilot, lambda: app.feed is not None and app.feed.findings.checked)
            await pilot.pause(SETTLE_S)
            for key in shot.keys:
                await pilot.press(key)
                await pilot.pause(0.6)
            app.overview.footer.say(())
            await pilot.pause(1.0)
            picture = app.export_screenshot(title=f"lptui --demo --scenario {shot.scenario}")
        finally:
            await session.close()
    (FOLDER / f"{shot.name}.svg").write_text(picture, encoding="utf-8")


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    """Waits for a condition; raises TimeoutError when it does not come."""
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the demo did not start")
        await pilot.pause(0.1)


def main() -> None:
    """Makes the named pictures, or all."""
    wanted = set(sys.argv[1:])
    for shot in SHOTS:
        if not wanted or shot.name in wanted:
            asyncio.run(take(shot))
            print(shot.name)  # noqa: T201


if __name__ == "__main__":
    main()
