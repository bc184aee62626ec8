"""What the screens look like, as text, with time frozen."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import pytest
from rich.color import Color
from rich.style import Style

from lptui.fleet.facts.connections import HostConnections
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, ids, running, troubled, without_hash

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]
Snap = Callable[[str], None]


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_overview_of_a_healthy_fleet(size: tuple[int, int], snap: Snap) -> None:
    async with running(FleetBuilder(), size) as console:
        snap(console.text())


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_overview_with_trouble(size: tuple[int, int], snap: Snap) -> None:
    async with running(troubled(), size) as console:
        await console.press("6")
        await console.settled()
        snap(console.text())


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_before_the_first_answer(size: tuple[int, int], snap: Snap) -> None:
    async with running(None, size) as console:
        assert "connecting" in console.text()
        snap(console.text())


@pytest.mark.parametrize("pane", range(1, 7))
async def test_zoomed_panes(pane: int, snap: Snap) -> None:
    async with running(troubled(), (160, 40)) as console:
        await console.press(str(pane), "z")
        await console.settled()
        snap(console.text())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=ids)
async def test_detail_of_a_lost_host(size: tuple[int, int], snap: Snap) -> None:
    async with running(troubled(), size) as console:
        await console.press("6", "enter")
        assert "no route to host" in console.text()
        snap(console.text())


async def test_help(snap: Snap) -> None:
    async with running(FleetBuilder(), (100, 68)) as console:
        await console.press("question_mark")
        snap(console.text())


async def test_events(snap: Snap) -> None:
    async with running(troubled(), (120, 24)) as console:
        console.app.clock.advance(30)  # type: ignore[attr-defined]
        await console.publish(FleetBuilder(orchestrators=3, transcoders=3))
        await console.press("e")
        assert "over after 30s" in console.text()
        snap(console.text())


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=ids)
async def test_topology(size: tuple[int, int], snap: Snap) -> None:
    async with running(troubled(), size) as console:
        await console.press("T")
        assert "set-up 3: a redeemer, a reward node" in console.text()
        snap(console.text())
        await console.press("escape")
        assert console.app.screen is console.app.overview


async def test_topology_tells_which_endpoints_stand_behind_a_balancer() -> None:
    servers = MappingProxyType({"192.0.2.31:8547": "reference"})
    fleet = FleetBuilder().configure_balancer("ws", servers=servers)
    async with running(fleet, (120, 40)) as console:
        await console.press("T")
        assert "reference  behind ws" in console.text()


async def test_topology_follows_the_fleet_and_folds_many_transcoders() -> None:
    async with running(FleetBuilder(transcoders=9), (120, 40)) as console:
        await console.press("T")
        assert "all 9 connected and well" in console.text()
        lost = FleetBuilder(transcoders=9)
        lost.change(HostConnections, "gpu-3", connections=())
        await console.publish(lost)
        assert "DOWN" in console.text()
        assert "trans-3" in console.text()
        assert "8 more, connected and well" in console.text()


async def test_topology_tells_where_each_setting_is_from() -> None:
    async with running(FleetBuilder(), (160, 60)) as console:
        await console.press("T")
        [line] = [one for one in console.lines() if one.startswith(" trans-1  ")]
        assert "-transcoder" in line
        assert "-orchAddr edge-1.example.org:8935" in line


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=ids)
async def test_the_question_shows_all_of_the_plan_and_the_choice(
    size: tuple[int, int], snap: Snap
) -> None:
    async with running(FleetBuilder(), size) as console:
        await console.press("r")
        await console.until(lambda: console.app.screen is not console.app.overview, "question")
        assert "Yes, reward main" in console.text()
        snap(without_hash(console.text()))


async def test_no_color_keeps_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(troubled(), (120, 40)) as console:
        coloured = console.text()
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(troubled(), (120, 40)) as console:
        assert console.app.no_color
        assert console.text() == coloured
        assert "CRIT" in console.text()
        for key in ("question_mark", "e", "T", "ctrl+p", "slash", "r", "6", "enter"):
            await console.press(key)
            assert colours(console) == set(), key
            await console.press("escape")
        await console.press("6")
        assert any(style.reverse for style in styles(console)), "the cursor can be seen"


def styles(console: Console) -> list[Style]:
    strips = console.app.screen._compositor.render_strips(console.app.size)
    return [segment.style for strip in strips for segment in strip if segment.style is not None]


def colours(console: Console) -> set[Color]:
    """The colours on the screen, but for the terminal's own."""
    found = {colour for style in styles(console) for colour in (style.color, style.bgcolor)}
    return {colour for colour in found if colour is not None and not colour.is_default}
