"""What a configuration means where it says nothing: networks, ports, who a node works for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast
from urllib.parse import urlsplit

from lptui.config.schema import NO_ENDPOINT, ChainSpec, EndpointSpec, NodeSpec
from lptui.config.schema_limits import ThresholdSpec
from lptui.fleet.topology import Role, Thresholds
from lptui.fleet.units import Address

DIRECT: Final = "direct"


@dataclass(frozen=True, slots=True)
class Network:
    """A network that go-livepeer knows by name (cmd/livepeer/starter)."""

    chain_id: int
    controller: Address


NETWORKS: Final[Mapping[str, Network]] = MappingProxyType(
    {
        "arbitrum-one-mainnet": Network(
            42161, Address("0xd8e8328501e9645d16cf49539efc04f734606ee4")
        ),
        "mainnet": Network(1, Address("0xf96d54e490317c557a967abfa5d6e33006be69b3")),
    }
)
NETWORK_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("arbitrum", "arbitrum-mainnet", "arb1", "42161"), "arbitrum-one-mainnet"),
        **dict.fromkeys(("ethereum", "eth", "1"), "mainnet"),
    }
)
"""What others call the same networks."""

GONE_NETWORKS: Final = frozenset({"rinkeby", "arbitrum-one-rinkeby"})

CLI_PORTS: Final[Mapping[Role, int]] = MappingProxyType(
    {Role.ORCHESTRATOR: 7935, Role.TRANSCODER: 6935, Role.GATEWAY: 5935}
)
"""Ports of the CLI API by role. Other roles bind all interfaces when nothing is said."""

NEEDS_CLI: Final = (Role.REDEEMER, Role.REWARD, Role.ROUND_INITIALISER)
KIND_ROLES: Final = (Role.REDEEMER, Role.ORCHESTRATOR, Role.TRANSCODER, Role.GATEWAY)
"""Roles that make a process's node type; the first of them that is given wins."""

GAS_ROLES: Final = frozenset({Role.REDEEMER, Role.REWARD, Role.ROUND_INITIALISER, Role.GATEWAY})
"""Roles whose account always pays gas or tickets."""


def roles_of(node: NodeSpec) -> frozenset[Role]:
    """The roles of a node, whichever way they were written."""
    written = ([node.role] if node.role else []) + (node.roles or [])
    return frozenset(Role(word) for word in written)


def node_type(roles: frozenset[Role]) -> Role | None:
    """The role that decides what the process is (go-livepeer's own precedence)."""
    return next((role for role in KIND_ROLES if role in roles), None)


def cli_of(node: NodeSpec) -> EndpointSpec | None:
    """A node's CLI API, its role's default included."""
    if node.cli is not None:
        return None if node.cli.url == NO_ENDPOINT else node.cli
    kind = node_type(roles_of(node))
    port = CLI_PORTS.get(kind) if kind is not None else None
    return EndpointSpec.model_construct(url=f"http://127.0.0.1:{port}") if port else None


def is_on_chain(node: NodeSpec) -> bool:
    """Whether a node starts an Ethereum client: all but transcoders without an RPC endpoint."""
    roles = roles_of(node) - {Role.RPC}
    return bool(roles - {Role.TRANSCODER}) or (bool(roles) and node.rpc is not None)


def recipient_of(node: NodeSpec, chain: ChainSpec | None) -> Address | None:
    """The orchestrator that a node works for: as written, or the only one that there is."""
    if node.recipient is not None:
        return Address(node.recipient)
    known = (chain.orchestrators or {}) if chain else {}
    if node.orchestrator is not None:
        found = known.get(node.orchestrator)
        return Address(found.address) if found else None
    works_for_one = roles_of(node) & {Role.ORCHESTRATOR, Role.REDEEMER, Role.REWARD}
    if works_for_one and len(known) == 1:
        return Address(next(iter(known.values())).address)
    return None


def via_of(endpoint: EndpointSpec, owner: str | None) -> str | None:
    """The host through which an endpoint is reached; None for a direct connection."""
    if endpoint.via is None:
        return owner
    return None if endpoint.via == DIRECT else endpoint.via


def place_of(url: str) -> str:
    """What a URL connects to, so that two spellings of one address are the same."""
    if url.startswith("unix:"):
        return url
    parts = urlsplit(url)
    secure = parts.scheme in ("https", "wss")
    host = "127.0.0.1" if parts.hostname in ("localhost", "::1") else parts.hostname
    return f"{host}:{parts.port or (443 if secure else 80)}"


def unit_name(written: str) -> str:
    """A systemd unit's whole name."""
    return written if "." in written else f"{written}.service"


_STANDARD: Final = Thresholds()


def topology_name(key: str) -> str:
    """The fleet's name of a threshold: there the unit is part of the name."""
    return next(name for name in (key, f"{key}_s", f"{key}_c") if hasattr(_STANDARD, name))


def threshold(spec: ThresholdSpec, key: str) -> float:
    """A threshold as written, else its default."""
    written = getattr(spec, key)
    found = getattr(_STANDARD, topology_name(key)) if written is None else written
    return cast("float", found)
