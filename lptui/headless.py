"""The commands that need no screen: check, status, validate and the actions."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from lptui.errors import LptuiError
from lptui.paths import find_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lptui.actions.plan import Plan, Result
    from lptui.actions.spec import Action
    from lptui.session import Session
    from lptui.watchdog import Watchdog

DEFAULT_TIMEOUT_S = 30.0
"""Deadline of a whole run of check or status."""

MARGIN_S = (0.5, 3.0)
"""Least and most that is kept back of the run's deadline for the checks, the report and closing.

Between the two it is what starting took: a busy machine is as slow at the end.
"""

CLOSE_S = 0.5
"""What closing gets after a report that came at the very deadline, or that was read slowly."""


def run_headless(arguments: argparse.Namespace) -> int:
    """Runs one headless command; the result is the exit code."""
    words: list[str] = arguments.words
    verb = words[0] if words else ""
    if verb == "validate":
        return _validate(arguments)
    if verb in ("check", "status"):
        if len(words) > 1:
            raise LptuiError(verb, f"takes no target: {words[1]}", "see lptui --help")
        return _watched_report(arguments, verb)
    from lptui.actions.registry import action

    found = action(verb)
    if found is None:
        raise LptuiError(verb or "--headless", "no such command", "see lptui --help")
    return asyncio.run(_act(arguments, found, words[1:]))


def _validate(arguments: argparse.Namespace) -> int:
    from lptui.config import find_mistakes

    path = find_config(arguments.config)
    mistakes = find_mistakes(path)
    for mistake in mistakes:
        _out(str(mistake))
    if not mistakes:
        _out(f"{path}: no mistakes")
    return 1 if mistakes else 0


def _watched_report(arguments: argparse.Namespace, verb: str) -> int:
    """Reports within the deadline, whatever comes between: an unknown state says so and why."""
    from lptui.report import refuse_format
    from lptui.watchdog import Watchdog

    refuse_format(verb, arguments.format)
    timeout_s: float = arguments.timeout or DEFAULT_TIMEOUT_S
    for_monitoring = verb == "check" and arguments.format == "text"

    def too_late() -> None:
        why = f"the run did not end within its {timeout_s:g} s"
        os.write(2, f"lptui: {why}\n".encode())
        if for_monitoring:
            os.write(1, f"UNKNOWN - {why}\n".encode())

    watchdog = Watchdog(timeout_s, too_late, code=3)
    watchdog.start()
    try:
        return asyncio.run(_report(arguments, verb, watchdog))
    except Exception as error:
        watchdog.suspend()
        if for_monitoring and not isinstance(error, OSError):
            # A monitoring system reads the verdict from standard output alone.
            told = isinstance(error, LptuiError)
            _out(f"UNKNOWN - {str(error).splitlines()[0] if told else 'lptui itself failed'}")
        raise
    finally:
        watchdog.suspend()


async def _report(arguments: argparse.Namespace, verb: str, watchdog: Watchdog) -> int:
    from lptui.watchdog import process_age

    session = await _open(arguments)
    try:
        least, most = MARGIN_S
        margin = min(max(least, process_age()), most)
        collecting = asyncio.create_task(session.collect(max(0.1, watchdog.left - margin)))
        # What judges is loaded while the fleet answers, not in what is kept back for judging.
        await asyncio.to_thread(import_module, "lptui.checks")
        snapshot = await collecting
        from lptui.checks import overall, run_checks
        from lptui.report import render_check, render_status

        findings = run_checks(snapshot)
        if verb == "status":
            code, report = 0, render_status(snapshot, findings, arguments.format)
        else:
            code = overall(findings).value
            report = render_check(snapshot, findings, arguments.format, took_s=process_age())
        watchdog.suspend()  # whoever reads slowly, a pager, is still given all of it
        _out(report.rstrip("\n"))
        watchdog.settle(code, CLOSE_S)
        return code
    finally:
        await session.close()


async def _act(arguments: argparse.Namespace, action: Action, words: Sequence[str]) -> int:
    from lptui.actions.runner import ACTION_DEADLINE_S
    from lptui.actions.select import targets
    from lptui.report.actions import render_runs

    if arguments.format not in ("text", "json"):
        raise LptuiError(action.spec.id, f"has no format {arguments.format}", "use text or json")
    session = await _open(arguments)
    try:
        snapshot = await session.observe(action.spec.probes)
        chosen = targets(action, snapshot, words)
        runs: list[tuple[Plan, Result | None]] = []
        for target in chosen:
            plan = action.plan(snapshot, target)
            result = None
            if not arguments.dry_run:
                _confirm(arguments, plan)
                result = await session.runner.run(
                    action, plan, _progress, arguments.timeout or ACTION_DEADLINE_S
                )
            runs.append((plan, result))
        _out(render_runs(runs, session.clock.now(), arguments.format).rstrip("\n"))
        return _exit_code(runs)
    finally:
        await session.close()


def _exit_code(runs: Sequence[tuple[Plan, Result | None]]) -> int:
    """The worst of all runs; a dry run of a plan that may not run is a refusal."""
    codes = [
        result.outcome.exit_code if result else int(bool(plan.refusals)) for plan, result in runs
    ]
    return max(codes, default=3)


def _confirm(arguments: argparse.Namespace, plan: Plan) -> None:
    """Asks on the terminal; raises RefusedError for "no" and where nobody can be asked."""
    if arguments.yes or plan.why_not:
        return
    from lptui.errors import RefusedError
    from lptui.report.actions import plan_lines

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(
            plan.summary, "nobody to ask: no terminal", "look at --dry-run, add --yes"
        )
    for line in plan_lines(plan):
        _progress(line)
    sys.stderr.write("Do this? Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise RefusedError(plan.summary, "not confirmed", "")


async def _open(arguments: argparse.Namespace) -> Session:
    from lptui.session import Session, Source

    source = (
        Source(scenario=arguments.scenario or "healthy", demo_hosts=arguments.demo_hosts)
        if arguments.demo
        else Source(config=find_config(arguments.config))
    )
    return await Session.open(source, read_only=arguments.read_only)


def _out(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _progress(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
