"""What a coordinated restart does to each wave: restart, reload, upgrade, or reboot its host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.actions.moves import declared, reboot, reload
from lptui.actions.plan import Precondition, Request, Step
from lptui.actions.wave_steps import wave_steps
from lptui.fleet.declared import target_for
from lptui.fleet.facts.host import HostSystem, HostUnits
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

RELOAD: Final = "reload"
UPGRADE: Final = "upgrade"
REBOOT: Final = "reboot"

EFFECTS: Final = {
    "restart": "each node is stopped, started, and seen well before the next wave",
    "rpc-first": "the RPC nodes are restarted and synced before the nodes that use them",
    RELOAD: "each unit reads its configuration again; its process goes on",
    UPGRADE: "each node is stopped, upgraded, started, and seen well before the next wave",
    REBOOT: "each host is rebooted, and its nodes are seen well before the next",
}


def steps(snapshot: Snapshot, wave: Sequence[Node], group: str, request: Request) -> list[Step]:
    """The steps of one wave."""
    preset = request.option("preset")
    if preset == RELOAD:
        return [reload.step(snapshot, node, group=group) for node in wave]
    between: list[Step] = []
    if preset == UPGRADE:
        between = _upgrades(snapshot, wave, group, request.option("with"))
    elif preset == REBOOT:
        host = snapshot.fleet.hosts[wave[0].host]
        system = snapshot.value(HostSystem, host.name)
        between = [reboot.step(host, system.boot_id if system else "", group=group)]
    return wave_steps(snapshot, wave, group, request, between)


def conditions(
    snapshot: Snapshot, in_waves: Sequence[Sequence[Node]], request: Request
) -> list[Precondition]:
    """What a preset needs besides the rest."""
    preset = request.option("preset")
    if preset == REBOOT:
        return [_whole_host(snapshot, wave) for wave in in_waves]
    if preset == UPGRADE:
        return [_command(snapshot, in_waves, request.option("with"))]
    if preset == RELOAD:
        return [_can_reload(snapshot, node) for wave in in_waves for node in wave]
    return []


def _whole_host(snapshot: Snapshot, wave: Sequence[Node]) -> Precondition:
    """A reboot takes every node of a host away, not only those that were chosen."""
    host = wave[0].host
    name = f"all of {host} is meant"
    chosen = {node.name for node in wave}
    more = [
        node.name
        for node in snapshot.fleet.nodes_on(host)
        if node.name not in chosen and not node.standby_for
    ]
    if more:
        why = f"{', '.join(more)} would go as well"
        return Precondition(name, False, why, f"choose them too: host:{host}")
    system = snapshot.value(HostSystem, host)
    if system is None or not system.boot_id:
        why = str(snapshot.reading(HostSystem, host).problem or "its boot's id is not known")
        return Precondition(name, None, why)
    return Precondition(name, True, f"{', '.join(chosen)}; boot {system.boot_id[:8]}")


def _command(snapshot: Snapshot, in_waves: Sequence[Sequence[Node]], name: str) -> Precondition:
    what = "the upgrade's command"
    fleet, known = snapshot.fleet, snapshot.fleet.commands
    if name in known:
        nodes = [node for wave in in_waves for node in wave]
        others = [n.name for n in nodes if target_for(fleet, known[name], n) is None]
        why = f"{name} is not for {', '.join(others)}" if others else name
        return Precondition(what, not others, why, "see its `on`" if others else "")
    remedy = f"--with NAME: one of {', '.join(known) or 'none: declare it in `commands`'}"
    return Precondition(what, False, f"there is no command {name}" if name else "none", remedy)


def _can_reload(snapshot: Snapshot, node: Node) -> Precondition:
    there = snapshot.fresh(HostUnits, node.host)
    unit = there.find(node.service.name) if there and node.service else None
    name = f"{node.name} can reload"
    if unit is None:
        return Precondition(name, None, "its unit is not known")
    words = "" if unit.can_reload else "its unit has no ExecReload: restart it instead"
    return Precondition(name, unit.can_reload, words or unit.name)


def _upgrades(snapshot: Snapshot, wave: Sequence[Node], group: str, name: str) -> list[Step]:
    command = snapshot.fleet.commands[name]
    found = (target_for(snapshot.fleet, command, node) for node in wave)
    targets = dict.fromkeys(target for target in found if target is not None)
    return [declared.step(command, target, group=group) for target in targets]
