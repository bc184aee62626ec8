"""`runs`, `resume`, `undo`: what the journal tells, and runs that are taken up again, or back."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from lptui.actions.comparing import Verb
from lptui.actions.journal import Entry
from lptui.actions.plan import Result
from lptui.errors import LptuiError, RefusedError
from lptui.headless.confirming import carry_out, say, tell
from lptui.report.actions import render_runs
from lptui.report.journal import comparison_lines, render_comparison, render_journal

if TYPE_CHECKING:
    from lptui.session import Session


async def list_runs(arguments: argparse.Namespace, session: Session) -> int:
    """Prints the newest runs of the fleet, the newest last."""
    runner = session.runner
    cut = await asyncio.to_thread(runner.unfinished)
    newest = await asyncio.to_thread(runner.journal.newest, session.fleet.name)
    known = {entry.id for entry in newest}
    entries = (*(entry for entry in cut if entry.id not in known), *reversed(newest))
    cut_ids = {entry.id for entry in cut}
    _out(render_journal(entries, cut_ids, arguments.format, session.clock.now()))
    return 0


async def take_up(arguments: argparse.Namespace, word: str, run: str, session: Session) -> int:
    """Compares a run with the fleet as it is now, asks, and goes on with it or takes it back."""
    verb, runner = Verb(word), session.runner
    entry = await asyncio.to_thread(_named, session, verb, run)
    compared = await runner.compare(entry, verb)
    now = session.clock.now()
    if arguments.dry_run:
        _out(render_comparison(entry, verb, compared, arguments.format, now))
        return 0
    lines = tuple(comparison_lines(entry, verb, compared))
    if arguments.yes:
        for line in lines:
            say(line)

    async def go() -> Result:
        do = runner.resume if verb is Verb.RESUME else runner.undo
        return await do(entry, say, steal=arguments.steal_lock)

    result = await carry_out(arguments, session, entry.plan, lines, go)
    tell(render_runs([(entry.plan, result)], session.clock.now(), arguments.format))
    return result.outcome.exit_code


def _named(session: Session, verb: Verb, run: str) -> Entry:
    """The run that is meant; without a name the only one that was cut. Raises LptuiError."""
    runner, fleet = session.runner, session.fleet.name
    cut = runner.unfinished()
    if run:
        entry = runner.journal.entry(run)
        if entry is None or entry.fleet != fleet:
            hint = "lptui --headless runs lists all"
            raise LptuiError(run, f"{fleet} has no such run", hint)
        if entry.ended is None and entry.id not in {one.id for one in cut}:
            raise RefusedError(f"{verb} {run}", f"process {entry.pid} is at it", "wait for its end")
        return entry
    if not cut:
        raise RefusedError(verb, f"no run of {fleet} was cut", "name one: lptui --headless runs")
    if len(cut) > 1:
        names = ", ".join(f"{one.id} ({one.plan.action} {one.plan.target})" for one in cut)
        raise RefusedError(verb, f"{len(cut)} runs were cut: {names}", "name one of them")
    return cut[0]


def _out(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")
