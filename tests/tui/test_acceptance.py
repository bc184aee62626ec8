"""A node's acceptance on the screen: by the palette, of the row's node, as readings come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.host import HostClock
from lptui.tui.screens.acceptance import AcceptanceScreen
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, ids, running

Snap = Callable[[str], None]


async def opened(console: Console, row: str, pane: str = "6") -> None:
    """Selects a row by its name, and opens its acceptance by the palette."""
    await console.press(pane, "slash", *row, "enter")
    await console.press("ctrl+p", *"traffic line")
    await console.until(lambda: "fit to be given traffic" in console.text(), "the command")
    await console.press("enter")


async def shown(console: Console, row: str, pane: str = "6") -> None:
    await opened(console, row, pane)
    await console.until(lambda: isinstance(console.app.screen, AcceptanceScreen), "the page")
    await console.until(lambda: "Well" in console.text() or "not" in console.text(), "its lines")


def late(builder: FleetBuilder) -> FleetBuilder:
    """`edge-1`'s clock is wrong, and its neighbour's does not tell."""
    builder.change(HostClock, "edge-1", offset_s=20.0)
    return builder.fail(HostClock, "edge-2", kind=ProblemKind.TIMEOUT)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=ids)
async def test_acceptance_of_a_node(size: tuple[int, int], snap: Snap) -> None:
    async with running(late(FleetBuilder(orchestrators=3)), size) as console:
        await shown(console, "orch-1")
        snap(console.text())


async def test_what_is_wrong_stands_first_with_what_to_do() -> None:
    async with running(late(FleetBuilder())) as console:
        await shown(console, "orch-1")
        assert "Acceptance orch-1   NOT ACCEPTED" in console.lines()[0]
        assert "1 not, 0 unknown" in console.lines()[1]
        assert "To be mended" in console.lines()[3]
        assert "NOT" in console.lines()[4]
        assert "clock" in console.lines()[4]
        assert any("→ " in line for line in console.lines()[5:9])


async def test_what_is_not_known_is_not_well() -> None:
    async with running(late(FleetBuilder())) as console:
        await shown(console, "orch-2")
        assert "Acceptance orch-2   NOT KNOWN" in console.lines()[0]
        assert "0 not, 1 unknown" in console.lines()[1]
        assert "Not known" in console.lines()[3]
        assert "?     clock" in console.lines()[4]


async def test_what_follows_from_another_line_has_that_ones_name_alone() -> None:
    async with running(FleetBuilder().lose_host("edge-2"), (120, 60)) as console:
        await shown(console, "orch-2")
        text = console.text()
        assert text.count("because of host-up@edge-2") > 5
        assert text.count("→ ") == 1


async def test_it_is_judged_anew_with_each_reading() -> None:
    async with running(late(FleetBuilder())) as console:
        await shown(console, "orch-1")
        await console.publish(FleetBuilder())
        await console.until(lambda: "accepted" in console.lines()[0], "it is well")
        assert "0 not, 0 unknown" in console.lines()[1]
        await console.publish(FleetBuilder().lose_host("edge-1"))
        await console.until(lambda: "NOT ACCEPTED" in console.lines()[0], "its host is gone")
        await console.press("escape")
        assert console.app.screen is console.app.overview


async def test_it_tells_its_age() -> None:
    async with running(FleetBuilder()) as console:
        await shown(console, "orch-1")
        assert "as of 0s ago" in console.lines()[1]
        console.app.clock.advance(300)  # type: ignore[attr-defined]
        await console.app.redraw()
        await console.pilot.pause()
        assert "as of 5m ago" in console.lines()[1]


async def test_nothing_is_accepted_before_every_source_was_asked() -> None:
    begun = FleetBuilder().snapshot()
    async with running(None) as console:
        await opened(console, "orch-1")
        await console.until(lambda: "nothing has been read yet" in console.text(), "why not")
        console.session.publish(replace(begun, complete=False))
        feed = console.app.feed
        assert feed is not None
        await console.until(lambda: feed.findings.checked, "checks")
        await console.press("escape")
        await shown(console, "orch-1")
        await console.until(lambda: "not everything was asked yet" in console.lines()[0], "open")
        console.session.publish(begun)
        await console.until(lambda: "accepted" in console.lines()[0], "all was asked")


async def test_a_hosts_row_stands_for_its_only_node_and_for_none_of_several() -> None:
    async with running(FleetBuilder()) as console:
        await shown(console, "edge-1")
        assert "Acceptance orch-1" in console.lines()[0]
        await console.press("escape", "escape")
        await opened(console, "core-1")
        await console.until(lambda: "this row has several: redeemer, reward" in console.text(), "")
        assert console.app.screen is console.app.overview


async def test_a_row_that_is_no_nodes_says_so() -> None:
    async with running(FleetBuilder(), read_only=True) as console:
        await opened(console, "main", "1")
        await console.until(lambda: "this row is not one's: select a node's" in console.text(), "")
        assert console.app.screen is console.app.overview
