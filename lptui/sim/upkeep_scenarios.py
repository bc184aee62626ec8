"""Situations of upkeep: a unit changed and not restarted, a node set up apart, an old backup."""

from __future__ import annotations

from typing import Final

from lptui.sim.scenarios import scenario
from lptui.sim.world.world import World

_MORE: Final = ("-maxTicketEV", "8000000000000")
_USUAL: Final = ("-maxTicketEV", "3000000000000")


@scenario("settings-drift", "one orchestrator takes larger tickets than the others; R ends it")
def _settings_drift(world: World) -> None:
    for name in ("orch-1", "orch-2", "orch-3"):
        node = world.nodes[name]
        machine = world.machines[node.host]
        unit = machine.units[node.unit]
        unit.command = (*unit.command, *(_MORE if name == "orch-2" else _USUAL))
        if unit.pid is not None:
            machine.processes[unit.pid].argv = unit.command


@scenario("unit-stale", "an orchestrator's unit was changed, and it was not restarted since")
def _unit_stale(world: World) -> None:
    node = world.nodes["orch-2"]
    unit = world.machines[node.host].units[node.unit]
    unit.command = (*unit.command, *_MORE)


@scenario("backup-old", "nobody has backed up the keys for nine days")
def _backup_old(world: World) -> None:
    world.machines[world.nodes["reward"].host].backup_age_s = 9 * 86_400.0
