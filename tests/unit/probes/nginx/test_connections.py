"""Connections to nginx's servers, from the tables of its host."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from lptui.clock import FrozenClock
from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.facts.balancer import NginxConfig, NginxConnections, NginxServer, NginxUpstream
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Balancer, BalancerKind, Fleet
from lptui.probes.nginx.connections import NginxConnectionsProbe
from lptui.probes.probe import Answer, Asking
from lptui.transport.fake import FakeReach
from lptui.transport.protocols import Command, Output

LB, HOST = "lb-2", "edge-1"
SERVERS = (
    "192.0.2.11:8935",
    "[2001:db8::1]:8935",
    "orch-3.example.org:443",
    "unix:/run/o.sock",
    "$bad;name:80",
)
TABLE = """login 1000
nginx 0
nginx 33
to 33 0B0200C0:22E7 14
to 1000 0B0200C0:22E7 3
to 0 0B0200C0:22E7 2
to 33 B80D0120000000000000000001000000:22E7 1
to 33 150200C0:01BB 4
to 33 160200C0:01BB 1
to 33 170200C0:22E7 99
end
"""


async def _ask(table: Any = TABLE, known: bool = True) -> tuple[Answer, list[Command]]:
    sent: list[Command] = []

    def host(command: Command) -> Any:
        sent.append(command)
        if command.argv[:2] == ("getent", "ahosts"):
            return "192.0.2.21     STREAM orch-3\n192.0.2.21     DGRAM  \n192.0.2.22 STREAM \n"
        return table

    fleet = Fleet("test", balancers=MappingProxyType({LB: Balancer(LB, BalancerKind.NGINX, HOST)}))
    upstream = NginxUpstream("orch", "http", tuple(map(NginxServer, SERVERS)))
    readings: dict[Key, Reading[object]] = {}
    if known:
        readings[Key(NginxConfig, LB)] = Reading(NginxConfig((upstream,)), None, "", 1.0)
    reach = FakeReach(commands={HOST: host})
    asking = Asking(fleet, reach, FrozenClock(), Snapshot(fleet, readings), 5.0)
    [answer] = await NginxConnectionsProbe().ask(asking, LB)
    return answer, sent


async def test_those_of_nginx_s_workers_to_each_server() -> None:
    answer, sent = await _ask()
    assert isinstance(answer.value, NginxConnections)
    assert [answer.value.of(server) for server in SERVERS] == [14, 1, 5, None, None]
    assert answer.value.is_shared is False
    assert [command.argv for command in sent] == [
        ("getent", "ahosts", "orch-3.example.org"),
        ("lptui_established", "0050", "01BB", "22E7"),
    ]


async def test_where_the_workers_are_the_login_s_its_own_count_too() -> None:
    answer, _ = await _ask("login 0\nnginx 0\nto 0 0B0200C0:22E7 2\nend\n")
    assert (answer.value.of(SERVERS[0]), answer.value.is_shared) == (2, True)


async def test_without_a_process_to_be_seen_everybody_s_count() -> None:
    answer, _ = await _ask("login 7\nto 33 0B0200C0:22E7 2\nto 5 0B0200C0:22E7 1\nend\n")
    assert (answer.value.of(SERVERS[0]), answer.value.is_shared) == (3, True)


@pytest.mark.parametrize("table", ["", "login 1000\nnginx 33\n", Output(b"", 127)])
async def test_half_an_answer_is_none(table: Any) -> None:
    with pytest.raises(LptuiError):
        await _ask(table)


async def test_without_a_configuration_nothing_is_asked() -> None:
    answer, sent = await _ask(known=False)
    assert answer.problem is not None
    assert answer.problem.kind is ProblemKind.NOT_READ
    assert sent == []
