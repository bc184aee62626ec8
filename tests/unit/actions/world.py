"""A small world that plans of moves can change: what the engine is tried on without a fleet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lptui.actions.comparing import looked_into
from lptui.actions.engine import Engine
from lptui.actions.journal import Entry
from lptui.actions.moves.move import Blind, Looking, Move, Seen, Standing
from lptui.actions.plan import OnFailure, Plan, Result, Step
from lptui.actions.spec import Event, Execution, Source
from lptui.clock import FrozenClock
from lptui.errors import LptuiError, Problem, ProblemKind, RefusedError
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.transport.fake import FakeReach

FLEET = Fleet("world", {})


class KilledError(BaseException):
    """The console is killed: nothing more is done, and nothing is tidied up."""


@dataclass(frozen=True, slots=True)
class State:
    """A thing's state, as a topic that can be read."""

    value: str


@dataclass
class World:
    """Things with a state, by name. Each look takes a second of its clock.

    Attributes:
        breaks: by thing: what telling it raises; `broken_but_done`: it obeys all the same.
        stubborn: things that obey nothing; `slow`: looks until it shows.
        unread: looks that a thing cannot be read, from now on.
        changes: every change of a state, in order: what must happen once happens here once.
        beside: what telling a thing has left beside it; `uncleared`: what clearing it raises.
        did: what was asked, written and looked at, in order.
        kill_at: the number of the moment at which the console is killed; None for never.
        kill_at_look_of: the thing at whose first look it is.
    """

    things: dict[str, str]
    clock: FrozenClock = field(default_factory=FrozenClock)
    breaks: dict[str, LptuiError] = field(default_factory=dict)
    broken_but_done: bool = False
    stubborn: set[str] = field(default_factory=set)
    slow: dict[str, int] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)
    changes: list[tuple[str, str]] = field(default_factory=list)
    beside: set[str] = field(default_factory=set)
    uncleared: dict[str, LptuiError] = field(default_factory=dict)
    did: list[str] = field(default_factory=list)
    events: list[tuple[int, Event, float, str]] = field(default_factory=list)
    run: str = "run"
    kill_at: int | None = None
    kill_at_look_of: str = ""
    moments: int = 0
    on_look: Callable[[], object] | None = None
    lock_lost: bool = False
    journal_full: bool = False
    abort: asyncio.Event = field(default_factory=asyncio.Event)
    said: list[str] = field(default_factory=list)

    def moment(self) -> None:
        """A place at which the console may be killed."""
        self.moments += 1
        if self.moments - 1 == self.kill_at:
            raise KilledError

    def tell(self, name: str, value: str) -> None:
        """Changes a thing, or fails to."""
        self.moment()
        self.did.append(f"tell {name} {value}")
        self.beside.add(name)
        if name in self.breaks and not self.broken_but_done:
            raise self.breaks[name]
        if name not in self.stubborn and self.things[name] != value:
            self.things[name] = value
            self.changes.append((name, value))
        self.moment()
        if name in self.breaks:
            raise self.breaks[name]

    async def look_at(self, sources: Sequence[Source]) -> Snapshot:
        """A reading of things."""
        self.moment()
        await asyncio.sleep(0)
        self.clock.advance(1.0)
        if self.on_look is not None:
            self.on_look()
        readings: dict[Key, Reading[object]] = {}
        if self.kill_at_look_of in {name for _, name in sources}:
            raise KilledError
        for _, name in sources:
            self.did.append(f"look {name}")
            problem, value = None, State(self.things[name])
            if self.unread.get(name, 0) > 0:
                self.unread[name] -= 1
                problem = Problem(ProblemKind.TIMEOUT, name, "no answer")
            readings[Key(State, name)] = Reading(
                None if problem else value, problem, name, self.clock.now(), interval_s=60.0
            )
        self.moment()
        return Snapshot(FLEET, readings, self.clock.now())

    async def step(self, number: int, event: Event, words: str = "") -> None:
        """The journal."""
        self.moment()
        if self.journal_full:
            raise RefusedError("run", "the journal cannot be written")
        self.did.append(f"write {number} {event}")
        self.events.append((number, event, self.clock.now(), words))
        self.moment()

    async def hold(self) -> None:
        """The lock."""
        self.moment()
        if self.lock_lost:
            raise RefusedError("lock", "another operator has taken the lock over")

    def entry(self, plan: Plan) -> Entry:
        """What the journal tells of the run."""
        return Entry("run", "world", plan, "me", 1, 0.0, None, "", "", tuple(self.events))

    @property
    def written(self) -> list[tuple[int, str]]:
        return [(number, event.value) for number, event, _, _ in self.events]


