"""From here to ports that must be closed: a connection each, once a minute, that says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.fleet.facts.links import ClosedPorts
from lptui.fleet.places import HostPort
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet
from lptui.probes.links.attempt import attempt
from lptui.probes.probe import Answer, Asking

MOST_OFTEN_S: Final = 60.0
MOST_ADDRESSES: Final = 4
"""Of one name."""

PATIENCE_S: Final = 3.0
"""A firewall that drops packets never answers; a port that is open does so within a round trip."""


class ClosedPortsProbe:
    """One reading a host whose configuration names such ports."""

    name: ClassVar[str] = "closed-ports"
    needs: ClassVar[tuple[str, ...]] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(name for name, host in fleet.hosts.items() if host.safety.closed_ports)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return max(MOST_OFTEN_S, fleet.intervals.slow)

    def source(self, fleet: Fleet, target: str) -> str:
        return f"connections from here to {fleet.hosts[target].safety.public_address}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(ClosedPorts, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        safety = asking.fleet.hosts[target].safety
        half = asking.deadline_s / 2
        # A name that cannot be resolved says nothing of its ports.
        found = await asking.reach.resolve(safety.public_address, half)
        seconds = min(PATIENCE_S, half)
        tries = [
            attempt(asking, None, str(HostPort(address, port)), seconds, tls=False)
            for address in found[:MOST_ADDRESSES]
            for port in safety.closed_ports
        ]
        done = tuple(await asyncio.gather(*tries))
        return [Answer(Key(ClosedPorts, target), ClosedPorts(done))]
