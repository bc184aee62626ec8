"""`run NAME [TARGET…]`: a command that the configuration declares."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lptui.actions.declared import VERB, Declared, meant
from lptui.actions.reading import read
from lptui.actions.registry import action
from lptui.actions.select import requests
from lptui.actions.spec import Effect
from lptui.config.mistakes import nearest
from lptui.errors import LptuiError
from lptui.fleet.snapshot import Snapshot
from lptui.headless.acting import act, check_format, options_of
from lptui.report.declared import exit_code, render

if TYPE_CHECKING:
    from lptui.fleet.topology import Fleet
    from lptui.session import Session


async def run(arguments: argparse.Namespace, words: Sequence[str], session: Session) -> int:
    """The exit code. What only reads is run at once; the rest goes the way of every change."""
    found = _named(session.fleet, words[0] if words else "")
    check_format(arguments, found.spec.id)
    if found.spec.effect is not Effect.READ or arguments.dry_run:
        return await act(arguments, found, words[1:], session)
    options_of(arguments, found)
    snapshot = Snapshot(session.fleet)
    [request] = requests(found, snapshot, words[1:])
    chosen = meant(snapshot, found.command, request)
    said = await read(session.fleet, session.reach, found.command, chosen)
    text = render(found.command.name, said, session.clock.now(), arguments.format)
    sys.stdout.write(text + "\n" if text else "")
    return exit_code(said)


def _named(fleet: Fleet, name: str) -> Declared:
    """Raises LptuiError when there is none of that name."""
    found = action(f"{VERB} {name}", fleet)
    if isinstance(found, Declared):
        return found
    if not fleet.commands:
        raise LptuiError(VERB, "the configuration declares no commands", "see commands: there")
    if not name:
        raise LptuiError(VERB, "which command?", f"one of: {', '.join(fleet.commands)}")
    near = nearest(name, fleet.commands)
    hint = f"did you mean: {near}?" if near else f"there are: {', '.join(fleet.commands)}"
    raise LptuiError(f"{VERB} {name}", "no such command is declared", hint)
