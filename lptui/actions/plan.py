"""Plans: what an action would do, to whom, at what cost, and whether it may. Pure values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import nan

from lptui.errors import RefusedError
from lptui.fleet.locks import MOST_HOSTS
from lptui.fleet.units import Wei, format_gwei, format_units
from lptui.text import clean


@dataclass(frozen=True, slots=True)
class Precondition:
    """Something that must hold. `met` None: it could not be told, which refuses as well.

    `evidence` says what was seen, where and when. `choice` is the option that is still to be given,
    where it is only that which is missing.
    """

    name: str
    met: bool | None
    evidence: str
    remedy: str = ""
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an action: its targets, and the operator's choices by name."""

    targets: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """The first one, which is the only one of an action that takes one at a time."""
        return self.targets[0] if self.targets else ""

    @property
    def words(self) -> str:
        """The targets for people and records."""
        return ", ".join(self.targets)

    def option(self, name: str, default: str = "") -> str:
        """A choice, or its default."""
        return dict(self.options).get(name, default)

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """A choice that is a number; raises RefusedError for what is none, or out of bounds."""
        written = self.option(name)
        try:
            value = float(written) if written else default
        except ValueError:
            value = nan
        if not least <= value <= most:
            why = f"{clean(written, 40)!r} is no number from {least:g} to {most:g}"
            raise RefusedError(f"--{name}", why)
        return value


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the exact call, what must hold before and after it, and how it is undone.

    Attributes:
        kind: the move that makes it (`lptui.actions.moves`); "" when its action does.
        given: what the move needs to know, the state to return to included.
        group: steps of one group end where they began; when its last one is made, none is undone.
        returns: brings back what an earlier step of its group took away; it needs no undoing.
        gate: unless this one is undone, no step before it may be: the old holder of a key is not
            started while the new one may run.
        lasts: stays when its group has ended: it is undone only until all that `proves` in its
            group is made. What runs on it must have been stopped first.
        proves: shows that what `lasts` in its group is good.
    """

    title: str
    target: str
    call: str
    postcondition: str
    deadline_s: float
    undo: str = "cannot be undone"
    precondition: str = ""
    kind: str = ""
    given: tuple[tuple[str, str], ...] = ()
    group: str = ""
    returns: bool = False
    gate: bool = False
    lasts: bool = False
    proves: bool = False

    def value(self, name: str) -> str:
        """Something given; raises KeyError."""
        return dict(self.given)[name]


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
    """A folder in /tmp of hosts that is held while a plan runs; each run's has its own ending.

    Attributes:
        hosts: where it may be; the first few that answer have it.
        lasts_s: counts for so long after it was last renewed.
        required: nothing is done without it.
    """

    hosts: tuple[str, ...]
    path: str
    lasts_s: float = 660.0
    required: bool = False

    def __str__(self) -> str:
        where = ", ".join(self.hosts[:MOST_HOSTS])
        return f"{self.path}.* on {where}, for other operators' consoles to see"


class OnFailure(StrEnum):
    """What becomes of the steps before the one that failed."""

    UNDO = "undo"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Plan:
    """All of an action for one target.

    Attributes:
        cost: in words; `exact_cost` is the same in wei, None when it could not be told.
        done: not "" when there is nothing to do, and why ("already called in this round").
        facts: what the executor needs (round, node, account…), part of the hash.
        lock: what keeps other operators' consoles away meanwhile; None where nobody else can act.
        warnings: what the operator should know but what does not refuse the action.
        request: what it was asked for; `target` says the same in words.
        blast: who is affected while it runs and afterwards, in words.
        on_failure: whether the steps before a failed one are undone.
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
    request: Request = Request(())
    blast: str = ""
    on_failure: OnFailure = OnFailure.UNDO

    @property
    def is_stepwise(self) -> bool:
        """Made of moves: it can be taken up again, and undone."""
        return bool(self.steps) and all(step.kind for step in self.steps)

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
    def to_choose(self) -> str:
        """The option that must still be given, where nothing else is in the way; else ""."""
        open_choices = [item.choice for item in self.refusals]
        return open_choices[0] if open_choices and all(open_choices) and not self.done else ""

    @property
    def hash(self) -> str:
        """Names what would be done: equal for equal targets, steps and facts."""
        content = {
            "action": self.action,
            "target": self.target,
            "options": self.request.options,
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
    """What became of one step. `number` is its place in the plan, from 0, where titles repeat."""

    title: str
    outcome: Outcome
    detail: str
    number: int | None = None


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
