"""A transcoder on a real host, joined by its real socket to the orchestrator that lists it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.command import Operator
from tests.orchestrators import Orchestrator, orchestrator
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

UNIT = "livepeer-transcoder.service"


@dataclass
class Site:
    """A transcoder's host, the orchestrator that it works for, and cron's view of both."""

    host: SystemdHost
    o1: Orchestrator
    operator: Operator
    config: Path

    def work_for(self, address: str, registers: str) -> None:
        """Starts the transcoder; `registers` is where it really goes, "" for nowhere."""
        start = f"/usr/local/bin/livepeer -transcoder -orchAddr {address}"
        setting = f"Environment=LP_ORCHADDR={registers}\n" if registers else ""
        self.host.unit(UNIT, f"[Service]\n{setting}ExecStart={start}\nRestart=always\n")
        self.host.run("systemctl", "restart", UNIT)

    async def finding(self, identity: str) -> dict[str, Any]:
        words = ("--config", str(self.config), "--headless", "check", "--format", "json")
        outcome = await asyncio.to_thread(self.operator.run, *words)
        found: dict[str, Any] = outcome.finding(identity)
        return found


@pytest.fixture
async def site(
    systemd_hosts: HostFactory, operator: Operator, tmp_path: Path
) -> AsyncIterator[Site]:
    [host] = systemd_hosts(1)
    async with AsyncExitStack() as stack:
        o1 = await stack.enter_async_context(orchestrator("o1", host.gateway))
        stack.callback(host.remove_unit, UNIT)
        config = tmp_path / "lptui.yaml"
        login = {"address": host.address, "user": "ops", "identity": str(host.identity)}
        document = {
            "name": "site",
            "ssh": {"known_hosts": str(host.known_hosts), "config": []},
            "hosts": {host.name: login, "console": {"local": True}},
            "nodes": {
                "o1": {
                    "host": "console",
                    "role": "orchestrator",
                    "cli": {"url": o1.node.url, "via": "direct"},
                    "service_uri": f"https://{o1.address}",
                    "transcoders": 2,
                },
                "t1": {"host": host.name, "role": "transcoder", "unit": UNIT, "cli": "none"},
            },
            "thresholds": {"transcoder_grace": "1s"},
        }
        config.write_text(yaml.safe_dump(document))
        yield Site(host, o1, operator, config)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    home = tmp_path / "home"
    home.mkdir()
    return Operator(home)


@asynccontextmanager
async def translating(host: str, to: str) -> AsyncIterator[str]:
    """What NAT does: the connection goes on from another address and port."""
    there, _, port = to.rpartition(":")

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(there, int(port))
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield f"{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_its_socket_says_which_entry_of_the_list_it_is(site: Site) -> None:
    site.work_for(site.o1.address, site.o1.address)
    await until(lambda: site.o1.peers, 20, "the registration")
    found = await site.finding("transcoder-registered@t1")
    assert found["severity"] == "OK"
    assert found["summary"].startswith("registered with o1, capacity ")
    [peer] = site.o1.peers
    assert any(f"{peer} to {site.o1.address}" in line for line in found["evidence"])


async def test_one_that_runs_and_was_refused_is_found(site: Site) -> None:
    site.work_for(site.o1.address, "")

    async def late() -> bool:
        return bool((await site.finding("transcoder-registered@t1"))["severity"] != "OK")

    found = await site.finding("transcoder-registered@t1")
    if found["severity"] == "OK":  # within its second of grace
        assert "not connected yet" in found["summary"]
        assert await late()
        found = await site.finding("transcoder-registered@t1")
    assert found["severity"] == "WARNING"
    assert "has no connection to one: it was rejected" in found["summary"]
    missing = await site.finding("transcoders-expected@o1")
    assert "1 of 2 transcoders connected; t1 not in its list" in missing["summary"]
    assert missing["cause"] == "transcoder-registered@t1"


async def test_behind_nat_it_is_connected_and_cannot_be_told_from_others(site: Site) -> None:
    async with translating(site.host.gateway, site.o1.address) as address:
        site.work_for(address, address)
        await until(lambda: site.o1.peers, 20, "the registration")
        found = await site.finding("transcoder-registered@t1")
        assert found["severity"] == "OK"
        assert "cannot be told behind NAT" in found["summary"]
        assert any(f"to {address}" in line for line in found["evidence"])
