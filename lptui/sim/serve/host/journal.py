"""`journalctl -u UNIT`: a few plausible lines of a unit's log."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from lptui.clock import utc
from lptui.sim.serve.host.call import Call
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

_READS_LOG: Final = re.compile(r"k=\$1 n=\$2 since=\$3 f=\$4;.*journalctl.*", re.DOTALL)

Result = tuple[str, int]


def journalctl(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    unit = _option(argv, "-u", "--unit")
    if unit not in machine.units:
        return "-- No entries --\n", 0
    wanted = _option(argv, "-n", "--lines")
    count = min(500, int(wanted)) if wanted.isdecimal() else 40
    lines = [_line(world, machine, unit, back) for back in range(count, 0, -1)]
    return "\n".join(lines) + "\n", 0


def look(world: World, machine: Machine, given: Sequence[str]) -> str:
    """What a look through a unit's log finds: no errors, for what it writes tells of none but its
    own calls of reward that failed."""
    unit, after = (*given[1:3], "", "")[:2]
    if unit not in machine.units:
        return "end 0 0 \n"
    lines = ["sees"]
    for node in world.nodes.values():
        if node.host != machine.name or node.unit != unit:
            continue
        for at, number, why in node.failed_tries:
            said = world.say(f'Error trying to call reward for round {number} err="{why}"')
            stamp = f"{at:.6f}"
            said = f"{stamp} {machine.name} livepeer[{machine.units[unit].pid or 0}]: {said}"
            lines += [f"try {stamp} {said}"] if stamp > after else []
    lines.append(f"end 30 0 {world.clock.now():.6f}")
    return "".join(f"{line}\n" for line in lines)


def log_of(world: World, machine: Machine, call: Call) -> Log | None:
    """The log that the console's script asks for; None for any other command."""
    words = call.words
    if call.program != "sh" or len(words) < 9 or words[1] != "-c":
        return None
    return Log(world, machine, words[4:]) if _READS_LOG.fullmatch(words[2]) else None


def _option(argv: Sequence[str], short: str, long: str) -> str:
    for place, word in enumerate(argv):
        if word in (short, long) and place + 1 < len(argv):
            return argv[place + 1]
        if word.startswith(f"{long}="):
            return word.partition("=")[2]
    return ""


def _line(world: World, machine: Machine, unit: str, back: int) -> str:
    """One entry, so many steps back in time; the same entry whenever it is asked for."""
    when = utc((int(world.now) // 5 - back) * 5)
    stamp = when.strftime("%b %d %H:%M:%S")
    pid = machine.units[unit].pid or 0
    said = _said(world, unit, int(when.timestamp()), back)
    return f"{stamp} {world.say(machine.name)} {_program(unit)}[{pid}]: {world.say(said)}"


def _program(unit: str) -> str:
    return unit.removesuffix(".service").partition("-")[0]


def _said(world: World, unit: str, at: int, back: int) -> str:
    """What a unit logs at a time, in seconds; `back` steps ago."""
    number = at // 5 % 4
    glog = utc(at).strftime("I%m%d %H:%M:%S.000000")
    words = (
        f"{glog}       1 transcoder.go:97] Transcoding of segment manifestID=demo-{number} ok",
        f"{glog}       1 block_watcher.go:210] Processed block={world.l2_block - back * 20}",
        f"{glog}       1 orchestrator.go:771] Processing segment seqNo={at // 2 % 1000}",
        f"{glog}       1 census.go:512] Session finished",
    )
    program = _program(unit)
    return words[number] if program == "livepeer" else f"{program}: {number + 1} requests served"


class Log:
    """Units' journals as `journalctl -o json` gives them: the last entries, then each new one."""

    STEP_S: Final = 2
    """Each unit writes so often."""

    def __init__(self, world: World, machine: Machine, words: Sequence[str]) -> None:
        """The words of the console's own script: kind, lines, since, whether to go on, names."""
        kind, lines, since, follow, *names = (*words, "", "", "", "")[: max(4, len(words))]
        self.follows = bool(follow)
        self._world = world
        self._machine = machine
        wanted = [name for name in names if name] or list(machine.units)
        self._units = [name for name in wanted if name in machine.units and kind == "journal"]
        count = min(1000, int(lines)) if lines.isdecimal() else 10
        self._next = int(world.clock.now()) // self.STEP_S - count // max(1, len(self._units)) + 1
        if since.isdecimal():
            self._next = max(self._next, -(-int(since) // self.STEP_S))

    def more(self) -> str:
        """The entries since the last time."""
        last = int(self._world.clock.now()) // self.STEP_S
        steps = range(self._next, last + 1)
        self._next = max(self._next, last + 1)
        return "".join(self._entry(unit, step, last) for step in steps for unit in self._units)

    def _entry(self, unit: str, step: int, last: int) -> str:
        at = step * self.STEP_S
        entry = {
            "__REALTIME_TIMESTAMP": str(at * 1_000_000),
            "__CURSOR": f"s=0;i={step:x};t={unit}",
            "PRIORITY": "6",
            "_SYSTEMD_UNIT": unit,
            "MESSAGE": self._world.say(_said(self._world, unit, at, last - step)),
        }
        return json.dumps(entry) + "\n"
