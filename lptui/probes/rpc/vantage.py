"""Each endpoint as the hosts of its users see it: asked through their SSH connections.

What works from here may be out of a node's reach: another network, a firewall, a provider's limit
for its address. One small request a host, at a slow pace.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from lptui.fleet.facts.rpc import RpcVantage
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, Rpc
from lptui.fleet.units import L2Block
from lptui.probes.probe import Answer, Asking
from lptui.probes.rpc.values import block_number, given, quantity
from lptui.transport.protocols import Call

FLAG: Final = "ethUrl"
_SCHEMES: Final = ("http", "https", "ws", "wss")


@dataclass(frozen=True, slots=True)
class RpcVantageProbe:
    """One reading for each endpoint and each host that uses it from elsewhere than lptui does."""

    name: str = "rpc-vantage"
    needs: tuple[str, ...] = ("host-processes", "host-units")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(dict.fromkeys(f"{node.rpc}/{node.host}" for node in _users(fleet)))

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        name, _, host = target.partition("/")
        return f"json-rpc {name} from {host}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(RpcVantage, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        name, _, host = target.partition("/")
        rpc = asking.fleet.rpcs[name]
        nodes = [n for n in _users(asking.fleet) if (n.rpc, n.host) == (name, host)]
        names = tuple(node.name for node in nodes)
        url = address_from(asking.latest, rpc, nodes)
        if not url:
            return [Answer(Key(RpcVantage, target), RpcVantage(name, host, names))]
        started = asking.clock.monotonic()
        results: list[Any] = await asking.reach.rpc_from(name, host, url).batch(
            [Call("eth_chainId"), Call("eth_blockNumber")], asking.deadline_s
        )
        took = asking.clock.monotonic() - started
        seen = RpcVantage(
            name,
            host,
            names,
            bare(url),
            quantity(given(results[0]), "eth_chainId", 2**63),
            L2Block(block_number(given(results[1]), "eth_blockNumber")),
            took,
        )
        return [Answer(Key(RpcVantage, target), seen)]


def _users(fleet: Fleet) -> list[Node]:
    """Nodes that use an endpoint over another way than lptui does."""
    nodes = [n for n in fleet.nodes.values() if n.is_livepeer and n.standby_for is None]
    used = [(node, fleet.rpcs.get(node.rpc or "")) for node in nodes]
    return [node for node, rpc in used if rpc is not None and rpc.via != node.host]


def address_from(snapshot: Snapshot, rpc: Rpc, nodes: Sequence[Node]) -> str:
    """Where an endpoint is as seen from the host of these nodes; "" when that is not known.

    What a node's own process says counts first. Of an address that may hold a key only scheme,
    host and port are kept of it; then the configured path is the same.
    """
    if urlsplit(rpc.url).scheme not in _SCHEMES:
        return ""
    for node in nodes:
        process = process_of(snapshot, node)
        told = bare(process.flag(FLAG) or "") if process is not None else ""
        if not told:
            continue
        if told == bare(rpc.url) and not _is_loopback(rpc.url):
            return rpc.url
        if not urlsplit(rpc.url).path.strip("/") and rpc.key is None and not rpc.headers:
            return told
    return "" if _is_loopback(rpc.url) else rpc.url


def bare(url: str) -> str:
    """Scheme, host and port of a URL; "" for what is none of JSON-RPC's."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in _SCHEMES or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
