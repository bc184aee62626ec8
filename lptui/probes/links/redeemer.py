"""From each orchestrator's host to the redeemer: can its winning tickets get there?

The redeemer speaks gRPC over TLS with a certificate of its own making (go-livepeer
server/redeemer.go), and answers nothing else: a greeting is all that can be had of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.fleet.facts.links import RedeemerLink
from lptui.fleet.places import HostPort, place
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Role
from lptui.probes.links.attempt import attempt
from lptui.probes.probe import Answer, Asking

FLAG: Final = "redeemerAddr"


class RedeemerLinkProbe:
    """One reading for each orchestrator."""

    name: ClassVar[str] = "redeemer-link"
    needs: ClassVar[tuple[str, ...]] = ("host-processes", "host-units")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [node.name for node in fleet.nodes_with(Role.ORCHESTRATOR)]

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        return f"connection from {fleet.nodes[target].host}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(RedeemerLink, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        node = asking.fleet.nodes[target]
        origin, address = redeemer_of(asking.latest, node)
        if address is None:
            return [Answer(Key(RedeemerLink, target), RedeemerLink(origin))]
        tried = await attempt(asking, node.host, str(address), asking.deadline_s, tls=True)
        return [Answer(Key(RedeemerLink, target), RedeemerLink(origin, tried))]


def redeemer_of(snapshot: Snapshot, node: Node) -> tuple[str, HostPort | None]:
    """Where an orchestrator's redeemer is and who says so; ("", None): nobody does."""
    process = process_of(snapshot, node)
    if process is not None:
        written = process.flag(FLAG)
        if written:
            return f"-{FLAG} {written}", place(written)
        if not process.unread:
            return f"no -{FLAG} among its settings", None
    redeemers = [
        (one.name, place(one.service_uri))
        for one in snapshot.fleet.nodes_with(Role.REDEEMER)
        if one.service_uri and one.standby_for is None
    ]
    if len(redeemers) != 1:
        return "", None
    [(name, where)] = redeemers
    return f"the configured address of {name}", where
