"""Actions from the screen: asked first, one at a time, never in read-only, live meanwhile."""

from __future__ import annotations

from functools import partial

import pytest

from lptui.actions.plan import Outcome
from lptui.clock import FrozenClock
from lptui.present.model import State
from lptui.tui import acting, feed
from lptui.tui.acting import named
from lptui.tui.screens.confirm import ConfirmScreen
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, running, troubled


def executed(console: Console) -> list[str]:
    return [call for call in console.session.calls if call.startswith("execute")]


def says(console: Console, words: str) -> bool:
    """Whether the footer says so."""
    return words in console.lines()[-1]


async def asked(console: Console) -> None:
    await console.press("r")
    await console.until(lambda: isinstance(console.app.screen, ConfirmScreen), "question")


async def test_enter_on_the_question_is_no() -> None:
    async with running(FleetBuilder()) as console:
        await asked(console)
        await console.press("enter")
        await console.until(lambda: "nothing was done" in console.text(), "no")
        assert executed(console) == []


async def test_escape_and_n_are_no() -> None:
    async with running(FleetBuilder()) as console:
        for key in ("escape", "n"):
            await asked(console)
            await console.press(key)
            await console.until(lambda: console.app.screen is console.app.overview, "closed")
            await console.until(lambda: console.app.acting._busy == "", "idle")  # type: ignore[union-attr]
        assert executed(console) == []


async def test_a_deliberate_yes_runs_it_and_the_screen_stays_live() -> None:
    async with running(FleetBuilder()) as console:
        await asked(console)
        await console.press("right", "enter")
        await console.until(lambda: "waiting for the receipt" in console.text(), "progress")
        assert executed(console) == ["execute reward main"]
        await console.press("6", "down", "z")
        assert "fullest disk" in console.text()
        await console.press("z", "1", "r")
        assert "one at a time" in console.lines()[-1]
        console.session.release.set()
        await console.until(lambda: "+87 LPT in tx 0x1234" in console.text(), "outcome")
        assert executed(console) == ["execute reward main"]
        await console.press("e")
        assert "reward of main done" in console.text()


async def test_what_is_said_after_a_change_is_not_from_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def verdict() -> object:
        assert console.app.feed is not None
        return console.app.feed.findings.counts().get(State.CRITICAL)

    async with running(FleetBuilder()) as console:
        # As on a busy machine: no checks for long.
        monkeypatch.setattr(feed, "CHECK_GAP_S", 1e6)
        await asked(console)
        console.session.publish(FleetBuilder().snapshot())
        await console.until(
            lambda: console.app.feed and console.app.feed._next_check > 1e5, "checks"
        )
        console.session.publish(troubled().snapshot())
        await console.app.redraw()
        assert not verdict()
        await console.press("right", "enter")
        console.session.release.set()
        await console.until(verdict, "a verdict on the fleet as it is now")


async def test_a_plan_that_is_refused_offers_no_yes() -> None:
    async with running(FleetBuilder()) as console:
        console.session.refuses = True
        await asked(console)
        assert "Refused: not yet called" in console.text()
        assert "Yes" not in console.text()
        await console.press("y", "right", "enter")
        await console.until(lambda: console.app.screen is console.app.overview, "closed")
        assert executed(console) == []


async def test_initialising_a_round_needs_no_row() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("6", "i")
        await console.until(lambda: isinstance(console.app.screen, ConfirmScreen), "question")
        assert "plan initialize-round arbitrum-one-mainnet" in console.session.calls


async def test_an_action_needs_something_selected_that_it_is_for() -> None:
    async with running(FleetBuilder()) as console:
        for key, hint in (("r", "reward"), ("d", "(un)drain")):
            await console.press("6", key)
            words = f"{key} {hint}: no thing selected"
            await console.until(partial(says, console, words), words)
        assert not [call for call in console.session.calls if call.startswith("plan")]


async def test_read_only_hides_and_refuses_every_change() -> None:
    async with running(FleetBuilder(), (250, 40), read_only=True) as console:
        assert "READ-ONLY" in console.lines()[0]
        assert "reward" not in console.lines()[-1]
        for key in "ridfbR":
            await console.press(key)
            assert console.app.screen is console.app.overview
        await console.press("d")
        assert "d (un)drain: read-only" in console.lines()[-1]
        assert not [call for call in console.session.calls if call.startswith("plan")]
        await console.press("question_mark")
        assert "(read-only)" in console.text()


async def test_a_row_that_is_gone_is_not_acted_on() -> None:
    async with running(FleetBuilder()) as console:
        console.session.fits.add("host:edge-2")
        await console.press("6")
        pane = console.app.overview.focused_pane
        assert pane.select("host:edge-2")
        builder = FleetBuilder()
        hosts = {name: host for name, host in builder.fleet.hosts.items() if name != "edge-2"}
        builder.configure(hosts=hosts)
        await console.publish(builder)
        await console.press("R")
        assert "the row is gone" in console.lines()[-1]
        assert not [call for call in console.session.calls if call.startswith("plan")]


async def test_how_long_an_action_has_been_under_way_is_on_the_screen() -> None:
    async with running(FleetBuilder()) as console:
        await asked(console)
        await console.press("y")
        await console.until(lambda: "waiting for the receipt" in console.text(), "progress")
        assert isinstance(console.app.clock, FrozenClock)
        console.app.clock.advance(200)
        await console.until(lambda: "reward of main, 3m" in console.text(), "its time")


async def test_what_was_left_unknown_is_told_when_the_chain_shows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(acting, "WATCH_S", 0.02)
    async with running(FleetBuilder()) as console:
        console.session.outcome = Outcome.UNKNOWN
        console.session.release.set()
        await asked(console)
        await console.press("y")
        await console.until(lambda: "reward of main unknown" in console.text(), "outcome")
        console.session.done = "already called in round 4121"
        await console.until(lambda: "on the chain after all" in console.text(), "the chain")
        # Watched no longer.
        calls = len(console.session.calls)
        await console.press("6", "1")
        assert len(console.session.calls) == calls


async def test_leaving_during_an_action_is_remembered() -> None:
    async with running(FleetBuilder()) as console:
        await asked(console)
        await console.press("y")
        await console.until(lambda: executed(console), "execution")
        await console.press("q")
        app = console.app
    assert app.acting is not None
    assert app.acting.abandoned is not None
    assert named(app.acting.abandoned) == "reward of main"
