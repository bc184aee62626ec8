"""`/proc/diskstats` and the TCP sockets, as the console's awk prints them; installed programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lptui.sim.world.livepeer import VERSION
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Result = tuple[str, int]

_WRITES_PER_S: Final = 9.0
_SECTORS_A_WRITE: Final = 64
_SERVICE_MS: Final = 1.3
_PARTITION: Final = re.compile(r"(nvme\d+n\d+)p\d+|((?:sd|vd)[a-z]+)\d*")
_SOCKETS_A_LINK: Final = 3

ASKS_PROGRAMS: Final = re.compile(r"for p in livepeer ffmpeg; .*-version.*", re.DOTALL)
"""The script that asks which programs are installed."""


def activity(world: World, machine: Machine, _: Sequence[str]) -> Result:
    """Counters since boot: the busier a machine is, the more its disks have done."""
    uptime = world.uptime(machine)
    worked = machine.busy_ticks / 100.0
    lines = [f"uptime {uptime:.2f}"]
    for place, name in enumerate(_disks(machine)):
        share = 1.0 / (1 + 2 * place)
        writes = int((uptime * _WRITES_PER_S + worked * 4.0) * share)
        reads = int((uptime * 1.5 + worked) * share)
        took = int((writes + reads) * _SERVICE_MS)
        lines.append(
            f"disk {name} {reads} {writes} {reads * 24} {writes * _SECTORS_A_WRITE} "
            f"{int(reads * _SERVICE_MS)} {took - int(reads * _SERVICE_MS)} {took * 4 // 5}"
        )
    links = sum(1 for node in world.nodes.values() for _ in node.links if node.host == machine.name)
    established = 3 + _SOCKETS_A_LINK * links + int(24 * machine.load)
    lines += ["orphaned 0", f"time_wait {established // 4}", f"open {established}", "counted"]
    lines += [f"state 01 {established}", f"state 06 {established // 4}"]
    lines.append(f"state 0A {len(machine.listeners)}")
    return "\n".join(lines) + "\n", 0


def programs(machine: Machine) -> str:
    """go-livepeer where a node of it runs; ffmpeg nowhere."""
    lines = ["end"]
    if any(p.argv[0].endswith("/livepeer") for p in machine.processes.values()):
        lines = ["program livepeer", f"Livepeer Node Version: {VERSION}", *lines]
    return "\n".join(lines) + "\n"


def _disks(machine: Machine) -> list[str]:
    names = [_PARTITION.fullmatch(disk.device.removeprefix("/dev/")) for disk in machine.disks]
    return list(dict.fromkeys(found[1] or found[2] for found in names if found))
