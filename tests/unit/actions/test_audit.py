"""The record's chain: whatever is done to a line afterwards shows, and where."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.actions.audit import Audit
from lptui.actions.audit_reading import Fault, Verdict, records, verify
from lptui.actions.plan import Outcome, Plan, Result, Step
from lptui.clock import FrozenClock

STEPS = (Step("take out", "web/o1", "set server", "it is out", 15, kind="servers"),)
PLAN = Plan("drain", "lb:web/o1", "take o1 out", STEPS, (), "no money", "none")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def audit(path: Path) -> Audit:
    return Audit(path, FrozenClock())


def written(path: Path, count: int = 5, first: int = 0) -> list[bytes]:
    """So many lines, as they are in the file."""
    for number in range(first, first + count):
        audit(path).append({"event": "step", "run": f"r{number}", "words": f"line {number}"})
    return path.read_bytes().splitlines()


def put(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def told(path: Path) -> list[str]:
    return [str(fault) for fault in verify(path).faults]


def test_lines_are_chained_and_whole(path: Path) -> None:
    written(path)
    verdict = verify(path)
    assert (verdict.lines, verdict.unchained, verdict.faults) == (5, 0, ())
    assert [json.loads(line)["line"] for line in path.read_bytes().splitlines()] == [1, 2, 3, 4, 5]


def test_no_record_is_whole(path: Path) -> None:
    assert verify(path) == Verdict(0, 0, verify(path).newest, ())
    assert records(path) == ()


def edited(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b"line 2", b"LINE 2") for line in lines]


TAMPERED: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "edited": (edited, "line 3: edited"),
    "last one edited": (
        lambda ls: [*ls[:4], ls[4].replace(b"line 4", b"line 5")],
        "line 5: edited",
    ),
    "removed": (lambda ls: [*ls[:2], *ls[3:]], "line 3: removed: 1 line before it"),
    "first one removed": (lambda ls: ls[1:], "line 1: removed: 1 line before it"),
    "repeated": (lambda ls: [*ls[:3], ls[2], *ls[3:]], "line 3: inserted"),
    "swapped": (lambda ls: [ls[0], ls[2], ls[1], *ls[3:]], "line 2: removed"),
    "inserted": (lambda ls: [*ls[:3], b'{"event":"x"}', *ls[3:]], "line 4: not chained"),
    "no JSON": (lambda ls: [*ls[:1], b"#", *ls[2:]], "line 2: not JSON"),
    "cut at the end": (lambda ls: ls[:3], "line 3: cut at the end: 2 lines after it"),
    "emptied": (lambda _: [], "cut at the end: 5 lines after it"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_was_done_to_a_line_is_named_with_its_number(path: Path, name: str) -> None:
    tamper, words = TAMPERED[name]
    put(path, tamper(written(path)))
    assert told(path)[0].startswith(words)


@pytest.mark.parametrize("name", TAMPERED)
def test_it_goes_on_showing_after_more_lines(path: Path, name: str) -> None:
    tamper, _ = TAMPERED[name]
    put(path, tamper(written(path)))
    written(path, 7, first=5)
    assert told(path)


@given(data=st.data())
def test_no_change_of_a_byte_passes(data: st.DataObject, tmp_path_factory: object) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    written(path, 3)
    raw = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(raw)
    assert told(path)


@given(cut=st.integers(1, 300))
def test_no_cut_of_the_end_passes(cut: int, tmp_path_factory: object) -> None:
    assert isinstance(tmp_path_factory, pytest.TempPathFactory)
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    written(path, 3)
    raw = path.read_bytes()
    path.write_bytes(raw[: max(0, len(raw) - cut)])
    # Without its line feed alone, the last line is all there.
    assert told(path) or cut == 1


def test_a_record_that_is_gone_is_cut(path: Path) -> None:
    written(path)
    path.unlink()
    assert "5 lines after it" in told(path)[0]


def test_without_the_second_place_a_cut_would_not_show_and_that_is_told(path: Path) -> None:
    written(path)
    path.with_suffix(".head").unlink()
    assert "audit.head" in told(path)[0]
    written(path, 1)
    assert "audit.head" in told(path)[0]


def test_a_second_place_that_lags_is_caught_up_with(path: Path) -> None:
    """As after a crash between the two writes."""
    written(path, 2)
    head = path.with_suffix(".head")
    early = head.read_bytes()
    written(path, 2)
    head.write_bytes(early)
    assert told(path) == []
    written(path, 1)
    assert head.read_bytes().split()[0] == b"5"
    put(path, path.read_bytes().splitlines()[:4])
    assert "cut at the end" in told(path)[0]


def test_lines_of_older_versions_are_told_as_such(path: Path) -> None:
    put(path, [b'{"event":"started","run":"a"}', b'{"event":"ended","run":"a"}'])
    assert verify(path).unchained == 2
    lines = written(path, 2)
    verdict = verify(path)
    assert (verdict.lines, verdict.unchained, verdict.faults) == (4, 2, ())
    put(path, lines[1:])
    assert told(path)[0] == "line 2: removed: 1 line before it"
    put(path, [lines[0], b'{"event":"ended","run":"b"}', *lines[2:]])
    assert told(path)[0].startswith("line 2: edited")


def test_half_a_line_that_a_crash_left_is_told_and_spoils_nothing_else(path: Path) -> None:
    written(path, 2)
    with path.open("ab") as file:
        file.write(b'{"at":"2026-')
    assert told(path) == ["line 3: not JSON: edited, or only half of it was ever written"]
    written(path, 2)
    assert told(path) == ["line 3: not JSON: edited, or only half of it was ever written"]
    assert [record.run for record in records(path)] == ["r0", "r1"]


def test_a_line_that_the_disk_took_half_of_is_taken_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path, 2)
    before, write = path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[: len(data) // 2]))
    with pytest.raises(OSError, match="a part of the line") as caught:
        audit(path).append({"event": "step"})
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert path.read_bytes() == before
    written(path, 1)
    assert told(path) == []


def test_a_line_longer_than_what_is_read_at_once(path: Path) -> None:
    audit(path).append({"event": "started", "run": "a", "steps": ["x" * 300_000]})
    written(path, 2)
    assert told(path) == []


APPENDS = """
import sys
from pathlib import Path
from lptui.actions.audit import Audit
from lptui.clock import SystemClock
for number in range(40):
    Audit(Path(sys.argv[1]), SystemClock()).append({"event": "step", "run": sys.argv[2]})
