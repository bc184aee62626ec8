"""Asks before anything is changed, carries it out, and tells the truth when it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lptui.actions.plan import Plan, Result
from lptui.headless.signals import Signals

if TYPE_CHECKING:
    from lptui.fleet.topology import Fleet
    from lptui.session import Session


async def carry_out(
    arguments: argparse.Namespace,
    session: Session,
    plan: Plan,
    lines: Iterable[str],
    go: Callable[[], Awaitable[Result]],
) -> Result:
    """What `go` gives, after the question with its `lines` (not with --yes, or when it is in vain).

    A signal ends it in order: recorded, and told.
    """
    runner = session.runner
    asks = not (arguments.yes or plan.why_not or session.read_only)
    if asks and not (sys.stdin.isatty() and sys.stderr.isatty()):
        why, remedy = "nobody to ask: no terminal", "look at --dry-run, add --yes"
        say(f"lptui: {plan.summary}: {why}; {remedy}")
        return runner.refuse(plan, why, remedy)

    def stop() -> None:
        say("stopping after this step; Ctrl+C again ends at once")
        runner.abort()

    with Signals() as signals:
        try:
            if asks and not await _agreed(lines, session.fleet):
                return runner.refuse(plan, "not confirmed", "")
            signals.stop = stop if plan.is_stepwise else None
            result = await go()
            return replace(result, interrupted=True) if signals.stopped else result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not signals.came or task is None:
                raise
            task.uncancel()
            ended = runner.latest
            if ended is None or ended.plan is not plan:
                ended = runner.refuse(plan, "not confirmed", "")
            return replace(ended, interrupted=True)


async def _agreed(lines: Iterable[str], fleet: Fleet) -> bool:
    """Asks on the terminal; only the word yes is one, and for a fleet in production its name.

    The connections live on meanwhile.
    """
    for line in lines:
        say(line)
    word = fleet.name if fleet.production else "yes"
    what = f"the name of this production fleet, {word}" if fleet.production else word
    sys.stderr.write(f"Do this? Type {what}: ")
    sys.stderr.flush()
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        loop.remove_reader(sys.stdin)
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        said = (await typed).strip()
        return said == word or (said.lower() == word and not fleet.production)
    finally:
        loop.remove_reader(sys.stdin)


def tell(report: str) -> None:
    """What became of it, on standard output; raises OSError when that takes nothing."""
    try:
        sys.stdout.write(report.rstrip("\n") + "\n")
        sys.stdout.flush()
    except OSError:
        say("lptui: standard output takes no report; what was done is on record: lptui audit")
        raise


def say(line: str) -> None:
    """Progress; that nobody reads it any more ends nothing."""
    with suppress(OSError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
