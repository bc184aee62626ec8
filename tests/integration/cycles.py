"""Asks probes cycle by cycle through the real transports, with a clock that tests move."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lptui.clock import SystemClock
from lptui.collector.asking import Source, ask
from lptui.collector.ledger import Ledger
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Fleet, Node, Orchestrator, Rpc, Signer
from lptui.fleet.units import Address, address
from lptui.probes.probe import Probe
from lptui.transport.reach import FleetReach
from tests.devnet.chain import Devnet

T = TypeVar("T")

NETWORK = "devnet"


@dataclass(slots=True)
class ShiftedClock(SystemClock):
    """The machine's clock, ahead by as much as a test wants."""

    ahead: float = 0.0

    def now(self) -> float:
        return SystemClock.now(self) + self.ahead


@dataclass(slots=True)
class Cycles:
    """One fleet, asked as the collector would, but only when told to."""

    fleet: Fleet
    reach: FleetReach
    clock: ShiftedClock = field(default_factory=ShiftedClock)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.fleet, ())

    async def ask(self, *probes: Probe, deadline_s: float = 5.0) -> Snapshot:
        """One cycle of each probe, one after the other; the snapshot after them.

        The deadline is the fleet's own: no run is in a hurry here.
        """
        fleet = replace(self.fleet, intervals=replace(self.fleet.intervals, timeout=deadline_s))
        for probe in probes:
            for target in probe.targets(self.fleet):
                await ask(
                    Source(probe, target),
                    fleet=fleet,
                    reach=self.reach,
                    clock=self.clock,
                    ledger=self.ledger,
                    deadline_s=deadline_s,
                )
                self.ledger.publish(self.clock.now())
        return self.ledger.snapshot

    def value(self, topic: type[T], target: str = NETWORK) -> T:
        """A reading's value; fails the test with its problem where it has none."""
        reading: Reading[T] = self.ledger.snapshot.reading(topic, target)
        assert reading.value is not None, str(reading.problem)
        return reading.value


@contextlib.asynccontextmanager
async def cycles(fleet: Fleet) -> AsyncIterator[Cycles]:
    """Cycles of a fleet for the length of a block."""
    reach = FleetReach(fleet)
    try:
        yield Cycles(fleet, reach)
    finally:
        await reach.close()


def devnet_fleet(
    net: Devnet,
    *,
    orchestrators: dict[str, str] | None = None,
    signers: dict[str, str] | None = None,
    nodes: tuple[Node, ...] = (),
    rpcs: dict[str, str] | None = None,
    chain_id: int | None = None,
    controller: str = "",
) -> Fleet:
    """A fleet on the test chain; every endpoint is reached directly."""
    urls = rpcs or {"own": net.url}
    return Fleet(
        "test",
        nodes={node.name: node for node in nodes},
        rpcs={name: Rpc(name, url, None) for name, url in urls.items()},
        signers=tuple(
            Signer(name, address(who), "orchestrator") for name, who in (signers or {}).items()
        ),
        chain=Chain(
            NETWORK,
            chain_id or net.chain_id,
            address(controller or net.controller.address),
            tuple(urls),
            tuple(Orchestrator(name, address(who)) for name, who in (orchestrators or {}).items()),
        ),
    )


def lower(who: str) -> Address:
    """An account as readings name it."""
    return address(who)
