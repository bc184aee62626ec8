"""The room that logs take: in real folders, in each shell a host may have."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.logs import GROWTH_S, HostLogs, LogFiles
from lptui.probes.host.log_files import SCRIPT, parse
from tests.unit.probes.hostile import HOSTILE

SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]


def asked(shell: list[str], *patterns: str) -> HostLogs:
    done = subprocess.run(
        [*shell, "-c", SCRIPT, "sh", *patterns], capture_output=True, text=True, check=True
    )
    return parse(patterns, done.stdout, None)


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_files_of_a_pattern_are_counted_and_folders_are_not(
    tmp_path: Path, shell: list[str]
) -> None:
    (tmp_path / "live peer.log").write_bytes(b"x" * 3000)
    (tmp_path / "live peer.1.log").write_bytes(b"x" * 5000)
    (tmp_path / "folder.log").mkdir()
    (tmp_path / "$(touch harm).log").write_bytes(b"x")
    found = asked(shell, f"{tmp_path}/live*.log", f"{tmp_path}/*.log", f"{tmp_path}/none*")
    assert [(one.files, one.size) for one in found.logs] == [(2, 8000), (3, 8001), (0, 0)]
    assert abs(found.read_at - time.time()) < 60
    assert found.journal_size is None or found.journal_size >= 0
    assert not (tmp_path / "harm").exists()


def text(*logs: str, now: int = 1_800_000_000, journal: str = "8", rotated: str = "") -> str:
    lines = (f"now {now}", f"journal {journal}", f"rotated {rotated}", *logs)
    return "\n".join(lines) + "\n"


def test_the_journal_and_the_age_of_logrotates_state() -> None:
    found = parse((), text(journal="24576", rotated="1799960000"), None)
    assert (found.journal_size, found.rotated_age_s) == (24576 * 1024, 40_000.0)
    found = parse((), text(journal=""), None)
    assert (found.journal_size, found.rotated_age_s) == (None, None)


def test_growth_is_told_from_the_first_reading_until_it_is_rotated() -> None:
    at = 1_800_000_000
    first = parse(("/l",), text("log 1 1000", now=at), None)
    assert first.logs[0].grown(at) is None
    later = at + int(GROWTH_S)
    second = parse(("/l",), text("log 1 3400", now=later), first)
    assert second.logs[0].grown(later) == 2400 * 24
    third = parse(("/l",), text("log 2 500", now=later + 60), second)
    assert third.logs == (LogFiles("/l", 2, 500, 500, later + 60.0),)


@HOSTILE
@given(st.lists(st.sampled_from(["/a", "/b*", "/c"]), unique=True), st.text())
def test_anything_else_is_no_answer(patterns: list[str], said: str) -> None:
    for answer in (said, text(*("log 1 1" for _ in patterns)) + said):
        try:
            found = parse(tuple(patterns), answer, None)
        except BadAnswerError:
            continue
        assert [one.pattern for one in found.logs] == patterns
