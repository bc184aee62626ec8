"""README's promises: every command in it runs (the two of `make`: test_setup.py)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """`lptui` on the path, the demo's fleet as the operator's where a command has none."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "LPTUI_STATE": str(tmp_path / "state")}


def run(
    command: str, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_readme_names_exactly_these_commands() -> None:
    assert commands() == [
        "make demo",
        "make test",
        "lptui --headless validate",
        "lptui --headless check",
        "lptui --headless check --format prometheus --output lptui.prom",
        "lptui --headless reward --dry-run",
        "lptui --headless reward --if-due > /dev/null",
        "lptui --demo --headless drain orch-1 --dry-run",
        "lptui sudoers",
        "lptui --demo --scenario reward-missed --headless check",
    ]


def test_make_test_is_what_continuous_integration_runs() -> None:
    script = (REPOSITORY / ".ci" / "run").read_text()
    assert "make test" in script
    assert "LPTUI_REQUIRE_REAL=1" in script


def test_the_example_is_a_valid_start(tmp_path: Path, environment: dict[str, str]) -> None:
    shutil.copy(REPOSITORY / "config.example.yaml", tmp_path / "lptui.yaml")
    done = run("lptui --headless validate", tmp_path, environment)
    assert done.returncode == 0, done.stdout


def test_check_and_its_prometheus_form_run_on_this_machine(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "lptui.yaml").write_text("name: here\nhosts:\n  here: {local: true}\n")
    done = run("lptui --headless check", tmp_path, environment)
    assert done.returncode in range(4), done.stderr
    assert re.match(r"(OK|WARNING|CRITICAL|UNKNOWN) - .*\|", done.stdout)
    run(commands()[4], tmp_path, environment)
    assert "lptui_check_status{" in (tmp_path / "lptui.prom").read_text()


def test_the_demo_scenario_is_found_by_check(tmp_path: Path, environment: dict[str, str]) -> None:
    done = run(commands()[9], tmp_path, environment)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "reward" in done.stdout.splitlines()[0]


def test_a_reward_can_be_planned_on_the_demo(tmp_path: Path, environment: dict[str, str]) -> None:
    command = commands()[5].replace("lptui ", "lptui --demo --scenario reward-missed ", 1)
    done = run(command, tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("plan ")


def test_a_due_reward_is_called_on_the_demo(tmp_path: Path, environment: dict[str, str]) -> None:
    command = commands()[6].replace("lptui ", "lptui --demo --scenario reward-retry ", 1)
    done = run(command, tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""


def test_a_drain_can_be_planned_on_the_demo(tmp_path: Path, environment: dict[str, str]) -> None:
    done = run(commands()[7], tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "take orchestrators/orch-1 out of service" in done.stdout


def test_the_rules_of_a_hosts_sudoers_are_printed(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "lptui.yaml").write_text(
        "hosts:\n  here: {local: true}\nnodes:\n  n: {host: here, role: transcoder, unit: lp}\n"
    )
    done = run(commands()[8], tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert " NOPASSWD: /usr/bin/systemctl stop lp.service\n" in done.stdout


def test_the_pictures_of_the_readme_are_there() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (REPOSITORY / path).is_file(), path
