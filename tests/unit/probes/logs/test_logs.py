"""Lines of logs as journald, containers and files write them, and as nobody should."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import ProblemKind
from lptui.fleet.logs import Channel, Level, Stream, TimeKind
from lptui.fleet.topology import LogKind, LogSource
from lptui.probes.logs.asking import command, trouble
from lptui.probes.logs.parse import LONGEST, LONGEST_RAW, Lines, level_of, parse

NOW = 1_800_000_000.0


def channel(kind: LogKind, *names: str) -> Channel:
    return Channel(tuple(Stream(name[:5], "edge-1", LogSource(kind, name)) for name in names))


JOURNAL = channel(LogKind.JOURNAL, "alpha.service", "gamma.service")
FILE = channel(LogKind.FILE, "/var/log/a.log")
CONTAINER = channel(LogKind.CONTAINER, "trans")


def entry(**fields: object) -> bytes:
    usual = {"__REALTIME_TIMESTAMP": "1795799258013328", "__CURSOR": "s=1;i=2", "PRIORITY": "6"}
    return json.dumps({**usual, **fields}).encode()


def test_an_entry_of_a_journal_is_its_units_and_has_its_own_time() -> None:
    read = parse(JOURNAL, entry(MESSAGE="hello", _SYSTEMD_UNIT="gamma.service"), NOW, is_new=True)
    assert read is not None
    assert (read.stream.name, read.line.text, read.line.level) == ("gamma", "hello", Level.INFO)
    assert (read.line.at, read.line.time_kind) == (1795799258.013328, TimeKind.WRITTEN)
    # What systemd says of a unit is written by systemd, not by the unit.
    raw = entry(MESSAGE="Started.", UNIT="gamma.service", _SYSTEMD_UNIT="init.scope")
    about = parse(JOURNAL, raw, NOW, is_new=True)
    assert about is not None
    assert about.stream.name == "gamma"


@pytest.mark.parametrize(
    ("fields", "text", "level"),
    [
        ({"MESSAGE": list(b"\x1b[31mred\x1b[0m \xff")}, "red \ufffd", Level.INFO),
        ({"MESSAGE": None}, "(too long: left out by journalctl)", Level.INFO),
        ({"MESSAGE": ["one", "two"]}, "one two", Level.INFO),
        (
            {"MESSAGE": "E1127 12:38:13.1 1 a.go:1] no"},
            "E1127 12:38:13.1 1 a.go:1] no",
            Level.ERROR,
        ),
        ({"MESSAGE": "[bold]x[/] \u202eevil"}, "[bold]x[/] evil", Level.INFO),
        ({"MESSAGE": "x", "PRIORITY": "3"}, "x", Level.ERROR),
        ({"MESSAGE": "x", "PRIORITY": "012"}, "x", Level.UNKNOWN),
        ({"MESSAGE": "y" * 9000}, "y" * (LONGEST - 1) + "…", Level.INFO),
    ],
)
def test_what_a_message_may_be(fields: dict[str, object], text: str, level: Level) -> None:
    read = parse(JOURNAL, entry(**fields), NOW, is_new=True)
    assert read is not None
    assert (read.line.text, read.line.level) == (text, level)


def test_no_entry_and_no_time() -> None:
    assert parse(JOURNAL, b"-- No entries --", NOW, is_new=True) is None
    assert parse(JOURNAL, b"[1]", NOW, is_new=True) is None
    broken = parse(JOURNAL, b'{"MESSAGE": ', NOW, is_new=True)
    assert broken is not None
    assert "cannot be read" in broken.line.text
    timeless = parse(JOURNAL, entry(MESSAGE="x", __REALTIME_TIMESTAMP="soon"), NOW, is_new=True)
    assert timeless is not None
    assert timeless.line.time_kind is TimeKind.UNKNOWN


def test_a_files_lines_have_a_time_only_where_it_can_be_told() -> None:
    iso = parse(FILE, b"2026-11-27T17:07:38.5+01:00 [error] x", NOW, is_new=True)
    assert iso is not None
    assert (iso.line.at, iso.line.text) == (1795795658.5, "[error] x")
    assert iso.line.level is Level.ERROR
    # glog writes neither year nor zone: what a host's clock is set to is not guessed.
    for is_new, kind in ((True, TimeKind.SEEN), (False, TimeKind.UNKNOWN)):
        glog = parse(FILE, b"W1127 17:07:38.123 1 x.go:1] hm", NOW, is_new=is_new)
        assert glog is not None
        assert (glog.line.at, glog.line.time_kind, glog.line.level) == (NOW, kind, Level.WARNING)
    assert parse(FILE, b"==> /var/log/a.log <==", NOW, is_new=True) is None
    impossible = parse(FILE, b"2026-13-41T99:99:99Z x", NOW, is_new=True)
    assert impossible is not None
    assert impossible.line.time_kind is TimeKind.SEEN


def test_a_containers_time_is_taken_off() -> None:
    read = parse(CONTAINER, b"2026-11-27T17:07:38.123456789Z I1127 ok", NOW, is_new=False)
    assert read is not None
    assert (read.line.text, read.line.time_kind) == ("I1127 ok", TimeKind.WRITTEN)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("INFO [11-27|12:38:13.123] Imported new chain segment", Level.INFO),
        ("ERROR[11-27|12:38:13.123] Snapshot extension failed", Level.ERROR),
        ('time=x level=warning msg="y"', Level.WARNING),
        ('{"level":"error","msg":"y"}', Level.ERROR),
        ("2026/11/27 12:38:13 [warn] 12#12: conflicting server name", Level.WARNING),
        ("nothing of the kind", Level.UNKNOWN),
        ("a long line " + "x" * 90 + " ERROR in the middle of a sentence", Level.UNKNOWN),
    ],
)
def test_how_bad_a_line_says_that_it_is(text: str, level: Level) -> None:
    assert level_of(text) is level


@given(st.lists(st.binary(max_size=60), max_size=20), st.sampled_from([JOURNAL, FILE, CONTAINER]))
def test_any_bytes_become_lines_that_are_safe_to_show(chunks: list[bytes], of: Channel) -> None:
    lines = Lines()
    raw = [line for chunk in chunks for line in lines.feed(chunk)] + lines.end()
    assert b"\n".join(raw) == b"".join(chunks).removesuffix(b"\n")
    for one in raw:
        read = parse(of, one, NOW, is_new=True)
        assert read is None or (read.line.text.isprintable() and len(read.line.text) <= LONGEST)


@given(st.recursive(st.none() | st.text() | st.integers(), lambda of: st.lists(of, max_size=4)))
def test_any_field_of_an_entry_is_taken(value: object) -> None:
    raw = entry(MESSAGE=value, PRIORITY=value, __CURSOR=value, UNIT=value)
    read = parse(JOURNAL, raw, NOW, is_new=True)
    assert read is not None
    assert not read.line.text or read.line.text.isprintable()


def test_a_line_without_end_is_cut_and_what_follows_is_read_again() -> None:
    lines = Lines()
    found = [line for _ in range(40) for line in lines.feed(b"x" * 65536)]
    assert [len(line) for line in found] == [LONGEST_RAW]
    assert lines.feed(b"tail of it\nnext\n") == [b"next"]


@pytest.mark.parametrize(
    ("of", "status", "said", "kind"),
    [
        (
            JOURNAL,
            1,
            b"No journal files were opened due to insufficient permissions.\n",
            "forbidden",
        ),
        (
            JOURNAL,
            None,
            b"Hint: You are currently not seeing messages from other users",
            "forbidden",
        ),
        (
            CONTAINER,
            1,
            b"permission denied while trying to connect to the Docker daemon",
            "forbidden",
        ),
        (
            FILE,
            None,
            b"tail: cannot open '/var/log/a.log' for reading: No such file",
            "command-failed",
        ),
        (CONTAINER, 1, b"Error: No such container: trans", "command-failed"),
        (CONTAINER, 127, b"neither docker nor podman is installed", "command-not-found"),
        (JOURNAL, None, b"", ""),
        (JOURNAL, 0, b"", ""),
    ],
)
def test_what_a_log_complains_of(of: Channel, status: int | None, said: bytes, kind: str) -> None:
    problem = trouble(of, status, said)
    assert (problem.kind.value if problem else "") == kind
    if problem is not None and problem.kind is ProblemKind.FORBIDDEN:
        assert "let the login" in problem.remedy


def test_a_pattern_of_files_is_expanded_and_never_run(tmp_path: Path) -> None:
    """The script itself, in this machine's shell: names with spaces, quotes and commands."""
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "one.log").write_text("first\n")
    (folder / "$(touch evil);x.log").write_text("second\n")
    (folder / "old.log.gz").write_bytes(b"\x1f\x8b")
    asked = command(channel(LogKind.FILE, f"{folder}/*.log*"), 5, None, follow=False)
    done = subprocess.run(asked.argv, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert "first\n" in done.stdout
    assert "second\n" in done.stdout
    assert ".gz" not in done.stdout
    assert not (tmp_path / "evil").exists()
    for name in (f"{folder}/$(touch evil)", f"{folder}/none; touch evil", "-n"):
        asked = command(channel(LogKind.FILE, name), 5, None, follow=False)
        subprocess.run(asked.argv, cwd=tmp_path, capture_output=True, check=False, timeout=5)
    assert not (tmp_path / "evil").exists()


def test_a_container_is_asked_of_the_one_that_has_it(tmp_path: Path) -> None:
    """Both are installed: their words alone are looked at, by programs that print them."""
    for name, has in (("docker", 1), ("podman", 0)):
        program = tmp_path / name
        script = f'case "$1" in container) exit {has};; esac; echo {name} "$@"'
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    asked = command(CONTAINER, 7, 1_800_000_000.9, follow=True)
    done = subprocess.run(
        asked.argv, env={"PATH": f"{tmp_path}:/bin"}, capture_output=True, check=True, text=True
    )
    words = "podman logs --timestamps --tail 7 --since 1800000000 --follow -- trans\n"
    assert done.stdout == words
