"""One collection of everything within one deadline: what cron runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Set
from types import MappingProxyType

from lptui.clock import Clock
from lptui.collector.asking import MORE_TIME, Source, ask
from lptui.collector.ledger import Ledger
from lptui.errors import Problem, ProblemKind
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Probe
from lptui.transport.protocols import Reach

OTHERS_SHARE = 0.4
"""Part of the run that a source waits for needed sources of other targets: one of them may hang."""


async def collect_once(
    fleet: Fleet,
    reach: Reach,
    clock: Clock,
    probes: Sequence[Probe],
    deadline_s: float,
    *,
    only: Set[tuple[str, str]] | None = None,
    remembered: Mapping[Key, Reading[object]] = MappingProxyType({}),
) -> Snapshot:
    """Asks every source once, all at the same time, and gives the snapshot.

    A probe that needs others starts when those have answered or failed; for those that are about
    something else it does not wait for ever. What has not answered at the deadline is a
    RUN_DEADLINE problem; the call itself never takes longer. `only` names the sources that are
    asked, each by its probe and its target; None for all. `remembered` is as for the ledger.
    """
    sources = [
        Source(probe, target)
        for probe in probes
        for target in probe.targets(fleet)
        if only is None or (probe.name, target) in only
    ]
    expected = (key for s in sources for key in s.probe.keys(fleet, s.target))
    ledger = Ledger(fleet, expected, remembered)
    end = clock.monotonic() + deadline_s
    tasks: dict[Source, asyncio.Task[None]] = {}

    async def run(source: Source) -> None:
        needed = [other for other in tasks if other.probe.name in source.probe.needs]
        own = [tasks[other] for other in needed if other.target == source.target]
        others = [tasks[other] for other in needed if other.target != source.target]
        if own:
            await asyncio.wait(own)
        if others:
            patience = end - clock.monotonic() - deadline_s * (1 - OTHERS_SHARE)
            await asyncio.wait(others, timeout=max(0.0, patience))
        if needed:
            ledger.publish(clock.now())
        left = end - clock.monotonic()
        await ask(
            source,
            fleet=fleet,
            reach=reach,
            clock=clock,
            ledger=ledger,
            deadline_s=max(0.1, min(fleet.intervals.timeout, left)),
            # A slow source makes the run long; it must not make the others' readings stale.
            least_interval_s=deadline_s,
        )

    names = {probe.name for probe in probes}
    ordered = sorted(sources, key=lambda s: len(names.intersection(s.probe.needs)))
    try:
        for source in ordered:
            tasks[source] = asyncio.create_task(run(source), name=str(source))
        if tasks:
            await asyncio.wait(tasks.values(), timeout=deadline_s)
    finally:
        late = [source for source, task in tasks.items() if not task.done()]
        for source in late:
            tasks[source].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
    for source in late:
        words = source.probe.source(fleet, source.target)
        ledger.fail(
            source.probe.keys(fleet, source.target),
            Problem(
                ProblemKind.RUN_DEADLINE,
                words,
                f"no answer within the run's {round(deadline_s, 2):g} s",
                MORE_TIME,
            ),
            source=words,
            taken_at=clock.now(),
            took_s=deadline_s,
            interval_s=max(source.probe.interval_s(fleet, source.target), deadline_s),
        )
    ledger.forget_unasked()
    return ledger.publish(clock.now())
