"""The simulated fleet: hosts, nodes, balancers and a chain on loopback, for the demo, the screen
tests and the benchmarks. It speaks the real protocols with their quirks, and opens no port but
on loopback.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lptui.clock import Clock, SystemClock

if TYPE_CHECKING:
    from lptui.sim.simulation import Simulation

__all__ = ["start"]


async def start(
    scenario: str = "healthy",
    *,
    hosts: int | None = None,
    directory: Path,
    seed: int = 1,
    clock: Clock | None = None,
) -> Simulation:
    """Starts a simulated fleet in this event loop.

    Args:
        scenario: a name of `lptui.sim.scenarios`.
        hosts: how many hosts in all; None for the default sixteen.
        directory: where the run's key and known_hosts are kept while it runs.
        seed: what the fleet's small irregularities depend on.
        clock: moves the world; None for the machine's own.

    Raises LptuiError for an unknown scenario or an impossible size, OSError for the folder.
    """
    from lptui.sim.simulation import start_simulation

    return await start_simulation(
        scenario, hosts=hosts, directory=directory, seed=seed, clock=clock or SystemClock()
    )
