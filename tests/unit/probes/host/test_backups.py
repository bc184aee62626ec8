"""Backups: in real folders, in each shell a host may have."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.backups import Backup
from lptui.fleet.facts.upkeep import BackupState, HostBackups
from lptui.probes.host.backups import DIGEST, SCRIPT, before, parse, verdict
from lptui.transport.protocols import Output
from tests.unit.probes.hostile import HOSTILE

SHELLS = [
    shell
    for shell in (["sh"], ["bash", "--posix"], ["busybox", "sh"], ["dash"])
    if shutil.which(shell[0])
]
OTHER = "nobody"
CAN_CHANGE_USER = os.geteuid() == 0 and OTHER in {user.pw_name for user in pwd.getpwall()}


def asked(shell: list[str], *paths: str, user: str | None = None) -> list[BackupState]:
    done = subprocess.run(
        [*shell, "-c", SCRIPT, "sh", *paths],
        capture_output=True,
        text=True,
        check=False,
        user=user,
    )
    backups = [Backup(f"b{number}", path) for number, path in enumerate(paths)]
    return list(parse(backups, done.stdout).backups)


def made(path: Path, text: str = "x", *, age: float = 0.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_of_a_pattern_the_newest_counts_and_folders_do_not(
    tmp_path: Path, shell: list[str]
) -> None:
    made(tmp_path / "keys 1.gz", "old", age=9000)
    made(tmp_path / "keys 2.gz", "newer", age=5000)
    (tmp_path / "keys 3.gz").mkdir()
    [it] = asked(shell, f"{tmp_path}/keys *.gz")
    assert it.file == str(tmp_path / "keys 2.gz")
    assert it.size == 5
    assert it.age_s is not None
    assert 4990 < it.age_s < 5100


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_one_file_by_its_name_and_none(tmp_path: Path, shell: list[str]) -> None:
    made(tmp_path / "a.tar", "", age=60)
    there, missing, nowhere = asked(
        shell, f"{tmp_path}/a.tar", f"{tmp_path}/b.tar", f"{tmp_path}/no/such/*.tar"
    )
    assert (there.file, there.size) == (str(tmp_path / "a.tar"), 0)
    assert missing == BackupState("b1")
    assert nowhere == BackupState("b2")


@pytest.mark.parametrize("shell", SHELLS, ids="-".join)
def test_a_path_is_never_a_command(tmp_path: Path, shell: list[str]) -> None:
    mark = tmp_path / "mark"
    odd = [
        f"{tmp_path}/$(touch {mark})",
        f"{tmp_path}/`touch {mark}`",
        f"{tmp_path}/x;touch {mark}",
    ]
    asked(shell, *odd, f"{tmp_path}/-r")
    assert not mark.exists()


@pytest.mark.skipif(not CAN_CHANGE_USER, reason="takes root, to be somebody else")
def test_a_closed_folder_is_not_an_empty_one(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    closed = tmp_path / "closed"
    made(closed / "a.tar")
    made(tmp_path / "days" / "1" / "a.tar")
    closed.chmod(0o700)
    (tmp_path / "days" / "1").chmod(0o700)
    paths = (f"{closed}/a.tar", f"{closed}/*.tar", f"{tmp_path}/days/*/a.tar", f"{tmp_path}/b.tar")
    found = asked(["sh"], *paths, user=OTHER)
    assert [one.closed for one in found] == [
        str(closed),
        str(closed),
        f"{tmp_path}/days/1",
        "",
    ]
    assert [one.file for one in found] == [""] * 4


def digested(file: Path) -> BackupState:
    done = subprocess.run(["sh", "-c", DIGEST, "sh", file], capture_output=True, check=False)
    return verdict(BackupState("b", str(file)), Output(done.stdout, done.returncode))


def test_a_checksum_file_in_either_form_agrees_or_does_not(tmp_path: Path) -> None:
    file = made(tmp_path / "a b.tar", "content")
    sum_file = tmp_path / "a b.tar.sha256"
    digest = hashlib.sha256(b"content").hexdigest()
    for text in (f"{digest}  a b.tar\n", digest.upper()):
        sum_file.write_text(text)
        assert digested(file).whole is True
    file.write_text("content, cut of")
    assert digested(file).whole is False


def test_what_cannot_be_compared_is_unknown(tmp_path: Path) -> None:
    file = made(tmp_path / "a.tar")
    assert "not there" in digested(file).unread
    (tmp_path / "a.tar.sha256").write_text("see the wiki\n")
    assert "no SHA-256" in digested(file).unread
    (tmp_path / "a.tar.sha256").write_text("0" * 64)
    file.unlink()
    assert "may not read" in digested(file).unread
    hung = verdict(BackupState("b", "/x"), Output(b"0" * 64 + b"\n=\n", 124))
    assert "longer" in hung.unread
    assert hung.whole is None


def test_a_verdict_lasts_until_the_file_is_written_to() -> None:
    state = BackupState("b", "/x", modified_at=10.0, age_s=5.0, size=3)
    known = HostBackups((replace(state, age_s=1.0, whole=True),))
    assert before(known, state) is not None
    assert before(known, replace(state, modified_at=11.0)) is None
    assert before(known, replace(state, size=4)) is None
    assert before(None, state) is None


@given(st.text(max_size=200))
@HOSTILE
def test_anything_else_is_refused_or_harmless(text: str) -> None:
    for answer in (text, f"1800000000\nat\n{text}"):
        try:
            found = parse([Backup("b", "/x")], answer)
        except BadAnswerError:
            continue
        [one] = found.backups
        assert "\x1b" not in one.file + one.closed
        assert (one.file == "") is (one.size is None)
