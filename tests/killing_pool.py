"""Copies of an orchestrator on a host with a real systemd, in a pool of three under traffic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.backend import backend
from tests.haproxy import CHECKED, Haproxy, haproxy
from tests.key_watch import KeyWatch
from tests.killing_hosts import Hosts, Own, SiteCopy, own_site, running
from tests.site import Site, installed, unit
from tests.sshd import Sshd
from tests.traffic import Traffic, traffic

PAUSE_S = 0.05
"""Of a copy's client: those of many copies share a processor."""


@dataclass
class PoolCopy(SiteCopy):
    """The node `orch` on the first host, behind a HAProxy of its own, beside two other servers."""

    haproxy: Haproxy
    clients: Traffic

    async def state(self) -> str:
        answers = await self.clients.more(9)
        serves = any(body.startswith("{") for body in answers)
        status = (await self.haproxy.status("web/orch")).split()[0]
        active = await self.of_unit(self.site.h1, "ActiveState")
        again = f", begun {self.watch.begun} times" if self.watch.begun > 1 else ""
        return f"{active} {status}{' serves' if serves else ''}{again}"

    def broken(self) -> str:
        if self.clients.failed:
            return f"requests failed: {self.clients.failed[:3]}"
        return f"two with one key: {self.watch.together}" if self.watch.together else ""


@asynccontextmanager
async def pooled(
    hosts: Hosts, sshd: Sshd, folder: Path, words: Sequence[str], extra: str = ""
) -> AsyncIterator[PoolCopy]:
    """One copy, with the action's command line; `extra` are lines of its unit."""
    async with own_site(hosts, folder) as (site, own, watch), running(ExitStack()) as units:
        one = installed(site.h1, own.unit, orchestrator_unit(own, watch, extra))
        await asyncio.to_thread(units.enter_context, one)
        async with in_pool(site, own, watch, sshd, words) as made:
            yield made


def orchestrator_unit(own: Own, watch: KeyWatch, extra: str) -> str:
    """A copy's unit; `extra` are further lines of it."""
    flags = ("-orchestrator", f"-ethAcctAddr {own.account}", f"-cliAddr 0.0.0.0:{own.port}")
    return unit(*flags, extra=watch.environment + extra)


@asynccontextmanager
async def in_pool(
    site: Site, own: Own, watch: KeyWatch, sshd: Sshd, words: Sequence[str]
) -> AsyncIterator[PoolCopy]:
    """A copy's unit that runs on the first host, put into a pool under traffic."""
    async with backend("o2") as two, backend("o3") as three:
        addresses = {"orch": f"{site.h1.address}:{own.port}"}
        addresses |= {one.name: one.address for one in (two, three)}
        lines = [f"{name} {address} {CHECKED}" for name, address in addresses.items()]
        async with haproxy(lines) as balancer:
            for name in addresses:
                await balancer.until_status(f"web/{name}", "UP")
            name = site.h1.name
            site.node("orch", name, "orchestrator", own.unit, own.port, account=own.account)
            site.edge(sshd, balancer.socket, {"orch": "orch"})
            site.write()
            async with traffic(balancer.port, 1, "/status", PAUSE_S) as clients:
                yield PoolCopy(site, own, watch, words, balancer, clients)
