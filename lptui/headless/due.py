"""`reward --if-due`: calls reward where the operator's policy has it due now, and asks nobody.

For cron: that nothing is to be done, or not yet, is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lptui.actions.due import due
from lptui.actions.plan import Outcome, Plan, Result
from lptui.actions.retry import AUTOMATIC
from lptui.actions.runner import ACTION_DEADLINE_S
from lptui.actions.select import requests
from lptui.errors import RefusedError
from lptui.fleet.retry import Decision, Standing
from lptui.headless.confirming import carry_out, say, tell
from lptui.report.due import Due, render_due

if TYPE_CHECKING:
    from lptui.actions.spec import Action
    from lptui.session import Session

OPTION: Final = "--if-due"
LEAST_S: Final = 5.0


async def call_if_due(
    arguments: argparse.Namespace, action: Action, words: Sequence[str], session: Session
) -> int:
    """The exit code: 0 also when nothing is to be done, 1 when something is and may not be."""
    chain = session.fleet.chain
    if chain is None or chain.reward_retry is None:
        why = "the configuration allows no automatic calls"
        raise RefusedError(OPTION, why, "set chain.reward_retry: see config.example.yaml")
    end = time.monotonic() + (arguments.timeout or ACTION_DEADLINE_S)
    snapshot = await session.observe(action.spec.probes)
    found: list[Due] = []
    for request in requests(action, snapshot, words or ("all",)):
        if found:
            # The one before may have taken minutes.
            snapshot = await session.observe(action.spec.probes)
        plan, decision = await asyncio.to_thread(due, session.runner, snapshot, request)
        if decision is None:
            continue
        result = None
        if decision.standing is Standing.DUE and not arguments.dry_run:
            left = max(LEAST_S, end - time.monotonic())
            result = await _called(arguments, session, action, plan, left)
        elif decision.standing is Standing.HINDERED:
            # What cron passes on although standard output goes nowhere.
            say(f"lptui: reward for {decision.orchestrator} is due: {decision.why}")
        found.append((plan, decision, result))
        if result is not None and result.interrupted:
            break
    text = render_due(found, session.clock.now(), arguments.format)
    tell(text)
    return max((_code(decision, result) for _, decision, result in found), default=0)


async def _called(
    arguments: argparse.Namespace, session: Session, action: Action, plan: Plan, left_s: float
) -> Result:
    runner = session.runner
    # The operator has agreed in the configuration.
    arguments.yes = True

    async def go() -> Result:
        return await runner.run(action, plan, say, left_s, by=AUTOMATIC)

    result = await carry_out(arguments, session, plan, (), go)
    if result.outcome is not Outcome.DONE:
        say(f"lptui: reward for {plan.target} {result.outcome}: {result.summary}")
    return result


def _code(decision: Decision, result: Result | None) -> int:
    if result is not None:
        return result.outcome.exit_code
    return int(decision.standing is Standing.HINDERED)
