"""The console under test: frozen clock, scripted session, readable snapshots of the screen."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from lptui.actions.journal import Entry
from lptui.clock import FrozenClock
from lptui.fleet.retry import Decision
from lptui.tui import feed, offers
from lptui.tui.aiming import words_of
from lptui.tui.app import LptuiApp
from tests.snapshots import NOW, FleetBuilder
from tests.tui.scripted import ScriptedSession

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = "LPTUI_UPDATE_SNAPSHOTS"
WAIT_S = 30.0


class Console:
    """A running console with its session and pilot."""

    def __init__(self, app: LptuiApp, session: ScriptedSession, pilot: Pilot[int]) -> None:
        self.app = app
        self.session = session
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Presses keys and lets them take effect."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def until(self, condition: Callable[[], object], what: str = "condition") -> None:
        """Waits for a condition, but not for ever."""
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, f"waited in vain for: {what}\n{self.text()}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def publish(self, builder: FleetBuilder) -> None:
        """Publishes a snapshot and waits until panes and checks have taken it in."""
        self.session.publish(builder.snapshot())
        app = self.app
        assert app.feed is not None
        await app.feed.check(app.feed.snapshot)  # type: ignore[arg-type]
        await app.redraw()
        await self.pilot.pause()

    async def settled(self) -> None:
        """Waits until the footer is about the row under the cursor."""
        app = self.app
        assert app.offers is not None
        app.offers.look()
        words = words_of(app.overview.focused_pane.selected)
        await self.until(lambda: app.offers and app.offers.looked_at == words, "offers")

    def lines(self) -> list[str]:
        """The active screen as it is drawn, line by line."""
        strips = self.app.screen._compositor.render_strips(self.app.size)
        return [strip.text.rstrip() for strip in strips]

    def text(self) -> str:
        return "\n".join(self.lines())


def ids(size: tuple[int, int]) -> str:
    """A size's name among the snapshots."""
    return f"{size[0]}x{size[1]}"


def without_hash(text: str) -> str:
    """The screen with a hash that is the same whatever plans are made of."""
    return re.sub("plan [0-9a-f]{16}", "plan 0123456789abcdef", text)


def troubled() -> FleetBuilder:
    """The reference fleet with a lost host, a hot card and a balancer without figures."""
    builder = FleetBuilder(orchestrators=3, transcoders=3)
    builder.lose_host("edge-2")
    builder.change_gpu("gpu-2", 1, temperature_c=91.0, encoder=99.0)
    return builder


@asynccontextmanager
async def running(
    builder: FleetBuilder | None,
    size: tuple[int, int] = (120, 40),
    *,
    read_only: bool = False,
    checked: bool = True,
    cut: Sequence[Entry] = (),
    retries: Sequence[Decision] = (),
) -> AsyncIterator[Console]:
    """A console that has shown the builder's snapshot.

    `cut` are runs that have no end; `retries` what it may call by itself.
    """
    session = ScriptedSession(builder.snapshot() if builder else None, read_only=read_only)
    session.cut, session.retries = cut, retries
    app = LptuiApp(session, clock=FrozenClock(NOW))
    async with app.run_test(size=size) as pilot:
        console = Console(app, session, pilot)
        await console.until(lambda: app.feed is not None and "start" in session.calls, "start")
        if builder is not None and checked:
            await console.until(lambda: app.feed and app.feed.findings.checked, "checks")
        await app.redraw()
        app.refresh_bars()
        if builder is not None and not read_only:
            await console.settled()
        await pilot.pause()
        yield console


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No pause between redraws, and no trace in the user's own folders."""
    monkeypatch.setattr(feed, "REDRAW_GAP_S", 0.005)
    monkeypatch.setattr(feed, "CHECK_GAP_S", 0.0)
    monkeypatch.setattr(offers, "REST_S", 0.0)
    monkeypatch.setattr(offers, "AGAIN_S", 0.0)
    monkeypatch.setenv("LPTUI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def snap(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Compares a text with the one that is kept under the test's name.

    `LPTUI_UPDATE_SNAPSHOTS=1` keeps the new ones. A difference is shown as text.
    """
    count = 0

    def compare(text: str) -> None:
        nonlocal count
        count += 1
        name = request.node.name.replace("[", "-").replace("]", "").replace("/", "_")
        path = SNAPSHOTS / f"{name}{'' if count == 1 else f'-{count}'}.txt"
        if os.environ.get(UPDATE):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        assert path.exists(), f"no snapshot {path.name}: run with {UPDATE}=1 and look at it"
        assert text + "\n" == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
async def asyncio_quiet() -> AsyncIterator[None]:
    """Fails when a test leaves tasks behind."""
    yield
    rest = [t for t in asyncio.all_tasks() if t is not asyncio.current_task() and not t.done()]
    assert not rest, rest
