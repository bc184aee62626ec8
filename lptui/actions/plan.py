"""Plans: what an action would do, to whom, at what cost, and whether it may. Pure values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from lptui.fleet.units import Wei, format_gwei, format_units


@dataclass(frozen=True, slots=True)
class Precondition:
    """Something that must hold. `met` None: it could not be told, which refuses as well.

    `evidence` says what was seen, where and when.
    """

    name: str
    met: bool | None
    evidence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the exact call, what must hold after it, and how it is undone."""

    title: str
    target: str
    call: str
    postcondition: str
    deadline_s: float
    undo: str = "cannot be undone"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a transaction costs: `gas` units at `price` likely, at `cap` at most (wei a unit)."""

    gas: int
    price: Wei
    cap: Wei

    @property
    def likely(self) -> Wei:
        return Wei(self.gas * self.price)

    @property
    def most(self) -> Wei:
        return Wei(self.gas * self.cap)

    def __str__(self) -> str:
        likely, most = format_units(self.likely, 9), format_units(self.most, 9)
        price = format_gwei(self.price)
        return f"about {likely} ETH ({self.gas:,} gas at {price}), at most {most} ETH"


@dataclass(frozen=True, slots=True)
class Lock:
    """A folder on the host of the node that acts; each run's has an ending of its own."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.path}.* on {self.host}, for other operators' consoles to see"


@dataclass(frozen=True, slots=True)
class Plan:
    """All of an action for one target.

    Attributes:
        cost: in words; `exact_cost` is the same in wei, None when it could not be told.
        done: not "" when there is nothing to do, and why ("already called in this round").
        facts: what the executor needs (round, node, account…), part of the hash.
        lock: what keeps other operators' consoles away meanwhile; None where nobody else can act.
        warnings: what the operator should know but what does not refuse the action.
    """

    action: str
    target: str
    summary: str
    steps: tuple[Step, ...]
    preconditions: tuple[Precondition, ...]
    cost: str
    effect: str
    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    done: str = ""
    exact_cost: Cost | None = None
    lock: Lock | None = None

    @property
    def refusals(self) -> tuple[Precondition, ...]:
        """The preconditions that do not hold or cannot be told."""
        return tuple(item for item in self.preconditions if item.met is not True)

    @property
    def why_not(self) -> str:
        """Why it cannot run now, in a few words; "" when it can."""
        if self.done:
            return self.done
        return f"{self.refusals[0].name}: {self.refusals[0].evidence}" if self.refusals else ""

    @property
    def hash(self) -> str:
        """Names what would be done: equal for equal targets, steps and facts."""
        content = {
            "action": self.action,
            "target": self.target,
            "steps": [asdict(step) for step in self.steps],
            "facts": self.facts,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def fact(self, name: str) -> str:
        """A fact by its name; raises KeyError."""
        return dict(self.facts)[name]


class Outcome(StrEnum):
    """How an action ended. Exit codes: done 0, refused 1, failed 2, unknown 3."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> int:
        return {"done": 0, "refused": 1, "failed": 2, "unknown": 3}[self.value]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step."""

    title: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a plan, proved by readings that are independent of the call's own reply.

    Attributes:
        under_way: the node has not answered, so it may still be at it after this result.
        interrupted: it was ended from outside (a signal, the console quit).
    """

    plan: Plan
    outcome: Outcome
    summary: str
    steps: tuple[StepResult, ...] = ()
    proof: tuple[tuple[str, str], ...] = field(default=())
    remedy: str = ""
    under_way: bool = False
    interrupted: bool = False
