"""`journalctl -u UNIT`: a few plausible lines of a unit's log."""

from __future__ import annotations

from collections.abc import Sequence

from lptui.clock import utc
from lptui.sim.world.machine import Machine
from lptui.sim.world.world import World

Result = tuple[str, int]


def journalctl(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    unit = _option(argv, "-u", "--unit")
    if unit not in machine.units:
        return "-- No entries --\n", 0
    wanted = _option(argv, "-n", "--lines")
    count = min(500, int(wanted)) if wanted.isdecimal() else 40
    lines = [_line(world, machine, unit, back) for back in range(count, 0, -1)]
    return "\n".join(lines) + "\n", 0


def reward_log(world: World, machine: Machine, argv: Sequence[str]) -> Result:
    """The lines of a unit's log about calls of reward: those that failed."""
    try:
        unit, since = argv[2], float(argv[3])
    except (IndexError, ValueError):
        return "", 2
    lines = ["sees"] if unit in machine.units else []
    for node in world.nodes.values():
        if node.host != machine.name or node.unit != unit:
            continue
        for at, number, why in node.failed_tries:
            said = world.say(f'Error trying to call reward for round {number} err="{why}"')
            stamp = f"{at:.6f} {machine.name} livepeer[{machine.units[unit].pid or 0}]"
            lines += [f"{stamp}: {said}"] if at >= since else []
    return "".join(f"{line}\n" for line in lines), 0


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
    program = unit.removesuffix(".service").partition("-")[0]
    pid = machine.units[unit].pid or 0
    number = int(when.timestamp()) // 5 % 4
    glog = when.strftime("I%m%d %H:%M:%S.000000")
    words = (
        f"{glog}       1 transcoder.go:97] Transcoding of segment manifestID=demo-{number} ok",
        f"{glog}       1 block_watcher.go:210] Processed block={world.l2_block - back * 20}",
        f"{glog}       1 orchestrator.go:771] Processing segment seqNo={back}",
        f"{glog}       1 census.go:512] Session finished",
    )
    said = words[number] if program == "livepeer" else f"{program}: {number + 1} requests served"
    return f"{stamp} {world.say(machine.name)} {program}[{pid}]: {world.say(said)}"
