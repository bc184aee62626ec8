"""Runs one action for its targets without the screen: plan, question, execution, report."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lptui.actions.options import ALL
from lptui.actions.plan import Outcome, Plan, Result
from lptui.actions.runner import ACTION_DEADLINE_S
from lptui.actions.select import requests
from lptui.errors import LptuiError
from lptui.headless.confirming import carry_out, say, tell
from lptui.report.actions import Run, plan_lines, render_runs

if TYPE_CHECKING:
    from lptui.actions.spec import Action
    from lptui.session import Session

LOOK_S = 15.0
"""How often it is looked whether a plan may run by now."""

LEAST_S = 5.0
"""The least that a call is watched, when reading has used up the run's --timeout."""


async def act(
    arguments: argparse.Namespace, action: Action, words: Sequence[str], session: Session
) -> int:
    """The exit code. Whatever happens to one target, what became of all is reported."""
    chosen = options_of(arguments, action)
    if arguments.within is not None and may_go_on(arguments):
        await until_clear(session, action, words, chosen, arguments.within)
    end = time.monotonic() + arguments.timeout if arguments.timeout else None
    snapshot = await session.observe(action.spec.probes)
    runs: list[Run] = []
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
    tell(render_runs(runs, session.clock.now(), arguments.format))
    return _exit_code(runs)


def may_go_on(arguments: argparse.Namespace) -> bool:
    """Whether waiting leads anywhere: a dry run tells what is, and nobody is asked in vain."""
    is_asked = sys.stdin.isatty() and sys.stderr.isatty()
    return not arguments.dry_run and (arguments.yes or is_asked)


async def until_clear(
    session: Session,
    action: Action,
    words: Sequence[str],
    chosen: tuple[tuple[str, str], ...],
    within_s: float,
) -> None:
    """Waits until every plan may run, or the time is over: then what stands in the way refuses."""
    end = time.monotonic() + within_s
    told = ""
    while True:
        snapshot = await session.observe(action.spec.probes)
        plans = [
            await asyncio.to_thread(session.runner.plan, action, snapshot, request)
            for request in requests(action, snapshot, words, chosen)
        ]
        why = next((plan.why_not for plan in plans if plan.refusals and not plan.done), "")
        left = end - time.monotonic()
        # What a condition has seen changes with each look, its name does not.
        name = why.partition(":")[0]
        if why and name != told:
            say(f"lptui: {action.spec.id} waits: {why}")
            told = name
        if not why or left <= 0:
            return
        await asyncio.sleep(min(LOOK_S, left))


def check_format(arguments: argparse.Namespace, verb: str) -> None:
    """Raises LptuiError for a format that an action cannot be reported in."""
    if arguments.format not in ("text", "json"):
        raise LptuiError(verb, f"has no format {arguments.format}", "use text or json")


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


def refuse_options(arguments: argparse.Namespace, verb: str) -> None:
    """Raises LptuiError for a choice that only an action has."""
    for option in ALL:
        if getattr(arguments, option.name.replace("-", "_")) is not None:
            what, why = f"--{option.name}", f"{verb} has no such option"
            raise LptuiError(what, why, "a run keeps what it was begun with")


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

    async def go() -> Result:
        return await runner.run(action, plan, say, left_s, steal=arguments.steal_lock)

    return await carry_out(arguments, session, plan, plan_lines(plan), go)
