"""Runs declared commands that only read: no question, no lock, no record; what they said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lptui.actions.moves.declared import carry_out
from lptui.errors import LptuiError
from lptui.fleet.declared import DeclaredCommand, Target, expand
from lptui.fleet.topology import Fleet
from lptui.text import clean_lines
from lptui.transport.protocols import Reach

MOST_LINES: Final = 1000
"""Most lines that are kept of one output."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command gave for one target, safe to show.

    `status` None: it was not run, or its end was not heard; `error` says why.
    """

    target: Target
    status: int | None
    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    error: str = ""


async def read(
    fleet: Fleet, reach: Reach, command: DeclaredCommand, chosen: Sequence[Target]
) -> list[Said]:
    """Runs it for each target, one after the other; never raises for what the outside did."""
    return [await _read(fleet, reach, command, target) for target in chosen]


async def _read(fleet: Fleet, reach: Reach, command: DeclaredCommand, target: Target) -> Said:
    argv, host = expand(command.run, target), fleet.hosts[target.host]
    try:
        done = await carry_out(
            reach, host, argv, as_root=command.as_root, timeout_s=command.timeout_s
        )
    except LptuiError as error:
        remedy = f"; {error.remedy}" if error.remedy else ""
        return Said(target, None, error=f"{error}{remedy}")
    stdout, stderr = (clean_lines(raw, MOST_LINES) for raw in (done.stdout, done.stderr))
    return Said(target, done.status, stdout, stderr)
