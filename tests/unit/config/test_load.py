"""Reading the file: bounds, encodings, YAML's own mistakes, and where everything is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lptui.config import ConfigMistakes, find_mistakes
from lptui.config.load import (
    DEPTH_LIMIT,
    FILE_LIMIT,
    NODE_LIMIT,
    Document,
    Spot,
    parse_document,
    plain,
)


def read(text: str) -> Document:
    return parse_document(text, "f.yaml")


def only_mistake(path: Path) -> tuple[int, int, str]:
    found = find_mistakes(path)
    assert len(found) == 1, found
    return found[0].line, found[0].column, found[0].message


def mistake_of(text: str) -> tuple[int, int, str]:
    with pytest.raises(ConfigMistakes) as caught:
        read(text)
    (found,) = caught.value.mistakes
    return found.line, found.column, found.message


class TestTheFileItself:
    def test_missing(self, tmp_path: Path) -> None:
        line, _, message = only_mistake(tmp_path / "none.yaml")
        assert line == 0
        assert "no such file" in message

    def test_directory(self, tmp_path: Path) -> None:
        assert "is a directory" in only_mistake(tmp_path)[2]

    def test_named_pipe_is_refused_without_waiting(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        assert "not a regular file" in only_mistake(pipe)[2]

    def test_unreadable(self, tmp_path: Path) -> None:
        path = tmp_path / "f.yaml"
        path.write_text("name: x")
        path.chmod(0)
        if os.access(path, os.R_OK):
            # root reads everything but this.
            path = Path("/proc/self/mem")
        assert "cannot be read" in only_mistake(path)[2]

    def test_path_with_a_null_byte(self) -> None:
        assert "cannot be read" in only_mistake(Path("a\0b"))[2]

    def test_a_path_in_another_encoding_is_still_told(self, tmp_path: Path) -> None:
        (found,) = find_mistakes(tmp_path / os.fsdecode(b"caf\xe9.yaml"))
        assert found.path == f"{tmp_path}/caf\ufffd\ufffd\ufffd.yaml"

    def test_symbolic_link_to_itself(self, tmp_path: Path) -> None:
        loop = tmp_path / "loop"
        loop.symlink_to(loop)
        assert "cannot be read" in only_mistake(loop)[2]

    def test_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "f.yaml"
        path.write_bytes(b"#" * (FILE_LIMIT + 1))
        assert "larger than 1024 KiB" in only_mistake(path)[2]

    @pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "null\n", "~"])
    def test_empty(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "f.yaml"
        path.write_text(text)
        assert "empty" in only_mistake(path)[2]

    def test_bytes_that_are_not_utf8_are_located(self, tmp_path: Path) -> None:
        path = tmp_path / "f.yaml"
        path.write_bytes(b"name: x\nhosts: \xff\n")
        assert only_mistake(path) == (2, 8, "not UTF-8 text (byte 0xff)")

    def test_utf16(self, tmp_path: Path) -> None:
        path = tmp_path / "f.yaml"
        path.write_bytes("name: x\n".encode("utf-16"))
        assert only_mistake(path)[:2] == (1, 1)

    def test_byte_order_mark_is_no_mistake(self, tmp_path: Path) -> None:
        path = tmp_path / "f.yaml"
        path.write_bytes(b"\xef\xbb\xbfhosts: {a: {address: a.example.org}}\n")
        assert find_mistakes(path) == ()


class TestYamlMistakes:
    @pytest.mark.parametrize(
        ("text", "line", "column", "part"),
        [
            ("a:\n\tb: 1\n", 2, 1, "a tab where YAML wants spaces"),
            ("a: b\n  c: d\n", 2, 4, "not YAML"),
            ("a: [1, 2\nb: 3\n", 2, 2, "not YAML"),
            ("a: 'x\n", 2, 1, "not YAML"),
            ("a: *nobody\n", 1, 4, "alias '*nobody' has no anchor"),
            ("a: &a [*a]\n", 1, 8, "contains itself"),
            ("a: &a {<<: *a}\n", 1, 12, "contains itself"),
            ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
            ("- a\n", 1, 1, "expected a mapping"),
            ("just text\n", 1, 1, "expected a mapping"),
            ("5\n", 1, 1, "expected a mapping"),
            ("a: 1\nb: \x1b[31m\n", 2, 4, "control character U+001B"),
            ("a: 1\r\nb: \x00\r\n", 2, 4, "control character U+0000"),
            ("a: '\\q'\nb: \"\\q\"\n", 2, 5, "not YAML"),
            ("%YAML 9.9\n---\na: 1\n", 1, 1, "not YAML"),
        ],
    )
    def test_stops_at_its_place(self, text: str, line: int, column: int, part: str) -> None:
        found = mistake_of(text)
        assert found[:2] == (line, column)
        assert part in found[2]

    @pytest.mark.parametrize(
        ("text", "line", "column", "part"),
        [
            ("a: 1\nb: 2\na: 3\n", 3, 1, "'a' is here twice (first on line 1)"),
            ("a: {b: 1, b: 2}\n", 1, 11, "'b' is here twice (first on line 1)"),
            ("? [a]\n: 1\n", 1, 3, "a key must be plain text"),
            ("? {a: b}\n: 1\n", 1, 3, "a key must be plain text"),
            ("'': 1\n", 1, 1, "an empty key"),
            ('a: "x\\ny"\n', 1, 4, "one line"),
            ('a: "\\e[31m"\n', 1, 4, "cannot be seen"),
            ('a: "\\u202e"\n', 1, 4, "cannot be seen"),
            ("a: |\n  x\n  y\n", 1, 4, "one line"),
            ("a: !!python/object:os.system x\n", 1, 4, "YAML tag"),
            ("a: !secret hunter2\n", 1, 4, "YAML tag '!secret'"),
            ("a: !!int x\n", 1, 4, "YAML tag"),
            ("a: !!map [x]\n", 1, 4, "YAML tag"),
            ("a: {<<: 5}\n", 1, 9, "'<<' takes a mapping"),
        ],
    )
    def test_noted_without_stopping(self, text: str, line: int, column: int, part: str) -> None:
        (found,) = read(text).mistakes
        assert (found.line, found.column) == (line, column)
        assert part in found.message

    def test_all_duplicates_are_told(self) -> None:
        found = read("a: 1\na: 2\na: 3\nb: {c: 1, c: 2}\n").mistakes
        assert [(it.line, it.column) for it in found] == [(2, 1), (3, 1), (4, 11)]


class TestBounds:
    @pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
    def test_deep_nesting_stops_early(self, opening: str) -> None:
        assert f"deeper than {DEPTH_LIMIT}" in mistake_of(opening * 100_000)[2]

    def test_billion_laughs(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        for level in range(1, 12):
            again = ", ".join([f"*a{level - 1}"] * 10)
            lines.append(f"a{level}: &a{level} [{again}]")
        assert f"more than {NODE_LIMIT} values" in mistake_of("\n".join(lines))[2]

    def test_billion_laughs_by_merge(self) -> None:
        lines = ["a0: &a0 {k0: x}"]
        for level in range(1, 40):
            lines.append(f"a{level}: &a{level} {{x: *a{level - 1}, y: *a{level - 1}}}")
        assert f"more than {NODE_LIMIT} values" in mistake_of("\n".join(lines))[2]

    def test_many_values(self) -> None:
        assert f"more than {NODE_LIMIT} values" in mistake_of("a: [" + "x," * 200_000 + "]")[2]

    def test_ordinary_anchors_are_fine(self) -> None:
        document = read("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\nd: {<<: [*a, {z: 3}], x: 9}\n")
        assert document.mistakes == ()
        assert document.at(("b",)) == {"x": 1}
        assert document.at(("c",)) == {"x": 1, "y": 2}
        assert document.at(("d",)) == {"x": 9, "z": 3}


class TestPlaces:
    TEXT = "hosts:\n  a:\n    port: 22\n    tags: [x, yy]\n  b: {user: ops}\nx: &x\n  k: v\ny: *x\n"

    @pytest.mark.parametrize(
        ("loc", "key", "spot"),
        [
            (("hosts",), True, (1, 1)),
            (("hosts", "a"), True, (2, 3)),
            (("hosts", "a", "port"), True, (3, 5)),
            (("hosts", "a", "port"), False, (3, 11)),
            (("hosts", "a", "tags", 1), False, (4, 15)),
            (("hosts", "b", "user"), False, (5, 13)),
            (("hosts", "b", "missing"), False, (5, 3)),
            (("hosts", "b", "missing", "deeper"), True, (5, 3)),
            (("hosts", "a", "tags", 7), False, (4, 11)),
            (("hosts", "a", "port", 0), False, (3, 11)),
            (("nothing",), False, (1, 1)),
            (("y", "k"), False, (7, 6)),
            ((), False, (1, 1)),
        ],
    )
    def test_of_keys_and_values(
        self, loc: tuple[str | int, ...], key: bool, spot: tuple[int, int]
    ) -> None:
        assert read(self.TEXT).spot(loc, key=key) == Spot(*spot)

    def test_merged_values_are_where_they_were_written(self) -> None:
        document = read("a: &a {x: 1}\nb: {<<: *a}\n")
        assert document.spot(("b", "x")) == Spot(1, 11)

    def test_columns_count_characters(self) -> None:
        assert read("ключ: {é: ü}\n").spot(("ключ", "é")) == Spot(1, 11)


class TestPlainScalars:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("22", 22),
            ("-3", -3),
            ("0.05", 0.05),
            ("1e3", "1e3"),
            ("1.5e3", 1500.0),
            ("true", True),
            ("False", False),
            ("~", None),
            ("", None),
            ("null", None),
            ("yes", "yes"),
            ("on", "on"),
            ("0x1f", "0x1f"),
            ("12:30", "12:30"),
            ("1_000", "1_000"),
            (".nan", ".nan"),
            (".inf", ".inf"),
            ("1.0e9999", "1.0e9999"),
            ("9" * 5000, "9" * 5000),
            ("2020-01-01", "2020-01-01"),
            ("٣", "٣"),
        ],
    )
    def test_only_what_is_certain_is_not_text(self, text: str, value: object) -> None:
        assert plain(text) == value
        assert type(plain(text)) is type(value)

    def test_quotes_and_tags_keep_text(self) -> None:
        document = read("a: '22'\nb: \"true\"\nc: !!str 5\nd: !!int 5\ne: ! 6\n")
        assert document.root == {"a": "22", "b": "true", "c": "5", "d": 5, "e": "6"}
