"""What an action is to the rest of the console.

Keys, palette, help, footer, headless verbs and completions are made from the registry of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from lptui.actions.options import Option
from lptui.actions.plan import Plan, Request, Result, Step
from lptui.clock import Clock
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node
from lptui.transport.protocols import Reach

Progress = Callable[[str], None]
"""Takes one plain line at a time."""

Proof = tuple[tuple[str, str], ...]
"""What was seen, by name: `tx`, `block`, `amount`…"""

Source = tuple[str, str]
"""A probe's name and one of its targets: what a look is taken at."""


class Effect(StrEnum):
    """What an action may do at worst."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class Event(StrEnum):
    """What happened to a step, for the journal."""

    BEGAN = "began"
    MADE = "made"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    KEPT = "kept"
    """It could not be undone."""


Told = Callable[[int, Event | None, str], None]
"""Takes what happened to a step, by its number from 0; None: what is seen while it is awaited."""


def nobody(number: int, event: Event | None, words: str) -> None:
    """`Told` for those who read the lines of progress instead."""


class Record(Protocol):
    """The journal of one run. What it was told is on the disk when it returns."""

    @property
    def run(self) -> str:
        """The run's id, by which it is resumed and undone."""
        ...

    async def step(self, number: int, event: Event, words: str = "") -> None:
        """Raises RefusedError when it cannot be written down: nothing may be done then."""
        ...


@dataclass(frozen=True, slots=True)
class Execution:
    """What an executing action may use.

    Attributes:
        look: a new, independent reading of the sources that prove the action.
        look_at: the same of these sources alone.
        journal: writes a step down before it is taken; raises RefusedError when it cannot.
        record: the journal of plans that are made of moves.
        hold: goes on holding the locks; raises RefusedError when they are lost.
        abort: set when the operator wants no further step.
        told: the same as `progress` tells, by the steps.
        deadline_s: after which the outcome is "unknown".
    """

    fleet: Fleet
    reach: Reach
    clock: Clock
    look: Callable[[], Awaitable[Snapshot]]
    journal: Callable[[Step], None]
    progress: Progress
    deadline_s: float
    look_at: Callable[[Sequence[Source]], Awaitable[Snapshot]]
    record: Record
    hold: Callable[[], Awaitable[None]]
    abort: asyncio.Event = field(default_factory=asyncio.Event)
    told: Told = nobody


class Action(Protocol):
    """One action: a pure plan and an execution that proves its effect."""

    @property
    def spec(self) -> ActionSpec: ...

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        """What it can be aimed at."""
        ...

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        """The targets that a node stands for when it is selected."""
        ...

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        """What would be done now; never asks anybody anything."""
        ...

    async def execute(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Result:
        """Does it and proves it; `snapshot` is the one that the guards were checked with."""
        ...

    async def prove(self, plan: Plan, snapshot: Snapshot, execution: Execution) -> Proof | None:
        """What shows the effect in an independent reading; None while it does not show."""
        ...


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """How an action presents itself.

    Attributes:
        id: also its verb on the command line; `key` is the one on the screen.
        subject: kind of target: orchestrator, round, server, node, backend…
        probes: names of the probes whose readings it plans from; `proof`: of those that verify it.
        together: all selected targets are one plan, in its own order; else one plan each.
    """

    id: str
    title: str
    key: str
    effect: Effect
    subject: str
    help: str
    probes: tuple[str, ...]
    proof: tuple[str, ...]
    options: tuple[Option, ...] = ()
    together: bool = False
