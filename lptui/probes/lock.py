"""Looks who holds the fleet's lock: what other operators' consoles have under way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import TransportError
from lptui.fleet.facts.lock import FleetLocked, LockHolder
from lptui.fleet.locks import LASTS_S, MOST_HOSTS, lock_hosts, lock_path
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command, ShellFunction

INTERVAL_S: Final = 10.0

MOST_HOLDERS: Final = 4

NOTE_LIMIT: Final = 4000

START: Final = "\x1e"
"""Stands before each holder."""

# Nothing is forked while nobody holds it. A link could lead to what its maker may not read.
FUNCTION: Final = ShellFunction(
    "lptui_lock",
    'lptui_lock() { for x_d in "$1".*; do '
    '[ -f "$x_d/who" ] && [ ! -L "$x_d" ] && [ ! -L "$x_d/who" ] || continue; '
    'grep -qsxF "$x_d" "$1".*/over && continue; '
    '[ -n "$(find "$x_d" -maxdepth 0 -mmin "-$2")" ] || continue; '
    "printf '\\036%s\\n' \"${x_d##*.}\"; "
    f'head -c {NOTE_LIMIT} "$x_d/who"; done; }}',
)
"""Prints for each holder, before its note, a line of the mark and the run's id."""


def parse(host: str, text: str) -> FleetLocked:
    """What the function printed; whoever can write to /tmp may have written it."""
    holders = []
    for part in text.split(START)[1 : MOST_HOLDERS + 1]:
        run, _, note = part.partition("\n")
        holders.append(LockHolder(clean(run, 40), clean(note, NOTE_LIMIT)))
    return FleetLocked(host, tuple(holders))


class LockProbe:
    """One reading for the fleet, from the first of a few of its lock hosts that answers."""

    name: ClassVar[str] = "fleet-lock"
    needs: ClassVar[tuple[str, ...]] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return (fleet.name,) if lock_hosts(fleet) else ()

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return INTERVAL_S

    def source(self, fleet: Fleet, target: str) -> str:
        return f"{', '.join(lock_hosts(fleet)[:MOST_HOSTS])}: {lock_path(fleet)}.*"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(FleetLocked, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        hosts = lock_hosts(asking.fleet)[:MOST_HOSTS]
        minutes = str(math.ceil(LASTS_S / 60))
        argv = (FUNCTION.name, lock_path(asking.fleet), minutes)
        share_s = asking.deadline_s / len(hosts)
        failures: list[TransportError] = []
        for host in hosts:
            command = Command(argv, timeout_s=0.0, function=FUNCTION)
            try:
                [output] = await asking.reach.shell(host).run([command], share_s)
            except TransportError as error:
                failures.append(error)
                continue
            return [Answer(Key(FleetLocked, target), parse(host, output.text))]
        raise failures[0]


PROBES: Final = (LockProbe(),)