class Put:
    """Puts a thing into another state."""

    kind = "put"

    def __init__(self, world: World, looks: int = 1) -> None:
        self._world = world
        self.looks = looks

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        return ()

    def sources(self, step: Step) -> Sequence[Source]:
        return (("state", step.value("name")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        name = step.value("name")
        state = now.value(State, name)
        if state is None:
            return Seen(Standing.UNKNOWN, f"{name} cannot be read")
        words = f"{name} is {state.value}"
        if self._world.slow.get(name, 0) > 0 and state.value == step.value("to"):
            self._world.slow[name] -= 1
            return Seen(Standing.BEFORE, f"{name} is not there yet")
        known = {step.value("was"): Standing.BEFORE, step.value("to"): Standing.MADE}
        return Seen(known.get(state.value, Standing.OTHER), words)

    def hindrance(self, step: Step, now: Snapshot) -> str:
        return dict(step.given).get("hindrance", "")

    async def make(self, step: Step, execution: Execution) -> str:
        self._world.tell(step.value("name"), step.value("to"))
        return "told"

    async def unmake(self, step: Step, execution: Execution) -> str:
        self._world.tell(step.value("name"), step.value("was"))
        return "told back"

    async def clear(self, step: Step, execution: Execution, standing: Standing) -> None:
        name = step.value("name")
        if name in self._world.uncleared:
            raise self._world.uncleared[name]
        self._world.beside.discard(name)

    async def give_up(self, step: Step, execution: Execution) -> str:
        return dict(step.given).get("give up", "")


class Wait(Looking):
    """Waits until a thing is in a state."""

    kind = "wait"

    def sources(self, step: Step) -> Sequence[Source]:
        return (("state", step.value("name")),)

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        state = now.value(State, step.value("name"))
        is_so = state is not None and state.value == step.value("to")
        return Seen(Standing.MADE if is_so else Standing.BEFORE, "it is so" if is_so else "not yet")


class Tell(Blind):
    """Puts a thing into another state, of which nothing can be read."""

    kind = "tell"

    def __init__(self, world: World) -> None:
        self._world = world

    async def make(self, step: Step, execution: Execution) -> str:
        self._world.tell(step.value("name"), step.value("to"))
        return "told"

    async def unmake(self, step: Step, execution: Execution) -> str:
        if step.undo == "nothing takes it back":
            raise RefusedError(step.title, step.undo)
        self._world.tell(step.value("name"), step.value("was"))
        return "told back"


def put(name: str, to: str = "on", was: str = "off", **more: str) -> Step:
    """The step that puts a thing into a state."""
    given = (("name", name), ("was", was), ("to", to), *more.items())
    title = f"put {name} {to}"
    return Step(title, name, title, f"{name} is {to}", 5.0, kind="put", given=given)


def wait(name: str, to: str) -> Step:
    """The step that waits for it."""
    given = (("name", name), ("to", to))
    return Step(f"wait for {name}", name, "looks", f"{name} is {to}", 5.0, kind="wait", given=given)


def tell(name: str, undo: str = "tell it back") -> Step:
    """The step that puts a thing on without being able to see it."""
    given = (("name", name), ("was", "off"), ("to", "on"))
    title = f"tell {name}"
    return Step(title, name, title, "it says so", 5.0, undo, kind="tell", given=given)


def plan_of(*steps: Step, on_failure: OnFailure = OnFailure.UNDO) -> Plan:
    return Plan("try", "things", "tries", steps, (), "nothing", "none", on_failure=on_failure)


def engine(world: World, plan: Plan, looks: int = 1) -> Engine:
    """The engine on a world."""
    moves: dict[str, Move] = {"put": Put(world, looks), "wait": Wait(), "tell": Tell(world)}

    async def look() -> Snapshot:
        raise AssertionError("the engine looks at what it needs alone")

    execution = Execution(
        FLEET,
        FakeReach(),
        world.clock,
        look,
        lambda _: None,
        world.said.append,
        60.0,
        world.look_at,
        world,
        world.hold,
        world.abort,
    )
    return Engine(plan, execution, moves)


async def run(world: World, plan: Plan, looks: int = 1) -> Result:
    """A run from its beginning."""
    return await engine(world, plan, looks).run()


async def resume(world: World, plan: Plan) -> Result:
    """Goes on by what the journal tells."""
    entry = world.entry(plan)
    return await engine(world, plan).run(entry.begun, entry.made, looked_into(entry))


async def undo(world: World, plan: Plan) -> Result:
    """Takes back by what the journal tells."""
    entry = world.entry(plan)
    return await engine(world, plan).undo(entry.begun, entry.made, "run")
