"""Blocks as they come: each endpoint's newest one, and an age that moves between readings."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import cast

import pytest

from lptui.clock import FrozenClock
from lptui.fleet.facts.rpc import RpcHead
from lptui.history.series import History
from lptui.present.ticker import ticker
from lptui.present.view import Findings, View
from tests.snapshots import NOW, FleetBuilder
from tests.tui.conftest import Console, ids, running


def row(console: Console, name: str) -> str:
    """An endpoint's line of the ticker: the last with its name."""
    return [line for line in console.lines() if line.lstrip(" │┃").startswith(name)][-1]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=ids)
async def test_the_age_goes_on_while_nothing_is_read(size: tuple[int, int]) -> None:
    async with running(FleetBuilder(), size) as console:
        await console.press("5", "z")
        await console.settled()
        assert "299,999,998" in row(console, "nitro")
        assert "2s of 2m new" in row(console, "nitro")
        filled = row(console, "nitro").count("█")
        clock = cast("FrozenClock", console.app.clock)
        for seconds, word in ((43.0, "45s of 2m late"), (80.0, "2m of 2m TOO OLD")):
            clock.advance(seconds)
            console.app._tick()
            await console.pilot.pause()
            assert word in row(console, "nitro"), "told by a word, not by its colour alone"
            assert row(console, "nitro").count("█") > filled
            filled = row(console, "nitro").count("█")


async def test_an_endpoint_s_detail_has_it_as_well() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("5", "enter")
        assert "Newest block" in console.text()
        assert "2s of 2m new" in console.text()


def drawn(builder: FleetBuilder, lines: int, width: int = 78) -> list[str]:
    view = View(builder.snapshot(), NOW, Findings(), History())
    return ["".join(span.text for span in line) for line in ticker(view, width, lines)]


def test_what_is_not_known_has_no_bar_and_what_is_old_says_when_it_was_read() -> None:
    never, failed = drawn(FleetBuilder().drop(RpcHead, "nitro").fail(RpcHead, "reference"), 5)
    assert never.endswith("?  its newest block is not known")
    assert failed.endswith("read 30s ago")


def test_more_endpoints_than_lines_are_counted() -> None:
    builder = FleetBuilder()
    rpc = builder.fleet.rpcs["nitro"]
    more = {f"rpc-{number}": replace(rpc, name=f"rpc-{number}") for number in range(20)}
    builder.configure(rpcs=MappingProxyType({**builder.fleet.rpcs, **more}))
    told = drawn(builder, 4)
    assert (len(told), told[-1]) == (4, " … 19 more endpoints")
    assert drawn(builder, 0) == []
    assert all(len(line) <= 78 for line in drawn(builder, 30))


def test_a_chain_that_mines_on_demand_is_never_late() -> None:
    builder = FleetBuilder().change(RpcHead, "nitro", chain_id=31337, head_time=NOW - 9000.0)
    assert "mined on demand" in drawn(builder, 5)[0]
