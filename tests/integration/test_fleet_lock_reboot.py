"""The lock that other operators see, when its host boots again: its folder is gone then."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from lptui.actions.fleet_lock import FleetLock
from lptui.actions.plan import Lock
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


async def test_it_is_taken_again_unless_another_was_faster(host: SystemdHost) -> None:
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
