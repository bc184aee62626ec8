"""The record of actions: one JSON object a line, append-only, readable by its owner alone.

A run has a line when it starts, one before each step, and one when it ends: so a console that was
killed half-way has left what it had begun. A run that is refused at the door has its end alone.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lptui.actions.plan import Plan, Result, Step
from lptui.clock import Clock, iso
from lptui.text import clean

TAIL: Final = 256 * 1024
"""Bytes of the record's end that are looked through for calls of the last minutes."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that an earlier run began and whose end nobody saw. `at` is in UTC seconds."""

    at: float
    action: str
    target: str
    account: str
    pid: str


class Run:
    """The lines of one run. Each is on the disk before its method returns; raises OSError."""

    def __init__(self, audit: Audit, plan: Plan, fleet: str) -> None:
        self._audit = audit
        self._plan = plan
        self._fleet = fleet
        self._id = secrets.token_hex(8)

    def started(self) -> None:
        """Before anything is looked at or changed."""
        steps = [asdict(step) for step in self._plan.steps]
        self._line("started", {"steps": steps, "cost": self._plan.cost})

    def step(self, step: Step) -> None:
        """Before a step is taken."""
        number = self._plan.steps.index(step) + 1
        what = {"title": step.title, "target": step.target, "call": step.call}
        self._line("step", {"number": number, "step": what})

    def event(self, number: int, event: str, words: str) -> None:
        """After, or right before, something happens to a step of a plan that is made of moves."""
        step = self._plan.steps[number]
        what = {"title": step.title, "target": step.target, "call": step.call}
        self._line(event, {"number": number + 1, "step": what, "words": clean(words)})

    def ended(self, result: Result) -> None:
        """After the outcome is known, or is known to be unknown."""
        self._line(
            "ended",
            {
                "outcome": result.outcome.value,
                "summary": result.summary,
                "under_way": result.under_way,
                "steps": [asdict(step) for step in result.steps],
                "proof": dict(result.proof),
            },
        )

    def _line(self, event: str, more: Mapping[str, Any]) -> None:
        plan = self._plan
        self._audit.append(
            {
                "event": event,
                "run": self._id,
                "fleet": self._fleet,
                "action": plan.action,
                "target": plan.target,
                "plan": plan.hash,
                "facts": dict(plan.facts),
                **more,
            }
        )


class Audit:
    """The file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    @property
    def path(self) -> Path:
        return self._path

    def run(self, plan: Plan, fleet: str) -> Run:
        """The record of a new run; nothing is written yet."""
        return Run(self, plan, fleet)

    def append(self, more: Mapping[str, Any]) -> None:
        """Writes one line, with when, who and from where. Raises OSError when it cannot."""
        line = {
            "at": iso(self._clock.now()),
            "who": _user(),
            "from": socket.gethostname(),
            "pid": os.getpid(),
            **more,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(descriptor, data) < len(data):
                raise OSError("the disk took a part of the line only")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def open_calls(self, since: float) -> tuple[OpenCall, ...]:
        """Calls made since then (UTC seconds) that a node may still be at. Raises OSError."""
        found: dict[str, OpenCall] = {}
        for line in self._tail():
            run = str(line.get("run"))
            if line.get("event") == "step" and line.get("number") == 1:
                call = _call(line)
                if call is not None and call.at >= since:
                    found[run] = call
            elif line.get("event") == "ended" and not line.get("under_way"):
                found.pop(run, None)
        return tuple(found.values())

    def _tail(self) -> Iterator[Mapping[str, Any]]:
        """The newest lines, oldest first; what is cut or is no record is passed over."""
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
                lines = file.read(TAIL).split(b"\n")
        except FileNotFoundError:
            return
        for raw in lines:
            with suppress(ValueError, RecursionError):
                line = json.loads(raw)
                if isinstance(line, dict):
                    yield line


def _call(line: Mapping[str, Any]) -> OpenCall | None:
    facts = line.get("facts")
    try:
        return OpenCall(
            datetime.fromisoformat(str(line["at"])).timestamp(),
            clean(str(line["action"])),
            clean(str(line["target"])),
            str(facts.get("account", "")) if isinstance(facts, dict) else "",
            clean(str(line["pid"])),
        )
    except (KeyError, ValueError):
        return None


def whoami() -> str:
    """The login name, who became that by sudo, and the machine."""
    return f"{_user()} at {socket.gethostname()}"


def _user() -> str:
    """The login name, and who became that by sudo."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {name}" if behind and behind != name else name
