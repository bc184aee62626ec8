"""`check --page-only`: what cron may wake somebody with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema_rs
import pytest

from tests.forked import run

SCHEMA = Path(__file__).parents[2] / "lptui" / "report" / "schemas" / "check.schema.json"
FLEET = "name: here\nhosts: {here: {local: true, mounts: [/not-there]}}\n"
ALWAYS_QUIET = "paging: {quiet_hours: '00:00-24:00', can_wait: [disk, reboot-required]}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lptui.yaml").write_text(FLEET + ALWAYS_QUIET)
    return tmp_path


def lptui(folder: Path, *words: str) -> tuple[int, str, str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    ran = run("--headless", *words, cwd=folder, environment=environment)
    return ran.returncode, ran.stdout, ran.stderr


def test_what_can_wait_wakes_nobody_and_is_told(folder: Path) -> None:
    code, told, _ = lptui(folder, "check")
    assert code == 2
    assert "CRITICAL disk@here" in told
    assert "(no page: the quiet hours have no end)" in told
    code, told, _ = lptui(folder, "check", "--page-only", "--format", "json")
    found = json.loads(told)
    jsonschema_rs.validate(json.loads(SCHEMA.read_text()), found)
    assert code == found["exit_code"]
    [disk] = [one for one in found["findings"] if one["id"] == "disk@here"]
    assert (disk["severity"], disk["page"]["now"]) == ("CRITICAL", False)
    bad = [one for one in found["findings"] if one["page"] and one["page"]["now"]]
    assert bool(code) == bool(bad)


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        (FLEET, ("check", "--page-only"), "set paging"),
        (FLEET + ALWAYS_QUIET, ("status", "--page-only"), "has no such option"),
        (FLEET + ALWAYS_QUIET, ("check", "--page-only", "--format", "markdown"), "text or json"),
        (FLEET + ALWAYS_QUIET.replace("disk", "dsk"), ("check",), "did you mean disk?"),
    ],
    ids=["no quiet hours", "status", "markdown", "no such check"],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, text: str, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "lptui.yaml").write_text(text)
    code, _, said = lptui(tmp_path, *words)
    assert (code, told in said) == (3, True)


def test_a_check_that_there_is_not_is_a_mistake(folder: Path) -> None:
    (folder / "lptui.yaml").write_text(FLEET + ALWAYS_QUIET.replace("disk", "dsk"))
    code, told, _ = lptui(folder, "validate")
    assert code == 1
    assert "paging.can_wait: there is no check 'dsk'; did you mean disk?" in told
