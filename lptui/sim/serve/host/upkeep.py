"""What is told of units' files, of backups and of images on a simulated machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lptui.fleet.alike import TOLD
from lptui.sim.world.machine import Machine, SystemdUnit, stable_hex

ASKS_UNITS: Final = re.compile(r"url\(\) \{.*systemctl cat -- .*sha256sum.*", re.DOTALL)
_TOLD: Final = frozenset(name.lower() for name in TOLD)
_SETTINGS: Final = (
    *("Type=simple", "Nice=0", "RestartUSec=5s", "TimeoutStopUSec=1min 30s", "LimitNOFILE=65536"),
    *("LimitCORE=infinity", "KillMode=control-group", "KillSignal=15", "OOMScoreAdjust=0"),
)


def unit_texts(machine: Machine, names: Sequence[str]) -> str:
    """As the probe's script prints them."""
    return "".join(f"{line}\n" for name in names for line in _unit(machine, name))


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


def _flags(unit: SystemdUnit) -> Iterator[str]:
    is_told = False
    for word in unit.command[1:]:
        if word.startswith("-"):
            is_told = word.lstrip("-").partition("=")[0].lower() in _TOLD
        if is_told:
            yield f" {word}"
