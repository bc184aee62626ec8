"""What an action is to the rest of the console, and the registry of all of them.

Keys, palette, help, footer, headless verbs and completions are made from this one list.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lptui.actions.plan import Plan, Result, Step
from lptui.clock import Clock
from lptui.fleet.snapshot import Snapshot
from lptui.transport.protocols import Reach

Progress = Callable[[str], None]
"""Takes one plain line at a time."""

Proof = tuple[tuple[str, str], ...]
"""What was seen, by name: `tx`, `block`, `amount`…"""


class Effect(StrEnum):
    """What an action may do at worst."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True, slots=True)
class Execution:
    """What an executing action may use.

    Attributes:
        look: a new, independent reading of the sources that prove the action.
        journal: writes a step down before it is taken; raises RefusedError when it cannot.
        deadline_s: after which the outcome is "unknown".
    """

    reach: Reach
    clock: Clock
    look: Callable[[], Awaitable[Snapshot]]
    journal: Callable[[Step], None]
    progress: Progress
    deadline_s: float


class Action(Protocol):
    """One action: a pure plan and an execution that proves its effect."""

    @property
    def spec(self) -> ActionSpec: ...

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        """What it can be aimed at."""
        ...

    def plan(self, snapshot: Snapshot, target: str) -> Plan:
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
        key: on the screen; verb: on the command line.
        subject: kind of target: orchestrator or round.
        probes: names of the probes whose readings it plans from; `proof`: of those that verify it.
    """

    id: str
    title: str
    key: str
    effect: Effect
    subject: str
    help: str
    probes: tuple[str, ...]
    proof: tuple[str, ...]
