"""A console is killed while it moves a key, or restarts a node, on hosts with a real systemd.

Whatever follows, no two processes ever act with one key, and whoever asks the pool is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.killing import BACK_ONCE, EACH_ONCE, Copy, Report, Scenario, kill_report, matrix
from tests.killing_hosts import AT_ONCE, Copies, Hosts, SiteCopy, own_site, running
from tests.killing_pool import pooled
from tests.site import installed, unit
from tests.sshd import Sshd, sshd
from tests.systemd_hosts import HostFactory, systemd_hosts
from tests.waiting import until

__all__ = ["kill_report", "sshd", "systemd_hosts"]


@pytest.fixture
def hosts(systemd_hosts: HostFactory) -> Hosts:
    h1, h2 = systemd_hosts(2)
    return h1, h2


# A key that fails over.


class KeyCopy(SiteCopy):
    """A key's holder on the first host, and its stand-by on the second."""

    async def state(self) -> str:
        both = (self.site.h1, self.site.h2)
        told = [self.of_unit(host, "ActiveState,UnitFileState") for host in both]
        return ", ".join(await asyncio.gather(*told))

    def broken(self) -> str:
        if self.watch.together:
            return f"two with one key: {self.watch.together}"
        return "" if self.watch.begun else "no holder was seen"


def keys(hosts: Hosts, folder: Path) -> Copies:
    """Copies of two hosts with one key, whose processes are watched."""

    @asynccontextmanager
    async def copy() -> AsyncIterator[Copy]:
        async with own_site(hosts, folder) as (site, own, watch), running(ExitStack()) as units:
            holder = ("reward", own.unit, own.port)
            site.node("reward", "h1", *holder, account=own.account)
            site.node("spare", "h2", *holder, account=own.account, standby_for="reward")
            site.write()
            flags = ("-reward", f"-ethAcctAddr {own.account}", f"-cliAddr 127.0.0.1:{own.port}")
            text = unit(*flags, extra=watch.environment)
            for host, starts in ((site.h1, True), (site.h2, False)):
                host.key(own.account)
                one = installed(host, own.unit, text, start=starts)
                await asyncio.to_thread(units.enter_context, one)
            await until(lambda: watch.begun == 1, 60, "the first holder")
            yield KeyCopy(site, own, watch, ("failover", "reward"))

    return copy


# A node that is restarted behind a pool.


def orchestrators(hosts: Hosts, sshd: Sshd, folder: Path) -> Copies:
    """Copies of an orchestrator in a pool of three under traffic."""

    def copy() -> AbstractAsyncContextManager[Copy]:
        return pooled(hosts, sshd, folder, ("restart", "orch"))

    return copy


def failover(hosts: Hosts, sshd: Sshd, folder: Path) -> Scenario:
    return Scenario(
        steps=6,
        before="active enabled, inactive disabled",
        after="inactive disabled, active enabled",
        copy=keys(hosts, folder),
        moments=EACH_ONCE,
        waits=frozenset({6}),
        over=frozenset({3}),
        back=(5, 4, 2, 1),
        back_moments=BACK_ONCE,
        at_once=AT_ONCE,
    )


def restart(hosts: Hosts, sshd: Sshd, folder: Path) -> Scenario:
    anew = "active UP serves, begun 2 times"
    return Scenario(
        steps=8,
        before="active UP serves",
        after=anew,
        copy=orchestrators(hosts, sshd, folder),
        moments=EACH_ONCE,
        waits=frozenset({5, 8}),
        over=frozenset({2, 6}),
        undone=(anew,),
        at_once=AT_ONCE,
    )


SCENARIOS = {"failover of a key": failover, "restart": restart}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_anywhere_it_can_be_resumed_and_undone(
    name: str, hosts: Hosts, sshd: Sshd, tmp_path: Path, kill_report: Report
) -> None:
    scenario = SCENARIOS[name](hosts, sshd, tmp_path)
    cells = await matrix(scenario)
    kill_report.add(name, scenario, cells)
    assert [cell for cell in cells if cell.fault] == []


async def test_two_with_one_key_are_seen(hosts: Hosts, tmp_path: Path) -> None:
    """What the matrix relies on: a second holder shows, also when it is killed at once."""
    async with keys(hosts, tmp_path)() as copy:
        assert isinstance(copy, KeyCopy)
        assert copy.broken() == ""
        copy.site.h2.run("systemctl", "start", copy.own.unit)
        await until(lambda: copy.watch.begun == 2, 60, "the second holder")
        copy.site.h2.run("systemctl", "kill", "--signal=KILL", copy.own.unit)
        assert "two with one key" in copy.broken()
