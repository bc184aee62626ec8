"""The HAProxy probe against a real HAProxy."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any

import pytest

from lptui.clock import SystemClock
from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Server
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Endpoint, Fleet, Host
from lptui.fleet.units import Percent
from lptui.probes.haproxy import PROBES
from lptui.probes.probe import Asking
from lptui.transport.reach import FleetReach
from tests.backend import Backend, backend
from tests.haproxy import Haproxy, haproxy
from tests.ports import free_port
from tests.resolver import resolver
from tests.sshd import need

LB = "lb-1"
HERE = "here"


@pytest.fixture
async def one() -> AsyncIterator[Backend]:
    async with backend("o1") as server:
        yield server


@pytest.fixture
async def two() -> AsyncIterator[Backend]:
    async with backend("o2") as server:
        yield server


@pytest.fixture
async def proxy(one: Backend, two: Backend) -> AsyncIterator[Haproxy]:
    need(shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin"), "haproxy")
    servers = [
        f"o1 {one.address} weight 30 check inter 50ms rise 2 fall 2",
        f"o2 {two.address} weight 10 check inter 50ms rise 2 fall 2 backup",
        f"o3 {one.address} weight 10",
    ]
    async with haproxy(servers) as running:
        for server in ("web/o1", "web/o2"):
            await running.until_status(server, "UP")
        yield running


class Asker:
    """Asks again and again, each time with the reading before."""

    def __init__(self, **fields: Any) -> None:
        balancer = Balancer(LB, BalancerKind.HAPROXY, HERE, **fields)
        self.fleet = Fleet(
            "test",
            hosts=MappingProxyType({HERE: Host(HERE, None)}),
            balancers=MappingProxyType({LB: balancer}),
        )
        self.reach = FleetReach(self.fleet)
        self.latest = Snapshot(self.fleet)

    async def __call__(self) -> BalancerState:
        asking = Asking(self.fleet, self.reach, SystemClock(), self.latest, 5.0)
        try:
            [answer] = await PROBES[0].ask(asking, LB)
        finally:
            await self.reach.close()
            self.reach = FleetReach(self.fleet)
        key = Key(BalancerState, LB)
        assert answer.key == key
        self.latest = Snapshot(self.fleet, {key: Reading(answer.value, None, "", 1.0)})
        assert isinstance(answer.value, BalancerState)
        return answer.value

    async def server(self, name: str) -> Server:
        state = await self()
        return next(server for server in state.servers if server.name == name)


async def test_a_whole_state_in_one_connection(proxy: Haproxy, one: Backend) -> None:
    state = await Asker(socket=proxy.socket)()
    assert state.version.startswith("2.") or state.version.startswith("3.")
    assert state.pid == proxy.process.pid
    assert state.level == "admin"
    first, second, third = state.backend_servers("web")
    assert (first.address, first.admin, first.health) == (
        one.address,
        AdminState.READY,
        Health.UP,
    )
    assert (first.weight, first.configured_weight, first.backup) == (30, 30, False)
    assert second.backup
    assert third.health is Health.NO_CHECK


async def test_each_level_and_kind_of_socket_will_do(proxy: Haproxy) -> None:
    assert (await Asker(socket=proxy.user_socket)()).level == "user"
    by_tcp = await Asker(socket=proxy.cli_address)()
    assert by_tcp.level == "operator"
    assert "anybody" in by_tcp.notes[0]


async def test_a_drained_server_that_dies_is_seen_as_both(proxy: Haproxy, one: Backend) -> None:
    ask = Asker(socket=proxy.socket)
    await proxy.cli("set server web/o1 state drain")
    drained = await ask.server("o1")
    assert (drained.admin, drained.health) == (AdminState.DRAIN, Health.UP)
    await one.stop()
    await proxy.until_status("web/o1", "DOWN")
    assert (await ask.server("o1")).admin is AdminState.DRAIN
    assert (await ask.server("o1")).health is Health.DOWN
    by_page = Asker(stats=Endpoint(proxy.stats_url, None))
    assert (await by_page.server("o1")).admin is AdminState.UNKNOWN, "the page cannot tell"


async def test_maintenance_and_weights(proxy: Haproxy) -> None:
    ask = Asker(socket=proxy.socket)
    await proxy.cli("set server web/o1 state maint; set server web/o3 weight 5")
    assert ((await ask.server("o1")).admin, (await ask.server("o1")).health) == (
        AdminState.MAINT,
        Health.UNKNOWN,
    )
    lighter = await ask.server("o3")
    assert (lighter.weight, lighter.configured_weight) == (5, 10)


async def test_shares_follow_the_traffic(proxy: Haproxy) -> None:
    ask = Asker(socket=proxy.socket)
    await ask()
    await proxy.get(times=8)
    first, backup, third = (await ask()).backend_servers("web")
    assert first.share is not None
    assert third.share is not None
    assert first.share > third.share > 0
    assert first.share + third.share == pytest.approx(100)
    assert backup.share == Percent(0)
    assert (await ask.server("o1")).share is None, "no traffic since"


async def test_the_page_tells_the_same(proxy: Haproxy) -> None:
    by_socket = await Asker(socket=proxy.socket)()
    by_page = await Asker(stats=Endpoint(proxy.stats_url, HERE))()
    for ours, theirs in zip(by_socket.servers, by_page.servers, strict=True):
        assert (ours.name, ours.health, ours.weight) == (theirs.name, theirs.health, theirs.weight)


async def test_a_socket_that_is_not_there_is_explained_and_the_page_read(proxy: Haproxy) -> None:
    gone = f"{proxy.folder}/gone.sock"
    with pytest.raises(LptuiError, match="no such socket") as caught:
        await Asker(socket=gone)()
    assert caught.value.kind is ProblemKind.REFUSED
    state = await Asker(socket=gone, stats=Endpoint(proxy.stats_url, None))()
    assert "no such socket" in state.notes[0]


async def test_something_else_behind_the_address_is_refused(one: Backend) -> None:
    with pytest.raises(LptuiError) as caught:
        await Asker(socket=one.address)()
    assert caught.value.kind in (ProblemKind.BAD_ANSWER, ProblemKind.TIMEOUT)
    with pytest.raises(LptuiError) as caught:
        await Asker(stats=Endpoint(f"http://{one.address}/stats", None))()
    assert caught.value.kind is ProblemKind.BAD_ANSWER


@pytest.fixture
async def of_all_kinds(one: Backend) -> AsyncIterator[Haproxy]:
    """Servers found by name, more slots than addresses; servers with agents; a frontend more."""
    need(shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin"), "haproxy")

    def agent(answer: bytes) -> Any:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer + b"\n")
            await writer.drain()
            writer.close()

        return asyncio.start_server(serve, "127.0.0.1", 0)

    async with (
        resolver("pool.test", ["127.0.0.1"]) as names,
        await agent(b"drain") as drains,
        await agent(b"down #full") as downs,
    ):
        ports = [str(server.sockets[0].getsockname()[1]) for server in (drains, downs)]
        agents = [
            f"a{number} {one.address} agent-check agent-inter 50ms agent-port {port}"
            for number, port in enumerate(ports)
        ]
        more = f"""
