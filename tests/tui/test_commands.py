"""Keys, footer, help, palette and the fleet's actions are one list; it is what the design says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lptui.actions.registry import ACTIONS
from lptui.fleet.declared import DeclaredCommand
from lptui.fleet.facts.balancer import Health
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.facts.rpc import RpcHead
from lptui.tui import theming
from lptui.tui.commands import BY_ID, CHANGES, COMMANDS, PANES
from lptui.tui.handlers import HANDLERS
from lptui.tui.screens.help import HelpScreen
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, running, troubled

CONTRACT = {
    **{str(n): f"pane-{n}" for n in range(1, 7)},
    "z": "zoom",
    "enter": "detail",
    "slash": "filter",
    "s": "sort",
    "r": "reward",
    "i": "initialize-round",
    "d": "drain",
    "f": "failover",
    "b": "rebalance",
    "R": "restart",
    "l": "logs",
    "o": "shell",
    "a": "acknowledge",
    "e": "events",
    "p": "pause",
    "plus": "faster",
    "minus": "slower",
    "c": "copy",
    "S": "screenshot",
    "t": "theme",
    "question_mark": "help",
    "ctrl+p": "palette",
    "q": "quit",
}
"""The bindings that users and scripts rely on."""


def test_every_promised_key_has_its_command() -> None:
    found = {key: item.id for item in COMMANDS for key in item.keys}
    assert {key: found.get(key) for key in CONTRACT} == CONTRACT


def test_no_key_has_two_commands() -> None:
    keys = [key for item in COMMANDS for key in item.keys]
    assert len(keys) == len(set(keys))


def test_every_command_can_be_run_or_says_why_not() -> None:
    for item in COMMANDS:
        known = item.id.startswith("pane-") or item.actions
        assert known or item.id in HANDLERS, item.id
    assert HANDLERS.keys() <= BY_ID.keys()


def test_actions_are_those_of_the_registry() -> None:
    """Each action has one command with its key, and each command that can be used its actions."""
    ours = {name: item for item in CHANGES for name in item.actions}
    theirs = {action.spec.id: action.spec for action in ACTIONS}
    assert ours.keys() == theirs.keys()
    assert sum(len(item.actions) for item in CHANGES) == len(ours)
    for name, item in ours.items():
        assert (item.keys[:1] or ("",)) == (theirs[name].key,)
        assert item.anywhere == (theirs[name].subject == "round")


async def test_help_lists_every_command_with_its_key() -> None:
    async with running(FleetBuilder(), (100, 40)) as console:
        await console.press("question_mark")
        screen = console.app.screen
        assert isinstance(screen, HelpScreen)
        text = screen.plain_text()
        for item in COMMANDS:
            assert any(
                item.key_word in line and item.title in line for line in text.splitlines()
            ), item.id


async def test_footer_offers_every_contract_command_when_there_is_room() -> None:
    async with running(FleetBuilder(), (400, 40)) as console:
        footer = console.lines()[-1]
        for identity in CONTRACT.values():
            if not identity.startswith("pane-"):
                assert BY_ID[identity].hint in footer, identity


async def test_footer_offers_first_what_can_be_done_here() -> None:
    async with running(FleetBuilder(), (80, 24)) as console:
        await console.until(lambda: "r reward" in console.lines()[-1], "a key for this row")
        await console.press("6")
        await console.until(lambda: "r reward" not in console.lines()[-1], "none for a host")
        assert "z zoom" in console.lines()[-1]


async def test_palette_finds_commands_and_rows() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("ctrl+p", *"edge-2")
        await console.until(lambda: "host in Hosts" in console.text(), "a row by its name")
        await console.press("enter")
        await console.until(lambda: console.app.screen is console.app.overview, "palette closed")
        await console.until(
            lambda: (
                (row := console.app.overview.focused_pane.selected) is not None
                and "edge-2" in row.key
            ),
            "the row",
        )


@pytest.mark.parametrize("number", range(1, 7))
async def test_digits_focus_panes(number: int) -> None:
    async with running(FleetBuilder()) as console:
        await console.press(str(number))
        assert console.app.overview.focused_pane.pane_id == PANES[number - 1][0]
        assert console.app.overview.focused_pane.has_focus


async def test_tab_goes_round_the_panes() -> None:
    async with running(FleetBuilder()) as console:
        seen = []
        for _ in range(6):
            seen.append(console.app.overview.focused_pane.number)
            await console.press("tab")
        assert seen == [1, 2, 3, 4, 5, 6]
        await console.press("shift+tab")
        assert console.app.overview.focused_pane.number == 6


async def test_zoom_shows_one_pane_and_back() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("6", "z")
        assert "Round & reward" not in console.text()
        assert "fullest disk" in console.text()
        await console.press("escape")
        assert "Round & reward" in console.text()


async def test_pause_and_pace_reach_the_session() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("p")
        assert "PAUSED" in console.lines()[0]
        await console.press("p", "plus", "minus", "minus")
        assert console.session.calls[-5:] == [
            "pause",
            "resume",
            "interval 1",
            "interval 2",
            "interval 3",
        ]
        assert "every 3s" in console.lines()[0]


async def test_what_was_so_before_the_pause_has_its_age() -> None:
    async with running(FleetBuilder()) as console:
        assert "all OK  every" in console.lines()[0]
        await console.press("p")
        console.app.clock.advance(42)  # type: ignore[attr-defined]
        console.app.refresh_bars()
        await console.pilot.pause()
        assert "all OK 42s ago" in console.lines()[0]
        await console.press("p")
        builder = FleetBuilder()
        builder.now += 42
        await console.publish(builder)
        assert "all OK" not in console.lines()[0]
        assert "UNKNOWN" in console.lines()[0]


async def test_what_is_still_to_come_is_not_called_unknown() -> None:
    """Before every source was asked once; what has failed already is told at once."""
    begun = FleetBuilder().lose_host("edge-1").change_server("front", "edge-2", health=Health.DOWN)
    begun.drop(HostVitals, "edge-2").drop(RpcHead, "nitro")
    async with running(None, (200, 60)) as console:
        console.session.publish(replace(begun.snapshot(), complete=False))
        await console.until(lambda: "CRITICAL" in console.lines()[0], "what is known")
        assert "UNKNOWN" not in console.lines()[0]
        assert any(re.search(r"… +edge-2 ", line) for line in console.lines())
        well = FleetBuilder().drop(HostVitals, "edge-2")
        feed = console.app.feed
        assert feed is not None
        await feed.check(replace(well.snapshot(), complete=False))
        feed.snapshot = well.snapshot()
        console.app.refresh_bars()
        await console.pilot.pause()
        assert "connecting" in console.lines()[0], "complete, but not judged yet"
        console.session.publish(begun.snapshot())
        await console.until(lambda: "UNKNOWN" in console.lines()[0], "all was asked")
        assert not any(re.search(r"… +edge-2 ", line) for line in console.lines())


async def test_acknowledging_a_finding_takes_it_out_of_the_count() -> None:
    async with running(troubled()) as console:
        assert "CRITICAL 2" in console.lines()[0]
        await console.press("6", "home", "a")
        await console.until(lambda: "CRITICAL 1" in console.lines()[0], "one less")
        await console.until(lambda: states(console, "edge-2") == {"ack"}, "it says so")
        await console.press("a")
        await console.until(lambda: "CRITICAL 2" in console.lines()[0], "taken back")
        await console.until(lambda: states(console, "edge-2") == {"CRIT"}, "it says so")


async def test_acknowledging_what_follows_from_a_lost_host_acknowledges_that() -> None:
    async with running(troubled(), (200, 60)) as console:
        assert states(console, "orch-2") == {"?"}
        await console.press("5", "slash", *"edge-2", "enter", "a")
        await console.until(lambda: "acknowledged: edge-2: cannot be re" in console.text(), "said")
        await console.until(lambda: "CRITICAL 1" in console.lines()[0], "one less")
        await console.until(lambda: states(console, "orch-2") == {"ack"}, "what follows too")


def states(console: Console, name: str) -> set[str]:
    """The state words of the rows of that name."""
    return set(re.findall(rf"(ok|WARN|\?|CRIT|ack) +{name} ", console.text()))


async def test_copy_gives_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(FleetBuilder()) as console:
        await console.press("6", "c")
        assert "host: lb-1" in console.app.clipboard
        assert "copied" in console.lines()[-1]


async def test_screenshot_says_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(folder)
    async with running(FleetBuilder()) as console:
        await console.press("S")
        files = list(folder.glob("lptui-*.svg"))
        assert len(files) == 1
        assert files[0].name in console.text()
        assert "Round" in files[0].read_text()


async def test_themes_go_round() -> None:
    async with running(FleetBuilder()) as console:
        await console.until(lambda: len(console.app.theme_names) >= 5, "themes")
        seen = set()
        for _ in console.app.theme_names:
            seen.add(console.app.theme)
            await console.press("t")
        assert seen == set(console.app.theme_names)


async def test_a_theme_that_was_chosen_is_there_next_time() -> None:
    async with running(FleetBuilder()) as console:
        await console.until(lambda: len(console.app.theme_names) >= 5, "themes")
        await console.press("t")
        chosen = console.app.theme
        await console.until(lambda: theming.remembered() == chosen, "it is kept")
    async with running(FleetBuilder()) as console:
        await console.until(lambda: console.app.theme == chosen, "the theme of last time")


async def test_a_theme_that_cannot_be_kept_is_used_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LPTUI_STATE", str(tmp_path / "file"))
    async with running(FleetBuilder()) as console:
        await console.until(lambda: len(console.app.theme_names) >= 5, "themes")
        before = console.app.theme
        await console.press("t")
        assert console.app.theme != before
        await console.until(lambda: "theme not kept" in console.text(), "why not")


@pytest.mark.parametrize(
    ("terminal", "theme"), [("xterm", "lptui-ansi"), ("xterm-256color", "lptui-dark")]
)
async def test_a_terminal_with_sixteen_colours_gets_a_theme_of_sixteen(
    monkeypatch: pytest.MonkeyPatch, terminal: str, theme: str
) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", terminal)
    async with running(FleetBuilder()) as console:
        await console.until(lambda: len(console.app.theme_names) >= 5, "themes")
        assert console.app.theme == theme


async def keys_are_safe(console: Console) -> None:
    """Presses every key of the list, closing what opens."""
    for item in COMMANDS:
        if item.id in ("quit", "screenshot") or not item.keys:
            continue
        await console.press(item.keys[0])
        for _ in range(4):
            if console.app.screen is not console.app.overview or console.app.query("FilterPrompt"):
                await console.press("escape")


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (200, 60)])
async def test_every_key_at_every_size_before_and_after_the_first_answer(
    size: tuple[int, int],
) -> None:
    async with running(None, size) as console:
        await keys_are_safe(console)
    async with running(troubled(), size) as console:
        await keys_are_safe(console)
        assert console.app.is_running


async def test_resizing_changes_the_layout_and_keeps_the_cursor() -> None:
    async with running(FleetBuilder(), (200, 60)) as console:
        await console.press("6", "down", "down")
        key = console.app.overview.focused_pane.cursor_key
        for size in ((80, 24), (60, 20), (30, 8), (120, 40), (200, 60)):
            await console.pilot.resize_terminal(*size)
            await console.pilot.pause()
            assert console.app.overview.focused_pane.cursor_key == key
            assert len(console.lines()) == size[1]


@pytest.mark.parametrize("theme", ["lptui-light", "lptui-contrast", "lptui-ansi"])
async def test_every_screen_works_in_every_theme(theme: str) -> None:
    async with running(troubled()) as console:
        await console.until(lambda: theme in console.app.theme_names, "themes")
        console.app.theme = theme
        await console.pilot.pause()
        await keys_are_safe(console)
        await console.press("1", "home", "r")
        await console.until(lambda: "Conditions" in console.text(), "question")
        await console.press("escape", "slash", "x", "escape")
        assert console.app.is_running


DECLARED = {
    "flush": DeclaredCommand("flush", ("ip", "neigh", "flush"), ("node",), "write", help="forgets"),
    "look": DeclaredCommand("look", ("ls",), ("node",), "read"),
}


async def test_palette_offers_the_operators_own_commands() -> None:
    async with running(FleetBuilder().configure(commands=DECLARED)) as console:
        console.session.fits = {"orch-1", "main"}
        await console.press("ctrl+p", *"run flush")
        await console.until(lambda: "Run flush: forgets" in console.text(), "a change")
        await console.press("enter")
        await console.until(lambda: "plan run flush main" in console.session.calls, "its plan")


async def test_what_only_reads_is_shown_at_once_as_plain_text() -> None:
    builder = FleetBuilder().configure(commands=DECLARED)
    async with running(builder, read_only=True) as console:
        await console.press("ctrl+p", *"run ")
        await console.until(lambda: "Run look: ls" in console.text(), "what only reads")
        assert "Run flush" not in console.text()
        await console.press("enter")
        await console.until(lambda: "run look says: [red]fine" in console.text(), "what it said")
        await console.press("escape")
        await console.until(lambda: console.app.screen is console.app.overview, "closed")
        console.session.fits = set()
        await console.press("ctrl+p", *"run look", "enter")
        await console.until(lambda: "no thing selected" in console.text(), "why not")
