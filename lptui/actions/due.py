"""What lptui may call by itself now: each orchestrator's plan, with what is decided about it."""

from __future__ import annotations

import os
from dataclasses import replace

from lptui.actions.plan import Plan, Request
from lptui.actions.retry import decide
from lptui.actions.reward import Reward
from lptui.actions.runner import Runner
from lptui.fleet.retry import Decision, Standing
from lptui.fleet.snapshot import Snapshot
from lptui.text import clean


def due(runner: Runner, snapshot: Snapshot, request: Request) -> tuple[Plan, Decision | None]:
    """One orchestrator's; the decision is None where the operator allows no such calls.

    Blocks: it reads the record of earlier calls.
    """
    plan = runner.plan(Reward(), snapshot, request)
    number = dict(plan.facts).get("round", "")
    try:
        tries = runner.audit.tries(runner.fleet.name, plan.action, plan.target, number)
    except OSError as error:
        found = decide(snapshot, plan, ())
        why = f"the record of calls cannot be read: {clean(str(error))}"
        return plan, found and replace(found, standing=Standing.HINDERED, why=why, at=None)
    if runner.fleet.demo:
        # Another run of the demo was another fleet.
        tries = tuple(one for one in tries if one.pid == str(os.getpid()))
    found = decide(snapshot, plan, tries)
    if found is not None and runner.read_only and found.standing is Standing.DUE:
        return plan, replace(found, standing=Standing.HINDERED, why="this console is read-only")
    return plan, found
