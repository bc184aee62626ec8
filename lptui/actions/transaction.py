"""Sends a transaction through a node's route and watches the chain for its effect.

The node's reply is a hint: done is only what the chain shows, and a missing reply is not a
failure. The route is called exactly once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lptui.actions.plan import Outcome, Plan, Result, StepResult
from lptui.actions.replies import Reply, Verdict, understand
from lptui.actions.spec import Execution, Proof
from lptui.errors import LptuiError
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

POLL_S = 3.0
"""Between two looks at the chain."""

SETTLE_S = 90.0
"""How long a transaction that the node calls mined may stay invisible."""

Confirm = Callable[[Snapshot], Awaitable[Proof | None]]
"""What proves the effect on the chain, None while it does not show."""


@dataclass(frozen=True, slots=True)
class Route:
    """The node's route that sends it."""

    node: Node
    path: str


async def send_and_watch(
    plan: Plan, route: Route, execution: Execution, confirm: Confirm, done: Callable[[Proof], str]
) -> Result:
    """Calls the route once and watches until the effect shows, is refused, or time is up."""
    clock = execution.clock
    end = clock.monotonic() + execution.deadline_s
    call = asyncio.create_task(_call(route, execution), name=f"{plan.action} on {route.node.name}")
    said: Reply | None = None
    try:
        while True:
            left = end - clock.monotonic()
            await _until(call if said is None else None, max(0.0, min(POLL_S, left)))
            if said is None and call.done():
                said = call.result()
                execution.progress(f"{route.node.name}: {said.cause}")
                if said.verdict in (Verdict.SENT, Verdict.ALREADY):
                    end = min(end, clock.monotonic() + SETTLE_S)
            proof = await _look(execution, confirm)
            if proof is not None:
                steps = (
                    StepResult(plan.steps[0].title, Outcome.DONE, said.cause if said else "mined"),
                    StepResult(plan.steps[1].title, Outcome.DONE, done(proof)),
                )
                return Result(plan, Outcome.DONE, done(proof), steps, proof)
            if said is not None and said.verdict in (Verdict.NOT_SENT, Verdict.REVERTED):
                failed = (StepResult(plan.steps[0].title, Outcome.FAILED, said.cause),)
                return Result(plan, Outcome.FAILED, said.cause, failed, remedy=said.remedy)
            if clock.monotonic() >= end:
                return _unknown(plan, said)
    finally:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


async def _until(call: asyncio.Task[Reply] | None, seconds: float) -> None:
    """Waits for the reply, or so long."""
    if call is None:
        await asyncio.sleep(seconds)
    else:
        await asyncio.wait({call}, timeout=seconds)


async def _call(route: Route, execution: Execution) -> Reply:
    if route.node.cli is None:
        return Reply(Verdict.NOT_SENT, f"{route.node.name} has no CLI address configured")
    execution.progress(f"POST {route.path} on {route.node.name}")
    try:
        answer = await execution.reach.http(route.node.cli).request(
            "POST", route.path, form={}, deadline_s=execution.deadline_s
        )
    except LptuiError as error:
        return Reply(Verdict.MAYBE_SENT, str(error), "still watching the chain")
    return understand(answer.status, answer.text)


async def _look(execution: Execution, confirm: Confirm) -> Proof | None:
    """One look at the chain; a look that fails says so and proves nothing."""
    try:
        return await confirm(await execution.observe())
    except LptuiError as error:
        execution.progress(f"could not look at the chain: {error}")
        return None


def _unknown(plan: Plan, said: Reply | None) -> Result:
    cause = said.cause if said else "the node has not answered"
    summary = f"unknown: {cause}; the chain does not show it yet"
    steps = (
        StepResult(plan.steps[0].title, Outcome.UNKNOWN, cause),
        StepResult(plan.steps[1].title, Outcome.UNKNOWN, "not seen on the chain"),
    )
    remedy = "still watching: the transaction may yet be mined; do not call again before it shows"
    return Result(plan, Outcome.UNKNOWN, summary, steps, remedy=remedy)
