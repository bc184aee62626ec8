"""A session whose snapshots a test hands out itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lptui.actions.comparing import Compared, Verb, Word
from lptui.actions.journal import Entry
from lptui.actions.options import LATE, TO, WAIT
from lptui.actions.plan import Outcome, Plan, Precondition, Request, Result, Step, StepResult
from lptui.actions.spec import ActionSpec, Effect, Event, Progress, Told
from lptui.collector.follow import Phase, Sink, State
from lptui.errors import LptuiError, RefusedError
from lptui.fleet.logs import Choice, Level, LogLine, Stream, choices
from lptui.fleet.naming import host_of
from lptui.fleet.retry import Decision
from lptui.fleet.snapshot import Snapshot
from lptui.present.inspected import Inspected, inspected
from lptui.probes.livepeer.routes import INSPECTABLE
from lptui.probes.logs.parse import Read
from tests.snapshots import NOW

NETWORK = "arbitrum-one-mainnet"


class ScriptedLogs:
    """Logs whose lines a test gives itself."""

    def __init__(self, streams: Sequence[Stream], sink: Sink) -> None:
        self.streams = streams
        self.sink = sink
        self.is_closed = False
        self.states(State(Phase.FOLLOWING))

    def states(self, state: State) -> None:
        for stream in self.streams:
            self.sink.state(stream, state)

    def say(self, *texts: str, level: Level = Level.INFO, at: float = NOW) -> None:
        """A line of each stream in turn, a second apart."""
        self.sink.add(
            [
                Read(stream, LogLine(at + number, stream.name, text, level))
                for number, text in enumerate(texts)
                for stream in [self.streams[number % len(self.streams)]]
            ]
        )

    async def close(self) -> None:
        self.is_closed = True


class ScriptedSession:
    """Publishes what it is told to; records what it was asked."""

    def __init__(
        self, snapshot: Snapshot | None = None, *, read_only: bool = False, demo: bool = False
    ) -> None:
        self.title = "example"
        self.read_only = read_only
        self.demo = demo
        self.own_run = ""
        self.calls: list[str] = []
        self.failure: LptuiError | None = None
        self.hangs = False
        self.refuses = False
        self.fits: set[str] = {"main"}
        """Words that select something."""
        self.is_done: set[str] = set()
        """Actions that have nothing to do."""
        self.looked_for_due = 0
        self.retries: Sequence[Decision] = ()
        """What it may call by itself."""
        self.words = ""
        """Instead of a plan's own."""
        self.executed_options: dict[str, str] = {}
        self.is_stepwise = False
        self.entry: Entry | None = None
        self.cut: Sequence[Entry] = ()
        self.cut_after: Sequence[Entry] = ()
        """Once one was taken up, or back."""
        self.useless: dict[Verb, str] = {}
        """Why a run cannot be taken up, or back."""
        self.release = asyncio.Event()
        self.outcome = Outcome.DONE
        self.done = ""
        self.answer: bytes | LptuiError = b'{"Version": "0.9.1"}'
        """What a node answers, with `status`, once it may."""
        self.status = 200
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.following: ScriptedLogs | None = None
        """The logs that were opened last."""
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
        if self.is_stepwise:
            plan = replace(stepwise_plan(target), action=action_id)
        elif self.words:
            [step] = plan.steps
            steps = (replace(step, title=self.words, call=self.words, postcondition=self.words),)
            plan = replace(plan, summary=self.words, effect=self.words, steps=steps)
        return replace(plan, done=self.done, request=request)

    async def due(self) -> Sequence[tuple[Plan, Decision]]:
        self.looked_for_due += 1
        return [
            (example_plan("reward", decision.orchestrator), decision) for decision in self.retries
        ]

    async def execute(self, plan: Plan, progress: Progress, told: Told, by: str = "") -> Result:
        who = f" by {by}" if by else ""
        self.calls.append(f"execute {plan.action} {plan.target}{who}")
        self.executed_options = dict(plan.request.options)
        if plan.is_stepwise:
            return await self._stepwise(plan, progress, told)
        progress("waiting for the receipt of 0x1234")
        await self.release.wait()
        step = StepResult("call reward", Outcome.DONE, "0x1234")
        return Result(plan, self.outcome, "called, +87 LPT in tx 0x1234", (step,))

    async def read(self, action_id: str, words: Sequence[str]) -> Sequence[str]:
        self.calls.append(f"read {action_id} {' '.join(words)}")
        if not self.fits.intersection(words):
            raise RefusedError(action_id, "no thing selected")
        return [f"{action_id} says: [red]fine"]

    async def _stepwise(self, plan: Plan, progress: Progress, told: Told) -> Result:
        """Makes the first step, waits in the second until it is released, then ends as told to."""
        events: list[tuple[int, Event, str]] = []

        def tell(number: int, event: Event, words: str) -> None:
            events.append((number, event, words))
            told(number, event, words)
            progress(f"{number + 1}/{len(plan.steps)} {plan.steps[number].title}: {words}")

        tell(0, Event.BEGAN, "")
        tell(0, Event.MADE, f"o1 is out of service{self.words}")
        tell(1, Event.BEGAN, "")
        told(1, None, f"o1: 3 sessions{self.words}")
        await self.release.wait()
        if self.outcome is Outcome.DONE:
            tell(1, Event.MADE, "no sessions")
        else:
            tell(1, Event.FAILED, "after 300 s still 3 sessions")
            tell(0, Event.UNDONE, "o1 is in service")
        ended = (NOW + 60.0, self.outcome.value)
        self.entry = entry_of(plan, events, *ended)
        remedy = "" if self.outcome is Outcome.DONE else "see who holds the sessions"
        return Result(plan, self.outcome, f"it is {self.outcome.value}", remedy=remedy)

    def routes(self) -> Mapping[str, str]:
        return INSPECTABLE

    async def inspect(self, node: str, route: str) -> Inspected:
        self.calls.append(f"get {node} {route}")
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.calls.append(f"left {node} {route}")
            raise
        if isinstance(self.answer, LptuiError):
            raise self.answer
        return inspected(node, route, self.status, self.answer, took_s=0.012, at=NOW)

    def logs(self, words: Sequence[str]) -> Sequence[Choice]:
        self.calls.append(f"logs {' '.join(words)}")
        return choices(self._first.fleet, words) if self._first is not None else ()

    async def follow(self, streams: Sequence[Stream], sink: Sink) -> ScriptedLogs:
        self.following = ScriptedLogs(streams, sink)
        return self.following

    def host_of(self, subjects: Sequence[tuple[str, str]]) -> str:
        return host_of(self._first.fleet, subjects) if self._first is not None else ""

    def login(self, host: str) -> tuple[str, ...]:
        self.calls.append(f"login {host}")
        return ("/bin/true",)

    def abort(self) -> None:
        self.calls.append("abort")

    async def last_run(self) -> Entry | None:
        return self.entry

    async def unfinished(self) -> Sequence[Entry]:
        return self.cut

    async def compare(self, entry: Entry, verb: Verb) -> Sequence[Compared]:
        self.calls.append(f"compare {verb} {entry.id}")
        if verb in self.useless:
            raise RefusedError(verb, self.useless[verb])
        steps = entry.plan.steps
        words = (
            (Word.DONE_BEFORE, Word.TO_DO)
            if verb is Verb.RESUME
            else (Word.TO_UNDO, Word.NOTHING_TO_UNDO)
        )
        seen = (f"o1 is out of service{self.words}", "o1: 2 sessions")
        found = [Compared(n, steps[n], words[n], seen[n]) for n in range(len(steps))]
        return found if verb is Verb.RESUME else found[::-1]

    async def again(self, entry: Entry, verb: Verb, progress: Progress, told: Told) -> Result:
        self.calls.append(f"{verb} {entry.id}")
        self.cut = self.cut_after
        event = Event.UNDONE if verb is Verb.UNDO else Event.MADE
        for number in range(len(entry.plan.steps)):
            told(number, event, "o1 is in service")
        events = [(number, event, "") for number in range(len(entry.plan.steps))]
        self.entry = entry_of(entry.plan, events, NOW, "done")
        return Result(entry.plan, Outcome.DONE, f"run {entry.id}: {verb} is done")

    async def close(self) -> None:
        self.calls.append("close")
        if self.hangs:
            await asyncio.Event().wait()


def stepwise_plan(target: str = "lb:front/orchestrators/o1") -> Plan:
    """A plan of two moves."""
    steps = (
        Step(
            "take out of service",
            "o1",
            "set server orchestrators/o1 state drain",
            "front says of o1: out of service",
            15.0,
            undo="back to in service",
            kind="servers",
        ),
        Step(
            "wait for sessions to end",
            "o1",
            "reads front",
            "o1: no session and no queue",
            300.0,
            undo="only waits",
            kind="sessions",
            returns=True,
        ),
    )
    plan = example_plan("drain", target)
    return replace(plan, summary="take o1 out of service", steps=steps, request=Request((target,)))


def entry_of(
    plan: Plan,
    events: Sequence[tuple[int, Event, str]],
    ended: float | None = None,
    outcome: str = "",
) -> Entry:
    """A run in the journal."""
    told = tuple((number, event, NOW + n, words) for n, (number, event, words) in enumerate(events))
    return Entry(
        "1f2e3d4c", "example", plan, "ada@desk", 4711, NOW - 300.0, ended, outcome, "", told
    )


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
