"""`systemctl`: properties, states, and everything that starts, stops and enables units."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from lptui.sim.serve.host.call import Call, Reply
from lptui.sim.world import units
from lptui.sim.world.machine import Machine, SystemdUnit
from lptui.sim.world.world import World

NOT_ROOT: Final = (
    "Failed to {verb} {name}: Interactive authentication required.\n"
    "See system logs and 'systemctl status {name}' for details.\n"
)
JOB_FAILED: Final = (
    "Job for {name} failed because the control process exited with error code.\n"
    'See "systemctl status {name}" and "journalctl -xeu {name}" for details.\n'
)


_SERVICE: Final = re.compile(r"-(?:reward|initializeRound|orchestrator|redeemer)(?:=.*)?")


def systemctl(world: World, machine: Machine, call: Call) -> Reply:
    words = call.words[1:]
    verb = next((word for word in words if not word.startswith("-")), "")
    rest = words[words.index(verb) + 1 :] if verb else ()
    names = [word.rpartition("/")[2] for word in rest if not word.startswith("-")]
    if verb == "show":
        return _show(world, machine, words)
    if verb == "list-units":
        failed = [unit for unit in machine.units.values() if unit.active == "failed"]
        lines = [f"{u.name} loaded failed failed {world.say(u.description)}\n" for u in failed]
        return Reply("".join(lines))
    if verb in ("is-active", "is-enabled"):
        return _states(machine, verb, names)
    if verb in _VERBS or verb in ("reboot", "daemon-reload"):
        if not call.is_root:
            subject = names[0] if names else "unit"
            return Reply("", 1, NOT_ROOT.format(verb=verb, name=subject))
        if call.boot not in ("", machine.boot_id):
            return Reply()
        return _change(world, machine, verb, names, words)
    return Reply("", 1, f"Unknown command verb {verb}.\n")


def _change(
    world: World, machine: Machine, verb: str, names: Sequence[str], words: Sequence[str]
) -> Reply:
    if verb == "reboot":
        units.reboot(world, machine)
        return Reply()
    if verb == "daemon-reload":
        for unit in machine.units.values():
            unit.needs_reload = False
        return Reply()
    replies = [_change_one(world, machine, verb, name, words) for name in names]
    status = next((reply.status for reply in replies if reply.status), 0)
    return Reply("", status, "".join(reply.err for reply in replies))


def _change_one(
    world: World, machine: Machine, verb: str, name: str, words: Sequence[str]
) -> Reply:
    unit = machine.units.get(name)
    if unit is None:
        return _unknown(verb, name)
    if verb in _RUNNING and verb != "stop" and unit.enabled == "masked":
        return Reply("", 1, f"Failed to {verb} {name}: Unit {name} is masked.\n")
    reply = _VERBS[verb](world, machine, unit)
    if "--runtime" in words and verb == "enable":
        unit.enabled = "enabled-runtime"
    if "--now" in words and verb in ("enable", "disable"):
        return _VERBS["start" if verb == "enable" else "stop"](world, machine, unit)
    return reply


def _unknown(verb: str, name: str) -> Reply:
    if verb in ("enable", "disable", "mask", "unmask"):
        return Reply("", 1, f"Failed to {verb} unit: Unit file {name} does not exist.\n")
    word = "loaded" if verb in ("stop", "reload", "reset-failed") else "found"
    return Reply("", 5, f"Failed to {verb} {name}: Unit {name} not {word}.\n")


def _start(world: World, machine: Machine, unit: SystemdUnit) -> Reply:
    is_up = units.start(world, machine, unit.name)
    return Reply() if is_up else Reply("", 1, JOB_FAILED.format(name=unit.name))


def _stop(world: World, machine: Machine, unit: SystemdUnit) -> Reply:
    units.stop(world, machine, unit.name)
    return Reply()


def _restart(world: World, machine: Machine, unit: SystemdUnit) -> Reply:
    units.stop(world, machine, unit.name)
    return _start(world, machine, unit)


def _try_restart(world: World, machine: Machine, unit: SystemdUnit) -> Reply:
    return _restart(world, machine, unit) if unit.pid is not None else Reply()


def _reload(world: World, machine: Machine, unit: SystemdUnit) -> Reply:
    name = unit.name
    if not unit.can_reload:
        why = f"Job type reload is not applicable for unit {name}"
        return Reply("", 1, f"Failed to reload {name}: {why}.\n")
    if unit.pid is None:
        return Reply("", 1, f"{name} is not active, cannot reload.\n")
    is_loaded = units.reload(world, machine, name)
    return Reply() if is_loaded else Reply("", 1, JOB_FAILED.format(name=name))


def _reset_failed(_: World, __: Machine, unit: SystemdUnit) -> Reply:
    unit.restarts, unit.result = 0, "success"
    if unit.active == "failed":
        unit.active, unit.sub = "inactive", "dead"
    return Reply()


def _enable(_: World, __: Machine, unit: SystemdUnit) -> Reply:
    if unit.enabled == "masked":
        return Reply("", 1, f"Failed to enable unit: Unit file {unit.name} is masked.\n")
    link = f"/etc/systemd/system/multi-user.target.wants/{unit.name}"
    said = "" if unit.enabled == "enabled" else f"Created symlink {link} → {_file(unit)}.\n"
    unit.enabled = "enabled"
    return Reply("", 0, said)


def _disable(_: World, __: Machine, unit: SystemdUnit) -> Reply:
    link = f"/etc/systemd/system/multi-user.target.wants/{unit.name}"
    said = f'Removed "{link}".\n' if unit.enabled.startswith("enabled") else ""
    if unit.enabled != "masked":
        unit.enabled = "disabled"
    return Reply("", 0, said)


def _mask(_: World, __: Machine, unit: SystemdUnit) -> Reply:
    link = f"/etc/systemd/system/{unit.name}"
    if unit.folder == "/etc/systemd/system":
        # A mask is a link in the place of the unit's own file.
        return Reply("", 1, f"Failed to mask unit: File {link} already exists.\n")
    unit.enabled = "masked"
    return Reply("", 0, f"Created symlink {link} → /dev/null.\n")


def _unmask(_: World, __: Machine, unit: SystemdUnit) -> Reply:
    if unit.enabled == "masked":
        unit.enabled = "disabled"
    return Reply()


_RUNNING: Final[dict[str, Callable[[World, Machine, SystemdUnit], Reply]]] = {
    "start": _start,
    "stop": _stop,
    "restart": _restart,
    "try-restart": _try_restart,
    "reload": _reload,
}
_VERBS: Final[dict[str, Callable[[World, Machine, SystemdUnit], Reply]]] = {
    **_RUNNING,
    "reset-failed": _reset_failed,
    "enable": _enable,
    "disable": _disable,
    "mask": _mask,
    "unmask": _unmask,
}


def _states(machine: Machine, verb: str, names: Sequence[str]) -> Reply:
    found = [machine.units.get(name) for name in names]
    if verb == "is-active":
        states = [unit.active if unit is not None else "inactive" for unit in found]
        return Reply("".join(f"{state}\n" for state in states), 0 if "active" in states else 3)
    states = [unit.enabled if unit is not None else "not-found" for unit in found]
    is_any = any(state.startswith("enabled") for state in states)
    return Reply("".join(f"{state}\n" for state in states), int(not is_any))


def _show(world: World, machine: Machine, words: Sequence[str]) -> Reply:
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
        unit = machine.units.get(name)
        facts = _properties(world, machine, unit) if unit is not None else _not_found(name)
        shown = [f"{key}={value}\n" for key, value in facts.items() if not wanted or key in wanted]
        blocks.append("".join(shown))
    return Reply("\n".join(blocks))


def _not_found(name: str) -> dict[str, str]:
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


def _properties(world: World, machine: Machine, unit: SystemdUnit) -> dict[str, str]:
    """In an order of their own, as systemd prints them."""
    is_up = unit.active == "active"
    is_masked = unit.enabled == "masked"
    since = _monotonic(machine, unit.since) if unit.starts else 0
    return {
        "Restart": unit.restart_policy,
        "NRestarts": str(unit.restarts),
        "TimeoutStopUSec": "1min 30s",
        "Result": unit.result,
        "ExecMainStatus": str(unit.exit_status),
        "MainPID": str(unit.pid or 0),
        "MemoryCurrent": str(unit.memory) if is_up else "[not set]",
        "TasksCurrent": str(unit.tasks) if is_up else "[not set]",
        "Id": unit.name,
        "WantedBy": "multi-user.target" if unit.enabled.startswith("enabled") else "",
        "Description": world.say(unit.description),
        "LoadState": "masked" if is_masked else "loaded",
        "ActiveState": unit.active,
        "SubState": unit.sub,
        "FragmentPath": _file(unit),
        "UnitFileState": unit.enabled,
        "NeedDaemonReload": "yes" if unit.needs_reload else "no",
        "InvocationID": unit.invocation,
        "CanReload": "yes" if unit.can_reload else "no",
        "ReloadResult": "success",
        "StateChangeTimestampMonotonic": str(_monotonic(machine, unit.changed)),
        "RefuseManualStart": "no",
        "RefuseManualStop": "no",
        "ActiveEnterTimestampMonotonic": str(since),
        "WatchdogUSec": "infinity",
        "LimitNOFILESoft": str(unit.file_limit),
    }


def starts(_: World, machine: Machine, argv: Sequence[str]) -> tuple[str, int]:
    """What units would give go-livepeer, as the probe's shell function prints it."""
    lines = []
    for name in argv[1:]:
        lines.append(f"unit {name}")
        unit = machine.units.get(name)
        words = unit.command if unit is not None else ()
        lines += [f"program {words[0].rpartition('/')[2]}"] if words else []
        lines += [word for word in words[1:] if _SERVICE.fullmatch(word)]
    return "".join(f"{line}\n" for line in lines), 0


def _monotonic(machine: Machine, when: float) -> int:
    """Microseconds since the boot."""
    return max(0, int((when - machine.boot_time) * 1e6))


def _file(unit: SystemdUnit) -> str:
    return f"{unit.folder}/{unit.name}"
