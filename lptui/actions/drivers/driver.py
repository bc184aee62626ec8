"""What a balancer can be told, whichever it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final, Protocol

from lptui.actions.spec import Execution, Source
from lptui.fleet.facts.balancer import AdminState, Server
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer

STATE: Final = "state"
WEIGHT: Final = "weight"


@dataclass(frozen=True, slots=True)
class Change:
    """One property of one server: its wished state (an `AdminState`) or its weight."""

    backend: str
    server: str
    what: str
    was: str
    to: str

    @property
    def path(self) -> str:
        return f"{self.backend}/{self.server}"

    @property
    def back(self) -> Change:
        """The change that takes this one back."""
        return Change(self.backend, self.server, self.what, self.to, self.was)

    def now(self, server: Server) -> str:
        """What a server's property is, in the words of `was` and `to`."""
        if self.what == WEIGHT:
            return str(server.weight)
        # nginx knows one way to be out of service, whatever it is called.
        return AdminState.DRAIN if server.admin is AdminState.DOWN else server.admin


class Driver(Protocol):
    """One kind of balancer."""

    def sources(self, balancer: Balancer) -> Sequence[Source]:
        """What must be read to see its servers' states."""
        ...

    def hindrance(self, balancer: Balancer, now: Snapshot, changes: Sequence[Change]) -> str:
        """Why it cannot be told so now; "" when it can."""
        ...

    def unloaded(self, balancer: Balancer, now: Snapshot) -> str:
        """Why it does not do yet what is read of its servers; "" when it does."""
        ...

    def call_words(
        self, balancer: Balancer, changes: Sequence[Change], now: Snapshot | None = None
    ) -> str:
        """The exact commands and, where it was read, the exact edit."""
        ...

    async def set(self, balancer: Balancer, changes: Sequence[Change], execution: Execution) -> str:
        """Makes the changes, in one go where it can; what was answered. Raises LptuiError."""
        ...

    async def clear(
        self, balancer: Balancer, changes: Sequence[Change], execution: Execution
    ) -> None:
        """Removes what setting them may have left when it was cut; raises LptuiError."""
        ...

    async def cut(
        self, balancer: Balancer, servers: Sequence[tuple[str, str]], execution: Execution
    ) -> str:
        """Ends the sessions of (backend, server) at once; raises LptuiError."""
        ...


def written(changes: Sequence[Change]) -> str:
    """Changes as a step keeps them."""
    return json.dumps([asdict(change) for change in changes])


def read(text: str) -> tuple[Change, ...]:
    """Changes of a step."""
    return tuple(Change(**change) for change in json.loads(text))
