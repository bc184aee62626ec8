"""`acceptance NODE` and `health NODE`: one collection, and what it says of one node."""

from __future__ import annotations

import argparse
import asyncio
import os
import select
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lptui.checks import run_checks
from lptui.checks.fitness import fitness
from lptui.config.mistakes import nearest
from lptui.errors import LptuiError
from lptui.headless.acting import check_format, refuse_options
from lptui.headless.watchdog import Watchdog
from lptui.present.acceptance import acceptance
from lptui.report import acceptance as acceptance_report
from lptui.report import health as health_report

if TYPE_CHECKING:
    from lptui.fleet.topology import Node
    from lptui.session import Session

ACCEPTANCE: Final = "acceptance"
HEALTH: Final = "health"

TIMEOUT_S: Final = 30.0
MARGIN_S: Final = 1.0
"""Of the deadline, for judging and closing."""

REQUEST_S: Final = 1.0
REQUEST_BYTES: Final = 16_384


def check_words(arguments: argparse.Namespace, verb: str, words: Sequence[str]) -> None:
    """Raises LptuiError for a format or an option that there is not, or not just one node."""
    refuse_options(arguments, verb)
    if verb == ACCEPTANCE:
        check_format(arguments, verb)
    elif arguments.format not in health_report.FORMATS:
        hint = f"use {' or '.join(health_report.FORMATS)}"
        raise LptuiError(verb, f"has no format {arguments.format}", hint)
    if len(words) != 1:
        raise LptuiError(verb, "takes one node", f"like: lptui --headless {verb} NODE")


async def judged(
    arguments: argparse.Namespace, verb: str, words: Sequence[str], session: Session
) -> int:
    """The exit code. Raises LptuiError."""
    node = _node(session, verb, words[0])
    timeout_s: float = arguments.timeout or TIMEOUT_S

    def too_late() -> None:
        os.write(2, f"lptui: {verb}: the run did not end within its {timeout_s:g} s\n".encode())

    watchdog = Watchdog(timeout_s, too_late, code=3)
    watchdog.start()
    try:
        snapshot = await session.collect(max(0.1, watchdog.left - MARGIN_S))
        findings = run_checks(snapshot)
        if verb == ACCEPTANCE:
            found = acceptance(snapshot, node, findings)
            code = found.verdict.exit_code
            text = acceptance_report.render(snapshot, found, arguments.format)
        else:
            fit = fitness(snapshot, node, findings)
            code = fit.fit.value
            text = health_report.render(snapshot, fit, arguments.format)
            if arguments.format == "http":
                await asyncio.to_thread(_read_request)
    finally:
        watchdog.suspend()
    sys.stdout.write(text)
    sys.stdout.flush()
    return code


def _node(session: Session, verb: str, name: str) -> Node:
    node = session.fleet.nodes.get(name)
    if node is not None:
        return node
    near = nearest(name, session.fleet.nodes)
    known = ", ".join(session.fleet.nodes) or "none"
    hint = f"did you mean {near}?" if near else f"there are: {known}"
    raise LptuiError(f"{verb} {name}", "the fleet has no such node", hint)


def _read_request() -> None:
    """Takes what a client has sent, when standard input is its connection.

    What is left unread there would end the connection before the answer is read (RFC 1122,
    4.2.2.13).
    """
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return
    end = time.monotonic() + REQUEST_S
    taken = b""
    while b"\r\n\r\n" not in taken and b"\n\n" not in taken and len(taken) < REQUEST_BYTES:
        left = end - time.monotonic()
        if left <= 0 or not select.select([0], [], [], left)[0]:
            return
        more = os.read(0, 4096)
        if not more:
            return
        taken += more
