"""A session whose snapshots a test hands out itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from lptui.actions.options import LATE, TO, WAIT
from lptui.actions.plan import Outcome, Plan, Precondition, Request, Result, Step, StepResult
from lptui.actions.spec import ActionSpec, Effect
from lptui.errors import LptuiError, RefusedError
from lptui.fleet.snapshot import Snapshot

NETWORK = "arbitrum-one-mainnet"


class ScriptedSession:
    """Publishes what it is told to; records what it was asked."""

    def __init__(
        self, snapshot: Snapshot | None = None, *, read_only: bool = False, demo: bool = False
    ) -> None:
        self.title = "example"
        self.read_only = read_only
        self.demo = demo
        self.calls: list[str] = []
        self.failure: LptuiError | None = None
        self.hangs = False
        self.refuses = False
        self.fits: set[str] = {"main"}
        """Words that select something."""
        self.is_done: set[str] = set()
        """Actions that have nothing to do."""
        self.words = ""
        """Instead of a plan's own."""
        self.executed_options: dict[str, str] = {}
        self.release = asyncio.Event()
        self.outcome = Outcome.DONE
        self.done = ""
        self._first = snapshot
        self._number = 0
        self._subscribers: list[Callable[[Snapshot], None]] = []

    async def start(self) -> None:
        self.calls.append("start")
        if self.failure is not None:
            raise self.failure
        if self._first is not None:
            self.publish(self._first)

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def publish(self, snapshot: Snapshot) -> None:
        """Hands a snapshot to the screen, numbered anew."""
        self._number += 1
        for callback in self._subscribers:
            callback(replace(snapshot, number=self._number))

    def set_interval(self, seconds: float) -> None:
        self.calls.append(f"interval {seconds:g}")

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    async def spec(self, action_id: str) -> ActionSpec:
        options = (WAIT, LATE, TO) if action_id in ("drain", "failover") else ()
        return ActionSpec(
            action_id, action_id.capitalize(), "", Effect.WRITE, "thing", "", (), (), options
        )

    async def propose(self, actions: Sequence[str], words: Sequence[str] | None) -> Plan:
        targets = [NETWORK] if words is None else [word for word in words if word in self.fits]
        if not targets:
            raise RefusedError(actions[0], "no thing selected")
        name = next((name for name in actions if name not in self.is_done), actions[-1])
        return await self.plan(name, Request((targets[0],)))

    async def refusals(
        self, asks: Sequence[tuple[Sequence[str], Sequence[str] | None]]
    ) -> Sequence[str]:
        return [self._refusal(words) for _, words in asks]

    def _refusal(self, words: Sequence[str] | None) -> str:
        if words is not None and not self.fits.intersection(words):
            return "no thing selected"
        return "not yet called: last reward round 4120" if self.refuses else ""

    async def plan(self, action_id: str, request: Request) -> Plan:
        target = request.target
        self.calls.append(f"plan {action_id} {target}")
        if self.read_only:
            raise RefusedError(action_id, "read-only")
        if dict(request.options).get("wait", "0").isalpha():
            raise RefusedError(action_id, "wait is not a number of seconds")
        plan = example_plan(action_id, target, met=not self.refuses)
        if self.words:
            [step] = plan.steps
            steps = (replace(step, title=self.words, call=self.words, postcondition=self.words),)
            plan = replace(plan, summary=self.words, effect=self.words, steps=steps)
        return replace(plan, done=self.done, request=request)

    async def execute(self, plan: Plan, progress: Callable[[str], None]) -> Result:
        self.calls.append(f"execute {plan.action} {plan.target}")
        self.executed_options = dict(plan.request.options)
        progress("waiting for the receipt of 0x1234")
        await self.release.wait()
        step = StepResult("call reward", Outcome.DONE, "0x1234")
        return Result(plan, self.outcome, "called, +87 LPT in tx 0x1234", (step,))

    async def close(self) -> None:
        self.calls.append("close")
        if self.hangs:
            await asyncio.Event().wait()


def example_plan(action_id: str, target: str, *, met: bool = True) -> Plan:
    """A plan of one step."""
    return Plan(
        action_id,
        target,
        f"{action_id} for {target} on the node reward",
        (Step("call reward", "reward", "POST /reward", "lastRewardRound is 4121", 600.0),),
        (
            Precondition("round initialised", True, "chain, 2 s ago"),
            Precondition(
                "not yet called", met, "last reward round 4120", "wait for the next round"
            ),
        ),
        "0.000005 ETH at 0.01 gwei",
        "sends one transaction",
    )
