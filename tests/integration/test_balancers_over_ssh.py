"""The balancer probes through a real sshd, and what its options forbid."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from lptui.clock import SystemClock
from lptui.errors import LptuiError
from lptui.fleet.facts.balancer import (
    BalancerState,
    Health,
    NginxConfig,
    NginxServer,
    NginxUpstream,
)
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Fleet, Host
from lptui.probes import haproxy as haproxy_probes
from lptui.probes import nginx as nginx_probes
from lptui.probes.probe import Asking
from lptui.transport.reach import FleetReach
from tests.backend import backend
from tests.haproxy import haproxy
from tests.ports import free_port
from tests.sshd import Sshd, need, running_sshd

LB, EDGE = "lb", "edge"


async def _ask(server: Sshd, probe: Any, balancer: Balancer, known: NginxConfig | None) -> Any:
    fleet = Fleet(
        "test",
        hosts=MappingProxyType({EDGE: Host(EDGE, server.ssh(EDGE))}),
        balancers=MappingProxyType({LB: balancer}),
    )
    readings: dict[Key, Reading[object]] = {}
    if known is not None:
        readings[Key(NginxConfig, LB)] = Reading(known, None, "", 1.0)
    reach = FleetReach(fleet)
    try:
        asking = Asking(fleet, reach, SystemClock(), Snapshot(fleet, readings), 8.0)
        [answer] = await probe.ask(asking, LB)
    finally:
        await reach.close()
    assert isinstance(answer.value, BalancerState)
    return answer.value


async def test_haproxy_s_socket_without_socat(tmp_path: Path) -> None:
    need(shutil.which("haproxy", path="/usr/sbin:/usr/bin"), "haproxy")
    async with backend() as one, haproxy([f"o1 {one.address}"]) as proxy:
        with running_sshd(tmp_path / "sshd") as server:
            balancer = Balancer(LB, BalancerKind.HAPROXY, EDGE, socket=proxy.socket)
            state = await _ask(server, haproxy_probes.PROBES[0], balancer, None)
            assert state.pid == proxy.process.pid
        options = {"AllowStreamLocalForwarding": "no"}
        with running_sshd(tmp_path / "strict", options) as server:
            with pytest.raises(LptuiError) as caught:
                await _ask(server, haproxy_probes.PROBES[0], balancer, None)
            assert "AllowStreamLocalForwarding" in caught.value.remedy
            by_tcp = Balancer(LB, BalancerKind.HAPROXY, EDGE, socket=proxy.cli_address)
            assert (await _ask(server, haproxy_probes.PROBES[0], by_tcp, None)).level == "operator"


async def test_servers_of_nginx_are_asked_from_its_host(tmp_path: Path) -> None:
    balancer = Balancer(LB, BalancerKind.NGINX, EDGE)
    async with backend() as one:
        servers = (NginxServer(one.address), NginxServer(f"127.0.0.1:{free_port()}"))
        known = NginxConfig((NginxUpstream("orch", "http", servers),))
        with running_sshd(tmp_path / "sshd") as server:
            state = await _ask(server, nginx_probes.PROBES[1], balancer, known)
            assert [one.health for one in state.servers] == [Health.UP, Health.DOWN]
            assert state.servers[0].latency_s is not None
        with running_sshd(tmp_path / "strict", {"AllowTcpForwarding": "no"}) as server:
            state = await _ask(server, nginx_probes.PROBES[1], balancer, known)
            assert [one.health for one in state.servers] == [Health.UNKNOWN, Health.UNKNOWN]
        with pytest.raises(LptuiError):
            await _ask(server, nginx_probes.PROBES[1], balancer, known)
