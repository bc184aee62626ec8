"""The cursor is a key: it stays on its row, or says that the row is gone."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from textual import events
from textual.strip import Strip

from lptui.fleet.facts.host import HostVitals
from lptui.present.model import Row, Section
from lptui.tui.prompt import FilterPrompt
from lptui.tui.widgets import table
from lptui.tui.widgets.rows import draw_row
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, running


def without(builder: FleetBuilder, *names: str) -> FleetBuilder:
    """The same fleet without some hosts."""
    hosts = {n: h for n, h in builder.fleet.hosts.items() if n not in names}
    nodes = {n: v for n, v in builder.fleet.nodes.items() if v.host not in names}
    return builder.configure(hosts=MappingProxyType(hosts), nodes=MappingProxyType(nodes))


async def on_host(console: Console, name: str) -> None:
    await console.press("6")
    assert console.app.overview.focused_pane.select(f"host:{name}")
    await console.pilot.pause()


def selected(console: Console) -> str | None:
    row = console.app.overview.focused_pane.selected
    return row.key if row else None


async def test_it_stays_on_its_row_through_sorting() -> None:
    async with running(FleetBuilder()) as console:
        await on_host(console, "edge-2")
        for _ in range(8):
            await console.press("s")
            assert selected(console) == "host:edge-2"


async def test_it_stays_on_its_row_when_another_row_takes_its_place() -> None:
    async with running(FleetBuilder()) as console:
        await on_host(console, "edge-2")
        await console.publish(FleetBuilder().lose_host("gpu-2"))
        pane = console.app.overview.focused_pane
        assert pane.sections[0].rows[0].key == "host:gpu-2"
        assert selected(console) == "host:edge-2"


async def test_it_stays_on_its_row_when_rows_come_and_go() -> None:
    async with running(FleetBuilder()) as console:
        await on_host(console, "edge-2")
        await console.publish(without(FleetBuilder(), "lb-1", "edge-1"))
        assert selected(console) == "host:edge-2"
        await console.publish(FleetBuilder(orchestrators=4))
        assert selected(console) == "host:edge-2"


async def test_when_its_row_vanishes_it_is_lost_and_nothing_is_selected() -> None:
    async with running(FleetBuilder()) as console:
        await on_host(console, "edge-2")
        await console.publish(without(FleetBuilder(), "edge-2"))
        pane = console.app.overview.focused_pane
        assert pane.is_lost
        assert selected(console) is None
        assert "row gone" in console.text()
        await console.press("enter")
        assert console.app.screen is console.app.overview
        assert "the row is gone" in console.text()
        await console.press("down")
        assert selected(console) is not None
        assert not pane.is_lost


async def test_it_comes_back_with_its_row() -> None:
    async with running(FleetBuilder()) as console:
        await on_host(console, "edge-2")
        await console.publish(without(FleetBuilder(), "edge-2"))
        await console.publish(FleetBuilder())
        assert selected(console) == "host:edge-2"


async def test_a_vanished_orchestrator_gets_no_action() -> None:
    async with running(FleetBuilder()) as console:
        await console.publish(FleetBuilder().configure_chain(orchestrators=()))
        await console.press("r")
        assert not [call for call in console.session.calls if call.startswith("plan")]


async def test_the_target_is_taken_at_the_key_press() -> None:
    async with running(FleetBuilder()) as console:
        await console.pilot.press("r")
        await console.publish(FleetBuilder().configure_chain(orchestrators=()))
        await console.until(
            lambda: "plan reward main" in console.session.calls, "the plan of what was selected"
        )


async def test_moving_scrolling_and_clicking() -> None:
    async with running(FleetBuilder(orchestrators=40), (80, 24)) as console:
        await console.press("6", "end")
        last = selected(console)
        assert last is not None
        assert last.startswith("unit:")
        assert any(last.partition(":")[2] in line for line in console.lines())
        await console.press("home", "pagedown", "up", "j", "k", "down")
        assert selected(console) != last
        pane = console.app.overview.focused_pane
        await console.press("home")
        await console.pilot.click(pane, offset=(10, 4))
        assert selected(console) == pane.sections[0].rows[2].key
        await console.pilot.click(pane, offset=(6, 1))
        assert pane.order is not None


async def test_the_titles_of_a_section_stand_once() -> None:
    async with running(FleetBuilder(orchestrators=41), (80, 24)) as console:
        await console.press("6", "z", "home")
        pane = console.app.overview.focused_pane
        rows = len(pane.sections[0].rows)
        assert rows % table.WHEEL_LINES == 0, "the titles of the second section come to the top"
        for _ in range(0, rows, table.WHEEL_LINES):
            wheel = (pane, 5, 5, 0, 1, 0, False, False, False)
            pane.post_message(events.MouseScrollDown(*wheel))
            await console.pilot.pause()
            titles = [line for line in console.lines() if "restarts" in line]
            assert len(titles) <= 1, console.text()
        assert len(titles) == 1


async def test_a_click_selects_the_row_that_it_was_on_whatever_moves() -> None:
    async with running(FleetBuilder(orchestrators=6), (80, 24)) as console:
        pane = console.app.overview.panes[2]
        assert 1 < pane.size.height < pane.wanted_height
        wanted = pane.sections[0].rows[1].key
        await console.pilot.click(pane, offset=(8, 3))
        assert console.app.overview.focused_pane is pane
        assert selected(console) == wanted
        await console.pilot.click(pane, offset=(8, 3), times=2)
        await console.until(lambda: "Findings" in console.text(), "its detail")
        assert wanted.replace(":", " ") in console.lines()[0]


async def test_a_filter_narrows_and_escape_shows_all() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("6", "slash")
        await console.press(*"gpu")
        pane = console.app.overview.focused_pane
        assert {i.row.key for i in pane._items if i.row} == {
            "host:gpu-1",
            "host:gpu-2",
            "unit:trans-1",
            "unit:trans-2",
        }
        await console.press("enter")
        assert pane.has_focus
        assert "/gpu 4 of" in console.text()
        await console.press("escape")
        assert pane.shown == pane.total


async def test_what_is_typed_ahead_goes_into_the_filter_and_is_no_command() -> None:
    """A slow line delivers many keys at once: none may pause, acknowledge or call reward."""
    async with running(FleetBuilder()) as console:
        await console.press("1")
        app, pane = console.app, console.app.overview.focused_pane
        for key in ("slash", *"repat", "slash", "x"):
            app.post_message(events.Key(key, "/" if key == "slash" else key))
        await console.until(lambda: pane.query_text == "repat/x", "all of it")
        app.post_message(events.Key("enter", None))
        app.post_message(events.Key("s", "s"))
        await console.until(lambda: not console.app.query(FilterPrompt), "the line is gone")
        assert pane.query_text == "repat/x"
        await console.until(lambda: "sorted by" in console.lines()[-1], "s after Enter sorts")
        assert console.session.calls == ["start"]
        assert not app.paused
        assert app.screen is app.overview
        app.post_message(events.Key("slash", "/"))
        await console.until(lambda: app.query(FilterPrompt), "it can be opened again")


async def test_a_filter_that_matches_nothing_says_so() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("6", "slash", *"zzz", "enter")
        assert "no row matches 'zzz'" in console.text()
        assert "row gone" not in console.text()


async def test_sorting_goes_through_the_columns_that_can_be_seen_and_back() -> None:
    async with running(FleetBuilder(), (80, 24)) as console:
        await console.press("6")
        seen = []
        for _ in range(40):
            await console.press("s")
            said = console.lines()[-1].strip()
            seen.append(said)
            if said == "own order":
                break
            title = said.removeprefix("sorted by ")
            assert title[:-1] == "age" or any(title in line for line in console.lines()[:-1]), said
        assert seen[-1] == "own order"
        assert {"sorted by host▲", "sorted by host▼", "sorted by mem▲"} <= set(seen)
        assert not any("5m" in said for said in seen)


async def test_what_was_never_read_is_not_called_old() -> None:
    async with running(FleetBuilder().drop(HostVitals, "edge-1"), (120, 40)) as console:
        title = next(line for line in console.lines() if "6 Hosts" in line)
        assert " 1 never read " in title
        assert " old" not in title


async def test_an_unchanged_row_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def counted(section: Section, row: Row, *rest: Any) -> Strip:
        drawn.append(row.key)
        return draw_row(section, row, *rest)

    monkeypatch.setattr(table, "draw_row", counted)
    async with running(FleetBuilder()) as console:
        builder = FleetBuilder()
        await console.publish(builder)
        drawn.clear()
        builder.change(HostVitals, "edge-1", load_1m=7.5)
        await console.publish(builder)
        assert drawn == ["host:edge-1"]


async def test_the_focus_draws_no_row_again_but_the_cursors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[str] = []

    def counted(section: Section, row: Row, *rest: Any) -> Strip:
        drawn.append(row.key)
        return draw_row(section, row, *rest)

    async with running(FleetBuilder()) as console:
        await on_host(console, "edge-1")
        monkeypatch.setattr(table, "draw_row", counted)
        await console.press("1")
        hosts = console.app.overview.panes[5]
        mine = {row.key for section in hosts.sections for row in section.rows}
        assert [key for key in drawn if key in mine] == ["host:edge-1"]
