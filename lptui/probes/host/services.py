"""Asks for units, containers and their open files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from lptui.errors import BadAnswerError, CommandError
from lptui.fleet.facts.host import HostUnits, Unit, UnitLoad
from lptui.fleet.topology import Fleet, Intervals
from lptui.probes.host import commands, containers, units, vitals
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import NOT_FOUND, failure, has_hung
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.transport.protocols import Command, Output, Shell

_NO_SYSTEMD: Final = ("not been booted with systemd", "connect to bus", "connect to system scope")
_REMEDY: Final = "check that systemd or docker runs on the host and that the login may ask it"
_MOST_PIDS: Final = 64
_MOST_TRIGGERS: Final = 64


@dataclass(frozen=True, slots=True)
class Part:
    """What one of the tools gave: units, and what it could not do, in words."""

    units: tuple[Unit, ...] = ()
    failed: tuple[str, ...] | None = None
    problems: tuple[str, ...] = ()


class HostUnitsProbe(HostProbe):
    """systemctl, docker (or podman) and /proc; in one round trip where nothing has restarted.

    A host without systemd is no problem until a unit is declared there.
    """

    name: ClassVar[str] = "host-units"
    topic: ClassVar[type] = HostUnits
    asks: ClassVar[str] = "systemctl, /proc/PID"

    def pace(self, intervals: Intervals) -> float:
        return intervals.units

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        shell = asking.reach.shell(target)
        left = time_left(asking)
        names = asking.fleet.units_on(target)
        boxes = asking.fleet.containers_on(target)
        guessed = _pids(_before(asking, target))
        batch: list[Command] = [commands.VITALS, commands.FAILED_UNITS]
        batch += [commands.show_units(names), commands.linked_units(names)] if names else []
        batch += [commands.inspect_containers("docker", boxes)] if boxes else []
        batch += [commands.open_files(guessed)] if guessed else []
        outputs = iter(await shell.run(batch, left()))
        uptime_s = _uptime(next(outputs))
        failed = next(outputs)
        parts = [_systemd(names, next(outputs) if names else None, failed, uptime_s)]
        links = next(outputs).text if names else ""
        if boxes:
            parts.append(await _containers(shell, left, boxes, next(outputs), asking.clock.now()))
        open_files = units.parse_open_files(next(outputs).text) if guessed else {}
        found = tuple(units.with_origin(unit, links) for part in parts for unit in part.units)
        pids = _pids(found)
        triggers = _triggers(found)
        more: list[Command] = []
        more += [commands.show_triggers(triggers)] if triggers else []
        idle = _idle_services(asking.fleet, target, found)
        more += [commands.starts(idle)] if idle else []
        more += [commands.open_files(pids)] if not set(pids) <= set(guessed) else []
        outputs = iter(await shell.run(more, left()) if more else ())
        if triggers:
            known = units.parse_triggers(next(outputs).text)
            found = tuple(units.with_triggers(unit, known) for unit in found)
        if idle:
            given = units.parse_starts(next(outputs).text)
            found = tuple(units.with_start_flags(unit, given) for unit in found)
        for output in outputs:
            open_files = units.parse_open_files(output.text)
        problems = tuple(problem for part in parts for problem in part.problems)
        if problems and not found and not parts[0].failed:
            raise CommandError(f"services of {target}", "; ".join(problems), _REMEDY)
        value = HostUnits(
            tuple(units.with_open_files(unit, open_files) for unit in found),
            parts[0].failed,
            problems,
        )
        return [Answer(self.key(target), value)]


def _before(asking: Asking, target: str) -> tuple[Unit, ...]:
    value = asking.latest.value(HostUnits, target)
    return value.units if value else ()


def _pids(found: Sequence[Unit]) -> tuple[int, ...]:
    pids = dict.fromkeys(unit.main_pid for unit in found if unit.main_pid is not None)
    return tuple(pids)[:_MOST_PIDS]


def _triggers(found: Sequence[Unit]) -> tuple[str, ...]:
    """All that trigger a unit; units with a timer or a socket of their own are few."""
    names = dict.fromkeys(trigger.name for unit in found for trigger in unit.triggers)
    return tuple(names)[:_MOST_TRIGGERS]


def _idle_services(fleet: Fleet, host: str, found: Sequence[Unit]) -> tuple[str, ...]:
    """Units of reward and round services that do not run: no process tells their settings."""
    own = {node.service.name for node in fleet.nodes_on(host) if node.service and node.is_service}
    return tuple(
        unit.name
        for unit in found
        if unit.name in own
        and unit.load is UnitLoad.LOADED
        and unit.main_pid is None
        and unit.container is None
    )


def _uptime(output: Output) -> float | None:
    try:
        return vitals.parse(output.text).uptime_s
    except BadAnswerError:
        return None


def _systemd(
    names: Sequence[str], shown: Output | None, failed: Output, uptime_s: float | None
) -> Part:
    """The watched units and the failed ones."""
    if shown is None and _is_without_systemd(failed):
        return Part()
    problems: list[str] = []
    found: tuple[Unit, ...] = ()
    if shown is not None:
        try:
            found = units.parse_show(shown.text, names, uptime_s)
        except BadAnswerError as error:
            problems.append(_why("systemctl show", shown, error))
    if failed.status != 0 and not (problems and _is_without_systemd(failed)):
        problems.append(str(failure("systemctl list-units", failed)))
    names_of_failed = units.parse_failed(failed.text) if failed.status == 0 else None
    return Part(found, names_of_failed, tuple(problems))


async def _containers(
    shell: Shell, left: Callable[[], float], names: Sequence[str], docker: Output, now: float
) -> Part:
    """The watched containers, by podman where there is no docker."""
    output, tool = docker, "docker"
    if docker.status == NOT_FOUND:
        [output] = await shell.run([commands.inspect_containers("podman", names)], left())
        tool = "podman"
        if output.status == NOT_FOUND:
            return Part(problems=("containers: neither docker nor podman is installed",))
    found = containers.parse_inspect(output.text, now)
    if output.status != 0 and (found.complaints or has_hung(output.status)):
        advice = f"let the login use {tool} (group {tool})"
        error = failure(f"{tool} inspect", output, advice)
        known = containers.named(names, found).values()
        return Part(
            tuple(known), problems=(f"{error}; {advice}" if _is_denied(output) else str(error),)
        )
    return Part(containers.in_order(names, found), problems=found.complaints)


def _is_without_systemd(output: Output) -> bool:
    return output.status == NOT_FOUND or any(words in output.text for words in _NO_SYSTEMD)


def _is_denied(output: Output) -> bool:
    return "ermission denied" in output.text


def _why(what: str, output: Output, error: BadAnswerError) -> str:
    return str(failure(what, output)) if output.status else str(error)
