"""What is known of the ways between the fleet's parts, and of those that lead there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lptui.errors import Problem, ProblemKind

DEAD: Final = frozenset(
    {ProblemKind.REFUSED, ProblemKind.UNREACHABLE, ProblemKind.TIMEOUT, ProblemKind.TLS}
)
"""Problems of a connection that mean: others get none either. The rest are the console's own."""

_NO_WAY: Final = "network is unreachable"
"""This machine has no route for that kind of address (IPv6, most often)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to open a connection to an address; either `took_s` or `problem` is set.

    `certificate` is the SHA-256 of the TLS certificate that was shown. go-livepeer makes itself a
    new one at each start: another one tells of a restart, and nothing else.
    """

    address: str
    took_s: float | None = None
    problem: Problem | None = None
    certificate: str = ""

    @property
    def is_dead(self) -> bool:
        """Whether nobody would be answered; False as well when that is not known."""
        problem = self.problem
        return problem is not None and problem.kind in DEAD and _NO_WAY not in problem.why


@dataclass(frozen=True, slots=True)
class ClosedPorts:
    """Ports of a host that must not answer, each tried from the operator's machine."""

    tries: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class RedeemerLink:
    """The way from an orchestrator to the redeemer that cashes its tickets, tried on its host.

    `attempt` None: it names no redeemer, and cashes them itself. `origin` is where the address is
    from; "" when neither the node nor the configuration tells it.
    """

    origin: str
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An address that clients are sent to, with a try of every IP address that its name has.

    `users` are the kinds and names of what sends them there: `orchestrator` (by the
    ServiceRegistry), `balancer`, `node`. `problem`: why the name has no addresses.
    """

    uri: str
    users: tuple[tuple[str, str], ...]
    attempts: tuple[Attempt, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class PublicAddresses:
    """The fleet's public addresses, tried from the operator's machine."""

    places: tuple[Place, ...]
