"""The console in a real terminal, on the real fleet: keys pressed, screens read, reward proved."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.command import Operator, unsafe
from tests.e2e.fleet import HOSTS, Document, RealFleet
from tests.e2e.servers import blackhole
from tests.e2e.terminal import PROMPT, Terminal, running_terminal
from tests.sshd import descendants
from tests.waiting import on_this_machine, until

PANES = (
    "1 Round & reward",
    "2 ETH balances",
    "3 Transcoders & GPUs",
    "4 Load balancers",
    "5 Ethereum sync",
    "6 Hosts",
)
SIZES = [(80, 24), (200, 60)]
FIRST_S = 60.0
"""For the first readings of everything, on a machine that does other things too."""


def quit_and_check(terminal: Terminal, before: str) -> None:
    """`q` ends within 2 s; the terminal is as it was and the shell takes commands."""
    started = time.monotonic()
    terminal.keys("q")
    terminal.until_text("code=0")
    assert time.monotonic() - started < on_this_machine(2.0)
    text = terminal.until_text(PROMPT)
    assert "Traceback" not in text
    assert terminal.modes == before
    terminal.type("stty -a")
    terminal.keys("Enter")
    seen = terminal.until_text("icanon", " echo ", "isig")
    assert " -icanon" not in seen
    assert " -echo " not in seen


def console(terminal: Terminal, fleet: RealFleet, *more: str) -> None:
    """The console on the fleet, with figures in all panes."""
    terminal.lptui("--config", str(fleet.config()), *more)
    whole = (*PANES, "6 of 6 reached", "3 of 3 synced", "4 of 4 servers up", "main")
    text = terminal.until_text(*whole, deadline_s=FIRST_S)
    assert not unsafe(text)


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_every_key(real_fleet: RealFleet, operator: Operator, columns: int, lines: int) -> None:
    with running_terminal(operator, columns, lines) as terminal:
        before = terminal.modes
        console(terminal, real_fleet)
        assert terminal.listening() == set()
        press_every_key(terminal)
        assert not unsafe(terminal.screen)
        assert terminal.listening() == set()
        quit_and_check(terminal, before)
    screenshots = list(operator.home.glob("lptui-*.svg"))
    assert len(screenshots) == 1
    assert "Round &amp;" in screenshots[0].read_text().replace("&#160;", " ")


def press_every_key(terminal: Terminal) -> None:
    """Each key does what the help says, and nothing ends the console."""
    inside = ("redeemer", "transcoder-1", "rpc-edge", "hosted", "treasury")
    for number, text in enumerate(inside, 2):
        terminal.keys(str(number))
        terminal.until_text(f"━ {number} ", text)
    # Zoom: the other panes go, and come back.
    terminal.keys("6", "z")
    terminal.until_gone(PANES[0])
    terminal.until_text(*HOSTS)
    terminal.keys("z")
    terminal.until_text(*PANES)
    # Detail of the selected row.
    terminal.keys("Enter")
    terminal.until(
        lambda seen: "Findings" in seen and any(f"host {name}" in seen for name in HOSTS),
        "a host in detail",
    )
    terminal.keys("Escape")
    terminal.until_gone("Findings")
    terminal.until_text(*PANES)
    # Filter, and away with it.
    terminal.keys("/")
    terminal.type("treas")
    terminal.keys("Enter")
    terminal.until(lambda seen: "treasury" in seen and "orch-2 " not in pane(seen), "the filter")
    terminal.keys("Escape")
    terminal.until(lambda seen: "orch-2 " in pane(seen), "no filter")
    # Sort.
    terminal.keys("s")
    terminal.until_text("sorted by")
    # Pause.
    terminal.keys("p")
    terminal.until_text("PAUSED")
    terminal.keys("p")
    terminal.until_gone("PAUSED")
    # Interval.
    terminal.keys("+")
    terminal.until_text("every 1 s")
    terminal.keys("-")
    terminal.until_text("every 2 s")
    # Events, help, palette.
    terminal.keys("e")
    terminal.until_text("events since the console started")
    terminal.keys("Escape")
    terminal.until_gone("events since the console started")
    terminal.until_text(*PANES)
    terminal.keys("?")
    terminal.until_gone(PANES[0])
    terminal.keys("Escape")
    terminal.until_text(*PANES)
    terminal.keys("C-p")
    terminal.until_text("command or name")
    terminal.type("balances")
    terminal.keys("Enter")
    terminal.until_text("━ 2 ETH balances")
    # Theme, copy, screenshot, acknowledge.
    terminal.keys("t")
    terminal.until_text("theme lptui")
    terminal.keys("c")
    terminal.until_text("copied")
    terminal.keys("S")
    terminal.until_text("screenshot:")
    terminal.keys("a")
    terminal.until_text("nothing to acknowledge")
    # What is not there yet says so, and does nothing.
    terminal.keys("1")
    terminal.until_text("━ 1 Round")


def pane(text: str) -> str:
    """The part of the screen that shows the hosts."""
    return text.partition("6 Hosts")[2]


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_reward_from_the_key_to_the_chain(
    real_fleet: RealFleet, operator: Operator, columns: int, lines: int
) -> None:
    """A due reward: asked with No first, refused by Enter, then done and proved on the chain."""
    stage, net, account = real_fleet.stage, real_fleet.net, real_fleet.registered
    number = stage.do(net.next_round(blocks_into=1000))
    sent = real_fleet.calls.count("/reward")
    try:
        with running_terminal(operator, columns, lines) as terminal:
            before = terminal.modes
            console(terminal, real_fleet)
            terminal.until_text(f"round {number}", "due")
            terminal.keys("1", "r")
            text = terminal.until_text("Yes, reward main", "call reward for main", "cost")
            assert f"round {number}" in text
            # Enter is No.
            terminal.keys("Enter")
            terminal.until_gone("Yes, reward main")
            assert real_fleet.calls.count("/reward") == sent
            assert stage.do(net.last_reward_round(account)) < number
            # And now indeed.
            terminal.keys("r")
            terminal.until_text("Yes, reward main")
            terminal.keys("Right", "Enter")
            terminal.until(
                lambda _: stage.do(net.last_reward_round(account)) == number,
                "the reward on the chain",
                15,
            )
            terminal.until_text("called", "1 of 1 called", deadline_s=60)
            # Proved by its event: the transaction that the chain knows, among the events.
            terminal.keys("e")
            terminal.until_text("events since")
            pages = itertools.cycle(("NPage",) * 3 + ("PPage",) * 3)

            def is_told(seen: str) -> bool:
                """What a busy machine has warned of meanwhile may stand before it."""
                if "0x" in seen and "LPT" in seen:
                    return True
                terminal.keys(next(pages))
                return False

            terminal.until(is_told, "the transaction among the events", 60)
            terminal.keys("Escape")
            terminal.until_text(*PANES)
            assert real_fleet.calls.count("/reward") == sent + 1
            # Once more is not twice.
            terminal.keys("r")
            terminal.until_text("already")
            terminal.keys("Escape")
            terminal.until_text(*PANES)
            quit_and_check(terminal, before)
        assert real_fleet.calls.count("/reward") == sent + 1
        audit = (operator.state / "audit.jsonl").read_text().splitlines()
        events = [json.loads(line)["event"] for line in audit]
        assert events == ["started", "step", "step", "ended"]
        assert json.loads(audit[-1])["proof"]["tx"].startswith("0x")
    finally:
        if stage.do(net.last_reward_round(account)) < number:
            stage.do(net.reward(account))


@pytest.mark.slow
def test_read_only_refuses(real_fleet: RealFleet, operator: Operator) -> None:
    with running_terminal(operator, 80, 24) as terminal:
        before = terminal.modes
        console(terminal, real_fleet, "--read-only")
        terminal.keys("1", "r")
        terminal.until_text("read-only")
        quit_and_check(terminal, before)


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [True, False], ids=["at-once", "later"])
def test_quits_while_a_host_hangs(real_fleet: RealFleet, operator: Operator, at_once: bool) -> None:
    with blackhole() as port, running_terminal(operator, 80, 24) as terminal:
        before = terminal.modes

        def edit(document: Document) -> None:
            document["hosts"]["orch-1"]["port"] = port

        terminal.lptui("--config", str(real_fleet.config(edit)))
        terminal.until_text(*PANES, deadline_s=FIRST_S)
        if not at_once:
            # The others are there although one is not, and soon.
            terminal.until_text("5 of 6 reached", "3 of 3 synced", deadline_s=FIRST_S)
        quit_and_check(terminal, before)


@pytest.mark.slow
def test_a_host_that_dies_is_told_and_comes_back(
    real_fleet: RealFleet, operator: Operator, tmp_path: Path
) -> None:
    """HAProxy's server goes down and comes back while the console watches."""
    stage, one = real_fleet.stage, real_fleet.backends["orch-1"]
    with running_terminal(operator, 200, 60) as terminal:
        before = terminal.modes
        console(terminal, real_fleet)
        stage.do(one.stop())
        try:
            terminal.until_text("3 of 4 servers up", "CRITICAL 1", "down by its", deadline_s=60)
        finally:
            stage.do(one.start())
        terminal.until_text("4 of 4 servers up", deadline_s=60)
        quit_and_check(terminal, before)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_restores_the_terminal(
    real_fleet: RealFleet, operator: Operator, number: signal.Signals
) -> None:
    with running_terminal(operator, 80, 24) as terminal:
        before = terminal.modes
        console(terminal, real_fleet)
        [pid] = descendants(terminal.shell)
        os.kill(pid, number)
        text = terminal.until_text("code=", PROMPT)
        assert "Traceback" not in text
        assert "code=0" not in text
        assert terminal.modes == before


