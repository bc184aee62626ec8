"""Runs `lptui` as an operator does, and holds every run to what every run owes.

No traceback, no control characters, an end within the deadline, no listening socket, nothing
left behind: asserted here so that no test can forget it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.forked import Console, Program

Json = Any

_SOCKET = re.compile(r"socket:\[(\d+)\]")
_LISTEN = "0A"
_MARK = "LPTUI_E2E_RUN"
_START_S = 3.0
"""What a run may take beyond its own deadline on a busy machine: one test is stricter."""


@dataclass(slots=True)
class Outcome:
    """A finished command. `took_s` is its whole wall time."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    took_s: float
    _json: Json = field(default=None)

    @property
    def json(self) -> Json:
        if self._json is None:
            self._json = json.loads(self.out, parse_constant=_refuse)
        return self._json

    def reading(self, topic: str, target: str) -> Json:
        """One reading; fails the test when there is none."""
        for one in self.json["readings"]:
            if (one["topic"], one["target"]) == (topic, target):
                return one
        raise AssertionError(f"no reading {topic}@{target}")

    def error(self, topic: str, target: str) -> Json:
        """The error of a reading that has one, with a remedy."""
        found = self.reading(topic, target)["error"]
        assert found is not None, f"{topic}@{target} was read"
        return found

    def finding(self, identity: str) -> Json:
        """One finding by its id; fails the test when there is none."""
        for one in self.json["findings"]:
            if one["id"] == identity:
                return one
        raise AssertionError(f"no finding {identity}")

    def severity(self, identity: str) -> str:
        return str(self.finding(identity)["severity"])

    @property
    def errors(self) -> dict[str, str]:
        """The kind of each reading's error, by `Topic@target`."""
        return {
            f"{one['topic']}@{one['target']}": one["error"]["kind"]
            for one in self.json["readings"]
            if one["error"] is not None
        }

    @property
    def not_ok(self) -> dict[str, str]:
        """The severity of each finding that is not OK, by its id."""
        return {
            one["id"]: one["severity"] for one in self.json["findings"] if one["severity"] != "OK"
        }

    def roots(self, besides: frozenset[str] = frozenset()) -> dict[str, str]:
        """The findings that nothing else explains, without those of the checks in `besides`."""
        return {
            one["id"]: one["severity"]
            for one in self.json["findings"]
            if one["severity"] != "OK" and not one["cause"] and one["check"] not in besides
        }


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


@dataclass(slots=True)
class Operator:
    """A person at a machine of their own: home folder, state folder, no agent, no settings.

    `prefix` is a program that runs the commands, which takes them as its last arguments.
    """

    home: Path
    prefix: tuple[str, ...] = ()

    @property
    def state(self) -> Path:
        return self.home / "state"

    def environment(self, mark: str = "") -> dict[str, str]:
        """What a run sees of the machine."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "LPTUI_STATE": str(self.state),
            **({_MARK: mark} if mark else {}),
        }

    def run(self, *words: str, deadline_s: float = 30.0) -> Outcome:
        """`lptui WORDS…`, without a terminal."""
        mark = uuid.uuid4().hex
        started = time.monotonic()
        process = self._start(words, self.environment(mark))
        listening: set[str] = set()
        try:
            code = _wait(process, deadline_s + _START_S, listening)
        finally:
            process.kill()
        took_s = time.monotonic() - started
        outcome = Outcome(words, code, process.out, process.err, took_s)
        _owed(outcome, deadline_s, listening)
        left = _marked(mark)
        assert not left, f"{words} left processes behind: {left}"
        return outcome

    def _start(self, words: tuple[str, ...], environment: dict[str, str]) -> Console | Program:
        if not self.prefix:
            return Console(*words, cwd=self.home, environment=environment)
        argv = (*self.prefix, sys.executable, "-m", "lptui", *words)
        return Program(*argv, cwd=self.home, environment=environment)


def _wait(process: Console | Program, longest_s: float, listening: set[str]) -> int:
    ends = time.monotonic() + longest_s + 5.0  # a run that is late is told so, with its output
    look_s = 0.1
    while True:
        listening |= listeners(process.pid)
        try:
            return process.wait(look_s)
        except subprocess.TimeoutExpired:
            look_s = min(look_s * 2, 0.5)
            if time.monotonic() > ends:
                process.kill()
                text = f"{process.out[-2000:]}\n{process.err[-2000:]}"
                raise AssertionError(f"not ended after {longest_s + 5:.0f} s: {text}") from None


def _owed(outcome: Outcome, deadline_s: float, listening: set[str]) -> None:
    whole = outcome.out + outcome.err
    assert "Traceback" not in whole, whole[-4000:]
    assert not unsafe(whole), f"control characters in the output: {unsafe(whole)}"
    assert not listening, f"it listened on {listening}"
    assert outcome.took_s <= deadline_s + _START_S, f"took {outcome.took_s:.2f} s: {whole[-2000:]}"


def unsafe(text: str) -> list[str]:
    """Characters that a terminal acts on, line breaks aside."""
    return sorted(
        {
            repr(char)
            for char in text
            if (ord(char) < 0x20 and char != "\n")
            or 0x7F <= ord(char) < 0xA0
            or char in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b"
        }
    )


def listeners(pid: int) -> set[str]:
    """Local addresses of the TCP sockets that a process listens on."""
    inodes: set[str] = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found = _SOCKET.match(str(entry.readlink()))
                if found:
                    inodes.add(found[1])
    if not inodes:
        return set()
    addresses: set[str] = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines():
                # A busy machine has thousands of lines, and few of them listen.
                if f" {_LISTEN} " in line and (fields := line.split())[9] in inodes:
                    addresses.add(fields[1])
    return addresses


def _marked(mark: str) -> list[str]:
    """Processes that a run started: they have its mark in their environment."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if mark.encode() in (entry / "environ").read_bytes():
                found.append(f"{entry.name}: {(entry / 'cmdline').read_bytes()!r}")
    return found


class SideBySide:
    """Runs that have nothing to do with each other, two at a time: some of them only wait.

    All have ended when this is made; a test takes its own outcome, or the failure of its run.
    """

    def __init__(self, runs: Mapping[str, Callable[[], Outcome]]) -> None:
        with ThreadPoolExecutor(2) as pool:
            self._done: dict[str, Future[Outcome]] = {
                name: pool.submit(run) for name, run in runs.items()
            }

    def __getitem__(self, name: str) -> Outcome:
        return self._done[name].result(0)
