"""A running simulation: the world, its clockwork and its servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Final

import asyncssh

from lptui.clock import Clock
from lptui.fleet.topology import Fleet
from lptui.sim.config import config_text
from lptui.sim.declare import DIRECT_RPC, Access, declare, reachable
from lptui.sim.files import RunFiles, known_hosts
from lptui.sim.serve.link import LoopbackProtocol
from lptui.sim.serve.network import Network
from lptui.sim.serve.ssh import SshHosts
from lptui.sim.world.build import build_world
from lptui.sim.world.world import STEP, World

CLIENT_KEY: Final = "login"
KNOWN_HOSTS: Final = "known_hosts"


class Simulation:
    """What `lptui.sim.start` gives. Everything that it started ends with `close`.

    Attributes:
        world: the state behind the servers; tests change it between two collections.
        fleet: the fleet as the console is to see it.
    """

    def __init__(self, world: World, fleet: Fleet, files: RunFiles) -> None:
        self.world = world
        self.fleet = fleet
        self._files = files
        self._tasks: set[asyncio.Task[None]] = set()
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self._network = Network(world, self.spawn)
        self._hosts = SshHosts(world, self._network, self._client_key)
        self._rpc: asyncio.Server | None = None
        self._links: set[LoopbackProtocol] = set()
        self._closed = False

    async def open(self) -> None:
        """Starts the servers and the clockwork. Raises OSError."""
        keys: dict[int, asyncssh.SSHKey] = {}
        ports: dict[str, int] = {}
        for machine in self.world.machines.values():
            key = asyncssh.generate_private_key("ssh-ed25519")
            port = await self._hosts.listen(machine, key)
            keys[port], ports[machine.name] = key, port
        identity = self._files.write(CLIENT_KEY, self._client_key.export_private_key())
        expected = self._files.write(KNOWN_HOSTS, known_hosts(keys))
        factory = self._network.rpc_factory(DIRECT_RPC)
        loop = asyncio.get_running_loop()
        self._rpc = await loop.create_server(
            lambda: LoopbackProtocol(factory, self._links), "127.0.0.1", 0
        )
        rpc_port = int(self._rpc.sockets[0].getsockname()[1])
        access = Access(ports, str(identity), str(expected), rpc_port)
        self.fleet = reachable(self.fleet, access)
        self.spawn(self._run())

    async def _run(self) -> None:
        """Moves the world on while the simulation runs."""
        while True:
            self.world.advance()
            self._network.cut()
            self._hosts.cut()
            await asyncio.sleep(STEP)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Starts a task that ends with the simulation at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def config_text(self) -> str:
        """The fleet as a configuration file of the console (YAML)."""
        return config_text(self.fleet)

    def keep(self, name: str, content: bytes) -> Path:
        """Writes a file into the run's folder that `close` removes. Raises OSError."""
        return self._files.write(name, content)

    async def close(self) -> None:
        """Ends servers, connections and tasks, and removes the run's files. May be repeated."""
        if self._closed:
            return
        self._closed = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._hosts.close()
        if self._rpc is not None:
            self._rpc.close()
            for link in tuple(self._links):
                link.abort()
            await self._rpc.wait_closed()
        self._files.remove()


async def start_simulation(
    scenario: str, *, hosts: int | None, directory: Path, seed: int, clock: Clock
) -> Simulation:
    """See `lptui.sim.start`."""
    from lptui.sim.scenarios import find

    wanted = find(scenario)
    world = build_world(clock, hosts=hosts, seed=seed, into_round=wanted.into_round)
    if wanted.setup is not None:
        wanted.setup(world)
    fleet = declare(world)
    wanted.change(world)
    files = RunFiles.create(directory)
    simulation = Simulation(world, fleet, files)
    try:
        await simulation.open()
    except BaseException:
        await simulation.close()
        raise
    return simulation
