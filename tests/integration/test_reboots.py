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


async def test_a_lock_that_went_is_taken_again_unless_another_was_faster(host: SystemdHost) -> None:
    path = f"/tmp/lptui-fleet-{secrets.token_hex(4)}"
    async with reach_of(host.ssh()) as reach:
        first, second = lock(reach, path, "restart, by ada"), lock(reach, path, "drain, by bob")
        assert await first.take() == ""
        await reboots(host)
        await first.hold()
        with pytest.raises(RefusedError, match="restart, by ada"):
            await second.take()
        await reboots(host)
        assert await second.take() == ""
        with pytest.raises(RefusedError, match="drain, by bob"):
            await first.hold()
        await second.release()
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
