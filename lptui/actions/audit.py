"""The record of actions: one JSON object a line, append-only, readable by its owner alone."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lptui.actions.plan import Plan, Result
from lptui.clock import Clock, iso


class Audit:
    """Appends to the audit file. Each line is on the disk before its method returns."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    @property
    def path(self) -> Path:
        return self._path

    def started(self, plan: Plan, fleet: str) -> None:
        """Before anything is changed. Raises OSError when it cannot be written."""
        steps = [asdict(step) for step in plan.steps]
        self._append("started", plan, fleet, {"steps": steps, "cost": plan.cost})

    def ended(self, result: Result, fleet: str) -> None:
        """After the outcome is known, or is known to be unknown."""
        self._append(
            "ended",
            result.plan,
            fleet,
            {
                "outcome": result.outcome.value,
                "summary": result.summary,
                "steps": [asdict(step) for step in result.steps],
                "proof": dict(result.proof),
            },
        )

    def _append(self, event: str, plan: Plan, fleet: str, more: Mapping[str, Any]) -> None:
        line = {
            "at": iso(self._clock.now()),
            "event": event,
            "fleet": fleet,
            "action": plan.action,
            "target": plan.target,
            "plan": plan.hash,
            "facts": dict(plan.facts),
            "who": _user(),
            "from": socket.gethostname(),
            "pid": os.getpid(),
            **more,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _user() -> str:
    """The login name, and who became that by sudo."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{behind} as {name}" if behind and behind != name else name
