"""Moves `stop` and `start`: a unit or container that runs or not, told by its own state."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final

from lptui.actions.moves.holders import holder_in, refuse_second
from lptui.actions.moves.move import Seen, Standing, Usual
from lptui.actions.moves.supervised import (
    Supervised,
    change,
    in_step,
    is_down,
    look,
    says,
    why_not_started,
)
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.checks.words import span
from lptui.fleet.facts.host import Unit
from lptui.fleet.snapshot import Snapshot

STOP: Final = "unit-stop"
START: Final = "unit-start"

_START_LIMIT: Final = "start-limit-hit"


class StopMove(Usual):
    """Stops it. What does not end on SIGTERM is reported, and left to systemd's own timeout."""

    kind = STOP

    def sources(self, step: Step) -> Sequence[Source]:
        return (in_step(step).source,)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        service = in_step(step)
        unit, why = look(now, service)
        if unit is None:
            return Seen(Standing.UNKNOWN, why)
        words = says(unit, service)
        if is_down(unit):
            return Seen(Standing.MADE, words)
        if unit.active == "deactivating":
            return Seen(Standing.PARTLY, words + _on_its_way(unit))
        if unit.active == "activating" and "auto-restart" not in unit.sub:
            return Seen(Standing.PARTLY, words)
        return Seen(Standing.BEFORE, words)

    def hindrance(self, step: Step, now: Snapshot) -> str:
        service = in_step(step)
        unit, _ = look(now, service)
        if unit is not None and unit.refuses_stop:
            return f"{unit.name} has RefuseManualStop=yes: only what it belongs to stops it"
        return service.why_odd

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        service = in_step(step)
        unit, _ = look(now, service)
        return () if unit is not None and is_down(unit) else _both_ways(service)

    async def make(self, step: Step, execution: Execution) -> str:
        return await _stop(in_step(step), execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        return await _start(step, execution)


class StartMove(Usual):
    """Starts it, unless another is seen to act with its key."""

    kind = START
    looks = 2  # one that ends at once is seen running for a moment

    def sources(self, step: Step) -> Sequence[Source]:
        return (in_step(step).source,)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        service = in_step(step)
        unit, why = look(now, service)
        if unit is None:
            return Seen(Standing.UNKNOWN, why)
        words = says(unit, service)
        if unit.is_running:
            return Seen(Standing.MADE, words)
        if not is_down(unit):
            restarts = f", restarted {unit.restarts} times" if unit.restarts else ""
            return Seen(Standing.PARTLY, words + restarts)
        before = look(begun, service)[0] if begun is not None else None
        if before is not None and _was_tried(unit, before):
            return Seen(Standing.FAILED, f"{words}: {_why_failed(unit)}")
        return Seen(Standing.BEFORE, words)

    def hindrance(self, step: Step, now: Snapshot) -> str:
        service = in_step(step)
        unit, _ = look(now, service)
        if service.why_odd or unit is None:
            return service.why_odd
        return why_not_started(unit)

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        return _both_ways(in_step(step))

    async def make(self, step: Step, execution: Execution) -> str:
        return await _start(step, execution)

    async def unmake(self, step: Step, execution: Execution) -> str:
        return await _stop(in_step(step), execution)


def _both_ways(service: Supervised) -> Sequence[tuple[str, ...]]:
    if not service.is_unit or service.why_odd:
        return ()
    return (service.words("stop"), service.words("start"))


async def _stop(service: Supervised, execution: Execution) -> str:
    return await change(service, service.words("stop"), execution)


async def _start(step: Step, execution: Execution) -> str:
    """Starts it, whatever it failed of before. Raises RefusedError for a second holder."""
    service = in_step(step)
    holders = [holder_in(text) for name, text in step.given if name == "holder"]
    if holders:
        is_strict = step.value("strict") == "yes"
        await refuse_second(holders[1:], holders[0], execution, strict=is_strict)
    unit, _ = look(await execution.look_at((service.source,)), service)
    if service.is_unit and unit is not None and unit.active == "failed":
        # Else systemd refuses a unit that has failed too often of late.
        await change(service, service.words("reset-failed"), execution)
    return await change(service, service.words("start"), execution)


def _was_tried(unit: Unit, before: Unit) -> bool:
    """Whether it has been down again since, or was not let run."""
    if unit.invocation and unit.invocation != before.invocation:
        return True
    return unit.result == _START_LIMIT


def _why_failed(unit: Unit) -> str:
    if unit.result == _START_LIMIT:
        return "it failed too often in a row; see its log"
    if unit.active == "inactive":
        return "it ended at once, by itself; see its log"
    return "see its log"


def _on_its_way(unit: Unit) -> str:
    """What becomes of a unit that is stopping."""
    limit = unit.stop_timeout_s
    if unit.sub != "stop-sigterm" or limit is None:
        return ""
    if not isfinite(limit):
        return ": its process has not ended on SIGTERM, and systemd is never to kill it"
    return f": its process has not ended on SIGTERM; systemd kills it after {span(limit)}"
