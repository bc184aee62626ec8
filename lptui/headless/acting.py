"""Runs one action for its targets without the screen: plan, question, execution, report."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lptui.actions.options import ALL
from lptui.actions.plan import Outcome, Plan, Result
from lptui.actions.runner import ACTION_DEADLINE_S
from lptui.actions.select import requests
from lptui.errors import LptuiError
from lptui.report.actions import Run, plan_lines, render_runs

if TYPE_CHECKING:
    from lptui.actions.spec import Action
    from lptui.session import Session

LEAST_S = 5.0
"""The least that a call is watched, when reading has used up the run's --timeout."""


async def act(
    arguments: argparse.Namespace, action: Action, words: Sequence[str], session: Session
) -> int:
    """The exit code. Whatever happens to one target, what became of all is reported."""
    end = time.monotonic() + arguments.timeout if arguments.timeout else None
    snapshot = await session.observe(action.spec.probes)
    runs: list[Run] = []
    chosen = options_of(arguments, action)
    for request in requests(action, snapshot, words, chosen):
        if runs and not arguments.dry_run:
            # The one before may have taken minutes.
            snapshot = await session.observe(action.spec.probes)
        plan = session.runner.plan(action, snapshot, request)
        result = None
        if not arguments.dry_run:
            left = max(LEAST_S, end - time.monotonic()) if end else ACTION_DEADLINE_S
            result = await _result(arguments, session, action, plan, left)
        runs.append((plan, result))
        if result is not None and result.interrupted:
            break
    sys.stdout.write(render_runs(runs, session.clock.now(), arguments.format).rstrip("\n") + "\n")
    return _exit_code(runs)


def check_format(arguments: argparse.Namespace, action: Action) -> None:
    """Raises LptuiError for a format that an action cannot be reported in."""
    if arguments.format not in ("text", "json"):
        raise LptuiError(action.spec.id, f"has no format {arguments.format}", "use text or json")


def options_of(arguments: argparse.Namespace, action: Action) -> tuple[tuple[str, str], ...]:
    """The choices that were made; raises LptuiError for one that the action does not have."""
    known = {option.name for option in action.spec.options}
    found: list[tuple[str, str]] = []
    for option in ALL:
        value = getattr(arguments, option.name.replace("-", "_"))
        if value is None:
            continue
        if option.name not in known:
            has = ", ".join(f"--{name}" for name in sorted(known)) or "none"
            raise LptuiError(f"--{option.name}", f"{action.spec.id} has no such option", has)
        found.append((option.name, value))
    return tuple(found)


def _exit_code(runs: Sequence[Run]) -> int:
    """The worst of all runs; a dry run of a plan that may not run is a refusal."""
    codes = [
        result.outcome.exit_code if result else int(bool(plan.why_not and not plan.done))
        for plan, result in runs
    ]
    return max(codes, default=Outcome.UNKNOWN.exit_code)


async def _result(
    arguments: argparse.Namespace, session: Session, action: Action, plan: Plan, left_s: float
) -> Result:
    runner = session.runner
    if plan.refusals and not plan.done:
        # As fresh as it gets: to look again would only take as long again.
        return runner.refuse(plan, plan.why_not, plan.refusals[0].remedy)
    asks = not (arguments.yes or plan.why_not or session.read_only)
    if asks and not (sys.stdin.isatty() and sys.stderr.isatty()):
        why, remedy = "nobody to ask: no terminal", "look at --dry-run, add --yes"
        _say(f"lptui: {plan.summary}: {why}; {remedy}")
        return runner.refuse(plan, why, remedy)
    with _signals_cancel() as came:
        try:
            if asks and not await _agreed(plan):
                return runner.refuse(plan, "not confirmed", "")
            return await runner.run(action, plan, _say, left_s, steal=arguments.steal_lock)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not came or task is None:
                raise
            task.uncancel()
            ended = runner.latest
            if ended is None or ended.plan is not plan:
                ended = runner.refuse(plan, "not confirmed", "")
            return replace(ended, interrupted=True)


@contextmanager
def _signals_cancel() -> Iterator[list[int]]:
    """While a plan is asked about or runs, a signal ends it in order: recorded, and told.

    Gives the list of the signals that came.
    """
    came: list[int] = []
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    before = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        # nohup
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }

    def end(number: int) -> None:
        came.append(number)
        if task is not None:
            task.cancel()

    for number in before:
        loop.add_signal_handler(number, end, number)
    try:
        yield came
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


async def _agreed(plan: Plan) -> bool:
    """Asks on the terminal; only the word yes is one. The connections live on meanwhile."""
    for line in plan_lines(plan):
        _say(line)
    sys.stderr.write("Do this? Type yes: ")
    sys.stderr.flush()
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        loop.remove_reader(sys.stdin)
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return (await typed).strip().lower() == "yes"
    finally:
        loop.remove_reader(sys.stdin)


def _say(line: str) -> None:
    """Progress; that nobody reads it any more ends nothing."""
    with suppress(OSError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
