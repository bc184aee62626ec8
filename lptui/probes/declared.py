"""Asks whether a declared command is done, by its own `check`. Never asked but for a change."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import ProblemKind, TransportError
from lptui.fleet.declared import DeclaredCommand, Target, expand, targets
from lptui.fleet.facts.declared import DeclaredCheck
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command
from lptui.transport.root import rooted

NAME: Final = "declared-check"


def target_of(command: str, target: str) -> str:
    """What the probe calls a command for one of its targets."""
    return f"{command}@{target}"


class DeclaredCheckProbe:
    """One target for each thing that a command with a `check` can be run for."""

    name: ClassVar[str] = NAME
    needs: ClassVar[tuple[str, ...]] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(
            target_of(name, target.name)
            for name, command in fleet.commands.items()
            for target in (targets(fleet, command) if command.check else ())
        )

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        command, meant = _meant(fleet, target)
        return clean(f"{meant.host}: {shlex.join(expand(command.check, meant))}", 200)

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(DeclaredCheck, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        fleet = asking.fleet
        command, meant = _meant(fleet, target)
        argv = expand(command.check, meant)
        if command.as_root:
            argv = rooted(fleet.hosts[meant.host].privilege, argv)
        done = await asking.reach.execute(meant.host, Command(argv, asking.deadline_s))
        if done.status is None:
            why = "the connection was lost while it ran"
            raise TransportError(self.source(fleet, target), why, kind=ProblemKind.DISCONNECTED)
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        said = clean(lines[-1], 200) if lines else ""
        return [Answer(Key(DeclaredCheck, target), DeclaredCheck(done.status, said))]


def _meant(fleet: Fleet, target: str) -> tuple[DeclaredCommand, Target]:
    name, _, of = target.partition("@")
    command = fleet.commands[name]
    return command, next(one for one in targets(fleet, command) if one.name == of)


PROBES: Final = (DeclaredCheckProbe(),)
