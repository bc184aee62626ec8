"""The nginx probes against a real nginx."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType

import pytest

from lptui.clock import SystemClock
from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.facts.balancer import (
    AdminState,
    BalancerState,
    Health,
    NginxConfig,
    NginxConnections,
)
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Endpoint, Fleet, Host
from lptui.probes.nginx import PROBES, commands
from lptui.probes.nginx.dump import read, split
from lptui.probes.nginx.upstreams import find
from lptui.probes.probe import Asking
from lptui.transport.reach import FleetReach
from tests.backend import Backend, backend
from tests.nginx import Nginx, has_stream, nginx, program
from tests.sshd import need
from tests.waiting import until

CONFIG, STATE, CONNECTIONS = PROBES
LB, HERE = "lb-2", "here"

HTTP = """
upstream orch { zone orch 64k; least_conn; include orch.servers; }
include sites/*;
"""
SITE = "server { listen 127.0.0.1:@port@; location / { proxy_pass http://orch; } }"


@pytest.fixture
async def one() -> AsyncIterator[Backend]:
    async with backend("o1") as server:
        yield server


@pytest.fixture
async def two() -> AsyncIterator[Backend]:
    async with backend("o2") as server:
        yield server


@pytest.fixture
async def running(one: Backend, two: Backend) -> AsyncIterator[Nginx]:
    need(program(), "nginx")
    files = {
        "orch.servers": f"server {one.address} weight=3;\nserver {two.address} backup; # spare",
        "sites/orch": SITE,
        "sites/.orch.old": "broken {",
    }
    stream = f"upstream pass {{ server {one.address} down; }}" if has_stream() else ""
    async with nginx(HTTP, stream, files) as server:
        yield server


class Asker:
    """Reads the configuration, then the servers."""

    def __init__(self, server: Nginx, **fields: object) -> None:
        known = {
            "config_path": str(server.config),
            "stub_status": Endpoint(server.status_url, HERE),
        }
        balancer = Balancer(LB, BalancerKind.NGINX, HERE, **{**known, **fields})  # type: ignore[arg-type]
        self.fleet = Fleet(
            "test",
            hosts=MappingProxyType({HERE: Host(HERE, None)}),
            balancers=MappingProxyType({LB: balancer}),
        )
        self.reach = FleetReach(self.fleet)
        self.latest = Snapshot(self.fleet)

    async def config(self) -> NginxConfig:
        [answer] = await CONFIG.ask(self._asking(), LB)
        assert isinstance(answer.value, NginxConfig)
        key = Key(NginxConfig, LB)
        self.latest = Snapshot(self.fleet, {key: Reading(answer.value, None, "", 1.0)})
        return answer.value

    async def state(self) -> BalancerState:
        [answer] = await STATE.ask(self._asking(), LB)
        assert isinstance(answer.value, BalancerState)
        return answer.value

    async def connections(self) -> NginxConnections:
        [answer] = await CONNECTIONS.ask(self._asking(), LB)
        assert isinstance(answer.value, NginxConnections)
        return answer.value

    def _asking(self) -> Asking:
        return Asking(self.fleet, self.reach, SystemClock(), self.latest, 10.0)


@pytest.fixture
async def ask(running: Nginx) -> AsyncIterator[Asker]:
    asker = Asker(running)
    yield asker
    await asker.reach.close()


async def test_the_configuration_with_its_includes_in_place(
    ask: Asker, running: Nginx, one: Backend, two: Backend
) -> None:
    config = await ask.config()
    orch = config.upstreams[0]
    assert (orch.name, orch.algorithm) == ("orch", "least_conn")
    assert [(line.address, line.weight, line.backup) for line in orch.servers] == [
        (one.address, 3, False),
        (two.address, 1, True),
    ]
    assert orch.servers[1].file == f"{running.folder}/orch.servers"
    assert orch.servers[1].line == 2
    assert f"127.0.0.1:{running.port}" in config.listen
    assert config.version
    assert (config.pid, config.old_workers) == (running.process.pid, 0)
    if has_stream():
        assert [up.servers[0].down for up in config.upstreams if up.context == "stream"] == [True]


async def test_an_edit_shows_until_it_is_loaded(ask: Asker, running: Nginx, one: Backend) -> None:
    servers = running.folder / "orch.servers"
    assert (await ask.config()).edited is False
    servers.write_text(f"server {one.address} down;\nserver {one.address};\n")
    ahead = servers.stat().st_mtime + 2  # as if nginx had been started two seconds earlier
    os.utime(servers, (ahead, ahead))
    assert (await ask.config()).edited is True
    past = ahead - 60
    os.utime(servers, (past, past))
    await running.reload()
    config = await ask.config()
    assert config.edited is False
    first, second = (await ask.state()).backend_servers("orch")
    assert (first.admin, second.admin) == (AdminState.DOWN, AdminState.READY)
    assert first.name != second.name


async def test_servers_are_up_while_they_answer(ask: Asker, one: Backend, two: Backend) -> None:
    await ask.config()
    state = await ask.state()
    assert [server.health for server in state.backend_servers("orch")] == [Health.UP, Health.UP]
    assert state.connections is not None
    backend_ = state.backend("orch")
    assert backend_ is not None
    assert (backend_.active, backend_.backup) == (1, 1)
    await one.stop()
    first, second = (await ask.state()).backend_servers("orch")
    assert (first.health, second.health) == (Health.DOWN, Health.UP)
    assert first.health_source == "probe"


async def test_a_page_tells_more_than_a_connection(running: Nginx, one: Backend) -> None:
    asker = Asker(running, probe_path="/healthz")
    try:
        await asker.config()
        one.status = 503
        first, second = (await asker.state()).backend_servers("orch")
        assert (first.health, second.health) == (Health.DOWN, Health.UP)
        assert "503" in first.check_detail
        assert "/healthz" in one.requests
    finally:
        await asker.reach.close()


async def test_files_that_nginx_refuses_are_still_read_with_its_reason(
    ask: Asker, running: Nginx
) -> None:
    (running.folder / "orch.servers").write_text("server 127.0.0.1:1 weight=0;\n")
    config = await ask.config()
    assert "invalid parameter" in config.refused
    assert config.upstreams[0].servers[0].weight == 0
    (running.folder / "orch.servers").write_text("server 127.0.0.1:1 {\n")
    with pytest.raises(LptuiError, match=r"orch\.servers"):
        await ask.config()


async def test_reading_the_files_gives_what_the_dump_gives(ask: Asker, running: Nginx) -> None:
    shell = ask.reach.shell(HERE)
    patterns = [str(running.config), f"{running.folder}/orch.servers", f"{running.folder}/sites/*"]
    dumped, files = await shell.run(
        [commands.dump(str(running.config)), commands.files(patterns)], 10.0
    )
    found = find(read(split(dumped.text)))
    assert found.known
    assert find(read(split(files.text))) == found


async def test_another_configuration_is_not_taken_for_the_running_one(running: Nginx) -> None:
    asker = Asker(running, config_path="/no/such/nginx.conf")
    try:
        with pytest.raises(LptuiError) as caught:
            await asker.config()
        assert caught.value.kind is not ProblemKind.INTERNAL
    finally:
        await asker.reach.close()


async def test_workers_that_only_finish_are_counted(ask: Asker, running: Nginx) -> None:
    # A connection that never sends its request keeps its worker.
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        writer.write(b"GET / HTTP/1.1\r\n")
        await writer.drain()
        before = running.workers()
        await running.reload()
        await until(lambda: any(_is_finishing(pid) for pid in before & running.workers()))
        old = (await ask.config()).old_workers
        assert old is not None
        assert old >= 1
    finally:
        writer.close()
        del reader


async def test_connections_to_each_server_are_counted(
    ask: Asker, running: Nginx, one: Backend, two: Backend
) -> None:
    await ask.config()
    assert (await ask.connections()).of(one.address) == 0
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    try:
        # Another's, and counted where nginx's workers are the same user's.
        found = await ask.connections()
        assert found.of(one.address) == (1 if found.is_shared else 0)
        assert found.of(two.address) == 0
    finally:
        writer.close()
        del reader


def _is_finishing(pid: int) -> bool:
    try:
        return b"shutting down" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
