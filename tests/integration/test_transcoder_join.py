"""A transcoder on a real host, joined by its real socket to the orchestrator that lists it; and
how many more sessions the two take, by what nvidia-smi (a script) says of the cards.
"""

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
from tests.orchestrators import ELSEWHERE, Orchestrator, orchestrator
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

UNIT = "livepeer-transcoder.service"
TOOL = "/usr/local/bin/nvidia-smi"

CARD = {
    "name": "NVIDIA GeForce RTX 3080",
    "driver_version": "550.54.14",
    "temperature.gpu": "64",
    "power.draw": "180.00",
    "utilization.gpu": "30",
    "utilization.encoder": "20",
    "utilization.decoder": "10",
    "encoder.stats.sessionCount": "3",
    "memory.used": "1024",
    "memory.total": "10240",
    "clocks_event_reasons.active": "0x0000000000000000",
}
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"


def nvidia_smi(*cards: dict[str, str]) -> str:
    """A program that answers for these cards, whatever fields it is asked for."""
    told = [{"index": str(n), "uuid": f"GPU-{n}", **card} for n, card in enumerate(cards)]
    return f"""#!/usr/bin/python3
import sys
asked = [word.partition("=")[2] for word in sys.argv if word.startswith("--query-gpu=")]
for card in {told!r} if asked else ():
    print(", ".join(card.get(field, "[N/A]") for field in asked[0].split(",")))
"""


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

    async def is_busy(self, sessions: int) -> None:
        """The transcoder is registered, and nobody else; so many sessions run on its two cards."""
        self.work_for(self.o1.address, self.o1.address)
        await until(lambda: self.o1.peers, 20, "the registration")
        config = self.o1.node.config
        assert config.transcoders is not None
        config.transcoders.remove(ELSEWHERE)
        config.sessions, config.max_sessions = sessions, 20

    def configure(self, **settings: Any) -> None:
        """Settings of the transcoder's host."""
        document = yaml.safe_load(self.config.read_text())
        document["hosts"][self.host.name] |= settings
        self.config.write_text(yaml.safe_dump(document))

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
        stack.callback(host.run, "rm", "-f", TOOL)
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

    async with asyncio.timeout(60):
        while (found := await site.finding("transcoder-registered@t1"))["severity"] == "OK":
            assert "not connected yet" in found["summary"]  # within its second of grace
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


async def test_encoder_sessions_of_consumer_cards_set_the_limit(site: Site) -> None:
    await site.is_busy(2)
    site.host.write(TOOL, nvidia_smi(CARD, CARD), 0o755)
    cap = await site.finding(f"nvenc-sessions@{site.host.name}")
    assert cap["summary"] == "6 of 8 encoder sessions allowed by the driver"
    assert "limit of driver 550.54.14 for NVIDIA GeForce RTX 3080" in cap["evidence"][0]
    # Three a session, and two are left: the cap of 10 of the transcoder promises too much.
    found = await site.finding("headroom@o1")
    assert found["severity"] == "WARNING"
    assert found["summary"] == "0 more sessions, limited by the NVENC sessions"
    assert found["evidence"][0] == "NVENC sessions: 0 more sessions (6 of 8, 3.0 a session)"


async def test_with_a_patched_driver_other_resources_set_it(site: Site) -> None:
    await site.is_busy(2)
    site.host.write(TOOL, nvidia_smi(CARD, CARD), 0o755)
    site.configure(nvenc_sessions="unlimited")
    found = await site.finding("headroom@o1")
    values = {one["label"]: one["value"] for one in found["metrics"]}
    # Of two cards: 20 % each for two sessions is 10 % each a session, 75 % of each is left.
    assert values["headroom_by_encoder"] == 7
    assert values["headroom_by_decoder"] == 17
    assert values["headroom_by_transcoders"] == 8
    assert "headroom_by_nvenc" not in values
    # This machine's processors are those of the host, and others use them as well.
    assert values["headroom_sessions"] == min(
        value for label, value in values.items() if label.startswith("headroom_by_")
    )


async def test_without_a_session_only_caps_are_told(site: Site) -> None:
    await site.is_busy(0)
    site.host.write(TOOL, nvidia_smi(CARD, CARD), 0o755)
    found = await site.finding("headroom@o1")
    assert "by caps alone, for none runs to tell what one costs" in found["summary"]
    labels = {one["label"] for one in found["metrics"]}
    assert labels == {"headroom_sessions", "headroom_by_sessions", "headroom_by_transcoders"}


async def test_a_driver_that_was_upgraded_under_a_loaded_one(site: Site) -> None:
    await site.is_busy(2)
    site.host.write(TOOL, f"#!/bin/sh\necho '{MISMATCH}'\nexit 18\n", 0o755)
    site.configure(gpus=2)
    found = await site.finding(f"gpu-missing@{site.host.name}")
    assert found["severity"] == "CRITICAL"
    assert MISMATCH in found["summary"]
    assert "reboot it" in found["remedy"]
    room = await site.finding("headroom@o1")
    assert f"not known: GPUs of {site.host.name}" in room["summary"]
