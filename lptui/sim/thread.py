"""The simulated fleet in a thread and event loop of its own: it never holds up the screen."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from lptui.errors import DeadlineError, LptuiError
from lptui.fleet.topology import Fleet
from lptui.sim.quiet import quiet_writes
from lptui.sim.simulation import Simulation

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
PREFIX: Final = "lptui-demo-"
"""Of the folders of runs; the number of the process follows."""


class DemoThread:
    """Runs a simulation beside the console. `start` and `stop` return within their deadlines."""

    def __init__(
        self,
        scenario: str = "healthy",
        *,
        hosts: int | None = None,
        directory: Path | None = None,
        seed: int = 1,
    ) -> None:
        self._scenario = scenario
        self._hosts = hosts
        self._seed = seed
        self._directory = directory
        self._made: Path | None = None
        self._thread = threading.Thread(target=self._main, name="lptui-demo", daemon=True)
        self._ready = threading.Event()
        self._unwanted = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._simulation: Simulation | None = None
        self._failure: BaseException | None = None

    def start(self, timeout_s: float = START_SECONDS) -> Fleet:
        """Starts the simulation and waits until it serves; gives its fleet.

        Raises LptuiError for an unknown scenario or size, DeadlineError when it takes too long.
        """
        if self._directory is None:
            _sweep()
            prefix = f"{PREFIX}{os.getpid()}-"
            self._directory = self._made = Path(tempfile.mkdtemp(prefix=prefix))
        self._thread.start()
        in_time = self._ready.wait(timeout_s)
        wanted = not self._unwanted.is_set()
        if self._simulation is not None and self._failure is None and wanted:
            return self._simulation.fleet
        self.stop()
        if not wanted:
            raise LptuiError("The simulated fleet", "was stopped while it started")
        if isinstance(self._failure, LptuiError):
            raise self._failure
        if not in_time:
            raise DeadlineError("The simulated fleet", f"did not start within {timeout_s:g} s")
        raise LptuiError("The simulated fleet", f"did not start: {self._failure}")

    def stop(self, timeout_s: float = STOP_SECONDS) -> bool:
        """Ends the simulation; True when it ended in time. May be repeated."""
        self._unwanted.set()
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and not loop.is_closed():
            # Raised when the loop was closed in between: it has ended already.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(stopping.set)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)
        return not self._thread.is_alive()

    def _main(self) -> None:
        try:
            with quiet_writes():
                asyncio.run(self._run())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _run(self) -> None:
        from lptui.sim import start

        assert self._directory is not None  # noqa: S101
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        simulation = await start(
            self._scenario, hosts=self._hosts, directory=self._directory, seed=self._seed
        )
        try:
            self._simulation = simulation
            self._ready.set()
            if not self._unwanted.is_set():
                await self._stopping.wait()
        finally:
            await simulation.close()


def remove_own_folders() -> None:
    """Removes the folders of this process's demos, for when it ends without stopping them."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}{os.getpid()}-*"):
        shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    """Removes this user's folders of runs that were killed before they could."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = path.name.removeprefix(PREFIX).partition("-")[0]
        try:
            if number.isdecimal() and path.lstat().st_uid == os.getuid():
                os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(path, ignore_errors=True)
        except (OSError, OverflowError):
            continue
