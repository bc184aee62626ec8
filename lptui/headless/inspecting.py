"""`get NODE /ROUTE`: what one of a node's routes without effect answers."""

from __future__ import annotations

import argparse
import asyncio
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
    node = session.fleet.nodes.get(name)
    if node is None:
        near = nearest(name, session.fleet.nodes)
        hint = f"did you mean {near}?" if near else f"there are: {', '.join(session.fleet.nodes)}"
        raise LptuiError(f"{VERB} {name}", "the fleet has no such node", hint)
    if node.cli is None:
        raise LptuiError(f"{VERB} {name}", "it has no CLI API", "set its `cli`")
    timeout_s: float = arguments.timeout or TIMEOUT_S
    try:
        async with asyncio.timeout(timeout_s):
            http = session.reach.http(node.cli)
            with routes.of(name):
                answer = await routes.inspect(http, route, timeout_s)
    except TimeoutError:
        why = f"no answer within {timeout_s:g} s"
        raise LptuiError(f"{name} {route}", why, "give it longer: --timeout S") from None
    text = render(name, route, answer, session.clock.now(), arguments.format)
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0 if answer.status == 200 else 3
