"""Failover of keys and coordinated restarts on hosts with a real systemd, from the command line.

The pool in front of them is a real HAProxy, and its clients are counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.devnet.anvil import FIRST_BLOCK, AnvilOptions, running_anvil
from tests.devnet.fixtures import require_anvil
from tests.haproxy import Haproxy, haproxy
from tests.relay import relayed
from tests.site import Site, installed, two_hosts, unit
from tests.sshd import Sshd, sshd
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.traffic import traffic

__all__ = ["sshd", "systemd_hosts"]

KEY = "0x" + "a1" * 20
REWARD = "livepeer-reward.service"
REWARD_PORT = 7937
"""The units and accounts of the key that is failed over."""


@pytest.fixture
def site(systemd_hosts: HostFactory, tmp_path: Path) -> Site:
    h1, h2 = systemd_hosts(2)
    return two_hosts(h1, h2, tmp_path)


# One key, one active host.


@pytest.fixture
def key_holders(site: Site) -> Iterator[Site]:
    """`reward` on h1 acts with a key; `spare` on h2 stands by for it."""
    flags = ("-reward", f"-ethAcctAddr {KEY}", f"-cliAddr 127.0.0.1:{REWARD_PORT}")
    site.node("reward", "h1", "reward", REWARD, REWARD_PORT, account=KEY)
    site.node("spare", "h2", "reward", REWARD, REWARD_PORT, account=KEY, standby_for="reward")
    for host in (site.h1, site.h2):
        host.key(KEY)
    with (
        installed(site.h1, REWARD, unit(*flags)),
        installed(site.h2, REWARD, unit(*flags), start=False),
    ):
        yield site


def holders(site: Site) -> tuple[str, str]:
    return site.h1.state(REWARD), site.h2.state(REWARD)


async def test_a_key_moves_to_its_stand_by_and_back(key_holders: Site) -> None:
    site = key_holders
    code, told = await site.act("failover", "reward")
    assert (code, told["result"]["outcome"]) == (0, "done"), told
    assert holders(site) == ("inactive", "active")
    assert site.h1.property(REWARD, "UnitFileState") == "disabled"
    assert site.h2.property(REWARD, "UnitFileState") == "enabled"
    code, told = await site.act("failover", "reward", "--to", "spare")
    assert code == 0
    assert "already" in told["result"]["summary"]
    code, told = await site.act("failover", "spare")
    assert (code, told["result"]["outcome"]) == (0, "done"), told
    assert holders(site) == ("active", "inactive")
    assert site.h2.property(REWARD, "UnitFileState") == "disabled"


async def test_the_old_holder_is_not_stopped_for_one_that_may_not_be_started(
    key_holders: Site,
) -> None:
    site = key_holders
    before = site.h1.property(REWARD, "InvocationID")
    verbs = ("stop", "disable", "enable")
    site.h2.sudoers(*(f"NOPASSWD: /usr/bin/systemctl {verb} {REWARD}" for verb in verbs))
    code, told = await site.act("failover", "reward", "--has-key", "h2")
    assert (code, told["result"]["outcome"]) == (1, "refused"), told
    assert "nothing was done" in told["result"]["summary"]
    assert f"sudo on h2 does not allow `systemctl start {REWARD}`" in told["result"]["summary"]
    assert f"rule `NOPASSWD: systemctl start {REWARD}`" in told["result"]["remedy"]
    assert holders(site) == ("active", "inactive")
    assert site.h1.property(REWARD, "InvocationID") == before


async def test_what_may_not_be_started_again_is_not_stopped(site: Site) -> None:
    flags = ("-redeemer", f"-ethAcctAddr {KEY}", "-cliAddr 127.0.0.1:7936")
    service = "livepeer-redeemer.service"
    site.node("redeemer", "h2", "redeemer", service, 7936, account=KEY)
    site.h2.sudoers(f"NOPASSWD: /usr/bin/systemctl stop {service}")
    with installed(site.h2, service, unit(*flags)):
        before = site.h2.property(service, "InvocationID")
        code, told = await site.act("restart", "redeemer")
        assert (code, told["result"]["outcome"]) == (1, "refused"), told
        assert f"does not allow `systemctl start {service}`" in told["result"]["summary"]
        assert site.h2.property(service, "InvocationID") == before
        site.h2.sudoers(
            *(f"NOPASSWD: /usr/bin/systemctl {verb} {service}" for verb in ("stop", "start"))
        )
        code, told = await site.act("restart", "redeemer")
        assert (code, told["result"]["outcome"]) == (0, "done"), told


async def test_a_new_holder_that_does_not_come_up_leaves_the_old_one_in_place(
    key_holders: Site,
) -> None:
    site = key_holders
    site.h2.unit(REWARD, unit("-reward", extra="Environment=STANDIN_END=1\nRestart=no\n"))
    code, told = await site.act("failover", "reward")
    assert (code, told["result"]["outcome"]) == (2, "failed"), told
    assert holders(site)[0] == "active"
    assert holders(site)[1] != "active"
    assert site.h1.property(REWARD, "UnitFileState") == "enabled"


async def test_one_with_another_account_does_not_take_over(key_holders: Site) -> None:
    site = key_holders
    other = f"Environment=STANDIN_ACCOUNT=0x{'b2' * 20}\n"
    flags = ("-reward", f"-ethAcctAddr {KEY}", f"-cliAddr 127.0.0.1:{REWARD_PORT}")
    site.h2.unit(REWARD, unit(*flags, extra=other))
    code, told = await site.act("failover", "reward")
    assert (code, told["result"]["outcome"]) == (2, "failed"), told
    assert holders(site) == ("active", "inactive")


async def test_a_process_beside_its_unit_keeps_the_key_where_it_is(key_holders: Site) -> None:
    site = key_holders
    stray = f"/usr/local/bin/livepeer -reward -ethAcctAddr {KEY}"
    site.h1.run("systemd-run", "--unit=stray", *stray.split())
    try:
        code, told = await site.act("failover", "reward")
        assert code in (1, 2), told
        assert holders(site) == ("active", "inactive")
    finally:
        site.h1.run("systemctl", "stop", "stray", check=False)


async def test_a_host_that_cannot_be_asked_must_be_stated_to_be_off(key_holders: Site) -> None:
    site = key_holders
    site.h1.run("ip", "link", "set", "host0", "down")
    try:
        code, told = await site.act("failover", "reward")
        assert (code, told["result"]["outcome"]) == (1, "refused"), told
        assert "--fenced h1" in told["result"]["remedy"]
        assert site.h2.state(REWARD) == "inactive"
        code, told = await site.act("failover", "reward", "--fenced", "h1")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert site.h2.state(REWARD) == "active"
        assert told["plan"]["facts"]["fenced"] == "h1"
    finally:
        site.h1.run("ip", "link", "set", "host0", "up")


# Restarts in waves, behind a pool.


@dataclass
class Restarting:
    """Three orchestrators on two hosts behind a HAProxy."""

    site: Site
    haproxy: Haproxy
    units: dict[str, tuple[SystemdHost, str]]

    def begun(self) -> dict[str, str]:
        """The invocation of each unit: another one after each start."""
        return {
            name: host.property(one, "InvocationID") for name, (host, one) in self.units.items()
        }


@pytest.fixture
async def orchestrators(site: Site, sshd: Sshd) -> AsyncIterator[Restarting]:
    places = {"orch-1": (site.h1, 8935), "orch-2": (site.h2, 8935), "orch-3": (site.h2, 8936)}
    units: dict[str, tuple[SystemdHost, str]] = {}
    lines = []
    with ExitStack() as stack:
        for number, (name, (host, port)) in enumerate(places.items(), 1):
            service = f"livepeer-{name}.service"
            account = f"0x{number:040x}"
            flags = ("-orchestrator", f"-ethAcctAddr {account}", f"-cliAddr 0.0.0.0:{port}")
            stack.enter_context(installed(host, service, unit(*flags)))
            units[name] = (host, service)
            site.node(name, host.name, "orchestrator", service, port, account=account)
            lines.append(f"{name} {host.address}:{port} check inter 100ms fall 2 rise 2")
        async with haproxy(lines) as balancer:
            for name in places:
                await balancer.until_status(f"web/{name}", "UP")
            site.edge(sshd, balancer.socket, {name: name for name in places})
            yield Restarting(site, balancer, units)


async def test_a_rolling_restart_costs_no_request(orchestrators: Restarting) -> None:
    before = orchestrators.begun()
    async with traffic(orchestrators.haproxy.port, path="/status") as clients:
        code, told = await orchestrators.site.act("restart", "role:orchestrator")
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        await clients.more()
    assert clients.failed == []
    after = orchestrators.begun()
    assert all(before[name] != after[name] for name in before)
    assert len({step["group"] for step in told["plan"]["steps"]}) == 3


async def test_it_stops_at_the_first_that_does_not_come_up(orchestrators: Restarting) -> None:
    host, service = orchestrators.units["orch-2"]
    host.unit(service, unit("-orchestrator", extra="Environment=STANDIN_END=1\nRestart=no\n"))
    before = orchestrators.begun()
    async with traffic(orchestrators.haproxy.port, path="/status") as clients:
        code, told = await orchestrators.site.act("restart", "orch-2", "orch-3")
        await clients.more()
    assert (code, told["result"]["outcome"]) == (2, "failed"), told
    assert clients.failed == []
    assert orchestrators.begun()["orch-3"] == before["orch-3"]
    status = await orchestrators.haproxy.status("web/orch-2")
    assert status.startswith(("DRAIN", "DOWN"))
    assert await orchestrators.haproxy.status("web/orch-3") == "UP"


async def test_one_that_does_not_end_is_reported(orchestrators: Restarting) -> None:
    host, service = orchestrators.units["orch-1"]
    deaf = "Environment=STANDIN_DEAF=1\nTimeoutStopSec=4\nSendSIGKILL=no\n"
    flags = ("-orchestrator", f"-ethAcctAddr 0x{1:040x}", "-cliAddr 0.0.0.0:8935")
    host.unit(service, unit(*flags, extra=deaf))
    host.run("systemctl", "restart", service)
    await orchestrators.haproxy.until_status("web/orch-1", "UP")
    code, told = await orchestrators.site.act("restart", "orch-1")
    assert code in (2, 3), told
    assert "stop" in told["result"]["summary"]


async def test_a_host_is_rebooted(site: Site) -> None:
    flags = ("-redeemer", f"-ethAcctAddr {KEY}", "-cliAddr 127.0.0.1:7936")
    site.node("redeemer", "h2", "redeemer", "livepeer-redeemer.service", 7936, account=KEY)
    with installed(site.h2, "livepeer-redeemer.service", unit(*flags)):
        before = site.h2.run("cat", "/proc/sys/kernel/random/boot_id")
        acting = site.act("restart", "host:h2", "--preset", "reboot")
        booting = asyncio.to_thread(site.h2.boots_again)
        (code, told), _ = await asyncio.gather(acting, booting)
        assert (code, told["result"]["outcome"]) == (0, "done"), told
        assert site.h2.run("cat", "/proc/sys/kernel/random/boot_id") != before
        assert site.h2.state("livepeer-redeemer.service") == "active"


# Another RPC.


async def test_a_stalled_rpc_is_left_for_one_that_moves(site: Site) -> None:
    require_anvil()
    service, port, file = "livepeer-orch.service", 8935, "/etc/livepeer/orch.env"
    async with (
        running_anvil(AnvilOptions(first_block=FIRST_BLOCK - 5)) as stalled,
        running_anvil(AnvilOptions(block_time_s=0.5)) as moving,
        relayed(stalled.port, site.h1.gateway) as old,
        relayed(moving.port, site.h1.gateway) as new,
    ):
        site.document["rpcs"] = {
            "old": {"url": old, "via": "direct", "chain_id": 42161},
            "new": {"url": new, "via": "direct", "chain_id": 42161},
        }
        site.document["thresholds"] = {"watcher_lag_blocks": 4}
        account = f"0x{7:040x}"
        site.node("orch", "h1", "orchestrator", service, port, account=account, rpc="old")
        site.document["nodes"]["orch"]["environment_file"] = file
        text = f"# how it reaches the chain\nLP_ETHURL={old}\nLP_V=6\n"
        site.h1.write(file, text)
        flags = ("-orchestrator", f"-ethAcctAddr {account}", f"-cliAddr 127.0.0.1:{port}")
        with installed(site.h1, service, unit(*flags, extra=f"EnvironmentFile={file}\n")):
            code, told = await site.act("failover", "rpc:old", "--to", "nowhere")
            assert (code, told["result"]["outcome"]) == (1, "refused"), told
            code, told = await site.act("failover", "rpc:old", "--to", "new")
            assert (code, told["result"]["outcome"]) == (0, "done"), told
            assert "behind new" in told["result"]["summary"]
            assert (site.h1.root / file[1:]).read_text() == text.replace(old, new)
            [newest, *_] = (await site.lptui("runs", "--format", "json")).json["runs"]
            run = await site.lptui("undo", newest["run"], "--yes")
            assert run.code == 0, run.out + run.err
            assert (site.h1.root / file[1:]).read_text() == text
            assert site.h1.state(service) == "active"
