"""Should a balancer send clients to a node? A word for it, from the findings about the node.

A monitor must not make an outage larger than it is. So what is not known says nothing; a node is
called down only while another one of each of its pools, which this judgement leaves up, has
traffic; and nothing is said that would have to be taken back by `ready`, which would end a drain
that an operator began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from lptui.checks.about import about
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.pools import node_of, places_of, serves
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node

NEEDED: Final = frozenset(
    {
        "account-expected",
        "gpu-missing",
        "node-chain",
        "node-up",
        "recipient-expected",
        "transcoders-expected",
        "unit-state",
    }
)
"""Without these no client can be served: critical is down. Not known is not known."""

LESS: Final = NEEDED | {
    "disk",
    "fd",
    "gpu-devices",
    "gpu-problem",
    "gpu-temperature",
    "gpu-throttled",
    "host-fd",
    "memory",
    "nvenc-sessions",
    "oom",
    "sessions-capacity",
    "watcher-stalled",
}
"""What makes a node serve fewer clients, or worse: it gets a smaller share."""

SHARE: Final = 50
"""Percent of its configured weight then. The rest has room for what it loses."""

KEPT: Final = "no other server of its pools is known to serve as well"


class Fit(Enum):
    """What is said of a node. The value is the exit code."""

    UP = 0
    LESS = 1
    DOWN = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Fitness:
    """The judgement, and the findings that it rests on."""

    node: str
    fit: Fit
    reasons: tuple[Finding, ...] = ()
    kept: bool = False
    """It would be down, but for that nobody else is left to serve."""

    @property
    def why(self) -> str:
        """In a line, "" when all is well."""
        told = [f"{found.check}: {found.summary}" for found in self.reasons]
        return "; ".join([*told, *([KEPT] if self.kept else [])])


def fitness(snapshot: Snapshot, node: Node, findings: Sequence[Finding]) -> Fitness:
    """Of one node; `findings` are all of the snapshot's."""
    alone = _by_itself(snapshot, node, findings)
    if alone.fit is Fit.DOWN and not _others_serve(snapshot, node, findings):
        return Fitness(node.name, Fit.LESS, alone.reasons, kept=True)
    return alone


def _by_itself(snapshot: Snapshot, node: Node, findings: Iterable[Finding]) -> Fitness:
    mine = [found for found in about(snapshot.fleet, node, findings) if found.check in LESS]
    needed = [found for found in mine if found.check in NEEDED]
    down = tuple(found for found in needed if found.severity is Severity.CRITICAL)
    if down:
        return Fitness(node.name, Fit.DOWN, down)
    silent = tuple(found for found in needed if found.severity is Severity.UNKNOWN)
    # Nothing at all to judge by is not well either.
    if silent or not needed:
        return Fitness(node.name, Fit.UNKNOWN, silent)
    worse = (Severity.WARNING, Severity.CRITICAL)
    less = tuple(found for found in mine if found.severity in worse)
    return Fitness(node.name, Fit.LESS if less else Fit.UP, less)


def _others_serve(snapshot: Snapshot, node: Node, findings: Sequence[Finding]) -> bool:
    """Whether each pool of the node has another server with traffic that is fit for it."""
    places = places_of(snapshot, node.name)
    return bool(places) and all(
        _has_another(snapshot, place.balancer, place.backend, node, findings) for place in places
    )


def _has_another(
    snapshot: Snapshot, balancer: str, backend: str, node: Node, findings: Sequence[Finding]
) -> bool:
    state = snapshot.fresh(BalancerState, balancer)
    known = snapshot.fleet.balancers[balancer]
    for server in state.backend_servers(backend) if state else ():
        other = snapshot.fleet.nodes.get(node_of(known, server))
        if other is None or other.name == node.name or not serves(server):
            continue
        if _by_itself(snapshot, other, findings).fit in (Fit.UP, Fit.LESS):
            return True
    return False
