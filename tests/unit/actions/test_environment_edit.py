"""Changing one variable of an environment file: every other byte stays."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.actions.environment_edit import EditError, edit, is_writable, value_in
from lptui.probes.host import assignments

NAME = "LP_ORCHADDR"
OLD, NEW = "orch-1.example.org:8935", "orch-2.example.org:8935"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{NAME}={OLD}\n", f"{NAME}={NEW}\n"),
        (f'{NAME}="{OLD}"\n', f'{NAME}="{NEW}"\n'),
        (f"{NAME}='{OLD}'\n", f"{NAME}='{NEW}'\n"),
        (f"export {NAME}={OLD}\n", f"export {NAME}={NEW}\n"),
        (f"  export\t{NAME}={OLD}\n", f"  export\t{NAME}={NEW}\n"),
        (f"{NAME}={OLD}", f"{NAME}={NEW}"),
        (f"{NAME}={OLD}\r\nB=1\r\n", f"{NAME}={NEW}\r\nB=1\r\n"),
        (f"{NAME}={OLD}   # the first one\n", f"{NAME}={NEW}   # the first one\n"),
        (f'{NAME}="{OLD}" # the first one\n', f'{NAME}="{NEW}" # the first one\n'),
        (f"{NAME}={OLD} \t\n", f"{NAME}={NEW} \t\n"),
        (f"{NAME}=\n", f"{NAME}={NEW}\n"),
        (f"{NAME}=a\n{NAME}={OLD}\n", f"{NAME}=a\n{NAME}={NEW}\n"),
        (f"#{NAME}={OLD}\n", f"#{NAME}={OLD}\n{NAME}={NEW}\n"),
        (f"MY_{NAME}={OLD}\n", f"MY_{NAME}={OLD}\n{NAME}={NEW}\n"),
        ("A=1\nB=2", f"A=1\nB=2\n{NAME}={NEW}\n"),
        ("A=1\r\n", f"A=1\r\n{NAME}={NEW}\r\n"),
        ("export A=1\n\nexport B=2\n", f"export A=1\n\nexport B=2\nexport {NAME}={NEW}\n"),
        ("", f"{NAME}={NEW}\n"),
    ],
)
def test_the_value_is_changed_and_nothing_else(before: str, after: str) -> None:
    assert edit(before.encode(), NAME, NEW).decode() == after


def test_a_line_that_was_added_is_taken_away_again() -> None:
    before = b"A=1\nB=2\n"
    assert edit(edit(before, NAME, NEW), NAME, None) == before
    assert edit(before, NAME, None) == before


def test_what_a_shell_would_take_apart_is_put_in_quotes() -> None:
    assert edit(b"U=http://a\n", "U", "http://a/?b=1&c=2") == b'U="http://a/?b=1&c=2"\n'
    assert edit(b"U='http://a'\n", "U", "http://a/?b=1&c=2") == b"U='http://a/?b=1&c=2'\n"


@pytest.mark.parametrize("value", ['a"b', "a'b", "a\\b", "a\nb", "$HOME", "`id`", "a\x00", "ö"])
def test_what_cannot_be_written_so_that_all_read_it_alike_is_refused(value: str) -> None:
    assert not is_writable(value)
    with pytest.raises(EditError):
        edit(b"A=1\n", "A", value)


@pytest.mark.parametrize(
    "line",
    [b'A="a\\"b"\n', b"A=a\\\nb\n", b'A="a\nb"\n', b"A='a\nb'\n", b'A=a"b"c\n', b'A="a"b\n'],
)
def test_a_value_that_is_read_differently_by_different_readers_is_left_alone(line: bytes) -> None:
    with pytest.raises(EditError, match="A: its value"):
        edit(line, "A", "b")
    with pytest.raises(EditError, match="A: its value"):
        value_in(line, "A")


def test_nothing_is_added_to_a_line_that_goes_on() -> None:
    with pytest.raises(EditError, match="goes on"):
        edit(b"A=1 \\", NAME, NEW)


def test_a_line_to_take_away_must_be_the_only_one() -> None:
    with pytest.raises(EditError, match="2 times"):
        edit(b"A=1\nA=2\n", "A", None)


NAMES = st.sampled_from(["A", "B", NAME, "LP_ETHURL"])
VALUES = st.from_regex(r"[A-Za-z0-9._~:/@=,+%?#&;|* -]{0,40}", fullmatch=True)
LINES = st.one_of(
    st.just(b""),
    st.binary(max_size=30).map(lambda raw: b"# " + raw.replace(b"\n", b"").replace(b"\r", b"")),
    st.tuples(NAMES, VALUES).map(lambda one: f'{one[0]}="{one[1]}"'.encode()),
    st.tuples(NAMES, VALUES).map(lambda one: f"export {one[0]}='{one[1]}' # it".encode()),
)
FILES = st.tuples(st.lists(LINES, max_size=8), st.sampled_from([b"\n", b"\r\n"])).map(
    lambda parts: parts[1].join(parts[0])
)


@given(FILES, NAMES, VALUES)
def test_any_file_has_the_new_value_and_its_old_lines(text: bytes, name: str, value: str) -> None:
    new = edit(text, name, value)
    assert value_in(new, name) == value
    others = [line for line in text.splitlines() if assignments.variable_of(line) != name]
    kept = [line for line in new.splitlines() if assignments.variable_of(line) != name]
    assert kept == others


@given(FILES, NAMES, VALUES)
def test_the_old_value_put_back_gives_the_old_file(text: bytes, name: str, value: str) -> None:
    was = value_in(text, name)
    again = edit(edit(text, name, value), name, was)
    assert again == text or (was is None and again.rstrip(b"\r\n") == text.rstrip(b"\r\n"))


@given(VALUES)
def test_a_shell_reads_what_was_written(value: str) -> None:
    text = edit(b"", "A", value)
    shell = shutil.which("sh")
    assert shell
    script = text + b'printf %s "$A"\n'
    assert subprocess.run([shell], input=script, capture_output=True).stdout == value.encode()
