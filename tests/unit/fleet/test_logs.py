"""Which logs a selector means, and what is read in one go."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from lptui.fleet.logs import MOST_STREAMS, WHOLE_JOURNAL, channels_of, choices, streams_of
from lptui.fleet.topology import (
    Balancer,
    BalancerKind,
    Fleet,
    Host,
    LogKind,
    LogSource,
    Node,
    Role,
    Rpc,
    Service,
    SupervisorKind,
)


def node(name: str, host: str, role: Role, **more: object) -> Node:
    unit = Service(SupervisorKind.SYSTEMD, f"{name}.service")
    return Node(name, host, frozenset({role}), **{"service": unit, **more})  # type: ignore[arg-type]


FILES = (LogSource(LogKind.FILE, "/var/log/t2/*.log"), LogSource(LogKind.CONTAINER, "t2"))
NODES = (
    node("o1", "edge-1", Role.ORCHESTRATOR, tags=frozenset({"eu"})),
    node("t1", "gpu-1", Role.TRANSCODER),
    node("t2", "gpu-1", Role.TRANSCODER, logs=FILES),
    node("arb", "node-1", Role.RPC),
    node("dark", "gpu-1", Role.TRANSCODER, service=None),
)
FLEET = Fleet(
    "test",
    hosts=MappingProxyType({n: Host(n, None) for n in ("edge-1", "gpu-1", "node-1", "lb-1")}),
    nodes=MappingProxyType({one.name: one for one in NODES}),
    rpcs=MappingProxyType({"arbitrum": Rpc("arbitrum", "http://x", None, node="arb")}),
    balancers=MappingProxyType(
        {
            "front": Balancer(
                "front", BalancerKind.HAPROXY, "lb-1", servers=MappingProxyType({"s1": "o1"})
            )
        }
    ),
)


@pytest.mark.parametrize(
    ("word", "logs"),
    [
        ("o1", ["journal o1.service on edge-1"]),
        ("t2", ["/var/log/t2/*.log on gpu-1", "container t2 on gpu-1"]),
        ("dark", []),
        ("role:transcoder", ["journal t1.service on gpu-1", *(f"{f} on gpu-1" for f in FILES)]),
        ("host:gpu-1", ["journal t1.service on gpu-1", *(f"{f} on gpu-1" for f in FILES)]),
        ("host:lb-1", ["journal on lb-1"]),
        ("tag:eu", ["journal o1.service on edge-1"]),
        ("arbitrum", ["journal arb.service on node-1"]),
        ("lb:front/back/s1", ["journal o1.service on edge-1"]),
        ("lb:front/back/s2", ["journal on lb-1"]),
        ("lb:front", ["journal on lb-1"]),
        ("host:nowhere", []),
        ("lb:nothing", []),
        ("role:nonsense", []),
        ("", []),
    ],
)
def test_what_a_selector_means(word: str, logs: list[str]) -> None:
    assert [str(stream) for stream in streams_of(FLEET, word)] == logs


def test_the_journals_of_a_host_are_read_together() -> None:
    found = channels_of((*streams_of(FLEET, "all"), *streams_of(FLEET, "host:lb-1")))
    assert [len(channel.streams) for channel in found] == [1, 1, 1, 1, 1, 1]
    both = Fleet(
        "test",
        hosts=FLEET.hosts,
        nodes=MappingProxyType(
            {f"t{n}": node(f"t{n}", "gpu-1", Role.TRANSCODER) for n in range(40)}
        ),
    )
    [channel] = channels_of(streams_of(both, "all"))
    assert str(channel) == "journal t0.service on gpu-1 and 39 more"
    [choice] = choices(both, ("all",))
    assert (len(choice.streams), choice.more) == (MOST_STREAMS, 40 - MOST_STREAMS)


def test_a_row_offers_its_own_log_then_its_role_and_its_host() -> None:
    found = choices(FLEET, ("nothing", "t1", "o1"))
    assert [choice.word for choice in found] == ["t1", "role:transcoder"]
    assert choices(FLEET, ("dark", "nothing")) == ()
    [whole] = choices(FLEET, ("host:lb-1",))
    assert whole.streams[0].source == WHOLE_JOURNAL
