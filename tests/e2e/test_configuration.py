"""Configurations that nobody should write: told as mistakes, quickly, in plain text."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.command import Operator

LONGEST_S = 6.0

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)

TEXTS: dict[str, bytes] = {
    "empty": b"",
    "blank": b"\n\n   \n# nothing\n",
    "not-utf-8": b"name: caf\xe9\nhosts: {a: {local: true}}\n",
    "utf-16": "name: x\nhosts: {}\n".encode("utf-16"),
    "binary": bytes(range(256)) * 40,
    "nul": b"name: a\x00b\nhosts: {a: {local: true}}\n",
    "huge": b"name: x\n" + b"# filler\n" * 3_000_000,
    "long-line": b"name: '" + b"x" * 20_000_000 + b"'\n",
    "deep": b"hosts: " + b"[" * 50_000,
    "deep-flow": b"hosts: " + b"{a: " * 20_000,
    "bomb": BOMB.encode(),
    "itself": b"hosts: &h {a: *h}\n",
    "list": b"- hosts\n- nodes\n",
    "text": b"just words\n",
    "number": b"42\n",
    "truncated": b"hosts: {a: {local: true}\nnodes: [",
    "tabs": b"hosts:\n\ta: {local: true}\n",
    "two-documents": b"hosts: {a: {local: true}}\n---\nhosts: {}\n",
    "objects": b"hosts: !!python/object/apply:os.system ['touch owned']\n",
    "wrong-types": b"name: [1]\nhosts: {a: 7, b: [x], c: {port: many, address: {}}}\nnodes: 3\n",
    "impossible-numbers": b"hosts: {a: {address: h, port: 99999999999999999999}}\n"
    b"intervals: {fast: -1s, slow: .nan, node: 1e400s}\nthresholds: {balance_warn: .inf}\n",
    "control-characters": b'name: "a\\e[2J\\a\\u202eb"\nhosts: {"x\\e[31m": {local: true}}\n'
    b'nodes: {"[red]n[/]\\e]0;t\\a": {host: "nowhere\\e[2J", role: "orchestator\\e[1m"}}\n',
    "secret-in-url": b"hosts: {a: {local: true}}\n"
    b"rpcs: {r: {url: 'https://user:hunter2@rpc.example.org/v2/very-secret'}}\n",
    "no-break-spaces": "hosts:\n\u00a0\u00a0a: {local: true}\n".encode(),
    "pasted-urls": b"hosts: {a: {address: 'u:hunter2@h'}}\n"
    b"nodes: {n: {host: a, role: orchestrator, rpc: 'https://x/v2/very-secret'}}\n"
    b"rpcs: {r: 'https://x/v2/very-secret', s: {url: 'https://x/?dkey=hunter2'}}\n"
    b"chain: {network: arbitrum, rpcs: [https://x/v2/very-secret]}\n",
    "duplicates": b"hosts: {a: {local: true}, a: {local: true}}\n",
    "dangling": b"hosts: {a: {local: true}}\nnodes: {n: {host: b, role: orchestrator}}\n",
    "no-hosts": b"name: x\nnodes: {}\n",
}


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_bad_file(operator: Operator, tmp_path: Path, name: str) -> None:
    path = tmp_path / "lptui.yaml"
    path.write_bytes(TEXTS[name])
    config = ("--config", str(path), "--headless")
    told = operator.run(*config, "validate", deadline_s=LONGEST_S)
    assert told.code == 1, told.out
    # File, line and column wherever a place can be told.
    assert "lptui.yaml" in told.out + told.err
    assert len(told.out + told.err) < 20_000
    done = operator.run(*config, "check", deadline_s=LONGEST_S)
    assert done.code == 3
    assert done.out.startswith("UNKNOWN - ")
    assert done.out.count("\n") == 1
    assert done.err
    json = operator.run(*config, "check", "--format", "json", deadline_s=LONGEST_S)
    assert (json.code, json.out) == (3, "")
    for outcome in (told, done, json):
        assert "hunter2" not in outcome.out + outcome.err
        assert "very-secret" not in outcome.out + outcome.err
    assert not (operator.home / "owned").exists()


def missing(path: Path) -> None:
    """Nothing is there."""


def folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path)


def forbidden(path: Path) -> None:
    path.write_text("name: x\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("root may read everything")


@pytest.mark.parametrize("make", [missing, folder, fifo, endless, circle, forbidden])
def test_no_file_to_read(operator: Operator, tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "lptui.yaml"
    make(path)
    for words, code in ((("validate",), 1), (("check",), 3), (("status",), 3), (("reward",), 3)):
        outcome = operator.run("--config", str(path), "--headless", *words, deadline_s=LONGEST_S)
        assert outcome.code == code, outcome.err
        assert "lptui.yaml" in outcome.out + outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("--headless",),
        ("--headless", "chekc"),
        ("--headless", "check", "orch-1"),
        ("--headless", "check", "--format", "xml"),
        ("--headless", "check", "--timeout", "0"),
        ("--headless", "check", "--timeout", "nan"),
        ("--headless", "check", "--timeout", "soon\x1b[2J"),
        ("--headless", "\x1b[31m[red]check"),
        ("--scenario", "healthy", "--headless", "check"),
        ("--demo", "--scenario", "no-such\x1b[2J", "--headless", "check"),
        ("--demo", "--demo-hosts", "-5", "--headless", "check"),
        ("--config",),
        ("--headless", "check", "--timeout", "5s"),
        ("--headless", "check", "--no-such\x1b[2J"),
        ("--headless", "validate", "x\x1b[2J.yaml"),
        ("--headless", "validate", "--format", "markdown"),
        ("--config", "", "--headless", "check"),
        ("--demo", "--config", "x", "--headless", "check"),
        ("--demo-hosts", "5", "--headless", "check"),
        ("config", "schema", "more"),
        ("check",),
        ("completion", "tcl\x1b[2J"),
    ],
)
def test_wrong_usage_is_unknown_to_a_monitoring_system(
    operator: Operator, words: tuple[str, ...]
) -> None:
    outcome = operator.run(*words, deadline_s=LONGEST_S)
    assert outcome.code == 3
    assert outcome.err
