"""The record of actions: one JSON object a line, append-only, readable by its owner alone.

A run has a line when it starts, one before each step, and one when it ends: so a console that was
killed half-way has left what it had begun. A run that is refused at the door has its end alone.
Each line is chained to the one before it.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from lptui.actions.audit_chain import Chain
from lptui.actions.plan import Plan, Result, Step
from lptui.actions.sent import sent
from lptui.clock import Clock, iso
from lptui.fleet.facts.rpc import SentTransaction
from lptui.text import clean

FILE: Final = "audit.jsonl"
"""Its name in the state folder."""

TAIL: Final = 256 * 1024
"""Bytes of the record's end that are looked through for calls of the last minutes."""

ROUND_TAIL: Final = 4 * 1024 * 1024
"""The same for what was done in the running round."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that an earlier run began and whose end nobody saw. `at` is in UTC seconds."""

    at: float
    action: str
    target: str
    account: str
    pid: str


@dataclass(frozen=True, slots=True)
class Try:
    """A run of an action that was begun (UTC seconds); `called`: the node was asked."""

    at: float
    called: bool
    pid: str = ""


class Run:
    """The lines of one run. Each is on the disk before its method returns; raises OSError."""

    def __init__(self, audit: Audit, plan: Plan, fleet: str, run: str, by: str) -> None:
        self._audit = audit
        self._by = by
        self._plan = plan
        self._fleet = fleet
        self._id = run

    def started(self) -> None:
        """Before anything is looked at or changed."""
        steps = [asdict(step) for step in self._plan.steps]
        self._line("started", {"steps": steps, "cost": self._plan.cost})

    def taken_up(self, verb: str) -> None:
        """Before a run is taken up (`resume`) or taken back (`undo`), once more under its id."""
        self._line(verb, {})

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
                **({"who": f"{self._by}, for {_user()}"} if self._by else {}),
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
        self._chain = Chain(path)

    @property
    def path(self) -> Path:
        return self._path

    def run(self, plan: Plan, fleet: str, run: str = "", by: str = "") -> Run:
        """The record of a run, of a new one without its id; nothing is written yet.

        `by` is who does it when that is not the operator.
        """
        return Run(self, plan, fleet, run or new_run(), by)

    def append(self, more: Mapping[str, Any]) -> None:
        """Writes one line, with when, who and from where. Raises OSError when it cannot."""
        line = {
            "at": iso(self._clock.now()),
            "who": _user(),
            "from": socket.gethostname(),
            "pid": os.getpid(),
            **more,
        }
        self._chain.append(line)

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

    def tries(self, fleet: str, action: str, target: str, number: str) -> tuple[Try, ...]:
        """Runs of an action in a round of that number, the oldest first. Raises OSError."""
        begun: dict[str, Try] = {}
        for line in self._tail(ROUND_TAIL, number.encode()):
            what = (line.get("fleet"), line.get("action"), line.get("target"))
            facts = line.get("facts")
            if what != (fleet, action, target) or not isinstance(facts, dict):
                continue
            if str(facts.get("round")) != number or line.get("event") not in ("started", "step"):
                continue
            with suppress(KeyError, ValueError):
                run, at = str(line["run"]), datetime.fromisoformat(str(line["at"])).timestamp()
                first = begun.get(run, Try(at, called=False, pid=str(line["pid"])))
                begun[run] = replace(first, called=first.called or line["event"] == "step")
        return tuple(begun.values())

    def sent(self, since: float) -> tuple[SentTransaction, ...]:
        """Transactions that nodes named since then (UTC seconds). Raises OSError."""
        return sent(self._tail(), since)

    def _tail(self, size: int = TAIL, has: bytes = b"") -> Iterator[Mapping[str, Any]]:
        """The newest lines, oldest first; what is cut or is no record is passed over.

        Lines that do not have these bytes are not looked into.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - size))
                lines = file.read(size).split(b"\n")
        except FileNotFoundError:
            return
        for raw in lines:
            if has not in raw:
                continue
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


def new_run() -> str:
    """An id for a run: the same in the record and in the journal, short enough to be typed."""
    return secrets.token_hex(4)


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
