"""What a reboot of a host must not do to a run: cost it its lock, or come twice."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import pytest

from lptui.actions.fleet_lock import FleetLock
from lptui.actions.moves.reboot import COMMAND, in_boot
from lptui.actions.plan import Lock
from lptui.actions.privileged import as_root
from lptui.errors import RefusedError
from lptui.transport.reach import FleetReach
from tests.reaching import reach_of
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts

__all__ = ["systemd_hosts"]


@pytest.fixture
def host(systemd_hosts: HostFactory) -> SystemdHost:
    [one] = systemd_hosts(1)
    return one


def lock(reach: FleetReach, path: str, who: str) -> FleetLock:
    return FleetLock(reach, Lock(("h0",), path), who)


async def reboots(host: SystemdHost) -> None:
    host.run("systemctl", "reboot", check=False)
    await asyncio.to_thread(host.boots_again)


async def held_there(own: FleetLock, host: SystemdHost, path: str) -> None:
    """Holds a lock until its host has it: a lost connection, and a way that rests, take a while."""
    async with asyncio.timeout(20):
        while "by ada" not in host.run("sh", "-c", f"cat {path}.*/who", check=False):
            await own.hold()


async def test_a_lock_that_went_is_taken_again_unless_another_was_faster(host: SystemdHost) -> None:
    path = f"/tmp/lptui-fleet-{secrets.token_hex(4)}"
    async with reach_of(host.ssh()) as reach:
        first = lock(reach, path, "restart, by ada")
        assert await first.take() == ""
        await reboots(host)
        await held_there(first, host, path)
        async with reach_of(host.ssh()) as beside:
            with pytest.raises(RefusedError, match="restart, by ada"):
                await lock(beside, path, "drain, by bob").take()
        await reboots(host)
        async with reach_of(host.ssh()) as beside:
            second = lock(beside, path, "drain, by bob")
            assert await second.take() == ""
            with pytest.raises(RefusedError, match="drain, by bob"):
                await held_there(first, host, path)
            await second.release()
        host.run("sh", "-c", f"! ls -d {path}.*")


async def test_a_lock_is_held_wherever_others_would_take_theirs(
    systemd_hosts: HostFactory,
) -> None:
    """Also before who has it has noticed that a host is back, which was away when it was taken."""
    path = f"/tmp/lptui-fleet-{secrets.token_hex(4)}"
    h1, h2 = systemd_hosts(2)
    hosts = Lock(("h0", "h1"), path)
    async with reach_of(h1.ssh(), h2.ssh()) as reach, reach_of(h1.ssh(), h2.ssh()) as beside:
        own = FleetLock(reach, hosts, "restart, by ada")
        other = FleetLock(beside, hosts, "drain, by bob")
        h1.run("ip", "link", "set", "host0", "down")
        try:
            assert await own.take() == ""
            await own.hold()
        finally:
            h1.run("ip", "link", "set", "host0", "up")
        with pytest.raises(RefusedError, match=r"restart, by ada \(lock on h1\)"):
            await other.take()
        h1.run("sh", "-c", f"! ls -d {path}.*")
        await held_there(own, h1, path)
        with pytest.raises(RefusedError, match=r"restart, by ada \(lock on h0\)"):
            await other.take()
        await own.release()
        assert await other.take() == ""
        await other.release()
        for host in (h1, h2):
            host.run("sh", "-c", f"! ls -d {path}.*")


async def test_only_the_boot_that_was_meant_is_ended(host: SystemdHost) -> None:
    host.sudoers("NOPASSWD: /usr/bin/systemctl reboot")
    boot = host.run("cat", "/proc/sys/kernel/random/boot_id").strip()
    async with reach_of(host.ssh()) as reach:
        there = replace(host.host(), name="h0")
        done = await as_root(reach, there, COMMAND, within=in_boot("one that is over"))
        assert done.status == 0
        assert "reboot.target" not in host.run("systemctl", "list-jobs")
        await as_root(reach, there, COMMAND, within=in_boot(boot))
        await asyncio.to_thread(host.boots_again)
    assert host.run("cat", "/proc/sys/kernel/random/boot_id").strip() != boot
