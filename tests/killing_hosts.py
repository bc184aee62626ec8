"""Copies of a fleet on two hosts with a real systemd, for consoles that are killed.

The hosts are shared; each copy has a unit, an account, a port and an operator of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.command import Operator
from tests.key_watch import KeyWatch, key_watch
from tests.killing import Copy
from tests.site import Site, two_hosts
from tests.systemd_hosts import SystemdHost

Hosts = tuple[SystemdHost, SystemdHost]
Copies = Callable[[], AbstractAsyncContextManager[Copy]]

AT_ONCE = 6
"""Copies at the same time: most of their time is a node's that shows that it stays up."""

NUMBERS = itertools.count(1)
"""Of copies: they share two hosts, and have units, accounts and ports of their own there."""


@dataclass(frozen=True, slots=True)
class Own:
    """What a copy has to itself on the hosts."""

    number: int

    @property
    def unit(self) -> str:
        return f"livepeer-killed-{self.number}.service"

    @property
    def account(self) -> str:
        return f"0x{self.number:040x}"

    @property
    def port(self) -> int:
        return 9000 + self.number


@dataclass
class SiteCopy:
    """The fleet of a copy, and what its processes have done."""

    site: Site
    own: Own
    watch: KeyWatch
    words: Sequence[str]

    @property
    def fleet(self) -> str:
        return str(self.site.document["name"])

    @property
    def operator(self) -> Operator:
        return self.site.operator

    @property
    def config(self) -> Path:
        return self.site.config

    async def of_unit(self, host: SystemdHost, properties: str) -> str:
        """Properties of the copy's unit as systemd says them there."""
        argv = ("systemctl", "show", "--value", "-p", properties, self.own.unit)
        return " ".join((await asyncio.to_thread(host.run, *argv)).split())


@asynccontextmanager
async def own_site(hosts: Hosts, folder: Path) -> AsyncIterator[tuple[Site, Own, KeyWatch]]:
    own = Own(next(NUMBERS))
    home = folder / str(own.number)
    home.mkdir()
    site = await asyncio.to_thread(two_hosts, *hosts, home)
    site.document["intervals"] = {"timeout": "12s"}  # many copies share a processor
    try:
        with key_watch(site.h1.gateway) as watch:
            yield site, own, watch
    finally:
        # A killed console's lock counts for others until it has aged.
        for lock in Path("/tmp").glob(f"lptui-fleet-{site.document['name']}.*"):
            shutil.rmtree(lock)


@asynccontextmanager
async def running(stack: ExitStack) -> AsyncIterator[ExitStack]:
    """Its blocks end in another thread: commands on the hosts take their time."""
    try:
        yield stack
    finally:
        await asyncio.to_thread(stack.close)
