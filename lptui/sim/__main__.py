"""`python -m lptui.sim`: the simulated fleet as a process of its own, for benchmarks.

Prints one line of JSON when it serves: `{"hosts": N, "config": PATH}`, where PATH is a
configuration file for the console. Ends on SIGTERM, SIGINT, or when its standard input closes,
and takes the file with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from lptui.errors import LptuiError
from lptui.sim import start
from lptui.sim.quiet import quiet_writes
from lptui.sim.scenarios import SCENARIOS

CONFIG_FILE = "lptui.yaml"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lptui.sim", description=__doc__)
    parser.add_argument("--hosts", type=int, help="how many hosts in all")
    parser.add_argument("--scenario", default="healthy", help=", ".join(SCENARIOS))
    parser.add_argument(
        "--directory", type=Path, required=True, help="for the keys and the configuration"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        with quiet_writes():
            asyncio.run(serve(arguments))
    except LptuiError as error:
        sys.stderr.write(f"{error}\n{error.remedy}\n")
        return 2
    return 0


async def serve(arguments: argparse.Namespace) -> None:
    """Serves until it is told to stop."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    simulation = await start(
        arguments.scenario,
        hosts=arguments.hosts,
        directory=arguments.directory,
        seed=arguments.seed,
    )
    try:
        path = simulation.keep(CONFIG_FILE, simulation.config_text.encode())
        line = {"hosts": len(simulation.fleet.hosts), "config": str(path)}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        _watch_stdin(loop, stopping)
        await stopping.wait()
    finally:
        await simulation.close()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """A thread, since a closed pipe, a file and a terminal are told apart by no selector."""

    def wait() -> None:
        # Not through sys.stdin, whose lock a thread at its end would hold up the exit with.
        while os.read(0, 4096):
            pass
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
