"""The commands that need no screen: check, status, validate, logs, actions and their journal."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from lptui.errors import LptuiError, OutputError
from lptui.paths import find_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lptui.actions.spec import Action
    from lptui.headless.output import Output
    from lptui.headless.watchdog import Watchdog
    from lptui.session import Session

DEFAULT_TIMEOUT_S = 30.0
"""Deadline of a whole run of check or status."""

MARGIN_S = 0.5
"""Least that is kept back of the run's deadline for the checks, the report and closing.

It is as long as starting took where that is more: a busy machine is as slow at the end.
"""

MARGIN_SHARE = 0.3
"""Most of the run's deadline that is kept back."""

CLOSE_S = 0.5
"""What closing gets after a report that came at the very deadline, or that was read slowly."""


def run_headless(arguments: argparse.Namespace) -> int:
    """Runs one headless command; the result is the exit code."""
    words: list[str] = arguments.words
    verb = words[0] if words else ""
    _refuse_misplaced(arguments, verb)
    if verb == "check" and arguments.format == "nagios":
        arguments.format = "text"
    if verb == "validate":
        from lptui.headless.validate import validate

        return validate(arguments)
    if verb in ("check", "status"):
        if len(words) > 1:
            raise LptuiError(verb, f"takes no target: {words[1]}", "see lptui --help")
        return _watched_report(arguments, verb)
    from lptui.actions.declared import VERB
    from lptui.commands import GET, JOURNAL, JUDGED

    if verb in JOURNAL:
        return asyncio.run(_journal(arguments, verb, words[1:]))
    if verb == "logs":
        return asyncio.run(_logs(arguments, words[1:]))
    if verb in JUDGED:
        return asyncio.run(_judged(arguments, verb, words[1:]))
    if verb == GET:
        return asyncio.run(_get(arguments, words[1:]))
    if verb == VERB:
        return asyncio.run(_declared(arguments, words[1:]))
    from lptui.actions.registry import action

    found = action(verb)
    if found is None:
        from lptui.commands import unknown_command

        raise unknown_command(verb)
    return asyncio.run(_act(arguments, found, words[1:]))


def _refuse_misplaced(arguments: argparse.Namespace, verb: str) -> None:
    """Raises LptuiError for an option of another command."""
    if arguments.if_due and verb != "reward":
        raise LptuiError("--if-due", f"{verb or 'no command'} has no such option", "see --help")
    for name in ("lines", "since", "follow"):
        if getattr(arguments, name) and verb != "logs":
            raise LptuiError(
                f"--{name}", f"{verb or 'no command'} has no such option", "see --help"
            )
    if arguments.page_only and (verb != "check" or arguments.format not in ("text", "json")):
        why = f"{verb or 'no command'} has no such option" if verb != "check" else "text or json"
        raise LptuiError("--page-only", why, "it is of check, as text or json")
    if arguments.output is not None and verb not in ("check", "status"):
        why = f"{verb or 'no command'} has no such option"
        raise LptuiError("--output", why, "it is of check and status")
    if arguments.within is not None and verb not in _actions():
        why = f"{verb or 'no command'} has no such option"
        raise LptuiError("--within", why, "it is of an action: see --help")


def _actions() -> frozenset[str]:
    from lptui.actions.registry import ACTIONS

    return frozenset(action.spec.id for action in ACTIONS)


def _watched_report(arguments: argparse.Namespace, verb: str) -> int:
    """Reports within the deadline, whatever comes between: an unknown state says so and why."""
    from lptui.headless.output import output_to
    from lptui.headless.watchdog import Watchdog
    from lptui.report import refuse_format, render_failure

    refuse_format(verb, arguments.format)
    output = output_to(arguments.output)
    timeout_s: float = arguments.timeout or DEFAULT_TIMEOUT_S

    def too_late() -> None:
        why = f"the run did not end within its {timeout_s:g} s"
        os.write(2, f"lptui: {why}\n".encode())
        output.last_words(render_failure(verb, arguments.format, why))
        if demo := sys.modules.get("lptui.sim.thread"):
            demo.remove_own_folders()

    watchdog = Watchdog(timeout_s, too_late, code=3)
    watchdog.start()
    try:
        return asyncio.run(_report(arguments, verb, timeout_s, output, watchdog))
    except Exception as error:
        watchdog.suspend()
        if not isinstance(error, (OSError, OutputError)):
            why = str(error) if isinstance(error, LptuiError) else "lptui itself failed"
            output.last_words(render_failure(verb, arguments.format, why))
        raise
    finally:
        watchdog.suspend()


