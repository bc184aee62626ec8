"""Declared commands: what may be written, and what a mistake says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.config import find_mistakes, load_fleet
from lptui.fleet.declared import DeclaredCommand, Target, expand, placeholders, targets
from lptui.fleet.topology import Fleet

BASE = """\
hosts:
  a: {address: 192.0.2.1, tags: [gpu]}
  b: {address: 192.0.2.2, privilege: none}
nodes:
  o1: {host: a, role: orchestrator, unit: livepeer, tags: [canary]}
  t1: {host: b, role: transcoder}
groups: {cold: [t1]}
commands:
"""
AFTER = BASE.count("\n") + 1


def fleet_of(tmp_path: Path, more: str) -> Fleet:
    path = tmp_path / "f.yaml"
    path.write_text(BASE + more)
    return load_fleet(path)


def told(tmp_path: Path, more: str) -> list[tuple[int, int, str]]:
    path = tmp_path / "f.yaml"
    path.write_text(BASE + more)
    return [(it.line, it.column, str(it).split(": ", 1)[1]) for it in find_mistakes(path)]


MISTAKES = [
    ("  c: {on: node, effect: read}", 3, "command 'c' has no `run`"),
    ("  c: {run: [ls], effect: read}", 3, "command 'c' has no `on`"),
    ("  c: {run: [ls], on: node}", 3, "command 'c' has no `effect`"),
    ("  c: {run: ls -l, on: node, effect: read}", 12, "a command is a list: [program, argument"),
    ("  c: {run: [], on: node, effect: read}", 12, "an empty list"),
    ("  c: {run: [sleep, 5], on: node, effect: read}", 20, "expected an argument, not 5; put it"),
    ("  c: {run: [ls], on: [], effect: read}", 22, "an empty list"),
    ("  c: {run: [ls], on: node, effect: raed}", 36, "unknown effect 'raed', did you mean 'read'?"),
    (
        "  c: {run: [ls], on: node, effect: dangerous}",
        36,
        "unknown effect 'dangerous', did you mean 'destructive'?",
    ),
    ("  c: {run: [ls], on: c, effect: read}", 22, "unknown host 'c'; known: 'a' or 'b'"),
    (
        "  c: {run: [ls], on: 'node:o', effect: read}",
        22,
        "unknown node 'o', did you mean 'node:o1'?",
    ),
    (
        "  c: {run: [ls], on: 'role:orchestator', effect: read}",
        22,
        "unknown role 'orchestator', did you mean 'role:orchestrator'?",
    ),
    ("  c: {run: [ls], on: 'role:gateway', effect: read}", 22, "there is nothing of that kind to"),
    (
        "  c: {run: [ls], on: 'tag:canari', effect: read}",
        22,
        "no node has the tag 'canari', did you mean 'tag:canary'?",
    ),
    (
        "  c: {run: [ls], on: 'host:a', effect: read}",
        22,
        "'host:a' is none of node, node:NAME, role:ROLE, tag:NAME, host, the name of a host, "
        "did you mean 'a'?",
    ),
    ("  c: {run: [ls], on: [a, node], effect: read}", 22, "either nodes or hosts, not both"),
    (
        "  c: {run: [ls, '{nodes}'], on: node, effect: read}",
        17,
        "unknown placeholder '{nodes}'; known: '{node}', '{host}' or '{unit}', did you mean "
        "'{node}'?",
    ),
    (
        "  c: {run: [ls, 'x{unit}'], on: a, effect: read}",
        17,
        "unknown placeholder '{unit}'; a host has no node and no unit",
    ),
    ("  c: {run: ['{node}', a], on: node, effect: read}", 13, "the program itself has no plac"),
    ("  c: {run: [bin/x], on: node, effect: read}", 13, "'bin/x' is no program: its name, or its"),
    ("  c: {run: [-x], on: node, effect: read}", 13, "'-x' is no program"),
    (
        "  c: {run: [/bin/sh, -ec, 'echo {node}'], on: node, effect: read}",
        27,
        "a placeholder is not put into a shell's script: give it as an argument of its own",
    ),
    (
        "  c: {run: [ls, '{unit}'], on: 'node:t1', effect: read}",
        32,
        "there is nothing with a unit to run it for",
    ),
    ("  c: {run: [ls], on: node, effect: read, undo: [ls]}", 42, "a command that only reads has"),
    ("  c: {run: [ls], on: node, effect: read, check: [ls]}", 42, "a command that only reads has"),
    ("  c: {run: [ls], on: node, effect: read, timeout: 2h}", 51, "`timeout` must be between 1s"),
    ("  c: {run: [ls], on: b, effect: write, as_root: true}", 40, "`privilege` of host 'b' is n"),
    ("  c: {run: [ls], on: node, effect: write, verify: [ls]}", 43, "unknown key 'verify'"),
    ("  c d: {run: [ls], on: node, effect: write}", 3, "'c d' is not a name"),
]


@pytest.mark.parametrize(("line", "column", "message"), MISTAKES)
def test_one_mistake_is_told_once_at_its_place(
    tmp_path: Path, line: str, column: int, message: str
) -> None:
    found = told(tmp_path, f"{line}\n")
    assert len(found) == 1, found
    assert found[0][:2] == (AFTER, column)
    assert found[0][2].startswith(message)


def test_a_shell_may_have_placeholders_beside_its_script(tmp_path: Path) -> None:
    line = "  c: {run: [sh, -c, 'echo \"$1\"', sh, '{node}'], on: node, effect: read}\n"
    assert told(tmp_path, line) == []


def test_everything_of_a_command(tmp_path: Path) -> None:
    fleet = fleet_of(
        tmp_path,
        """\
  flush: {run: [ip, neigh, flush, "dev eth0"], on: a, effect: write, help: forgets neighbours}
  upgrade:
    run: [/opt/up, "--for={node}", "{unit}"]
    on: [role:orchestrator, tag:cold]
    effect: destructive
    confirm: mind the traffic
    timeout: 5m
    check: [/opt/is-up, "{unit}"]
    undo: [/opt/down, "{unit}"]
    as_root: true
