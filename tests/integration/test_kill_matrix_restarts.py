"""A console is killed while it restarts nodes by a preset, on hosts with a real systemd.

Whatever follows, whoever asks the pool is answered, no command of an upgrade is run twice, no host
is booted twice, and nobody is restarted before the RPC node that it needs is in sync.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import httpx
import pytest

from tests.killing import (
    EACH_ONCE,
    Copy,
    Report,
    Scenario,
    Wanted,
    consoles,
    kill_report,
    matrix,
)
from tests.killing_hosts import AT_ONCE, Copies, Hosts
from tests.killing_pool import PoolCopy, pooled
from tests.site import installed, unit
from tests.sshd import Sshd, sshd
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.systemd_rpc import RpcNode, chain, configure, rpc_node
from tests.waiting import until

__all__ = ["kill_report", "sshd", "systemd_hosts"]


@dataclass(frozen=True)
class Site:
    """What copies are made on: `alone` are hosts that one copy has for itself at a time."""

    hosts: Hosts
    alone: tuple[SystemdHost, ...]
    sshd: Sshd
    folder: Path


@pytest.fixture
def place(systemd_hosts: HostFactory, sshd: Sshd, tmp_path: Path) -> Site:
    h1, h2, *alone = systemd_hosts(4)
    return Site((h1, h2), tuple(alone), sshd, tmp_path)


def lines(host: SystemdHost, path: str) -> int:
    """Of a file on a host; 0 where there is none."""
    file = host.root / path.lstrip("/")
    return len(file.read_text().splitlines()) if file.exists() else 0


# Configuration that is read again.


class ReloadCopy(PoolCopy):
    """The orchestrator, and a transcoder on the second host. Each reload leaves a line."""

    def reloads(self) -> list[int]:
        both = (self.site.h1, self.site.h2)
        return [lines(host, f"/var/lib/{self.own.unit}.reloads") for host in both]

    async def state(self) -> str:
        first, second = self.reloads()
        return f"{await super().state()}, reloaded {first} and {second} times"

    def broken(self) -> str:
        if max(self.reloads()) > 1:
            return f"reloaded {self.reloads()} times"
        return super().broken()


def reloaded(place: Site) -> Copies:
    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        extra = "ExecReload=/bin/sh -c 'echo >>/var/lib/%n.reloads'\n"
        words = ("restart", "orch", "trans", "--preset", "reload")
        async with pooled(place.hosts, place.sshd, place.folder, words, extra) as made:
            site, own = made.site, made.own
            there = installed(site.h2, own.unit, unit("-transcoder", extra=extra))
            await asyncio.to_thread(there.__enter__)
            site.node("trans", "h2", "transcoder", own.unit, own.port)
            del site.document["nodes"]["trans"]["cli"]
            site.write()
            try:
                yield ReloadCopy(site, own, made.watch, words, made.haproxy, made.clients)
            finally:
                await asyncio.to_thread(there.__exit__, None, None, None)

    return copy


def reload(place: Site) -> Scenario:
    serves = "active UP serves, reloaded"
    return Scenario(
        steps=2,
        before=f"{serves} 0 and 0 times",
        after=f"{serves} 1 and 1 times",
        copy=reloaded(place),
        moments=EACH_ONCE,
        undone=(f"{serves} 1 and 0 times", f"{serves} 1 and 1 times"),
        at_once=AT_ONCE,
    )


# A command between stop and start.


class UpgradeCopy(PoolCopy):
    """The command makes a file and its undo removes it; each leaves a line."""

    @property
    def folder(self) -> str:
        return f"/var/lib/{self.own.unit}.upgrade"

    def count(self, name: str) -> int:
        return lines(self.site.h1, f"{self.folder}/{name}")

    async def state(self) -> str:
        state = await super().state()
        return f"{state}, {'new' if self.count('new') else 'old'}"

    def broken(self) -> str:
        if self.count("runs") > 1 or self.count("undos") > 1:
            return f"run {self.count('runs')} times, undone {self.count('undos')} times"
        if self.count("harm"):
            return "the node ran while it was upgraded"
        return super().broken()

    def declare(self, *, is_checked: bool) -> None:
        stopped = f"systemctl -q is-active {self.own.unit} && echo >>harm"
        run = f"mkdir -p {self.folder}; cd {self.folder}; echo >>runs; {stopped}; echo >new"
        undo = f"mkdir -p {self.folder}; cd {self.folder}; echo >>undos; {stopped}; rm -f new"
        check = {"check": ["test", "-e", f"{self.folder}/new"]} if is_checked else {}
        self.site.document["commands"] = {
            "upgrade": {
                "run": ["sh", "-c", run],
                "undo": ["sh", "-c", undo],
                "on": "node:orch",
                "effect": "destructive",
                "as_root": True,
                **check,
            }
        }
        self.site.write()


def upgraded(place: Site, *, is_checked: bool) -> Copies:
    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        words = ("restart", "orch", "--preset", "upgrade", "--with", "upgrade")
        async with pooled(place.hosts, place.sshd, place.folder, words) as made:
            one = UpgradeCopy(made.site, made.own, made.watch, words, made.haproxy, made.clients)
            one.declare(is_checked=is_checked)
            yield one

    return copy


def upgrade(place: Site, **more: Any) -> Scenario:
    """Undone, the node is stopped again for that; once it was seen well, the upgrade stays."""
    anew = "active UP serves, begun"
    return Scenario(
        steps=9,
        before="active UP serves, old",
        after=f"{anew} 2 times, new",
        copy=upgraded(place, is_checked=not more),
        moments=EACH_ONCE,
        waits=frozenset({6, 9}),
        over=frozenset({2, 7}),
        undone=(f"{anew} 2 times, old", f"{anew} 3 times, old", f"{anew} 2 times, new"),
        at_once=AT_ONCE,
        **more,
    )


UNTOLD: Mapping[tuple[str, str], Wanted] = {
    ("4 began+", "resume"): Wanted("not run again", ("inactive DOWN, old",), 3),
    ("4 make+", "resume"): Wanted("not run again", ("inactive DOWN, new",), 3),
}
"""Of a command whose own end is all that tells what it did: somebody must look."""


def unchecked_upgrade(place: Site) -> Scenario:
    """All other steps are those of an upgrade that has a check."""
    return upgrade(place, among=(4,), besides=UNTOLD)


async def test_an_upgrade_that_may_have_run_goes_on_when_somebody_has_looked(place: Site) -> None:
    async with upgraded(place, is_checked=False)() as copy, consoles() as started:
        assert isinstance(copy, UpgradeCopy)
        status, _ = await started.run(copy, *copy.words, "--yes", kill_at="4 make+")
        assert status < 0
        status, told = await started.run(copy, "resume", "--yes")
        assert (status, "it may have run" in told) == (3, True)
        assert await copy.state() == "inactive DOWN, new"
        runs = (await copy.site.lptui("runs", "--format", "json")).json["runs"]
        status, told = await started.run(copy, "resume", runs[0]["run"], "--yes")
        assert status == 0, told
        assert await copy.state() == "active UP serves, begun 2 times, new"
        assert copy.broken() == ""


# A host that boots again.


class Keeper:
    """Boots a host whenever it asks for that; `boots` are those so far."""

    def __init__(self, host: SystemdHost) -> None:
        self.boots = 0
        self._host = host
        self._is_over = Event()
        self._thread = Thread(target=self._keep, daemon=True)

    def _keep(self) -> None:
        while not self._is_over.wait(0.02):
            if self._host.process.poll() is not None:
                self._host.boots_again()
                self.boots += 1

    def has_booted(self, times: int) -> bool:
        return self.boots == times

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()


@contextmanager
def kept(host: SystemdHost) -> Iterator[Keeper]:
    """A keeper for the length of a block."""
    keeper = Keeper(host)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()


@dataclass
class RebootCopy(PoolCopy):
    keeper: Keeper

    async def state(self) -> str:
        return f"{await super().state()}, booted {self.keeper.boots} times"

    def broken(self) -> str:
        if self.keeper.boots > 1:
            return f"booted {self.keeper.boots} times"
        return super().broken()


def rebooted(place: Site) -> Copies:
    free: asyncio.Queue[SystemdHost] = asyncio.Queue()
    for host in place.alone:
        free.put_nowait(host)

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        host = await free.get()
        words = ("restart", f"host:{host.name}", "--preset", "reboot")
        try:
            with kept(host) as keeper:
                only = (host, host)
                async with pooled(only, place.sshd, place.folder, words) as made:
                    # The lock as well goes with the host.
                    made.site.document["guards"] = {"lock_hosts": [host.name, "edge"]}
                    made.site.write()
                    pool, clients = made.haproxy, made.clients
                    yield RebootCopy(made.site, made.own, made.watch, words, pool, clients, keeper)
        finally:
            free.put_nowait(host)

    return copy


def reboot(place: Site) -> Scenario:
    """Killed around the reboot alone: the steps before and after are those of a restart.

    The start after it finds the node started by its host.
    """
    anew = "active UP serves, begun 2 times, booted"
    return Scenario(
        steps=9,
        before="active UP serves, booted 0 times",
        after=f"{anew} 1 times",
        copy=rebooted(place),
        among=(4, 5, 6),
        moments=EACH_ONCE,
        waits=frozenset({6}),
        over=frozenset({5}),
        undone=(f"{anew} 0 times", f"{anew} 1 times"),
        at_once=len(place.alone),
    )


# The RPC node first.


@dataclass
class RpcFirstCopy(PoolCopy):
    """The orchestrator needs an RPC node, which is out of sync for a while after its start."""

    rpc: RpcNode
    first: str
    out_of_sync_s: float = 1.0
    early: str = ""

    async def state(self) -> str:
        is_new = await asyncio.to_thread(self.rpc.process) != self.first
        return f"{await super().state()}, its RPC {'anew' if is_new else 'as it was'}"

    def broken(self) -> str:
        return self.early or super().broken()

    async def sync(self) -> None:
        """Brings the RPC node into sync a while after each start; sees who does not wait."""
        since = 0.0
        while True:
            if await self.rpc.is_behind():
                since = since or monotonic()
                status = await self.haproxy.status("web/orch")
                if not status.startswith("UP"):
                    self.early = f"{status} before its RPC was in sync"
                if monotonic() > since + self.out_of_sync_s:
                    since = 0.0
                    with suppress(httpx.HTTPError):  # its unit may be stopped just now
                        await self.rpc.becomes_young()
                        await self.rpc.catches_up()
            await asyncio.sleep(0.1)


def with_rpcs(place: Site) -> Copies:
    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        words = ("restart", "orch", "--preset", "rpc-first")
        async with (
            pooled(place.hosts, place.sshd, place.folder, words) as made,
            chain() as beside,
            rpc_node(made.site.h1, f"rpc-{made.own.unit}", made.own.port + 500) as rpc,
        ):
            configure(made.site, rpc, beside)
            made.site.document["nodes"]["orch"]["rpc"] = "main"
            made.site.write()
            first, pool, clients = rpc.process(), made.haproxy, made.clients
            one = RpcFirstCopy(made.site, made.own, made.watch, words, pool, clients, rpc, first)
            syncing = asyncio.create_task(one.sync())
            try:
                yield one
            finally:
                syncing.cancel()
                with suppress(asyncio.CancelledError):
                    await syncing

    return copy


def rpc_first(place: Site) -> Scenario:
    """Killed until the node that needs it is drained: what follows is as in any restart."""
    anew = "active UP serves, begun 2 times, its RPC anew"
    return Scenario(
        steps=11,
        before="active UP serves, its RPC as it was",
        after=anew,
        copy=with_rpcs(place),
        among=(1, 2, 3, 4),
        moments=EACH_ONCE,
        waits=frozenset({3}),
        undone=("active UP serves, its RPC anew", anew),
    )


SCENARIOS: dict[str, Callable[[Site], Scenario]] = {
    "reload": reload,
    "upgrade": upgrade,
    "upgrade without a check": unchecked_upgrade,
    "reboot": reboot,
    "rpc-first": rpc_first,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_anywhere_it_can_be_resumed_and_undone(
    name: str, place: Site, kill_report: Report
) -> None:
    scenario = SCENARIOS[name](place)
    cells = await matrix(scenario)
    kill_report.add(name, scenario, cells)
    assert [cell for cell in cells if cell.fault] == []


async def test_who_does_not_wait_for_its_rpc_node_is_seen(place: Site) -> None:
    """What the matrix relies on, as in the next test."""
    async with with_rpcs(place)() as copy:
        assert isinstance(copy, RpcFirstCopy)
        copy.out_of_sync_s = 3600
        copy.site.h1.run("systemctl", "restart", copy.rpc.unit)
        code, _ = await copy.site.act("restart", "orch")
        assert code == 0
        assert "before its RPC was in sync" in copy.broken()


async def test_a_host_that_boots_twice_is_seen(place: Site) -> None:
    async with rebooted(place)() as copy:
        assert isinstance(copy, RebootCopy)
        for boots in (1, 2):
            assert copy.broken() == ""
            copy.site.h1.run("systemctl", "reboot", check=False)
            await until(partial(copy.keeper.has_booted, boots), 60, "another boot")
        assert copy.broken() == "booted 2 times"
