"""The logs of what is selected, on the screen; and a shell there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lptui.collector.follow import Phase, State
from lptui.errors import Problem, ProblemKind
from lptui.fleet.logs import Level
from lptui.tui.screens.logs import LogsScreen
from tests.snapshots import NOW, FleetBuilder
from tests.tui.conftest import Console, ids, running
from tests.tui.scripted import ScriptedLogs

Snap = Callable[[str], None]

LINES = (
    "I0115 08:00:00.123456 1 orchestrator.go:771] Processing segment seqNo=7",
    "\x1b[2J[red]E0115[/] \u202eevil",
    "E0115 08:00:02.123456 1 broadcast.go:99] Error sending segment err=EOF " + "x" * 200,
)


def opened(console: Console) -> ScriptedLogs:
    logs = console.session.following
    assert logs is not None
    return logs


async def open_logs(console: Console, *keys: str) -> ScriptedLogs:
    """Opens them by `l` on a row, and waits until they are read."""
    await console.press(*keys, "l")
    await console.until(lambda: isinstance(console.app.screen, LogsScreen), "logs")
    await console.until(lambda: "following" in console.lines()[0], "following")
    return opened(console)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=ids)
async def test_logs_of_a_role(size: tuple[int, int], snap: Snap) -> None:
    async with running(FleetBuilder(orchestrators=3), size) as console:
        logs = await open_logs(console, "3", "j", "j", "j", "j", "j", "j")
        logs.say(*LINES)
        await console.press("m")
        await console.until(lambda: opened(console) is not logs, "the role's")
        await console.until(lambda: "following" in console.lines()[0], "following")
        opened(console).say(*LINES, *LINES)
        opened(console).states(
            State(
                Phase.LOST,
                Problem(ProblemKind.FORBIDDEN, "x", "it may not be read", "add the login"),
            )
        )
        await console.until(lambda: "evil" in console.text(), "lines")
        assert logs.is_closed, "the others are ended"
        snap(console.text())


async def test_it_follows_is_held_and_goes_on() -> None:
    async with running(FleetBuilder(), (100, 12)) as console:
        logs = await open_logs(console, "6", "j")
        logs.say(*(f"line {n}" for n in range(40)))
        await console.until(lambda: "line 39" in console.text(), "the newest")
        await console.press("p")
        held = console.lines()[1:-1]
        logs.say("newer", "the last", at=NOW + 100)
        await console.until(lambda: "PAUSED, 2 new" in console.lines()[0], "how many came")
        assert console.lines()[1:-1] == held
        await console.press("space")
        assert "the last" in console.text()
        await console.press("pageup", "up")
        assert "the last" not in console.text()
        assert "PAUSED" in console.lines()[0]
        await console.press("end")
        assert "the last" in console.text()
        assert "following" in console.lines()[0]
        assert "pause" not in console.session.calls, "the fleet is read on"


async def test_what_is_looked_for_is_left_alone_and_shown_apart() -> None:
    async with running(FleetBuilder(), (100, 12)) as console:
        logs = await open_logs(console, "6", "j")
        logs.say("well", "EOF from the endpoint", "well again")
        await console.press("slash", *"eof", "enter")
        assert "1 of 3 lines" in console.lines()[0]
        assert "well" not in "\n".join(console.lines()[1:-1])
        logs.say("another eof", at=NOW + 9)
        await console.until(lambda: "another eof" in console.text(), "the next that matches")
        await console.press("slash", *"nothing such", "enter")
        assert "no line matches 'nothing such': Esc shows all" in console.text()
        assert "Esc all lines" in console.lines()[-1]
        await console.press("escape")
        assert "well again" in console.text()
        assert "Esc back" in console.lines()[-1]
        await console.press("slash", *"eof", "enter", "slash", "escape")
        assert "well again" in console.text()
        await console.press("escape")
        assert console.app.screen is console.app.overview
        await console.until(lambda: logs.is_closed, "ended with the screen")


async def test_long_lines_are_cut_moved_or_wrapped() -> None:
    async with running(FleetBuilder(), (80, 12)) as console:
        logs = await open_logs(console, "6", "j")
        logs.say("begin " + "word " * 40 + "end of it", level=Level.WARNING)
        await console.until(lambda: "begin" in console.text(), "the line")
        assert "warn" in console.text()
        assert "end of it" not in console.text()
        await console.press("w")
        assert "end of it" in console.text()
        await console.press("w", *["right"] * 9)
        assert "end of it" in console.text()
        assert "begin" not in console.text()


async def test_more_lines_than_are_kept_cost_no_more() -> None:
    async with running(FleetBuilder(), (80, 12)) as console:
        logs = await open_logs(console, "6", "j")
        screen = console.app.screen
        assert isinstance(screen, LogsScreen)
        for start in range(0, 20_000, 1000):
            logs.say(*(f"line {n}" for n in range(start, start + 1000)), at=NOW + start)
        await console.until(lambda: "line 19999" in console.text(), "the newest")
        assert len(screen.book.shown) == 5000
        assert "20000 lines" in console.lines()[0]


async def test_a_row_without_a_log_says_so() -> None:
    fleet = FleetBuilder()
    for name in fleet.fleet.nodes:
        fleet.configure_node(name, service=None)
    async with running(fleet, (100, 30)) as console:
        await console.press("2", "l")
        assert console.app.screen is console.app.overview
        assert "no log is known for this row" in console.lines()[-1]


async def test_a_shell_is_not_for_a_console_that_may_change_nothing() -> None:
    async with running(FleetBuilder(), (100, 30), read_only=True) as console:
        await console.press("6", "o")
        assert "read-only" in console.lines()[-1]
        assert not [call for call in console.session.calls if call.startswith("login")]


async def test_a_shell_is_on_the_rows_host() -> None:
    async with running(FleetBuilder(), (100, 30)) as console:
        await console.press("6", "o")
        row = console.app.overview.focused_pane.selected
        assert row is not None
        await console.until(
            lambda: f"login {dict(row.subjects)['host']}" in console.session.calls, "login"
        )
        # A test's console has no terminal to give away: it tells the command instead.
        await console.until(lambda: "/bin/true" in console.lines()[-1], "what to do")