async def _report(
    arguments: argparse.Namespace,
    verb: str,
    timeout_s: float,
    output: Output,
    watchdog: Watchdog,
) -> int:
    from lptui.headless.watchdog import process_age

    session = await open_session(arguments)
    if arguments.page_only and session.fleet.paging is None:
        await session.close()
        why = "the configuration does not say what is worth a page"
        raise LptuiError("--page-only", why, "set paging: see config.example.yaml")
    try:
        margin = max(MARGIN_S, min(process_age(), timeout_s * MARGIN_SHARE))
        collecting = asyncio.create_task(session.collect(max(0.1, watchdog.left - margin)))
        # What judges is loaded while the fleet answers, not in what is kept back for judging.
        await asyncio.to_thread(import_module, "lptui.checks")
        snapshot = await collecting
        from lptui.checks import overall, run_checks
        from lptui.checks.paging import worth_a_page
        from lptui.report import render_check, render_status

        findings = run_checks(snapshot)
        if verb == "status":
            code, report = 0, render_status(snapshot, findings, arguments.format)
        else:
            page_only: bool = arguments.page_only
            counted = worth_a_page(findings) if page_only else findings
            code = overall(counted).value
            report = render_check(
                snapshot, findings, arguments.format, took_s=process_age(), page_only=page_only
            )
        output.give(report.rstrip("\n") + "\n", watchdog)
        watchdog.settle(code, CLOSE_S)
        return code
    finally:
        await session.close()


async def _act(arguments: argparse.Namespace, action: Action, words: Sequence[str]) -> int:
    from lptui.headless.acting import act, check_format

    check_format(arguments, action.spec.id)
    session = await open_session(arguments)
    try:
        if arguments.if_due:
            from lptui.headless.due import call_if_due

            return await call_if_due(arguments, action, words, session)
        return await act(arguments, action, words, session)
    finally:
        await session.close()


async def _journal(arguments: argparse.Namespace, verb: str, words: Sequence[str]) -> int:
    from lptui.headless.acting import check_format, refuse_options
    from lptui.headless.journal import list_runs, take_up

    check_format(arguments, verb)
    refuse_options(arguments, verb)
    if len(words) > (0 if verb == "runs" else 1):
        raise LptuiError(verb, f"takes no target: {words[-1]}", "see lptui --help")
    session = await open_session(arguments)
    try:
        if verb == "runs":
            return await list_runs(arguments, session)
        return await take_up(arguments, verb, words[0] if words else "", session)
    finally:
        await session.close()


async def _logs(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    from lptui.headless.logs import logs

    session = await open_session(arguments)
    try:
        return await logs(arguments, words, session)
    finally:
        await session.close()


async def _judged(arguments: argparse.Namespace, verb: str, words: Sequence[str]) -> int:
    from lptui.headless.judged import check_words, judged

    check_words(arguments, verb, words)
    session = await open_session(arguments)
    try:
        return await judged(arguments, verb, words, session)
    finally:
        await session.close()


async def _get(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    from lptui.headless.inspecting import check_words, inspect

    route = check_words(arguments, words)
    session = await open_session(arguments)
    try:
        return await inspect(arguments, words[0], route, session)
    finally:
        await session.close()


async def _declared(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    from lptui.headless.declared import run

    session = await open_session(arguments)
    try:
        return await run(arguments, words, session)
    finally:
        await session.close()


async def open_session(arguments: argparse.Namespace) -> Session:
    """The fleet of the configuration or the demo; raises LptuiError."""
    from lptui.session import Session, Source

    source = (
        Source(scenario=arguments.scenario or "healthy", demo_hosts=arguments.demo_hosts)
        if arguments.demo
        else Source(config=find_config(arguments.config))
    )
    return await Session.open(source, read_only=arguments.read_only)
