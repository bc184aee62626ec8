"""Every text that is longer than its room scrolls by the same keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, running
from tests.tui.test_logs import open_logs

PAIRS = (("down", "up"), ("j", "k"), ("pagedown", "pageup"), ("end", "home"), ("G", "g"))


async def help_of(console: Console) -> None:
    await console.press("question_mark")
    await console.until(lambda: "Help" in console.lines()[0], "help")


async def logs_of(console: Console) -> None:
    logs = await open_logs(console, "6", "j")
    logs.say(*(f"line {number}" for number in range(60)))
    await console.until(lambda: "line 59" in console.text(), "the newest")


@pytest.mark.parametrize("opens", [help_of, logs_of], ids=["help", "logs"])
async def test_keys_lead_to_and_fro(opens: Callable[[Console], Awaitable[None]]) -> None:
    async with running(FleetBuilder(), (100, 12)) as console:
        await opens(console)
        await console.press("home")
        top = console.lines()[1:-1]
        for there, back in PAIRS:
            await console.press(there)
            assert console.lines()[1:-1] != top, there
            await console.press(back)
            assert console.lines()[1:-1] == top, back
        await console.press("space")
        assert console.lines()[1:-1] != top, "a page, or to the newest line"
