"""What every move is: one kind of change to one thing, told by readings and not by replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from lptui.actions.plan import Step
from lptui.actions.spec import Execution, Source
from lptui.fleet.pools import Place
from lptui.fleet.snapshot import Snapshot

MAY_HAVE_RUN: Final = (
    "it may have run, and nothing shows whether it did: look, then undo it, or resume once more to"
    " leave it as it is and go on"
)

LEFT: Final = "it may have run, and is left as it is: resumed once more, after that was told"


class Standing(StrEnum):
    """How far a step is, by what was read."""

    BEFORE = "before"
    """As it was planned from."""
    PARTLY = "partly"
    """Begun, and not all of it in force: it may be made once more, and would have to be undone."""
    MADE = "made"
    OTHER = "other"
    """Neither: somebody or something else has changed it."""
    FAILED = "failed"
    """It will not come by waiting."""
    UNKNOWN = "unknown"
    """It could not be read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at a step. `words` are what was seen, and where."""

    standing: Standing
    words: str


class Move(Protocol):
    """One kind of step. It has no state: what it needs to know is in the step.

    A step's `given` comes from the journal when a run is taken up again, so nothing in it is
    older than the plan. `make` and `unmake` may be called again after a console was killed: they
    must do no harm when the change is there already.
    """

    @property
    def kind(self) -> str: ...

    @property
    def looks(self) -> int:
        """Looks in a row that must show it made."""
        ...

    def sources(self, step: Step) -> Sequence[Source]:
        """What must be read to see how far it is."""
        ...

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        """How far it is. `begun` is the look before it was made, for what shows by comparison."""
        ...

    def hindrance(self, step: Step, now: Snapshot) -> str:
        """Why it must not be made now, whatever the plan says; "" when it may."""
        ...

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        """What making it and taking it back run as root on its host, by the host's `privilege`.

        Told for what cannot put back by itself what a missing right leaves half done.
        """
        ...

    async def make(self, step: Step, execution: Execution) -> str:
        """Makes the change and says what was answered; raises LptuiError."""
        ...

    async def unmake(self, step: Step, execution: Execution) -> str:
        """Takes it back. What is left to undo shows as BEFORE. Raises LptuiError."""
        ...

    async def clear(self, step: Step, execution: Execution, standing: Standing) -> None:
        """Removes what a make or unmake that was cut may have left beside it; raises LptuiError.

        What the way back needs goes only where the change is as it was (`standing` BEFORE).
        """
        ...

    async def give_up(self, step: Step, execution: Execution) -> str:
        """The deadline is over. The words say why to go on regardless; "" fails the step."""
        ...


class Usual:
    """What most moves do of what not every move needs."""

    looks = 1

    def hindrance(self, step: Step, now: Snapshot) -> str:
        return ""

    def as_root(self, step: Step, now: Snapshot) -> Sequence[tuple[str, ...]]:
        return ()

    async def clear(self, step: Step, execution: Execution, standing: Standing) -> None:
        return

    async def give_up(self, step: Step, execution: Execution) -> str:
        return ""


class Looking(Usual):
    """A move that changes nothing and only waits: nobody needs it who wants no further step."""

    async def make(self, step: Step, execution: Execution) -> str:
        return ""

    async def unmake(self, step: Step, execution: Execution) -> str:
        return ""


class Blind(Usual):
    """A move of which nothing can be read: how its call ended is all that tells.

    When that was never heard it may have been made, and is not made again: somebody must look.
    """

    def sources(self, step: Step) -> Sequence[Source]:
        return ()

    def seen(self, step: Step, now: Snapshot, begun: Snapshot | None) -> Seen:
        return Seen(Standing.OTHER, MAY_HAVE_RUN)


def given_places(balancer: str, places: Sequence[Place]) -> tuple[tuple[str, str], ...]:
    """Servers of one balancer as a step keeps them."""
    servers = tuple(("server", f"{place.backend}\n{place.server}") for place in places)
    return (("balancer", balancer), *servers)


def places_in(step: Step) -> tuple[Place, ...]:
    """The servers that a step is about."""
    balancer = step.value("balancer")
    pairs = [value.split("\n", 1) for name, value in step.given if name == "server"]
    return tuple(Place(balancer, backend, server) for backend, server in pairs)


def balancer_sources(step: Step) -> tuple[Source, ...]:
    """All readings of the step's balancer; those that its kind does not have are not asked."""
    name = step.value("balancer")
    return (("haproxy", name), ("nginx-config", name), ("nginx", name))