@pytest.mark.slow
def test_to_the_shell_and_back(real_fleet: RealFleet, operator: Operator) -> None:
    with running_terminal(operator, 80, 24) as terminal:
        before = terminal.modes
        console(terminal, real_fleet)
        terminal.keys("C-z")
        terminal.until_text(PROMPT)
        assert terminal.modes == before
        terminal.type("clear; stty -a; fg; echo code=$?")
        terminal.keys("Enter")
        # From the first line to the last: nothing was left out.
        terminal.until_text("round ", *PANES, "Ctrl+P palette")
        terminal.keys("6")
        terminal.until_text("━ 6 ")
        quit_and_check(terminal, before)


@pytest.mark.slow
def test_a_terminal_that_goes_away_leaves_nothing_running(
    real_fleet: RealFleet, operator: Operator
) -> None:
    with running_terminal(operator, 80, 24) as terminal:
        console(terminal, real_fleet)
        started = descendants(terminal.shell)
        assert started
        terminal.tmux("kill-server")
        ends = time.monotonic() + 30
        while left := [pid for pid in started if Path(f"/proc/{pid}/cmdline").exists()]:
            assert time.monotonic() < ends, f"still there: {left}"
            time.sleep(0.03)
    real_fleet.stage.do(until(real_fleet.quiet, 30, "all logins ended"))


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_the_demo(operator: Operator, columns: int, lines: int) -> None:
    with running_terminal(operator, columns, lines) as terminal:
        before = terminal.modes
        terminal.lptui("--demo")
        text = terminal.until_text(*PANES, deadline_s=FIRST_S)
        terminal.until(lambda seen: "synced" in seen and "reached" in seen, "figures", FIRST_S)
        for number in range(1, 7):
            terminal.keys(str(number))
            terminal.until_text(f"━ {number} ")
        terminal.keys("z")
        terminal.until_gone(PANES[0])
        terminal.keys("z")
        terminal.until_text(*PANES)
        assert not unsafe(text)
        quit_and_check(terminal, before)
