"""Move `reboot`: restarts a host, and waits until another boot of it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions import privileged
from lptui.actions.moves.move import Seen, Standing, Usual
from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.fleet.facts.host import HostSystem
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Host

KIND: Final = "reboot"

COMMAND: Final = ("systemctl", "reboot")

_IN_BOOT: Final = (
    '[ "$(cat /proc/sys/kernel/random/boot_id)" = "$1" ]||exit 0;shift;exec "$@"'  # else it is done
)

BACK_S: Final = 900.0
"""Servers with much memory take minutes before their kernel even begins."""


def step(host: Host, boot_id: str, *, group: str = "") -> Step:
    """The step that reboots a host whose present boot has this id."""
    return Step(
        title="reboot",
        target=host.name,
        call=f"{host.name}: {' '.join(COMMAND)}",
        precondition=f"its nodes are stopped; it runs boot {boot_id[:8]}",
        postcondition="another boot of it answers",
        deadline_s=BACK_S,
        undo="cannot be undone, and need not be",
        kind=KIND,
        given=(("host", host.name), ("boot", boot_id)),
        group=group,
        returns=True,
    )


def in_boot(boot_id: str) -> tuple[str, ...]:
    """Runs a command in this boot of a host alone: one that has just come is not ended as well."""
    return ("/bin/sh", "-c", _IN_BOOT, "lptui", boot_id)


class RebootMove(Usual):
    """See the module."""

    kind = KIND

    def sources(self, step: Step) -> Sequence[Source]:
        return (("host-system", step.value("host")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        reading = now.reading(HostSystem, step.value("host"))
        if reading.value is None:
            return Seen(Standing.UNKNOWN, str(reading.problem))
        boot = reading.value.boot_id
        if boot and boot != step.value("boot"):
            return Seen(Standing.MADE, f"boot {boot[:8]} answers")
        return Seen(Standing.BEFORE, f"still boot {boot[:8]}")

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        return (COMMAND,)

    async def make(self, step: Step, execution: Execution) -> str:
        host = execution.fleet.hosts[step.value("host")]
        within = in_boot(step.value("boot"))
        done = await privileged.as_root(execution.reach, host, COMMAND, within=within)
        return "" if done.status == 0 else f"status {done.status}"

    async def unmake(self, step: Step, execution: Execution) -> str:
        return ""
