"""Moving a transcoder on a real systemd from one orchestrator to another, and back when it fails.

The orchestrators tell who is connected to them, as go-livepeer does of its streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lptui.actions.moves import registered
from lptui.actions.plan import Outcome, Plan, Request, Result
from lptui.actions.registry import action
from lptui.session import Session, Source
from tests.devnet.livepeer import LivepeerNode, running_node
from tests.devnet.node.config import ConnectedTranscoder, NodeConfig
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

UNIT = "livepeer-transcoder.service"
FILE = "/etc/default/livepeer-transcoder"
ELSEWHERE = ConnectedTranscoder("192.0.2.77:40000")
"""A transcoder that each orchestrator has besides."""


@dataclass
class Orchestrator:
    """A node, and where transcoders register; `closed`: it takes nobody."""

    node: LivepeerNode
    address: str = ""
    closed: bool = False
    refused: list[str] = field(default_factory=list)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def peers(self) -> list[str]:
        """Who is registered but for the other one."""
        return [one.address for one in self._list if one is not ELSEWHERE]

    @property
    def _list(self) -> list[ConnectedTranscoder]:
        assert self.node.config.transcoders is not None
        return self.node.config.transcoders

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = writer.get_extra_info("peername")[:2]
        one = ConnectedTranscoder(f"{host}:{port}")
        self._writers.add(writer)
        try:
            if self.closed:
                self.refused.append(one.address)
            else:
                self._list.append(one)
                await reader.read()
        except OSError:
            pass
        finally:
            if one in self._list:
                self._list.remove(one)
            self._writers.discard(writer)
            writer.close()

    async def cut(self) -> None:
        """Ends all connections."""
        for writer in self._writers:
            writer.transport.abort()
        await until(lambda: not self._writers)


@asynccontextmanager
async def orchestrator(name: str, host: str) -> AsyncIterator[Orchestrator]:
    """One for the length of a block; transcoders reach it on an address of this machine."""
    async with running_node(NodeConfig(name=name, transcoders=[ELSEWHERE])) as node:
        one = Orchestrator(node)
        server = await asyncio.start_server(one.serve, host, 0)
        one.address = f"{host}:{server.sockets[0].getsockname()[1]}"
        try:
            yield one
        finally:
            server.close()
            await one.cut()


@dataclass
class Site:
    """A transcoder that works for `o1`, and the console of its operator."""

    host: SystemdHost
    o1: Orchestrator
    o2: Orchestrator
    session: Session

    async def plan(self, **options: str) -> Plan:
        one = action("move-transcoder")
        assert one is not None
        snapshot = await self.session.observe(one.spec.probes)
        request = Request(("t1",), tuple(options.items()))
        return self.session.runner.plan(one, snapshot, request)

    async def move(self, to: str) -> Result:
        one = action("move-transcoder")
        assert one is not None
        return await self.session.runner.run(one, await self.plan(to=to), lambda line: None)

    async def undo(self) -> Result:
        [entry, *_] = self.session.runner.journal.newest(self.session.fleet.name)
        return await self.session.runner.undo(entry, lambda line: None)

    @property
    def file(self) -> str:
        return (self.host.root / FILE.lstrip("/")).read_text()


def text(address: str) -> str:
    return f'# Which orchestrator\nexport LP_ORCHADDR="{address}"\nLP_MAXSESSIONS=8\n'


def document(host: SystemdHost, o1: Orchestrator, o2: Orchestrator) -> dict[str, Any]:
    nodes: dict[str, Any] = {
        name: {
            "host": "console",
            "role": "orchestrator",
            "cli": {"url": one.node.url, "via": "direct"},
            "service_uri": f"https://{one.address}",
        }
        for name, one in (("o1", o1), ("o2", o2))
    }
    nodes["t1"] = {
        "host": host.name,
        "role": "transcoder",
        "unit": UNIT,
        "cli": "none",
        "environment_file": FILE,
    }
    login = {"address": host.address, "user": "ops", "identity": str(host.identity)}
    return {
        "name": "site",
        "ssh": {"known_hosts": str(host.known_hosts), "config": []},
        "hosts": {host.name: login, "console": {"local": True}},
        "guards": {"lock_hosts": [host.name]},
        "nodes": nodes,
    }


@pytest.fixture
async def site(
    systemd_hosts: HostFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    monkeypatch.setenv("LPTUI_STATE", str(tmp_path / "state"))
    [host] = systemd_hosts(1)
    host.sudoers("NOPASSWD: ALL")
    async with AsyncExitStack() as stack:
        o1 = await stack.enter_async_context(orchestrator("o1", host.gateway))
        o2 = await stack.enter_async_context(orchestrator("o2", host.gateway))
        host.write(FILE, text(o1.address), 0o640)
        # systemd's EnvironmentFile= knows no `export`: a shell reads it.
        run = f"/bin/sh -c '. {FILE}; exec /usr/local/bin/livepeer -transcoder'"
        host.unit(UNIT, f"[Service]\nExecStart={run}\nRestart=always\nRestartSec=100ms\n")
        host.run("systemctl", "start", UNIT)
        stack.callback(host.remove_unit, UNIT)
        await until(lambda: o1.peers, 20, "the transcoder's registration")
        config = tmp_path / "lptui.yaml"
        config.write_text(yaml.safe_dump(document(host, o1, o2)))
        session = await Session.open(Source(config=config))
        stack.push_async_callback(session.close)
        yield Site(host, o1, o2, session)


async def test_it_is_seen_at_the_other_orchestrator_and_comes_back_when_taken_back(
    site: Site,
) -> None:
    plan = await site.plan(to="o2")
    assert plan.why_not == ""
    assert plan.summary == "move t1 from o1 to o2"
    result = await site.move("o2")
    assert result.outcome is Outcome.DONE, result.summary
    assert "o2 has 2 transcoders of 2; since then came 198.51.100." in result.summary
    assert (len(site.o1.peers), len(site.o2.peers)) == (0, 1)
    assert site.file == text(site.o2.address)
    assert (await site.plan(to="o2")).done != ""
    result = await site.undo()
    assert result.outcome is Outcome.DONE, result.summary
    assert site.file == text(site.o1.address)
    await until(lambda: site.o1.peers and not site.o2.peers)


async def test_one_that_is_not_let_in_goes_back_to_where_it_was(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registered, "WAIT_S", 1.0)
    site.o2.closed = True
    result = await site.move("o2")
    assert result.outcome is Outcome.FAILED
    assert "after 1 s still o2 has 1 transcoders of 2" in result.summary
    assert "undone" in result.summary
    assert site.file == text(site.o1.address)
    assert site.host.state(UNIT) == "active"
    await until(lambda: site.o1.peers)


@pytest.mark.parametrize("verb", ["resume", "undo"])
async def test_cut_while_it_waits_it_is_taken_up_or_taken_back(site: Site, verb: str) -> None:
    site.o2.closed = True
    running = asyncio.create_task(site.move("o2"))
    await until(lambda: len(site.o2.refused) > 1, 30, "the transcoder at its new orchestrator")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    site.o2.closed = False
    [entry] = site.session.runner.unfinished()
    taken = getattr(site.session.runner, verb)
    result = await taken(entry, lambda line: None)
    assert result.outcome is Outcome.DONE, result.summary
    there, away = (site.o2, site.o1) if verb == "resume" else (site.o1, site.o2)
    assert site.file == text(there.address)
    await until(lambda: there.peers and not away.peers)


async def test_the_last_transcoder_of_an_orchestrator_stays(site: Site) -> None:
    site.o1.node.config.transcoders = [
        one for one in site.o1.node.config.transcoders or () if one is not ELSEWHERE
    ]
    result = await site.move("o2")
    assert result.outcome is Outcome.REFUSED
    assert "no transcoder left" in result.summary
    assert len(site.o1.peers) == 1
