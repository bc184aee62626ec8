"""The simulated fleet as one object: machines, processes, chain; advanced by a clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lptui.clock import Clock
from lptui.fleet.retry import RewardRetry
from lptui.fleet.topology import Role
from lptui.fleet.units import Address
from lptui.sim.world.balancer import BackendServer, HaproxyProcess
from lptui.sim.world.ledger import Ledger
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.machine import Machine
from lptui.sim.world.nginx import NginxProcess
from lptui.sim.world.rpcnode import RpcProcess

STEP: Final = 0.5
"""Seconds that one step of the world takes; smaller differences are not seen."""
MAX_STEPS: Final = 2400
"""Most steps taken at once; a world that slept longer jumps in larger steps."""


def as_it_is(text: str) -> str:
    """How remote text is told unless a scenario garbles it."""
    return text


@dataclass(slots=True)
class World:
    """Everything that exists in the simulation.

    Attributes:
        now: UTC seconds that the state belongs to; `advance` moves it up to the clock.
        say: every free text passes through it on its way out (versions, names, messages).
        others_initialise: strangers initialise rounds when the fleet does not.
        demand: scales how many sessions the gateways ask for, 1.0 being an ordinary day.
        booting: machines that are away for a reboot.
        reward_retry: what the operator allows lptui to call by itself.
        sources: move the world on, each a function of the world and the step's length.
    """

    clock: Clock
    ledger: Ledger
    seed: int = 1
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    now: float = 0.0
    machines: dict[str, Machine] = field(default_factory=dict)
    nodes: dict[str, LivepeerProcess] = field(default_factory=dict)
    rpcs: dict[str, RpcProcess] = field(default_factory=dict)
    haproxies: dict[str, HaproxyProcess] = field(default_factory=dict)
    nginxes: dict[str, NginxProcess] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    say: Callable[[str], str] = as_it_is
    others_initialise: bool = True
    demand: float = 1.0
    reward_retry: RewardRetry | None = None
    booting: list[Machine] = field(default_factory=list)
    sources: list[Callable[[World, float], None]] = field(default_factory=list)

    def advance(self) -> None:
        """Moves the state on to the clock's time, in whole steps."""
        behind = self.clock.now() - self.now
        steps = int(behind / STEP)
        if steps <= 0:
            return
        seconds = STEP
        if steps > MAX_STEPS:
            seconds, steps = behind / MAX_STEPS, MAX_STEPS
        for _ in range(steps):
            self.now += seconds
            for source in self.sources:
                source(self, seconds)

    @property
    def step_block(self) -> int:
        """The newest L2 block at the state's own time."""
        return self.ledger.timeline.l2_at(self.now)

    @property
    def l2_block(self) -> int:
        """The newest L2 block by the clock, up to a step ahead of the state."""
        return self.ledger.timeline.l2_at(self.clock.now())

    def host_time(self, machine: Machine) -> float:
        """What a machine's own clock shows."""
        return self.clock.now() + machine.clock_offset

    def uptime(self, machine: Machine) -> float:
        return max(1.0, self.clock.now() - machine.boot_time)

    def nodes_on(self, host: str) -> list[LivepeerProcess]:
        return [node for node in self.nodes.values() if node.host == host]

    def with_role(self, role: Role) -> list[LivepeerProcess]:
        return [node for node in self.nodes.values() if role in node.roles]

    def servers_of(self, node: str) -> list[BackendServer]:
        """The balancer lines that stand for a node."""
        return [
            server
            for balancer in self.haproxies.values()
            for backend in balancer.backends
            for server in backend.servers
            if server.node == node
        ]

    def signer(self, name: str) -> Address:
        """The account of a node that has one."""
        account = self.nodes[name].account
        if account is None:
            raise KeyError(f"{name} has no account")
        return account

    def machine_at(self, address: str) -> Machine | None:
        """The machine with an address or a name of the simulated network."""
        known = self.names.get(address, address)
        return next((m for m in self.machines.values() if m.address == known), None)

    def node_at(self, address: str) -> LivepeerProcess | None:
        """The node whose public port is at `host:port`, by an address or a machine's name."""
        host, _, port = address.removeprefix("https://").rpartition(":")
        for node in self.nodes.values():
            machine = self.machines[node.host]
            if str(node.public_port) == port and host in (machine.address, machine.name):
                return node
        return None