"""


def test_several_processes_at_once_make_one_chain(path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", APPENDS, str(path), f"p{number}"])
        for number in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert (verify(path).lines, told(path)) == (160, [])
    assert {record.run for record in records(path)} == {"p0", "p1", "p2", "p3"}


def test_names_that_are_no_text_are_kept_as_escapes(path: Path) -> None:
    audit(path).append({"event": "step", "run": "a", "words": "\udcff"})
    assert told(path) == []


def test_a_run_is_told_with_who_what_and_how_it_ended(path: Path) -> None:
    run = audit(path).run(PLAN, "prod", "abcd")
    run.started()
    run.event(0, "began", "")
    run.event(0, "made", "web/o1 is out")
    [record] = records(path)
    assert (record.run, record.outcome) == ("abcd", "")
    run.ended(Result(PLAN, Outcome.DONE, "no sessions"))
    [record] = records(path)
    assert (record.action, record.target, record.plan) == ("drain", "lb:web/o1", PLAN.hash)
    assert (record.outcome, record.summary, record.fleet) == ("done", "no sessions", "prod")
    assert [one.event for one in record.happenings] == ["started", "began", "made", "ended"]
    assert record.happenings[1].number == 1
    run.taken_up("undo")
    [record] = records(path)
    assert (record.outcome, record.verb) == ("", "undo")


def test_hostile_lines_are_only_text(path: Path) -> None:
    path.write_bytes(
        b'{"run":["x"],"event":{"a":1},"step":7,"number":"1","proof":3,"who":"\\u001b[31mred"}\n'
        b'\xff\xfe\n[[[[\n{"run":1}\n'
    )
    [record] = records(path)
    assert record.who == "red"
    assert verify(path).faults[0] == Fault(
        2, "not JSON: edited, or only half of it was ever written"
    )
