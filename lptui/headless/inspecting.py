"""`get NODE /ROUTE`: what one of a node's routes without effect answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lptui.config.mistakes import nearest
from lptui.errors import LptuiError, RefusedError
from lptui.headless.acting import check_format, refuse_options
from lptui.probes.livepeer import routes
from lptui.report.inspected import render

if TYPE_CHECKING:
    from lptui.session import Session

VERB: Final = "get"

TIMEOUT_S: Final = 30.0
"""Deadline of a request; the routes that call the chain at length need `--timeout`."""


def check_words(arguments: argparse.Namespace, words: Sequence[str]) -> str:
    """The route. Raises LptuiError, RefusedError for a route that is not listed."""
    check_format(arguments, VERB)
    refuse_options(arguments, VERB)
    known = ", ".join(sorted(routes.INSPECTABLE))
    if len(words) != 2:
        raise LptuiError(VERB, "takes a node and a route", f"routes: {known}")
    route = words[1] if words[1].startswith("/") else f"/{words[1]}"
    if route not in routes.INSPECTABLE:
        near = nearest(route, routes.INSPECTABLE)
        hint = f"did you mean {near}? " if near else ""
        why = "is not asked: a node acts on any method, so only routes without effect are"
        raise RefusedError(f"{VERB} {route}", why, f"{hint}routes: {known}")
    return route


async def inspect(arguments: argparse.Namespace, name: str, route: str, session: Session) -> int:
    """0 for a success of the node's, 3 for any other answer. Raises LptuiError for none."""
    found = await session.inspect(name, route, arguments.timeout or TIMEOUT_S)
    sys.stdout.write(render(found, arguments.format))
    sys.stdout.flush()
    for note in found.notes:
        sys.stderr.write(f"lptui: {name} {route}: {note}\n")
    return 0 if found.status == 200 else 3