""",
    )
    flush, upgrade = fleet.commands["flush"], fleet.commands["upgrade"]
    assert flush == DeclaredCommand(
        "flush", ("ip", "neigh", "flush", "dev eth0"), ("a",), "write", help="forgets neighbours"
    )
    assert upgrade.timeout_s == 300.0
    assert upgrade.confirm == "mind the traffic"
    assert upgrade.as_root
    assert targets(fleet, flush) == (Target("a"),)
    assert targets(fleet, upgrade) == (Target("a", "o1", "livepeer.service"),), "t1 has no unit"


@pytest.mark.parametrize(
    ("on", "names"),
    [
        ("node", ["o1", "t1"]),
        ("role:transcoder", ["t1"]),
        ("tag:gpu", ["o1"]),
        ("tag:cold", ["t1"]),
        ("[node:t1, tag:canary]", ["o1", "t1"]),
        ("host", ["a", "b"]),
        ("[b, a]", ["a", "b"]),
    ],
)
def test_what_a_command_is_for(tmp_path: Path, on: str, names: list[str]) -> None:
    fleet = fleet_of(tmp_path, f"  c: {{run: [ls], on: {on}, effect: read}}\n")
    assert [target.name for target in targets(fleet, fleet.commands["c"])] == names


TARGET = Target("edge-1", "o1", "livepeer@1.service")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{node}", "o1"),
        ("a{host}b{unit}", "aedge-1blivepeer@1.service"),
        ("{{node}}", "{node}"),
        ("{{.State.Running}}", "{{.State.Running}}"),
        ('{"id":{"a":1}}', '{"id":{"a":1}}'),
        ("$HOME; rm -rf / `x` 'y'", "$HOME; rm -rf / `x` 'y'"),
        ("{}", "{}"),
    ],
)
def test_placeholders_stay_in_their_argument(written: str, meant: str) -> None:
    assert expand(("x", written), TARGET) == ("x", meant)


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert expand(("{node}",), Target("h", "{host}", "u")) == ("{host}",)
    assert placeholders(("{{node}}", "{unit}{host}")) == ("unit", "host")


@given(st.lists(st.text(max_size=30), max_size=5))
def test_as_many_arguments_as_were_written(argv: list[str]) -> None:
    known = [word for word in argv if not placeholders((word,))]
    assert len(expand(known, TARGET)) == len(known)
