"""`df`, in KiB or inodes."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Result = tuple[str, int]
RESERVED = 20
"""One part in so many of a file system is kept for root."""


def df(_: World, machine: Machine, argv: Sequence[str]) -> Result:
    if any("i" in word for word in argv[1:] if word.startswith("-")):
        lines = ["Filesystem     Type        Inodes  IUsed    IFree IUse% Mounted on"]
        for disk in machine.disks:
            free = disk.inodes - disk.inodes_used
            percent = -(-100 * disk.inodes_used // disk.inodes)
            lines.append(
                f"{disk.device} {disk.fs_type} {disk.inodes} {disk.inodes_used} {free} {percent}%"
                f" {disk.path}"
            )
        return "\n".join(lines) + "\n", 0
    lines = ["Filesystem     Type     1024-blocks     Used Available Capacity Mounted on"]
    for disk in machine.disks:
        free = max(0, disk.size - disk.size // RESERVED - disk.used)
        percent = -(-100 * disk.used // (disk.used + free)) if disk.used + free else 0
        lines.append(
            f"{disk.device} {disk.fs_type} {disk.size // 1024} {disk.used // 1024}"
            f" {free // 1024} {percent}% {disk.path}"
        )
    lines.append("tmpfs tmpfs 3200000 1204 3198796 1% /run")
    return "\n".join(lines) + "\n", 0
