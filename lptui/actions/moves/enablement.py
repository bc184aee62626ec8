"""Move `unit-boot`: whether a unit or container starts with its host.

A unit is disabled, not masked: a mask is no link beside the unit's own file, so that systemd
refuses one for a unit in /etc/systemd/system, where operators have theirs, and one in /run is gone
with the next boot, which is what it would be there for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.holders import starts_at_boot
from lptui.actions.moves.move import Seen, Standing, Usual
from lptui.actions.moves.supervised import (
    Supervised,
    change,
    in_step,
    look,
    of_node,
    why_not_loaded,
)
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.fleet.facts.host import Unit
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

KIND: Final = "unit-boot"

DEADLINE_S: Final = 20.0

USUAL_POLICY: Final = "unless-stopped"
"""For a container that is to start with its engine."""

_FOLDERS: Final = (
    "/etc/systemd/system/",
    "/run/systemd/system/",
    "/usr/local/lib/systemd/system/",
    "/usr/lib/systemd/system/",
    "/lib/systemd/system/",
)
"""Where systemd finds units by name. One from elsewhere is linked, and unlinked when disabled."""


def step(snapshot: Snapshot, node: Node, *, wanted: bool) -> Step:
    """The step after which it starts with its host, or does not."""
    service = of_node(node)
    unit, _ = look(snapshot, service)
    was = unit is not None and _starts(unit)
    how, file = _how(unit) if unit is not None else "", _linked(unit)
    back = "enable it again" if was else "disable it again"
    return Step(
        title="start with its host" if wanted else "keep from starting with its host",
        target=node.name,
        call=service.call(
            _verb(wanted, how) if service.is_unit else f"update {_policy(wanted, how)}"
        ),
        postcondition=f"{service.name} on {node.host} {_word(wanted)} with its host",
        deadline_s=DEADLINE_S,
        undo="it was so already" if was is wanted else back,
        kind=KIND,
        given=(
            *service.given,
            ("to", "on" if wanted else "off"),
            ("how", how),
            ("file", file),
        ),
        returns=unit is not None and was is wanted,
    )


class BootMove(Usual):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (in_step(step).source,)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        service = in_step(step)
        unit, why = look(now, service)
        if unit is None:
            return Seen(Standing.UNKNOWN, why)
        is_made = _starts(unit) is _wanted(step)
        words = _says(unit, service)
        return Seen(Standing.MADE if is_made else Standing.BEFORE, words)

    def hindrance(self, step: Step, now: Snapshot) -> str:
        service = in_step(step)
        unit, _ = look(now, service)
        return service.why_odd or why_not(unit, wanted=_wanted(step))

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        service = in_step(step)
        if not service.is_unit or service.why_odd:
            return ()
        if self.seen(step, now, None).standing is Standing.MADE:
            return ()
        return tuple(_command(step, on) for on in (True, False))

    async def make(self, step: Step, execution: Execution) -> str:
        return await _set(step, _wanted(step), execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        return await _set(step, not _wanted(step), execution)


def why_not(unit: Unit | None, *, wanted: bool) -> str:
    """Why it cannot be made so; "" when it can, or is so already."""
    if unit is None or unit.container is not None or _starts(unit) is wanted:
        return ""
    if wanted:
        return why_not_loaded(unit) or _not_installable(unit)
    if not unit.enabled.startswith("enabled"):
        return f"{starts_at_boot(unit)}: it has nothing to disable; take it out of there"
    return ""


def root_commands(service: Supervised, unit: Unit | None) -> tuple[tuple[str, ...], ...]:
    """All that may be run as root for this."""
    how = _how(unit) if unit is not None else ""
    return tuple(_words(service, on, how, _linked(unit)) for on in (True, False))


async def _set(step: Step, on: bool, execution: Execution) -> str:
    return await change(in_step(step), _command(step, on), execution)


def _command(step: Step, on: bool) -> tuple[str, ...]:
    return _words(in_step(step), on, step.value("how"), step.value("file"))


def _words(service: Supervised, on: bool, how: str, file: str) -> tuple[str, ...]:
    """The command; `how` is the container's policy, or that a unit is enabled until a reboot."""
    if not service.is_unit:
        return ("docker", "update", _policy(on, how), *service.words("update")[2:])
    program, _, name = service.words("enable")
    return (program, *_verb(on, how).split(), file if on and file else name)


def _verb(on: bool, how: str) -> str:
    runtime = " --runtime" if how == "enabled-runtime" else ""
    return f"{'enable' if on else 'disable'}{runtime}"


def _policy(on: bool, how: str) -> str:
    if not on:
        return "--restart=no"
    return f"--restart={USUAL_POLICY if how in ('', 'no') else how}"


def _wanted(step: Step) -> bool:
    return step.value("to") == "on"


def _linked(unit: Unit | None) -> str:
    """The file of a unit that systemd finds by a link alone."""
    return unit.file if unit is not None and not unit.file.startswith(_FOLDERS) else ""


def _how(unit: Unit) -> str:
    if unit.container is not None:
        return unit.restart_policy
    return "enabled-runtime" if unit.enabled == "enabled-runtime" else ""


def _starts(unit: Unit) -> bool:
    """Whether it starts with its host. Of containers, only those that start after a stop."""
    if unit.container is not None:
        return unit.restart_policy in ("always", USUAL_POLICY)
    return bool(starts_at_boot(unit))


def _says(unit: Unit, service: Supervised) -> str:
    if unit.container is not None:
        return f"{unit.name} on {service.host} has the restart policy {unit.restart_policy}"
    pulled = f", started by {', '.join(unit.pulled_in_by)}" if unit.pulled_in_by else ""
    return f"{unit.name} on {service.host} is {unit.enabled or 'not enabled'}{pulled}"


def _not_installable(unit: Unit) -> str:
    if unit.enabled in ("static", "generated", "transient"):
        return f"{unit.name} is {unit.enabled}: it has no [Install] section that could enable it"
    return ""


def _word(on: bool) -> str:
    return "starts" if on else "does not start"
