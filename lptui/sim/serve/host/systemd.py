"""`systemctl`: properties, failed units, and starting and stopping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lptui.sim.world.machine import Machine, SystemdUnit
from lptui.sim.world.world import World

Result = tuple[str, int]
CHANGES: Final = ("start", "stop", "restart", "reload", "try-restart", "reset-failed")


def systemctl(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    words = [word for word in argv[1:] if word != "--no-pager"]
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb == "show":
        return _show(world, machine, words)
    if verb == "list-units":
        failed = [unit for unit in machine.units.values() if unit.active == "failed"]
        lines = [f"{u.name} loaded failed failed {world.say(u.description)}\n" for u in failed]
        return "".join(lines), 0
    if verb == "is-active":
        states = [_state(machine, name) for name in words[words.index(verb) + 1 :]]
        return "\n".join(states) + "\n", 0 if set(states) == {"active"} else 3
    if verb in CHANGES:
        names = [w for w in words[words.index(verb) + 1 :] if not w.startswith("-")]
        return _change(world, machine, verb, names)
    if verb == "daemon-reload":
        for unit in machine.units.values():
            unit.needs_reload = False
        return "", 0
    return "", 1


def _state(machine: Machine, name: str) -> str:
    unit = machine.units.get(name)
    return unit.active if unit else "inactive"


def _show(world: World, machine: Machine, words: Sequence[str]) -> Result:
    wanted: list[str] = []
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "-p":
            wanted += next(rest, "").split(",")
        elif word.startswith(("-p", "--property=")):
            wanted += word.removeprefix("--property=").removeprefix("-p").split(",")
        elif word == "--":
            names.extend(rest)
        elif not word.startswith("-") and word != "show":
            names.append(word)
    blocks = []
    for name in names:
        facts = _properties(world, machine, machine.units.get(name), name)
        shown = [f"{key}={value}\n" for key, value in facts.items() if not wanted or key in wanted]
        blocks.append("".join(shown))
    return "\n".join(blocks), 0


def _properties(
    world: World, machine: Machine, unit: SystemdUnit | None, name: str
) -> dict[str, str]:
    """In an order of their own, as systemd prints them."""
    if unit is None:
        return {
            "Restart": "no",
            "NRestarts": "0",
            "Result": "success",
            "ExecMainStatus": "0",
            "MainPID": "0",
            "MemoryCurrent": "[not set]",
            "TasksCurrent": "[not set]",
            "Id": name,
            "LoadState": "not-found",
            "ActiveState": "inactive",
            "SubState": "dead",
            "UnitFileState": "",
            "NeedDaemonReload": "no",
            "InvocationID": "",
            "ActiveEnterTimestampMonotonic": "0",
        }
    up = unit.active == "active"
    since = max(0, int((unit.since - machine.boot_time) * 1e6))
    return {
        "Restart": unit.restart_policy,
        "NRestarts": str(unit.restarts),
        "Result": unit.result,
        "ExecMainStatus": str(unit.exit_status),
        "MainPID": str(unit.pid or 0),
        "MemoryCurrent": str(unit.memory) if up else "[not set]",
        "TasksCurrent": str(unit.tasks) if up else "[not set]",
        "Id": unit.name,
        "Description": world.say(unit.description),
        "LoadState": "loaded",
        "ActiveState": unit.active,
        "SubState": unit.sub,
        "UnitFileState": "enabled",
        "NeedDaemonReload": "yes" if unit.needs_reload else "no",
        "InvocationID": unit.invocation,
        "ActiveEnterTimestampMonotonic": str(since),
    }


def _change(world: World, machine: Machine, verb: str, names: Sequence[str]) -> Result:
    status = 0
    for name in names:
        unit = machine.units.get(name)
        if unit is None:
            status = 5
        elif verb == "stop":
            world.stop_unit(machine, name)
        elif verb in ("start", "restart", "try-restart"):
            if verb != "start" or unit.active != "active":
                world.start_unit(machine, name)
        elif verb == "reset-failed":
            unit.restarts = 0
            if unit.active == "failed":
                unit.active, unit.sub = "inactive", "dead"
    return "", status
