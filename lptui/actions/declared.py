"""Action `run NAME`: a command that the operator has declared, for one target after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions import serving
from lptui.actions.moves import declared
from lptui.actions.plan import OnFailure, Plan, Precondition, Request
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.fleet.declared import DeclaredCommand, Target, targets
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

VERB: Final = "run"

PROBES: Final = ("host-vitals",)


class Declared(Stepwise):
    """One declared command. Those that only read are not planned but run (`reading.py`)."""

    def __init__(self, command: DeclaredCommand) -> None:
        self.command = command
        self.spec = ActionSpec(
            id=f"{VERB} {command.name}",
            title=f"Run {command.name}",
            key="",
            effect=Effect(command.effect),
            subject="node" if command.is_for_nodes else "host",
            help=command.help or f"runs {command.run[0]}",
            probes=PROBES,
            proof=PROBES,
            together=True,
        )

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return tuple(target.name for target in targets(snapshot.fleet, self.command))

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return (node.name,) if self.command.is_for_nodes else (node.host,)

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        command = self.command
        chosen = meant(snapshot, command, request)
        names = ", ".join(target.name for target in chosen) or request.words
        return Plan(
            action=self.spec.id,
            target=request.words,
            summary=f"run {command.name} for {names}",
            steps=tuple(declared.step(command, target) for target in chosen),
            preconditions=tuple(_reached(snapshot, chosen)),
            cost="no money",
            effect=f"{command.effect}, as declared: {self.spec.help}",
            blast=", ".join(dict.fromkeys(target.host for target in chosen)),
            warnings=tuple(_warnings(command)),
            lock=serving.fleet_lock(snapshot.fleet),
            on_failure=OnFailure.STOP,
        )


def meant(snapshot: Snapshot, command: DeclaredCommand, request: Request) -> tuple[Target, ...]:
    """What a request's targets are, in the configuration's order."""
    possible = targets(snapshot.fleet, command)
    return tuple(target for target in possible if target.name in request.targets)


def _reached(snapshot: Snapshot, chosen: Sequence[Target]) -> list[Precondition]:
    found = []
    for host in dict.fromkeys(target.host for target in chosen):
        reading = snapshot.reading(HostVitals, host)
        if snapshot.fresh(HostVitals, host) is not None:
            age = reading.age(snapshot.taken_at)
            seen = f"{reading.source}, {age:.1f} s ago"
            found.append(Precondition(f"{host} reached", True, seen))
        else:
            why = str(reading.problem or "its last answer is too old")
            found.append(Precondition(f"{host} reached", None, why, "see the host's own findings"))
    return found


def _warnings(command: DeclaredCommand) -> list[str]:
    said = [command.confirm] if command.confirm else []
    if not command.check:
        said.append(
            "nothing but its own end shows what it did: cut off meanwhile, it is not run again by "
            "itself"
        )
    if not command.undo:
        said.append("it cannot be undone: no `undo` is declared")
    return said
