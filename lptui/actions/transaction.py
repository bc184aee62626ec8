"""Sends a transaction through a node's route and watches the chain for its effect.

The node's reply is a hint: done is only what the chain shows, and a missing reply is not a
failure. The route is called exactly once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from lptui.actions.plan import Outcome, Plan, Result, StepResult
from lptui.actions.replies import Reply, Verdict, no_answer, understand
from lptui.actions.spec import Execution, Proof
from lptui.errors import LptuiError, RefusedError
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node
from lptui.text import plural

POLL_S: Final = 3.0
"""Between two looks at the chain."""

REPORT_S: Final = 60.0
"""Between two words of patience."""

AFTER_REPLY_S: Final = {
    # What the node calls mined shows in a block or two; our endpoint may lag.
    Verdict.SENT: 90.0,
    Verdict.ALREADY: 90.0,
    # The node has given up, so what it sent, if it did, is in a block soon.
    Verdict.UNCLEAR: 90.0,
    # It reverts too when somebody else was faster, which the chain shows soon.
    Verdict.REVERTED: 15.0,
    Verdict.NOT_SENT: 0.0,
}
"""How long the chain is watched after a reply; after the others until the deadline."""

DETAILS_S: Final = 15.0
"""How long the details of a proven effect (its event) are waited for."""

Confirm = Callable[[Snapshot], Awaitable[Proof | None]]
"""What proves the effect on the chain, None while it does not show."""


@dataclass(frozen=True, slots=True)
class Route:
    """The node's route that sends it, with its parameters."""

    node: Node
    path: str
    form: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """How an effect is looked for on the chain.

    Attributes:
        network: whose reading of the round says that the chain was seen at all.
        whole: whether a proof has all that it should have.
        words: a proof in a line.
    """

    network: str
    confirm: Confirm
    whole: Callable[[Proof], bool]
    words: Callable[[Proof], str]


async def send_and_watch(
    plan: Plan, route: Route, execution: Execution, evidence: Evidence
) -> Result:
    """Calls the route once and watches until the effect shows, is refused, or time is up.

    Raises RefusedError, having sent nothing, when the call cannot be written down first.
    """
    execution.journal(plan.steps[0])
    call = asyncio.create_task(_call(route, execution), name=f"{plan.action} on {route.node.name}")
    try:
        return await _Watch(plan, execution, evidence, call).run()
    finally:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


async def only_watch(plan: Plan, execution: Execution, evidence: Evidence, cause: str) -> Result:
    """Watches for an effect that somebody else has already had; nothing is sent."""

    async def answered() -> Reply:
        return Reply(Verdict.ALREADY, cause)

    call = asyncio.create_task(answered())
    return await _Watch(plan, execution, evidence, call).run()


class _Watch:
    """The reply and the chain, side by side, until one of them settles it."""

    def __init__(
        self, plan: Plan, execution: Execution, evidence: Evidence, call: asyncio.Task[Reply]
    ) -> None:
        self._plan = plan
        self._execution = execution
        self._evidence = evidence
        self._call = call
        self._said: Reply | None = None
        self._unread = ""
        now = execution.clock.monotonic()
        self._began = self._reported = now
        self._end = now + execution.deadline_s
        self._shown: float | None = None
        self._proof: Proof | None = None

    async def run(self) -> Result:
        while True:
            await self._pause()
            self._listen()
            # Before the look, so that the last look is one after the end.
            now = self._execution.clock.monotonic()
            proof = self._proof = await self._look() or self._proof
            if proof is not None and self._may_stop(proof, now):
                return self._done(proof)
            if proof is None and now >= self._end:
                return self._not_shown()
            self._report(now)

    async def _pause(self) -> None:
        """Waits for the reply, or until the next look."""
        left = self._end - self._execution.clock.monotonic()
        seconds = max(0.0, min(POLL_S, left)) if self._shown is None else POLL_S / 3
        if self._said is None:
            await asyncio.wait({self._call}, timeout=seconds)
        else:
            await asyncio.sleep(seconds)

    def _listen(self) -> None:
        if self._said is not None or not self._call.done():
            return
        self._said = said = self._call.result()
        self._execution.progress(f"{self._plan.steps[0].target}: {said.cause}")
        # Too late to refuse anything: the call was made.
        with suppress(RefusedError):
            self._execution.journal(self._plan.steps[1])
        if said.verdict in AFTER_REPLY_S:
            settle = self._execution.clock.monotonic() + AFTER_REPLY_S[said.verdict]
            self._end = min(self._end, settle)

    async def _look(self) -> Proof | None:
        """One look at the chain; one that fails says so and proves nothing."""
        try:
            seen = await self._execution.look()
            reading = seen.reading(ChainRound, self._evidence.network)
            self._unread = str(reading.problem) if reading.problem is not None else ""
            return await self._evidence.confirm(seen)
        except LptuiError as error:
            self._unread = str(error)
            return None

    def _may_stop(self, proof: Proof, now: float) -> bool:
        if self._shown is None:
            self._shown = now
        return self._evidence.whole(proof) or now >= self._shown + DETAILS_S

    def _report(self, now: float) -> None:
        if now - self._reported >= REPORT_S:
            self._reported = now
            waited = plural(round((now - self._began) / 60), "minute")
            self._execution.progress(f"waiting for {waited}: {self._not_yet()}")

    def _not_yet(self) -> str:
        if self._unread:
            return f"the chain cannot be read ({self._unread})"
        return "the chain does not show it yet"

    def _done(self, proof: Proof) -> Result:
        words = self._evidence.words(proof)
        said = self._said.cause if self._said else "the node has not answered yet"
        steps = (
            StepResult(self._plan.steps[0].title, Outcome.DONE, said),
            StepResult(self._plan.steps[1].title, Outcome.DONE, words),
        )
        return Result(self._plan, Outcome.DONE, words, steps, proof)

    def _not_shown(self) -> Result:
        said, plan = self._said, self._plan
        if said is not None and said.verdict in (Verdict.NOT_SENT, Verdict.REVERTED):
            failed = (StepResult(plan.steps[0].title, Outcome.FAILED, said.cause),)
            return Result(plan, Outcome.FAILED, said.cause, failed, remedy=said.remedy)
        cause = said.cause if said else "the node has not answered"
        steps = (
            StepResult(plan.steps[0].title, Outcome.UNKNOWN, cause),
            StepResult(plan.steps[1].title, Outcome.UNKNOWN, self._not_yet()),
        )
        advice = (
            "the transaction may yet be mined: do not call again before that is settled; "
            "a console or check that runs is still watching the chain"
        )
        return Result(
            plan,
            Outcome.UNKNOWN,
            f"{cause}; {self._not_yet()}",
            steps,
            remedy=f"{said.remedy}; {advice}" if said and said.remedy else advice,
            under_way=said is None or said.verdict is Verdict.LOST,
        )


async def _call(route: Route, execution: Execution) -> Reply:
    if route.node.cli is None:
        return Reply(Verdict.NOT_SENT, f"{route.node.name} has no CLI address configured")
    execution.progress(f"POST {route.path} on {route.node.name}")
    try:
        answer = await execution.reach.http(route.node.cli).request(
            "POST", route.path, form=dict(route.form), deadline_s=execution.deadline_s
        )
    except LptuiError as error:
        return no_answer(error)
    return understand(answer.status, answer.text)
