"""Asking a node one of its routes that only read: chosen, asked, shown, asked again, left."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.command import CommandPalette

from lptui.errors import DeadlineError, TransportError
from lptui.probes.livepeer.routes import INSPECTABLE
from lptui.tui.screens.inspect import InspectScreen
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, ids, running

Snap = Callable[[str], None]

STATUS = b"""{"Version": "0.9.1-[bold]4f21c0ae[/]", "OrchestratorPool": [],
"Evil": "\\u001b[2J\\u202e\x7f", "RegisteredTranscodersNumber": 2, "LocalTranscoding": false}"""


async def choosing(console: Console, row: str = "orch-1") -> None:
    """Selects a node's row and opens the list of routes."""
    await console.press("6", "slash", *row, "enter", "end", "ctrl+p", *"route of its CLI")
    await console.until(lambda: "that only reads" in console.text(), "the command")
    await console.press("enter")


async def chosen(console: Console, route: str = "/status") -> None:
    await console.until(lambda: "only routes that read" in console.text(), "the routes")
    await console.press(*route)
    await console.until(lambda: f"  {INSPECTABLE[route]}" in console.text(), route)
    await console.press("enter")
    await console.until(lambda: not isinstance(console.app.screen, CommandPalette), "the page")


async def asked(console: Console, route: str = "/status") -> None:
    await choosing(console)
    await chosen(console, route)
    await console.until(lambda: isinstance(console.app.screen, InspectScreen), "the page")


async def answered(console: Console, route: str = "/status") -> None:
    await asked(console, route)
    await console.until(lambda: "HTTP" in console.lines()[0], "the answer")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=ids)
async def test_routes_and_an_answer(size: tuple[int, int], snap: Snap) -> None:
    async with running(FleetBuilder(), size) as console:
        await choosing(console)
        await console.until(lambda: "/metrics" in console.text(), "the routes")
        snap(console.text())
        await chosen(console)
        console.session.answer = STATUS
        await console.press("r")
        await console.until(lambda: "Evil" in console.text(), "the answer")
        snap(console.text())


async def test_the_list_is_that_of_the_routes_without_effect() -> None:
    async with running(FleetBuilder(), (100, 60)) as console:
        await choosing(console)
        await console.until(lambda: "/localStreams" in console.text(), "the last one")
        for route in INSPECTABLE:
            assert f"  {route}  " in console.text(), route
        await console.press(*"reward")
        await console.until(lambda: "/metrics" not in console.text(), "what matches")
        assert "/rewardCaller" in console.text()
        assert " /reward " not in console.text()


async def test_an_answer_is_laid_out_as_plain_text_with_its_time_and_age() -> None:
    async with running(FleetBuilder(), read_only=True) as console:
        console.session.answer = STATUS
        await answered(console)
        assert console.session.calls[-1] == "get orch-1 /status"
        assert console.lines()[0].startswith(" orch-1 /status   HTTP 200   151B in 12ms   0s ago")
        assert '   "Version": "0.9.1-[bold]4f21c0ae[/]",' in console.text()
        assert r'   "Evil": "\u001b[2J\u202e\u007f",' in console.text()
        console.app.clock.advance(65)  # type: ignore[attr-defined]
        await console.until(lambda: "1m ago" in console.lines()[0], "its age")
        await console.press("c")
        assert '"LocalTranscoding": false' in console.app.clipboard


async def test_r_asks_again_once_at_a_time() -> None:
    async with running(FleetBuilder()) as console:
        await answered(console)
        console.session.may_answer.clear()
        console.session.answer = b'{"Version": "0.9.2"}'
        await console.press("r", "r", "r")
        assert "asking, 0 s" in console.lines()[0]
        console.app.clock.advance(7)  # type: ignore[attr-defined]
        await console.until(lambda: "asking, 7 s" in console.lines()[0], "how long it takes")
        assert "0.9.1" in console.text(), "the older answer, with its age"
        console.session.may_answer.set()
        await console.until(lambda: "0.9.2" in console.text(), "the newer one")
        assert "asking" not in console.lines()[0]
        assert console.session.calls.count("get orch-1 /status") == 2


async def test_another_route_takes_the_place_of_the_first() -> None:
    async with running(FleetBuilder()) as console:
        await answered(console)
        await console.press("n")
        console.session.answer = b"500000000000"
        await chosen(console, "/ethBalance")
        await console.until(lambda: "/ethBalance   HTTP 200" in console.lines()[0], "the answer")
        assert "0.9.1" not in console.text()
        await console.press("escape")
        assert console.app.screen is console.app.overview


async def test_a_question_that_is_left_is_given_up() -> None:
    async with running(FleetBuilder()) as console:
        console.session.may_answer.clear()
        await asked(console)
        assert "asking" in console.lines()[0]
        await console.press("escape")
        assert console.app.screen is console.app.overview
        await console.until(lambda: console.session.calls[-1] == "left orch-1 /status", "its end")


LATE = DeadlineError(
    "orch-1 GET /status of 127.0.0.1:7935", "no answer within 120 s", "wait longer"
)
DOWN = TransportError("SSH to edge-1", "the connection was lost", "see whether the host is up")


@pytest.mark.parametrize("failure", [LATE, DOWN], ids=["timeout", "tunnel down"])
async def test_no_answer_is_told_with_why_and_what_to_do(failure: TransportError) -> None:
    async with running(FleetBuilder()) as console:
        console.session.answer = failure
        await asked(console)
        await console.until(lambda: "NO ANSWER" in console.lines()[0], "a failure")
        assert str(failure) in console.lines()[1]
        assert failure.remedy in console.lines()[2]
        assert "HTTP" not in console.lines()[0]


async def test_an_older_answer_is_not_taken_for_a_new_one() -> None:
    async with running(FleetBuilder()) as console:
        await answered(console)
        console.session.answer = DOWN
        console.app.clock.advance(125)  # type: ignore[attr-defined]
        await console.press("r")
        await console.until(lambda: "NO ANSWER" in console.lines()[0], "a failure")
        assert "NO ANSWER   before that:   HTTP 200" in console.lines()[0]
        assert "2m ago" in console.lines()[0]
        assert str(DOWN) in console.lines()[1]
        assert "0.9.1" in console.text()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"404 page not found\n", "no such route: an older version"),
        (500, b"missing eth client", "it runs without a chain"),
        (200, b'{"Version": ', "begins like JSON"),
        (200, b"", "as after a fault"),
    ],
    ids=["too old", "off chain", "cut short", "empty"],
)
async def test_what_is_wrong_with_an_answer_stands_above_it(
    status: int, body: bytes, said: str
) -> None:
    async with running(FleetBuilder()) as console:
        console.session.status, console.session.answer = status, body
        await answered(console)
        assert f"HTTP {status}" in console.lines()[0]
        assert said in console.lines()[1]


async def test_a_huge_answer_is_cut_where_it_is_said_and_scrolls_at_once() -> None:
    async with running(FleetBuilder()) as console:
        console.session.answer = b"livepeer_figure 1\n" * 19_000 + b"x" * 200_000
        await answered(console, "/metrics")
        await console.press("end")
        await console.until(lambda: "14001 lines more" in console.text(), "the end")
        assert "lptui --headless get orch-1 /metrics" in console.text()


async def test_a_node_without_a_cli_api_says_so() -> None:
    async with running(FleetBuilder()) as console:
        await choosing(console, "nitro-1")
        await console.until(lambda: "nitro-1 has no CLI API: set its `cli`" in console.text(), "")
        assert console.app.screen is console.app.overview
