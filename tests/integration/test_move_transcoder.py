"""Moving a transcoder on a real systemd from one orchestrator to another, and back when it fails.

The orchestrators tell who is connected to them, as go-livepeer does of its streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lptui.actions.moves import registered
from lptui.actions.plan import Outcome, Plan, Request, Result
from lptui.actions.registry import action
from lptui.session import Session, Source
from tests.orchestrators import ELSEWHERE, Orchestrator, orchestrator
from tests.systemd_hosts import HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

UNIT = "livepeer-transcoder.service"
FILE = "/etc/default/livepeer-transcoder"


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
