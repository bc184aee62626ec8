"""One asking of one source: deadline, errors turned into problems, entry into the ledger."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from lptui.clock import Clock
from lptui.collector.ledger import Ledger
from lptui.errors import DeadlineError, LptuiError, Problem, ProblemKind
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Answer, Asking, Loading, Probe
from lptui.text import clean
from lptui.transport.protocols import Reach

MORE_TIME = "look at the host's own findings, or give the run more time with --timeout"

GRACE_S = 0.5
"""How much longer than its own deadline a probe may take before it is cut off."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A probe and one of its targets: what has a loop of its own. Equal only to itself."""

    probe: Probe
    target: str

    def __str__(self) -> str:
        return f"{self.probe.name}@{self.target}"


async def ask(
    source: Source,
    *,
    fleet: Fleet,
    reach: Reach,
    clock: Clock,
    ledger: Ledger,
    deadline_s: float,
    least_interval_s: float = 0.0,
) -> bool:
    """Asks a source once and enters what came of it; True when it answered.

    Its readings are taken to be due again at the probe's interval, but not before
    `least_interval_s`. With a deadline below the fleet's own, no answer in time says nothing of
    who was asked: the problem's kind is then RUN_DEADLINE.

    Never raises for anything that the outside world or the probe did; cancellation passes.
    """
    probe, target = source.probe, source.target
    words = probe.source(fleet, target)
    interval_s = max(probe.interval_s(fleet, target), least_interval_s)
    hurried = deadline_s < fleet.intervals.timeout
    started = clock.monotonic()
    try:
        if _loads(type(probe)):
            await cast(Loading, probe).load()
            started = clock.monotonic()
        async with asyncio.timeout(deadline_s + GRACE_S):
            answers = await probe.ask(
                Asking(fleet, reach, clock, ledger.snapshot, deadline_s), target
            )
    except TimeoutError:
        problem = DeadlineError(
            words,
            f"no answer within {round(deadline_s, 2):g} s",
            "see whether it can be reached at all",
        ).problem()
    except LptuiError as error:
        problem = error.problem()
    except Exception as error:  # a probe's own bug must stop neither its loop nor the others
        why = clean(f"{type(error).__name__}: {error}")
        problem = Problem(
            ProblemKind.INTERNAL, words, why, "this is a bug in lptui; please report it"
        )
    else:
        ledger.record(
            [_of_run(answer) for answer in answers] if hurried else answers,
            source=words,
            taken_at=clock.now(),
            took_s=clock.monotonic() - started,
            interval_s=interval_s,
        )
        return True
    ledger.fail(
        probe.keys(fleet, target),
        of_run(problem) if hurried else problem,
        source=words,
        taken_at=clock.now(),
        took_s=clock.monotonic() - started,
        interval_s=interval_s,
    )
    return False


@cache
def _loads(kind: type) -> bool:
    # To look at each asking whether a protocol holds would cost as much as a small answer.
    return issubclass(kind, Loading)


def of_run(problem: Problem) -> Problem:
    """The problem of a source that had less time than it is owed."""
    if problem.kind is not ProblemKind.TIMEOUT:
        return problem
    return replace(problem, kind=ProblemKind.RUN_DEADLINE, remedy=MORE_TIME)


def _of_run(answer: Answer) -> Answer:
    return replace(answer, problem=of_run(answer.problem)) if answer.problem else answer
