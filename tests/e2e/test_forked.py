"""What forked consoles are is what `python -m lptui` is; most other tests fork theirs."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.command import Operator
from tests.forked import Console, Program

MISTAKEN = "hosts: {a: {prot: 1, local: yes}}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("--headless", "check", "--timeout", "nonsense"),
        ("--headless", "validate"),
        (),
    ],
)
def test_it_says_and_ends_as_a_program(operator: Operator, words: tuple[str, ...]) -> None:
    (operator.home / "lptui.yaml").write_text(MISTAKEN)
    environment = operator.environment() | {"LPTUI_CONFIG": "lptui.yaml", "COLUMNS": "60"}
    argv = (sys.executable, "-m", "lptui", *words)
    program = Program(*argv, cwd=operator.home, environment=environment)
    console = Console(*words, cwd=operator.home, environment=environment)
    assert console.wait() == program.wait(60)
    assert (console.out, console.err) == (program.out, program.err)
    assert console.out + console.err


def test_it_is_a_process_with_an_age_and_a_place_of_its_own(operator: Operator) -> None:
    console = Console(
        *("--demo", "--headless", "check", "--timeout", "60"),
        cwd=operator.home,
        environment=operator.environment(),
    )
    process = Path(f"/proc/{console.pid}")
    assert (process / "cwd").readlink() == operator.home
    assert (process / "fd" / "0").readlink() == Path(os.devnull)
    console.send_signal(signal.SIGKILL)
    assert console.wait() == -signal.SIGKILL
    assert console.poll() == -signal.SIGKILL
    assert not process.exists()
