"""`check` and `status` into a file: its readers see a whole report, whatever goes wrong."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from lptui.headless import output
from lptui.headless.output import ReplacedFile
from tests import forked
from tests.smalldisk import small_disk

FLEET = "name: here\nhosts:\n  here: {local: true}\n"
OLD = "the report of last time\n"
STATES = ("OK - ", "WARNING - ", "CRITICAL - ", "UNKNOWN - ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a fleet's configuration."""
    (tmp_path / "lptui.yaml").write_text(FLEET)
    return tmp_path


def lptui(folder: Path, *words: str) -> tuple[int, str, str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    ran = forked.run("--headless", *words, cwd=folder, environment=environment)
    return ran.returncode, ran.stdout, ran.stderr


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".local", "lptui.yaml"}


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (("check",), STATES),
        (("check", "--format", "json"), ("{",)),
        (("check", "--format", "prometheus"), ("# HELP lptui_",)),
        (("check", "--format", "markdown"), ("#",)),
        (("status", "--format", "json"), ("{",)),
        (("status",), STATES),
    ],
)
def test_the_report_is_in_the_file_and_nowhere_else(
    folder: Path, words: tuple[str, ...], begins: tuple[str, ...]
) -> None:
    _, out, err = lptui(folder, *words, "--output", "report")
    assert (out, err, files(folder)) == ("", "", {"report"})
    written = (folder / "report").read_text()
    assert written.startswith(begins)
    assert written.endswith("\n")


def test_the_exit_code_is_that_of_the_findings(folder: Path) -> None:
    (folder / "lptui.yaml").unlink()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    words = ("--demo", "--scenario", "low-eth", "--headless", "check", "--output", "report")
    ran = forked.run(*words, cwd=folder, environment=environment)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert (folder / "report").read_text().startswith("CRITICAL - ")


def test_a_dash_is_standard_output(folder: Path) -> None:
    _, out, _ = lptui(folder, "status", "--output", "-")
    assert out.startswith(STATES)
    assert files(folder) == set()


def test_a_reader_of_the_old_file_reads_it_to_its_end(folder: Path) -> None:
    path = folder / "report"
    path.write_text(OLD)
    with path.open() as reader:
        lptui(folder, "status", "--output", "report")
        assert reader.read() == OLD
    assert path.read_text().startswith(STATES)


def test_the_file_keeps_its_mode_and_owner(folder: Path) -> None:
    path = folder / "report"
    path.write_text(OLD)
    path.chmod(0o640)
    owner = 65_534 if os.getuid() == 0 else os.getuid()
    os.chown(path, owner, -1)
    lptui(folder, "status", "--output", "report")
    assert path.read_text() != OLD
    found = path.stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o640, owner)


def test_a_new_file_is_as_the_umask_has_it(folder: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    lptui(folder, "status", "--output", "report")
    assert (folder / "report").stat().st_mode & 0o777 == 0o666 & ~mask


REFUSED = [
    ("nowhere/report", "No such file or directory", "make the folder first"),
    ("here", "Is a directory", "name a file in it"),
    ("new/", "Is a directory", "name a file in it"),
    ("lptui.yaml/report", "Not a directory", "name a file in a folder"),
    ("/dev/null", "it is a link or a device", "name the file itself"),
    ("link", "it is a link or a device", "name the file itself"),
    ("", "its FILE is empty", "is a variable not set?"),
    pytest.param(
        "/sys/report",
        "Permission denied",
        "let this user write",
        marks=pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="needs Linux's /sys"),
    ),
]


@pytest.mark.parametrize(("given", "why", "remedy"), REFUSED)
def test_what_cannot_be_written_is_unknown_and_named(
    folder: Path, given: str, why: str, remedy: str
) -> None:
    (folder / "here").mkdir()
    (folder / "aim").write_text(OLD)
    (folder / "link").symlink_to("aim")
    code, out, err = lptui(folder, "check", "--output", given)
    assert (code, out) == (3, "")
    assert why in err
    assert remedy in err
    assert files(folder) == {"here", "aim", "link"}
    assert (folder / "aim").read_text() == OLD


@pytest.mark.parametrize("verb", ["acceptance", "health", "reward", "logs", "validate"])
def test_no_other_command_has_it(folder: Path, verb: str) -> None:
    code, _, err = lptui(folder, verb, "here", "--output", "report")
    assert (code, f"--output: {verb} has no such option" in err) == (3, True)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_a_full_disk_leaves_the_old_report(folder: Path) -> None:
    (folder / "disk").mkdir()
    (folder / "disk" / "report").write_text(OLD)
    with small_disk(folder / "disk") as fill:
        fill()
        code, out, err = lptui(folder, "status", "--format", "json", "--output", "disk/report")
        assert (code, out) == (3, "")
        assert "disk/report: No space left on device" in err
        assert "make room there" in err
        assert (folder / "disk" / "report").read_text() == OLD
        assert files(folder / "disk") == {"report", "full"}


def test_a_run_that_does_not_end_is_not_taken_for_the_last_one(folder: Path) -> None:
    path = folder / "report"
    os.mkfifo(folder / "key")  # a key on a dead mount holds up a thread
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        host = f"{{address: 127.0.0.1, port: {port}, user: nobody, identity: {folder / 'key'}}}"
        (folder / "lptui.yaml").write_text(f"ssh: {{config: []}}\nhosts: {{away: {host}}}\n")
        for form, said in (("text", "UNKNOWN - the run did not end"), ("prometheus", "lptui_up 0")):
            path.write_text(OLD)
            words = ("check", "--format", form, "--output", "report", "--timeout", "0.1")
            code, out, err = lptui(folder, *words)
            assert (code, out) == (3, "")
            assert "did not end within its 0.1 s" in err
            assert said in path.read_text()
    assert files(folder) == {"report", "key"}


def test_a_failure_is_told_where_a_report_is_looked_for(folder: Path) -> None:
    (folder / "lptui.yaml").write_text("hosts: 7\n")
    path = folder / "report"
    path.write_text(OLD)
    code, out, err = lptui(folder, "check", "--format", "json", "--output", "report")
    assert (code, out, path.read_text()) == (3, "", OLD), "an empty document is no document"
    code, out, err = lptui(folder, "check", "--output", "report")
    assert (code, out) == (3, "")
    assert path.read_text().startswith("UNKNOWN - ")
    assert "lptui.yaml:1:8" in err


def test_a_disk_that_hangs_does_not_keep_a_run_beyond_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: goes_on.wait(30.0))
    monkeypatch.setattr(output, "LAST_WORDS_S", 0.05)
    path = tmp_path / "report"
    path.write_text(OLD)
    began = time.monotonic()
    ReplacedFile(path).last_words("new\n")
    assert time.monotonic() - began < 20.0
    assert path.read_text() == OLD
    goes_on.set()
