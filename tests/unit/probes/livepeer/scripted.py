"""A node that answers from a table and notes what it was asked, for tests without a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from lptui.clock import FrozenClock
from lptui.errors import LptuiError
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Endpoint, Fleet, Node, Role
from lptui.probes.probe import Asking
from lptui.transport.protocols import HttpAnswer

ACCOUNT = "0xAbCdEf0123456789aBcDeF0123456789AbCdEf01"
CONTROLLER = "0x00000000000000000000000000000000c0117011"

ON_CHAIN: Mapping[str, tuple[int, bytes]] = MappingProxyType(
    {
        "/status": (200, b'{"Version": "0.9.1", "RegisteredTranscoders": null}'),
        "/currentBlock": (200, (460_000_123).to_bytes(4, "big")),
        "/metrics": (404, b"404 page not found\n"),
        "/ethAddr": (200, ACCOUNT.encode()),
        "/IsOrchestrator": (200, b"true"),
        "/IsRedeemer": (200, b"false"),
        "/EthChainID": (200, b"42161"),
        "/maxGasPrice": (200, b""),
        "/minGasPrice": (200, b"0"),
        "/contractAddresses": (200, b'{"Controller": "%s"}' % CONTROLLER.encode()),
        "/rewardCaller": (404, b"404 page not found\n"),
        "/getLogLevel": (200, b"3"),
        "/currentRound": (200, b"4121"),
        "/roundInitialized": (200, b"true"),
        "/orchestratorInfo": (
            200,
            b'{"Transcoder": {"Address": "%s", "LastRewardRound": 4120}}' % ACCOUNT.encode(),
        ),
        "/signMessage": (400, b"missing form param: message\n"),
    }
)

_NO_CLIENT = (500, b"missing ETH client\n")
OFF_CHAIN: Mapping[str, tuple[int, bytes]] = MappingProxyType(
    {
        **ON_CHAIN,
        "/currentBlock": (200, b""),
        "/ethAddr": _NO_CLIENT,
        "/IsOrchestrator": (200, b"false"),
        "/EthChainID": (200, b"0"),
        "/maxGasPrice": _NO_CLIENT,
        "/minGasPrice": _NO_CLIENT,
        "/contractAddresses": _NO_CLIENT,
        "/rewardCaller": _NO_CLIENT,
        "/getLogLevel": (200, b"3"),
    }
)


@dataclass(slots=True)
class ScriptedNode:
    """Answers each path as told; a path without an answer fails with `failure`."""

    answers: Mapping[str, tuple[int, bytes]]
    failure: LptuiError | None = None
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    async def request(self, method: str, path: str, **rest: Any) -> HttpAnswer:
        self.asked.append((method, path, rest))
        if path not in self.answers:
            assert self.failure is not None, f"nobody expected {path}"
            raise self.failure
        status, body = self.answers[path]
        return HttpAnswer(status, {}, body, 0.02)


@dataclass(slots=True)
class ScriptedReach:
    """The node behind whatever endpoint is asked for."""

    node: ScriptedNode

    def http(self, endpoint: Endpoint) -> ScriptedNode:
        return self.node


def fleet(**more: Any) -> Fleet:
    """One orchestrator with a CLI address."""
    fields: dict[str, Any] = {"cli": Endpoint("http://127.0.0.1:7935", "edge-1"), **more}
    node = Node("orch-1", "edge-1", frozenset({Role.ORCHESTRATOR}), **fields)
    return Fleet("test", nodes=MappingProxyType({node.name: node}))


def asking(node: ScriptedNode, known: Mapping[Key, Any] | None = None, **more: Any) -> Asking:
    """What a probe needs, with earlier readings."""
    described = fleet(**more)
    readings = {key: Reading(value, None, "", 1.0) for key, value in (known or {}).items()}
    reach: Any = ScriptedReach(node)
    return Asking(described, reach, FrozenClock(), Snapshot(described, readings), 5.0)
