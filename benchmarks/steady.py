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

from lptui.clock import SystemClock
from lptui.collector.asking import Source, ask
from lptui.collector.collector import Collector
from lptui.collector.ledger import Ledger
from lptui.config import load_fleet
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.snapshot import Snapshot
from lptui.probes.host import PROBES
from lptui.transport.reach import FleetReach


async def rounds(config: Path, count: int) -> list[dict[str, float]]:
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

    try:
        for _ in range(count + 2):
            before = resource.getrusage(resource.RUSAGE_SELF)
            started = time.perf_counter()
            await asyncio.gather(*(one(source) for source in sources))
            ledger.publish(clock.now())
            wall = time.perf_counter() - started
            after = resource.getrusage(resource.RUSAGE_SELF)
            cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            found.append({"wall_s": wall, "operator_s": cpu})
            await asyncio.sleep(0.05)
    finally:
        await reach.close()
    return found[2:]


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
    what, path, amount = sys.argv[1:4]
    work = rounds(Path(path), int(amount)) if what == "rounds" else gaps(Path(path), float(amount))
    json.dump(asyncio.run(work), sys.stdout)
