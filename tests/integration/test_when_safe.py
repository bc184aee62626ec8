"""`restart --when-safe` from the command line, as cron runs it."""

from __future__ import annotations

import os
from pathlib import Path

from tests import forked


def restart(state: Path, *words: str, scenario: str = "healthy") -> forked.Console:
    return forked.Console(
        *("--demo", "--scenario", scenario, "--headless", "restart", *words, "--when-safe"),
        cwd=state,
        environment={**os.environ, "LPTUI_STATE": str(state)},
    )


def test_it_waits_and_then_tells_what_was_in_its_way(tmp_path: Path) -> None:
    console = restart(tmp_path, "reward", "--yes", "--within", "1s", scenario="reward-retry")
    assert console.wait() == 1, console.out
    assert (
        "lptui: restart waits: aurora's reward of the round is called: last called" in console.err
    )
    assert "refused: restart reward: aurora's reward" in console.out
    assert "call reward first" in console.out


def test_a_node_whose_work_is_done_is_restarted(tmp_path: Path) -> None:
    console = restart(tmp_path, "redeemer", "--yes", "--within", "1h")
    assert console.wait() == 0, console.err
    assert console.out.startswith("done: restart redeemer")
    assert "wait until it is safe" in console.err


def test_nobody_waits_for_a_question_that_nobody_hears(tmp_path: Path) -> None:
    console = restart(tmp_path, "redeemer", "--within", "6h")
    assert console.wait() == 1
    assert "nobody to ask" in console.out
