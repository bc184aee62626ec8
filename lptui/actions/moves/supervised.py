"""What supervises a node's process, as steps keep it: its state, and the commands that change it.

A unit is moved as root, by commands that a sudoers rule can name word for word. A container is
moved as the login itself: who may read docker's socket may write to it, and a login's own podman
is not root's.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lptui.actions import privileged
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.errors import CommandError, DeadlineError, ProblemKind, RefusedError, TransportError
from lptui.fleet.facts.host import HostUnits, Unit, UnitLoad
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, SupervisorKind
from lptui.text import clean
from lptui.transport.protocols import Command

PATIENCE_S: Final = 2.0
"""How long systemctl is waited for: it waits for its job, which goes on without it."""

CONTAINER_PATIENCE_S: Final = 30.0
"""The same of docker, whose job may end with it: it kills what has not stopped after 10 s."""

_UNIT: Final = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}", re.ASCII)
"""systemd's own characters (systemd.unit(5)), and nothing that reads as an option."""

_CONTAINER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", re.ASCII)

_JOB_FAILED: Final = "Job for "
"""systemctl says so when it was allowed to begin; how that ended is read from the unit."""

_EITHER_TOOL: Final = (
    'command -v docker >/dev/null 2>&1&&exec docker "$@";exec podman "$@"'  # as the probe does
)


@dataclass(frozen=True, slots=True)
class Supervised:
    """A node's service and where it is. `name` is the unit's or the container's."""

    node: str
    host: str
    kind: SupervisorKind
    name: str

    @property
    def is_unit(self) -> bool:
        return self.kind is SupervisorKind.SYSTEMD

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """As a step keeps it."""
        return (
            ("node", self.node),
            ("host", self.host),
            ("supervisor", self.kind.value),
            ("unit", self.name),
        )

    @property
    def source(self) -> Source:
        """What its state is read from."""
        return ("host-units", self.host)

    @property
    def why_odd(self) -> str:
        """What is wrong with its name; "" when it may be part of a command."""
        pattern, what = (_UNIT, "unit") if self.is_unit else (_CONTAINER, "container")
        if pattern.fullmatch(self.name):
            return ""
        return f"{clean(self.name, 80)!r} is no name of a {what}: correct it in the configuration"

    def call(self, verb: str) -> str:
        """The command for people, whatever the name."""
        tool = "systemctl" if self.is_unit else "docker"
        return clean(f"{tool} {verb} {shlex.quote(self.name)} on {self.host}", 200)

    def words(self, verb: str) -> tuple[str, ...]:
        """The command that does this to it, without what becomes root or finds the tool.

        Raises RefusedError for a name that no unit or container can have.
        """
        if self.why_odd:
            raise RefusedError(f"{verb} {self.node}", self.why_odd)
        return ("systemctl" if self.is_unit else "docker", verb, self.name)


def of_node(node: Node) -> Supervised:
    """Raises RefusedError for a node without unit and container."""
    if node.service is None:
        why = "the configuration names neither its unit nor its container"
        raise RefusedError(node.name, why, "add `unit` or `container`")
    return Supervised(node.name, node.host, node.service.kind, node.service.name)


def in_step(step: Step) -> Supervised:
    """The service that a step is about."""
    kind = SupervisorKind(step.value("supervisor"))
    return Supervised(step.value("node"), step.value("host"), kind, step.value("unit"))


def look(now: Snapshot, service: Supervised) -> tuple[Unit | None, str]:
    """The unit as it was read, or why it is not known."""
    reading = now.reading(HostUnits, service.host)
    if reading.value is None:
        return None, str(reading.problem)
    unit = reading.value.find(service.name)
    if unit is None:
        problems = "; ".join(reading.value.problems)
        return None, problems or f"{service.host} says nothing of {service.name}"
    return unit, ""


def is_down(unit: Unit) -> bool:
    """Whether it has stopped, and its supervisor is not about to start it again.

    Since 254, systemd says inactive or failed for a moment before it restarts a unit.
    """
    return unit.active in ("inactive", "failed") and "auto-restart" not in unit.sub


def says(unit: Unit, service: Supervised) -> str:
    """Its state in systemd's words, and where."""
    result = f", {unit.result}" if unit.result not in ("", "success") else ""
    status = f", status {unit.exit_status}" if unit.exit_status else ""
    return f"{unit.name} on {service.host} is {unit.active} ({unit.sub}{result}{status})"


def why_not_started(unit: Unit) -> str:
    """Why nobody can start it by hand, with the remedy; "" when that can be done."""
    if unit.refuses_start:
        return f"{unit.name} has RefuseManualStart=yes: only what it belongs to starts it"
    return why_not_loaded(unit)


def why_not_loaded(unit: Unit) -> str:
    """Why it cannot be started at all, with the remedy; "" when it can."""
    if unit.load is UnitLoad.MASKED:
        return f"{unit.name} is masked: `systemctl unmask {unit.name}` if it is meant to run"
    if unit.load is UnitLoad.NOT_FOUND:
        return f"{unit.name} does not exist: install it, or correct its name in the configuration"
    if unit.load is UnitLoad.OTHER:
        return f"systemd cannot load {unit.name}: `systemctl status {unit.name}` says why"
    return ""


async def change(service: Supervised, words: Sequence[str], execution: Execution) -> str:
    """Runs a command on the service; what it said. A job that takes its time goes on alone.

    Raises CommandError when it was refused, TransportError when the outcome is unknown.
    """
    try:
        if service.is_unit:
            return await _as_root(service, words, execution)
        return await _as_login(service, words, execution)
    except DeadlineError:
        return f"`{clean(shlex.join(words), 120)}` still runs"


async def _as_root(service: Supervised, words: Sequence[str], execution: Execution) -> str:
    host = execution.fleet.hosts[service.host]
    done = await privileged.as_root(execution.reach, host, words, timeout_s=PATIENCE_S)
    said = clean(done.stderr or done.stdout, 300)
    if done.status != 0 and _JOB_FAILED not in said:
        raise _refused(service, words, done.status, said)
    return said


async def _as_login(service: Supervised, words: Sequence[str], execution: Execution) -> str:
    argv = ("/bin/sh", "-c", _EITHER_TOOL, "lptui", *words[1:])
    done = await execution.reach.execute(service.host, Command(argv, CONTAINER_PATIENCE_S))
    said = clean(done.stderr or done.stdout, 300)
    if done.status is None:
        what = f"`{clean(shlex.join(words), 120)}` on {service.host}"
        why = "the connection was lost while it ran: its outcome is unknown"
        raise TransportError(what, why, kind=ProblemKind.DISCONNECTED)
    if done.status != 0:
        raise _refused(service, words, done.status, said)
    return said


def _refused(
    service: Supervised, words: Sequence[str], status: int | None, said: str
) -> CommandError:
    what = f"`{clean(shlex.join(words), 120)}` on {service.host}"
    return CommandError(what, f"status {status}: {said or 'it said nothing'}")
