"""What a simulated machine tells of its devices, its sshd and its updates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Result = tuple[str, int]
ASKS_SSHD: Final = re.compile(r".*exec sshd -T;.*", re.DOTALL)
_DAY: Final = 86_400


def look(world: World, machine: Machine, _: Sequence[str]) -> Result:
    """As the probe's shell function prints it: each disk is a LUKS volume on a partition."""
    lines = []
    for number, disk in enumerate(machine.disks):
        part = f"nvme{number}n1p2"
        path = disk.path.replace(" ", "\\040")
        lines += [
            f"mount 254:{number} {disk.fs_type} {disk.device} {path}",
            f"block dm-{number} 254:{number} crypt{number} CRYPT-LUKS2-{number:032x}-x {part}",
            f"block {part} 259:{2 * number + 1} - - nvme{number}n1",
            f"block nvme{number}n1 259:{2 * number} - -",
        ]
    lines.append(f"lists {int(world.host_time(machine)) // _DAY * _DAY}")
    return "".join(f"{line}\n" for line in lines), 0


def sshd(machine: Machine) -> str:
    """`sshd -T`, in part."""
    word = "yes" if machine.ssh_passwords else "no"
    root = "yes" if machine.ssh_passwords else "without-password"
    return (
        f"port 22\npermitrootlogin {root}\npasswordauthentication {word}\n"
        "kbdinteractiveauthentication no\nusepam yes\npermitemptypasswords no\n"
    )


def apt_get(_: World, machine: Machine, __: Sequence[str]) -> Result:
    """`apt-get -s upgrade`."""
    lines = [
        f"Inst {name} [1.0-1] (1.0-2 {archive} [amd64])\n" for name, archive in machine.updates
    ]
    return "Reading package lists...\n" + "".join(lines), 0
