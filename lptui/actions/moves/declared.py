"""Moves `declared` and `declared-unchecked`: runs a command of the operator's own.

What it did is told by the command's `check`. Without one its own end is all that tells: when that
was never heard, it may have run, and is not run again.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Final

from lptui.actions import privileged
from lptui.actions.moves.move import Blind, Seen, Standing, Usual
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.errors import CommandError, ProblemKind, RefusedError, TransportError
from lptui.fleet.declared import DeclaredCommand, Target, expand
from lptui.fleet.facts.declared import DeclaredCheck
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Host
from lptui.probes.declared import NAME as CHECK
from lptui.probes.declared import target_of
from lptui.text import clean, clean_lines
from lptui.transport.protocols import Command, ExecResult, Reach

CHECKED: Final = "declared"
UNCHECKED: Final = "declared-unchecked"

SHOWN_LINES: Final = 20
"""Most lines of a command's output that are told while it is made."""


def step(command: DeclaredCommand, target: Target, *, group: str = "") -> Step:
    """The step that runs a command for one target."""
    run, undo = expand(command.run, target), expand(command.undo, target)
    shown = f"`{_words(expand(command.check, target))}` ends with status 0"
    return Step(
        title=f"run {command.name}",
        target=target.name,
        call=f"{target.host}{' as root' if command.as_root else ''}: {_words(run)}",
        postcondition=shown if command.check else "it ends with status 0",
        deadline_s=command.timeout_s,
        undo=f"`{_words(undo)}`" if undo else "cannot be undone",
        kind=CHECKED if command.check else UNCHECKED,
        given=(
            ("command", command.name),
            ("target", target.name),
            ("host", target.host),
            ("run", json.dumps(run)),
            ("undo", json.dumps(undo)),
            ("as_root", "yes" if command.as_root else "no"),
            ("timeout", f"{command.timeout_s:g}"),
        ),
        group=group,
        lasts=bool(group and undo),
    )


async def carry_out(
    reach: Reach, host: Host, argv: Sequence[str], *, as_root: bool, timeout_s: float
) -> ExecResult:
    """Runs a command to its end, whatever its status.

    Raises TransportError(DISCONNECTED) when its end was not heard, and what `reach.execute` and
    `privileged.as_root` raise.
    """
    if as_root:
        return await privileged.as_root(reach, host, argv, timeout_s=timeout_s)
    done = await reach.execute(host.name, Command(tuple(argv), timeout_s))
    if done.status is None:
        why = "the connection was lost while it ran: its outcome is unknown"
        what = f"`{_words(argv)}` on {host.name}"
        raise TransportError(what, why, kind=ProblemKind.DISCONNECTED)
    return done


class DeclaredMove(Usual):
    """A command with a `check`."""

    kind = CHECKED

    def sources(self, step: Step) -> Sequence[Source]:
        return ((CHECK, target_of(step.value("command"), step.value("target"))),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        of = target_of(step.value("command"), step.value("target"))
        reading = now.reading(DeclaredCheck, of)
        if reading.value is None:
            return Seen(Standing.UNKNOWN, str(reading.problem))
        check = reading.value
        words = f"its check ends with status {check.status}{f': {check.said}' * bool(check.said)}"
        known = {0: Standing.MADE, 1: Standing.BEFORE}
        return Seen(known.get(check.status, Standing.UNKNOWN), words)

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        return _both_ways(step)

    async def make(self, step: Step, execution: Execution) -> str:
        return await _run(step, "run", execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        return await _undo(step, execution)


class UncheckedMove(Blind):
    """A command without one."""

    kind = UNCHECKED

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        return _both_ways(step)

    async def make(self, step: Step, execution: Execution) -> str:
        return await _run(step, "run", execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        return await _undo(step, execution)


def _both_ways(step: Step) -> tuple[tuple[str, ...], ...]:
    if step.value("as_root") != "yes":
        return ()
    lines: list[list[str]] = [json.loads(step.value(words)) for words in ("run", "undo")]
    return tuple(tuple(line) for line in lines if line)


async def _undo(step: Step, execution: Execution) -> str:
    if not json.loads(step.value("undo")):
        raise RefusedError(step.title, "it cannot be undone: the configuration has no `undo`")
    return await _run(step, "undo", execution)


async def _run(step: Step, words: str, execution: Execution) -> str:
    """Raises CommandError when it does not end with status 0."""
    argv: list[str] = json.loads(step.value(words))
    done = await carry_out(
        execution.reach,
        execution.fleet.hosts[step.value("host")],
        argv,
        as_root=step.value("as_root") == "yes",
        timeout_s=float(step.value("timeout")),
    )
    lines = clean_lines(done.stdout + done.stderr, SHOWN_LINES)
    for line in lines:
        execution.progress(f"  {step.value('target')}: {line}")
    if done.status == 0:
        return "it ended with status 0"
    said = clean(done.stderr.strip() or done.stdout.strip(), 300)
    what = f"`{_words(argv)}` on {step.value('host')}"
    raise CommandError(what, f"status {done.status}: {said or 'it said nothing'}")


def _words(argv: Sequence[str]) -> str:
    return clean(shlex.join(argv), 200)