frontend spare
    bind 127.0.0.1:{free_port()}
    default_backend web
resolvers local
    nameserver here 127.0.0.1:{names}
    hold nx 100ms
    timeout retry 100ms
backend named
    server-template s 1-3 pool.test:{one.port} resolvers local resolve-prefer ipv4 init-addr none
    server lost nowhere.test:{one.port} resolvers local init-addr none
"""
        async with haproxy(agents, more) as running:
            await running.until_status("web/a0", "DRAIN (agent)")
            await running.until_status("web/a1", "DOWN (agent)")
            await running.until_status("named", "UP")
            yield running


async def test_slots_of_a_template_without_an_address_are_spare(of_all_kinds: Haproxy) -> None:
    """More slots than addresses are the rule; a name without any address is a fault."""
    servers = (await Asker(socket=of_all_kinds.socket)()).backend_servers("named")
    found = [server.health for server in servers]
    assert sorted(found[:3]) == sorted([Health.NO_CHECK, Health.UNUSED, Health.UNUSED])
    assert found[3] is Health.UNRESOLVED


async def test_what_an_agent_has_done_is_told_as_its_work(of_all_kinds: Haproxy) -> None:
    for by in ({"socket": of_all_kinds.socket}, {"stats": Endpoint(of_all_kinds.stats_url, None)}):
        drained, down = (await Asker(**by)()).backend_servers("web")
        assert (drained.admin, drained.health_source) == (AdminState.DRAIN, "agent")
        assert (down.health, down.health_source) == (Health.DOWN, "agent")


async def test_a_frontend_that_is_paused_is_told(of_all_kinds: Haproxy) -> None:
    await of_all_kinds.cli("disable frontend spare")
    state = await Asker(socket=of_all_kinds.socket)()
    status = {one.name: one.status for one in state.proxies if one.kind == "frontend"}
    assert status["public"] == "OPEN"
    assert status["spare"] in ("PAUSED", "STOP")
