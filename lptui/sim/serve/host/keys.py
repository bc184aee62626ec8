"""What a simulated machine tells of its key files, and of what its units would find of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from lptui.sim.world.machine import Machine, stable_hex
from lptui.sim.world.world import World

Result = tuple[str, int]
ASKS_START: Final = re.compile(r"p\(\) \{.*systemctl show .*getent passwd .*", re.DOTALL)
_DAY: Final = 86_400
_ACCOUNT: Final = "-ethAcctAddr"
_TIME: Final = "2025-01-01T00-00-00.000000000Z"


def keystores(_: World, machine: Machine, argv: Sequence[str]) -> Result:
    """The permissions of the key files, for each place that is asked for."""
    modes = f"{machine.keystore_modes[0]:o} livepeer folder\n{machine.keystore_modes[1]:o}"
    return "".join(f"at\n{modes} livepeer file\n" for _ in argv[1:]), 0


def start(_: World, machine: Machine, names: Sequence[str]) -> str:
    """How a unit would start its node, as the probe's script prints it."""
    unit = machine.units.get("".join(names))
    lines = []
    if unit is not None and unit.command:
        lines = [f"program {unit.command[0]}", *(f" {word}" for word in unit.command[1:])]
    user = unit.user if unit is not None else "root"
    return "".join(f"{line}\n" for line in (*lines, f"user {user} /home/{user}"))


def find(_: World, machine: Machine, argv: Sequence[str]) -> Result:
    """`find` of a keystore or a passphrase's file, by the shapes that the console sends."""
    return _entries(machine, argv[2]) if argv[1:2] == ("-H",) else _contents(machine, argv)


def _entries(machine: Machine, path: str) -> Result:
    """`find -H PATH … -printf '%y %m %u %g %f\\n'`: a file, unless it is a keystore."""
    name = path.rpartition("/")[2]
    if name != "keystore":
        return f"f 600 livepeer livepeer {name}\n", 0
    folder, file = (f"{mode:o} livepeer livepeer" for mode in machine.keystore_modes)
    keys = [f"f {file} UTC--{_TIME}--{account[2:]}\n" for account in _accounts(machine)]
    return f"d {folder} keystore\n{''.join(keys)}", 0


def _accounts(machine: Machine) -> Iterator[str]:
    """Those that the machine's units act with, but for keys that were never copied there."""
    for unit in machine.units.values():
        for flag, value in zip(unit.command, unit.command[1:], strict=False):
            if flag == _ACCOUNT and unit.name not in machine.keyless:
                yield value


def _contents(machine: Machine, argv: Sequence[str]) -> Result:
    """`find FOLDER … -printf … [-exec cat {} ;]` of a keystore: one key with a passphrase."""
    crypto = {
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 1000,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": stable_hex(f"salt of {machine.name}"),
        },
        "cipher": "aes-128-ctr",
        "ciphertext": stable_hex(f"key of {machine.name}", 64),
        "mac": stable_hex(f"mac of {machine.name}", 64),
    }
    text = json.dumps({"version": 3, "crypto": crypto})
    day = int(machine.boot_time) // _DAY * _DAY
    line = f"{day}.0000000000 {len(text)} UTC--{_TIME}--key"
    return (f"\n%key {line}\n{text}" if "-exec" in argv else f"{line}\n"), 0
