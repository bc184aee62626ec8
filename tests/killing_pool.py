"""Copies of an orchestrator on a host with a real systemd, in a pool of three under traffic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.backend import backend
from tests.haproxy import Haproxy, haproxy
from tests.killing_hosts import Hosts, SiteCopy, own_site, running
from tests.site import installed, unit
from tests.sshd import Sshd
from tests.traffic import Traffic, traffic


@dataclass
class PoolCopy(SiteCopy):
    """The node `orch` on the first host, behind a HAProxy of its own, beside two other servers."""

    haproxy: Haproxy
    clients: Traffic

    async def state(self) -> str:
        answers = await self.clients.more(15)
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
    async with (
        own_site(hosts, folder) as (site, own, watch),
        running(ExitStack()) as units,
        backend("o2") as two,
        backend("o3") as three,
    ):
        flags = ("-orchestrator", f"-ethAcctAddr {own.account}", f"-cliAddr 0.0.0.0:{own.port}")
        text = unit(*flags, extra=watch.environment + extra)
        await asyncio.to_thread(units.enter_context, installed(site.h1, own.unit, text))
        addresses = {"orch": f"{site.h1.address}:{own.port}"}
        addresses |= {one.name: one.address for one in (two, three)}
        check = "check inter 100ms fall 2 rise 2"
        lines = [f"{name} {address} {check}" for name, address in addresses.items()]
        async with haproxy(lines) as balancer:
            for name in addresses:
                await balancer.until_status(f"web/{name}", "UP")
            name = site.h1.name
            site.node("orch", name, "orchestrator", own.unit, own.port, account=own.account)
            site.edge(sshd, balancer.socket, {"orch": "orch"})
            site.write()
            async with traffic(balancer.port, clients=1, path="/status") as clients:
                yield PoolCopy(site, own, watch, words, balancer, clients)
