"""A headless run as a process: its deadline, and outputs that fail or know few characters."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
import pytest

from tests.waiting import on_this_machine

LOCAL = "name: here\nhosts:\n  here: {local: true}\n"
CHECK = ("--headless", "check")
NO_RUN = """\
# HELP lptui_up 1: lptui ran and wrote this.
# TYPE lptui_up gauge
lptui_up 0
# HELP lptui_status Worst state of all checks: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
# TYPE lptui_status gauge
lptui_status 3
"""
CODES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "lptui.yaml"
    path.write_text(LOCAL)
    return str(path)


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """A fleet of one host that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        path = tmp_path / "lptui.yaml"
        port = server.getsockname()[1]
        host = f"{{address: 127.0.0.1, port: {port}, user: nobody}}"
        path.write_text(f"name: there\nssh: {{config: []}}\nhosts:\n  there: {host}\n")
        yield str(path)


def lptui(*words: str, shell: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs it to its end; `shell` is what a shell is to do with its output."""
    argv = [sys.executable, "-m", "lptui", *words]
    if shell:
        argv = ["/bin/sh", "-c", f'"$@" {shell}', "sh", *argv]
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("words", [("--demo", "--scenario", "help"), ("config", "schema")])
def test_a_full_disk_fails_every_command(words: tuple[str, ...]) -> None:
    done = lptui(*words, shell=">/dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("words", [CHECK, ("--headless", "status"), ("--headless", "validate")])
def test_a_full_disk_is_unknown_in_one_line(config: str, words: tuple[str, ...]) -> None:
    done = lptui(*words, "--config", config, shell=">/dev/full")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_report_that_nobody_takes_does_not_pass_for_a_refusal() -> None:
    """Exit code 1 would say that nothing was done."""
    act = ("--demo", "--headless", "undrain", "lb:orchestrators/orch-1", "--yes")
    done = lptui(*act, shell=">/dev/full")
    assert done.returncode == 3
    assert "what was done is on record: lptui audit" in done.stderr
    assert lptui(*act, shell=">/dev/full 2>/dev/full").returncode == 3


def test_the_exit_code_is_told_even_with_closed_outputs() -> None:
    done = lptui("--demo", "--scenario", "low-eth", *CHECK, shell=">&- 2>&- <&-")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
    wrong = lptui(*CHECK, "--config", "/nowhere", shell=">&- 2>&- <&-")
    assert (wrong.returncode, wrong.stdout, wrong.stderr) == (3, "", "")


def test_a_reader_that_leaves_early_is_no_fault(config: str) -> None:
    done = lptui(*CHECK, "--config", config, "--format", "json", shell="| head -c 1")
    assert (done.stdout, done.stderr) == ("{", "")


@pytest.mark.parametrize("form", ["text", "json"])
def test_characters_that_the_terminal_lacks_break_nothing(form: str) -> None:
    plan = ("--demo", "--headless", "reward", "--dry-run", "--format", form)
    done = lptui(*plan, PYTHONIOENCODING="ascii")
    assert done.returncode in (0, 1)
    assert done.stdout.isascii()
    assert "Traceback" not in done.stderr


def test_a_deadline_too_short_for_anything_is_kept_and_says_so(config: str) -> None:
    done = lptui(*CHECK, "--config", config, "--timeout", "0.1")
    assert done.returncode == 3
    assert done.stdout == "UNKNOWN - the run did not end within its 0.1 s\n"


@pytest.mark.parametrize("form", ["json", "markdown", "prometheus"])
def test_a_deadline_too_short_gives_no_half_document(config: str, form: str) -> None:
    done = lptui(*CHECK, "--config", config, "--format", form, "--timeout", "0.1")
    assert (done.returncode, done.stdout) == (3, NO_RUN if form == "prometheus" else "")
    assert "did not end within its 0.1 s" in done.stderr


def test_a_failure_is_told_to_whoever_reads_standard_output_alone(tmp_path: Path) -> None:
    where = ("--config", str(tmp_path / "a|b.yaml"))
    text = lptui(*CHECK, *where)
    assert text.returncode == 3
    assert text.stdout.startswith("UNKNOWN - ")
    assert "|" not in text.stdout
    page = lptui(*CHECK, *where, "--format", "prometheus")
    assert (page.returncode, page.stdout) == (3, NO_RUN)
    assert lptui(*CHECK, *where, "--format", "json").stdout == ""


def test_what_blocks_a_thread_does_not_outlive_the_deadline(silent: str, tmp_path: Path) -> None:
    """A key on a dead mount, here a pipe that nobody writes to."""
    pipe = tmp_path / "key"
    os.mkfifo(pipe)
    Path(silent).write_text(Path(silent).read_text().replace("nobody", f"nobody, identity: {pipe}"))
    started = time.monotonic()
    done = lptui(*CHECK, "--config", silent, "--timeout", "3")
    assert time.monotonic() - started < 3 + on_this_machine(1)
    assert done.returncode == 3
    assert done.stdout.startswith("UNKNOWN - ")


def test_silence_within_a_short_run_is_unknown_and_not_an_alarm(silent: str) -> None:
    started = time.monotonic()
    with Path(silent).open("a") as file:
        file.write("intervals: {timeout: 60s}\n")
    done = lptui(*CHECK, "--config", silent, "--timeout", "15")
    assert time.monotonic() - started < 15 + on_this_machine(1)
    assert done.returncode == 3
    first = done.stdout.splitlines()[0]
    assert first.startswith("UNKNOWN - ")
    assert "host-up(there) not known" in first


def test_a_format_that_a_verb_lacks_is_refused_before_anything_is_asked(silent: str) -> None:
    done = lptui("--headless", "status", "--config", silent, "--format", "prometheus")
    assert (done.returncode, done.stdout) == (3, "")
    assert "has no format prometheus" in done.stderr


def test_a_run_counts_from_the_start_of_its_process(config: str) -> None:
    started = time.monotonic()
    done = lptui(*CHECK, "--config", config)
    took = time.monotonic() - started
    assert done.returncode == CODES[done.stdout.partition(" ")[0]]
    told = float(done.stdout.partition("'run_time'=")[2].partition("s")[0])
    assert 0.02 < told <= took + 0.02


def test_a_low_limit_of_open_files_is_raised_where_it_may_be() -> None:
    words = f"exec {sys.executable} -m lptui --demo --headless check --timeout 60"
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -S -n 60; {words}"], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith(tuple(CODES))
    assert "open files" not in done.stdout
    assert done.stderr == ""


IN_BACKGROUND = ["/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
"""As a shell without job control begins what it does not wait for."""


@pytest.mark.parametrize(
    ("number", "before"),
    [
        (signal.SIGINT, []),
        (signal.SIGTERM, []),
        (signal.SIGHUP, []),
        (signal.SIGTERM, IN_BACKGROUND),
    ],
)
def test_a_demo_that_is_ended_while_it_starts_leaves_nothing(
    tmp_path: Path, number: signal.Signals, before: list[str]
) -> None:
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "lptui", "--demo", *CHECK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    while process.poll() is None and not any(tmp_path.iterdir()):
        time.sleep(0.002)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert (out, err) == (b"", b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["check", "status"])
def test_the_schema_of_a_report_is_printed_and_the_report_keeps_to_it(
    config: str, verb: str
) -> None:
    schema = json.loads(lptui(verb, "schema").stdout)
    report = json.loads(lptui("--headless", verb, "--config", config, "--format", "json").stdout)
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.Draft202012Validator(schema).validate(report)
    assert not jsonschema_rs.Draft202012Validator(schema).is_valid({**report, "kind": "other"})
