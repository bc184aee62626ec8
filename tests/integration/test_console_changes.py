"""Changes from the screen on real things: HAProxy through sshd, a second operator, a kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lptui.live import LiveSession
from lptui.probes import lock
from lptui.tui import offers
from lptui.tui.app import LptuiApp
from lptui.tui.screens.confirm import ConfirmScreen
from lptui.tui.screens.plan import PlanScreen
from lptui.tui.screens.run import RunScreen
from tests.e2e.command import Operator
from tests.forked import Console
from tests.live_console import LONGEST_S, LiveConsole
from tests.pool import Pool, pool
from tests.sshd import Sshd, sshd

__all__ = ["sshd"]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked at now and again is looked at often."""
    monkeypatch.setattr(lock, "INTERVAL_S", 0.3)
    monkeypatch.setattr(offers, "AGAIN_S", 0.1)


@pytest.fixture
async def three(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pool]:
    """The pool; the console of this test is its operator's, Ada's."""
    async with pool(sshd, tmp_path) as one:
        monkeypatch.setenv("LPTUI_STATE", str(one.operator.state))
        yield one


class Screen(LiveConsole):
    """A live console."""

    async def opened(self, screen: type) -> None:
        await self.until(lambda: isinstance(self.app.screen, screen), screen.__name__)

    async def drain(self, server: str) -> None:
        """Selects a server, presses `d`, and agrees."""
        pane = self.app.overview.panes[3]
        await self.until(lambda: pane.select(f"server:edge:{server}"), "its row")
        await self.pilot.press("4", "d")
        await self.opened(PlanScreen)
        await self.shows("set server")
        await self.pilot.press("y")


@asynccontextmanager
async def console(one: Pool) -> AsyncIterator[Screen]:
    app = LptuiApp(LiveSession(config=one.config))
    async with app.run_test(size=(160, 40)) as pilot:
        yield Screen(app, pilot)
        await app.session.close()


async def test_a_drain_that_is_stopped_is_undone_and_another_operator_waits_meanwhile(
    three: Pool, tmp_path: Path
) -> None:
    (tmp_path / "bob").mkdir()
    bob = Operator(tmp_path / "bob")
    async with three.held_session() as (busy, _), console(three) as screen:
        await screen.drain(f"long/{busy}")
        await screen.shows(f"long/{busy}: 1 session")
        assert await three.haproxy.status(f"long/{busy}") == "DRAIN"
        argv = ("--config", str(three.config), "--headless", "drain", "lb:web/o1", "--yes")
        refused = await asyncio.to_thread(bob.run, *argv)
        assert refused.code == 1
        assert f"drain for lb:long/{busy}, by " in refused.out
        await screen.pilot.press("x")
        await screen.opened(ConfirmScreen)
        await screen.pilot.press("y")
        await screen.shows("undone: take out of service")
        assert await three.haproxy.status(f"long/{busy}") == "UP"


async def test_a_second_console_sees_who_is_at_it_and_with_what_plan(
    three: Pool, tmp_path: Path
) -> None:
    (tmp_path / "bob").mkdir()
    bob = Operator(tmp_path / "bob")
    async with console(three) as screen:
        pane = screen.app.overview.panes[3]
        await screen.until(lambda: pane.select("server:edge:web/o1"), "rows")
        await screen.pilot.press("4")
        async with three.held_session() as (busy, _):
            argv = ("--config", str(three.config), "--headless", "drain", f"lb:long/{busy}")
            going = asyncio.create_task(asyncio.to_thread(bob.run, *argv, "--yes"))
            await screen.shows("LOCKED by ")
            await screen.shows(f"drain for lb:long/{busy}, by ")
            await screen.pilot.press("question_mark")
            await screen.shows("(another operator is at it:")
            await screen.pilot.press("escape")
        assert (await going).code == 0
        await screen.until(lambda: "LOCKED" not in screen.text(), "its end")
        await screen.shows("no longer: another operator")


async def test_what_a_killed_console_has_left_is_offered_and_undone(three: Pool) -> None:
    async with three.held_session() as (busy, _):
        argv = ("--config", str(three.config), "--headless", "drain", f"lb:long/{busy}", "--yes")
        killed = await asyncio.to_thread(
            Console, *argv, cwd=three.operator.home, environment=three.operator.environment()
        )
        async with asyncio.timeout(LONGEST_S):
            while await three.haproxy.status(f"long/{busy}") != "DRAIN":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        killed.kill()
        async with console(three) as screen:
            await screen.opened(RunScreen)
            await screen.shows("undo: to undo")
            await screen.shows(f"now: long/{busy} is out of service")
            await screen.pilot.press("u")
            await screen.opened(ConfirmScreen)
            await screen.pilot.press("y")
            await screen.shows("everything is undone")
        assert await three.haproxy.status(f"long/{busy}") == "UP"
