"""Move `proved-stopped`: an old holder of a key is stopped, and will not start again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves.holders import Holder, coming_back, holder_in, running, unread
from lptui.actions.moves.move import Looking, Seen, Standing
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.snapshot import Snapshot

KIND: Final = "proved-stopped"


class ProvedStoppedMove(Looking):
    """See the module."""

    kind = KIND
    looks = 2

    def sources(self, step: Step) -> Sequence[Source]:
        cli = step.value("cli")
        return (*_holder(step).sources, *((("node-status", cli),) if cli else ()))

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        holder = _holder(step)
        why = running(now, holder) or _answers(now, step.value("cli"))
        if why:
            return Seen(Standing.BEFORE, why)
        why = unread(now, holder)
        if why:
            return Seen(Standing.UNKNOWN, why)
        why = why_not(holder) or coming_back(now, holder.service)
        if why:
            return Seen(Standing.FAILED, why)
        name, host = holder.service.name, holder.service.host
        words = f"{name} on {host} is stopped, nothing starts it, no process has its arguments"
        return Seen(Standing.MADE, words)


def why_not(holder: Holder) -> str:
    """Why no proof can be had of a holder that seems stopped; "" when it can."""
    if holder.seen == "no":
        return (
            f"its process was not found among those of {holder.service.host} while it ran, so that"
            " none is found proves nothing: its program is not named livepeer"
        )
    return ""


def _answers(now: Snapshot, node: str) -> str:
    reading = now.reading(NodeStatus, node) if node else None
    if reading is None or reading.value is None:
        return ""
    return f"its CLI API still answers ({reading.source})"


def _holder(step: Step) -> Holder:
    return holder_in(step.value("holder"))
