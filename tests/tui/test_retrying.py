"""Calls that the console makes by itself: armed, shown, one at a time, never in read-only."""

from __future__ import annotations

from dataclasses import replace

from lptui.fleet.retry import Decision, Standing
from lptui.tui import retrying
from tests.snapshots import NOW, FleetBuilder
from tests.tui.conftest import Console, running

DUE = Decision("main", Standing.DUE, "not called in round 4121", NOW, 0, 3)
WAITING = Decision("main", Standing.WAITING, "the node's own try comes first", NOW + 1500.0, 0, 3)


def executed(console: Console) -> list[str]:
    return [call for call in console.session.calls if call.startswith("execute")]


async def test_it_is_shown_as_armed_with_when_the_next_try_comes() -> None:
    async with running(FleetBuilder(), (200, 60), retries=(WAITING,)) as console:
        await console.until(lambda: "automatic armed main 0/3" in console.text(), "armed")
        assert "next try in 25m (the node's own try comes first)" in console.text()
        assert executed(console) == []


async def test_what_is_due_is_called_without_a_question_and_recorded_as_automatic() -> None:
    async with running(FleetBuilder(), (200, 60), retries=(DUE,)) as console:
        await console.until(lambda: executed(console), "the call")
        console.session.retries = ()
        console.session.release.set()
        await console.until(lambda: "+87 LPT in tx 0x1234" in console.text(), "outcome")
        assert executed(console) == ["execute reward main by automatic"]
        await console.press("e")
        assert "reward of main started (automatic, plan" in console.text()


async def test_it_is_not_called_beside_another_change_nor_again_at_once() -> None:
    retrying_pause, retrying.LOOK_S = retrying.LOOK_S, 0.02  # type: ignore[misc]
    try:
        async with running(FleetBuilder(), retries=(DUE,)) as console:
            console.session.release.set()
            await console.until(lambda: executed(console), "the call")
            app = console.app
            await console.until(lambda: app.acting is not None and not app.acting.running, "idle")
            looks = console.session.looked_for_due
            await console.until(lambda: console.session.looked_for_due > looks + 3, "more looks")
            assert executed(console) == ["execute reward main by automatic"]
    finally:
        retrying.LOOK_S = retrying_pause  # type: ignore[misc]


async def test_a_read_only_console_calls_nothing() -> None:
    hindered = replace(DUE, standing=Standing.HINDERED, why="this console is read-only")
    async with running(FleetBuilder(), (200, 60), read_only=True, retries=(hindered,)) as console:
        await console.until(lambda: "not now: this console is read-only" in console.text(), "why")
        assert executed(console) == []
