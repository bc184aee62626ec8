"""One steady-state collection of all hosts by lptui, measured inside a process of its own.

Prints a JSON list of rounds: wall time and CPU of this process, in seconds.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path

from benchmarks import cpu
from lptui.clock import SystemClock
from lptui.collector.asking import Source, ask
from lptui.collector.collector import Collector
from lptui.collector.ledger import Ledger
from lptui.config import load_fleet
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.snapshot import Snapshot
from lptui.probes.host import PROBES
from lptui.transport.reach import FleetReach

WARM_UP = 2
"""Rounds that open connections and shells; they are not counted."""


async def rounds(config: Path, count: int, sshd_pid: int) -> list[dict[str, float]]:
    """Asks every host once a round, as the live collector does, and publishes the snapshot."""
    fleet, clock = load_fleet(config), SystemClock()
    probe = next(item for item in PROBES if item.name == "host-vitals")
    sources = [Source(probe, name) for name in fleet.hosts]
    reach = FleetReach(fleet, clock=clock)
    ledger = Ledger(fleet, ())
    found = []

    async def one(source: Source) -> None:
        answered = await ask(
            source, fleet=fleet, reach=reach, clock=clock, ledger=ledger, deadline_s=10
        )
        if not answered:
            raise RuntimeError(str(ledger.publish(0).reading(HostVitals, source.target).problem))

    nodes = 0.0
    try:
        for number in range(count + WARM_UP):
            if number == WARM_UP:
                nodes = cpu.seconds(cpu.tree(sshd_pid))
            before = resource.getrusage(resource.RUSAGE_SELF)
            started = time.perf_counter()
            await asyncio.gather(*(one(source) for source in sources))
            ledger.publish(clock.now())
            wall = time.perf_counter() - started
            after = resource.getrusage(resource.RUSAGE_SELF)
            used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            found.append({"wall_s": wall, "operator_s": used})
            await asyncio.sleep(0.05)
        nodes = (cpu.seconds(cpu.tree(sshd_pid)) - nodes) / count
    finally:
        await reach.close()
    return [item | {"nodes_s": nodes} for item in found[WARM_UP:]]


async def gaps(config: Path, seconds: float) -> list[dict[str, float]]:
    """Runs the live collector and gives, for each host that answers, its longest silence."""
    fleet, clock = load_fleet(config), SystemClock()
    reach = FleetReach(fleet, clock=clock)
    collector = Collector(fleet, reach, clock, [p for p in PROBES if p.name == "host-vitals"])
    taken: dict[str, list[float]] = {}

    def note(snapshot: Snapshot) -> None:
        for name, reading in snapshot.all(HostVitals):
            times = taken.setdefault(name, [])
            if reading.value is not None and (not times or times[-1] != reading.taken_at):
                times.append(reading.taken_at)

    collector.subscribe(note)
    collector.start()
    await asyncio.sleep(seconds)
    await collector.stop()
    await reach.close()
    return [
        {"longest_gap_s": max(b - a for a, b in pairwise(times))}
        for times in taken.values()
        if len(times) > 2
    ]


if __name__ == "__main__":
    path = Path(sys.argv[2])
    if sys.argv[1] == "rounds":
        found = asyncio.run(rounds(path, int(sys.argv[3]), int(sys.argv[4])))
    else:
        found = asyncio.run(gaps(path, float(sys.argv[3])))
    json.dump(found, sys.stdout)
