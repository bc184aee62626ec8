"""What is told of units' files, of backups and of images on a simulated machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lptui.clock import utc
from lptui.fleet.alike import TOLD
from lptui.sim.world.machine import Machine, SystemdUnit, stable_hex
from lptui.sim.world.world import World

ASKS_UNITS: Final = re.compile(r"url\(\) \{.*systemctl cat -- .*sha256sum.*", re.DOTALL)
ASKS_FILES: Final = re.compile(r"read -r u _ </proc/uptime; .*readlink -f.*", re.DOTALL)
ASKS_BACKUPS: Final = re.compile(r"IFS=; date .*stat -L .*closed.*", re.DOTALL)
ASKS_LOGS: Final = re.compile(r"IFS=; printf 'now .*du -sk .*logrotate.*", re.DOTALL)
_TOLD: Final = frozenset(name.lower() for name in TOLD)
_SETTINGS: Final = (
    *("Type=simple", "Nice=0", "RestartUSec=5s", "LimitNOFILE=65536"),
    *("KillMode=control-group", "KillSignal=15"),
)


def unit_texts(world: World, machine: Machine, names: Sequence[str]) -> str:
    """As the probe's script prints them."""
    lines = [
        line for name in names for line in (*_unit(machine, name), *_files(world, machine, name))
    ]
    return "".join(f"{line}\n" for line in lines)


def unit_files(world: World, machine: Machine, paths: Sequence[str]) -> str:
    """When files were last written, as the probe's script prints it."""
    now = int(world.host_time(machine))
    found = (machine.files.find(path) for path in paths)
    times = (f"{int(file.modified)}\n" if file is not None else "gone\n" for file in found)
    return f"now {now} {world.uptime(machine):.2f}\n{''.join(times)}"


def backups(world: World, machine: Machine, patterns: Sequence[str]) -> str:
    """As the probe's script prints them: each declared backup has one file."""
    now = int(world.host_time(machine))
    made = now - int(machine.backup_age_s)
    files = (path.replace("*", f"{utc(made):%Y%m%d}") for path in patterns)
    return f"{now}\n" + "".join(f"at\n{made} 4096 81a4 {file}\n" for file in files)


def logs(world: World, machine: Machine, patterns: Sequence[str]) -> str:
    """As the probe's script prints them: each declared log is one file."""
    now = int(world.host_time(machine))
    head = f"now {now}\njournal 131072\nrotated {now - now % 86_400}\n"
    return head + "log 1 48000000\n" * len(patterns)


def _unit(machine: Machine, name: str) -> Iterator[str]:
    yield f"unit {name}"
    unit = machine.units.get(name)
    if unit is None:
        return
    yield f"digest {stable_hex(' '.join((name, *unit.command)), 64)}"
    for setting in (*_SETTINGS, f"Restart={unit.restart_policy}", f"User={unit.user}"):
        yield f"set {setting}"
    if unit.command:
        yield f"program {unit.command[0]}"
        yield from _flags(unit)


def _files(world: World, machine: Machine, name: str) -> Iterator[str]:
    """Its environment file, and when its process was started."""
    unit = machine.units.get(name)
    if unit is not None and unit.starts:
        yield f"start {int((unit.since - machine.boot_time) * 1e6)}"
    for node in world.nodes.values():
        if (node.host, node.unit) == (machine.name, name) and node.environment_file:
            yield "environment"
            yield f"file {node.environment_file} (ignore_errors=no)"


def _flags(unit: SystemdUnit) -> Iterator[str]:
    is_told = False
    for word in unit.command[1:]:
        if word.startswith("-"):
            is_told = word.lstrip("-").partition("=")[0].lower() in _TOLD
        if is_told:
            yield f" {word}"
