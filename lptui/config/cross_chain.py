"""What endpoints, the chain, its orchestrators and signers mean together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lptui.config.defaults import (
    DIRECT,
    GONE_NETWORKS,
    NETWORK_WORDS,
    NETWORKS,
    cli_of,
    is_on_chain,
    place_of,
    recipient_of,
    roles_of,
)
from lptui.config.load import Loc
from lptui.config.mistakes import Mistake, nearest, shown
from lptui.config.schema import ChainSpec, OrchestratorSpec, RpcSpec
from lptui.config.view import View
from lptui.fleet.topology import Role
from lptui.fleet.units import short_address

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_CAN_REWARD: Final = frozenset({Role.REWARD, Role.ORCHESTRATOR, Role.REDEEMER})


def mistakes(view: View) -> Iterator[Mistake]:
    """All mistakes around RPC endpoints, the chain and its accounts."""
    for name, rpc in view.rpcs.items():
        yield from _rpc(view, name, rpc)
    yield from _same_endpoint(view)
    if view.config.chain is not None:
        yield from _chain(view, view.config.chain)
    for name, orchestrator in view.orchestrators.items():
        yield from _orchestrator(view, name, orchestrator)
    yield from _registered_keys(view)
    yield from _same_address(view)


def _rpc(view: View, name: str, rpc: RpcSpec) -> Iterator[Mistake]:
    loc = ("rpcs", name)
    if rpc.via is not None:
        yield from view.unknown((*loc, "via"), "host", rpc.via, (DIRECT,))
    if rpc.node is not None:
        yield from view.unknown((*loc, "node"), "node", rpc.node)
        node = view.nodes.get(rpc.node)
        if node is not None and roles_of(node) and Role.RPC not in roles_of(node):
            yield view.mistake((*loc, "node"), f"node '{rpc.node}' has not the role rpc", rpc.node)
    is_socket = rpc.url.startswith("unix:")
    has_host = rpc.via is not None or rpc.node is not None or _server(view, name) is not None
    if is_socket and not has_host and not view.is_wrong(loc, "via", "node"):
        yield view.mistake(
            (*loc, "url"),
            "a unix socket is on a host: say `via: HOST`, or `via: direct` for this machine",
        )
    for key in ("key", "headers"):
        if is_socket and getattr(rpc, key):
            yield view.mistake((*loc, key), f"a unix socket takes no `{key}`", key=True)
    if rpc.key is not None and ("?" in rpc.url or "#" in rpc.url):
        yield view.mistake(
            (*loc, "key"), "`key` is put at the end of a path: give `headers` instead", key=True
        )
    for header in rpc.headers or {}:
        if not _HEADER.fullmatch(header):
            yield view.mistake(
                (*loc, "headers", header), f"'{shown(header)}' is not a header's name", key=True
            )
    chain_id = chain_id_of(view.config.chain)
    asked = (view.config.chain.rpcs or ()) if view.config.chain else ()
    if name in asked and chain_id and rpc.chain_id and rpc.chain_id != chain_id:
        yield view.mistake(
            (*loc, "chain_id"),
            f"chain {rpc.chain_id} is not that of `chain` ({chain_id}), which asks this endpoint",
            rpc.chain_id,
        )


def _server(view: View, name: str) -> str | None:
    """The node that serves an endpoint, by its own word."""
    return next(
        (
            node_name
            for node_name, node in view.nodes.items()
            if node.rpc == name and Role.RPC in roles_of(node)
        ),
        None,
    )


def _same_endpoint(view: View) -> Iterator[Mistake]:
    """An endpoint compared with itself always agrees."""
    seen: dict[tuple[str | None, str], str] = {}
    for name, rpc in view.rpcs.items():
        node = view.nodes.get(rpc.node or _server(view, name) or "")
        via = rpc.via or (node.host if node else None)
        kind = rpc.url.partition(":")[0].removesuffix("s")
        path = rpc.url.partition("://")[2].partition("/")[2].rstrip("/")
        if view.is_wrong(("rpcs", name), "via", "node", "key", "headers"):
            continue
        tenant = f"{rpc.key} {rpc.headers}"
        first = seen.setdefault((via, f"{kind} {place_of(rpc.url)} {path} {tenant}"), name)
        if first != name:
            yield view.mistake(("rpcs", name, "url"), f"the same endpoint as '{first}'")
    served: dict[str, str] = {}
    for name, node in view.nodes.items():
        if Role.RPC not in roles_of(node) or node.rpc is None:
            continue
        where = ("nodes", name, "rpc")
        endpoint = view.rpcs.get(node.rpc)
        if endpoint is not None and endpoint.node not in (None, name):
            message = f"`rpcs` says that '{node.rpc}' is served by '{endpoint.node}'"
            yield view.mistake(where, message)
        first = served.setdefault(node.rpc, name)
        if first != name:
            yield view.mistake(where, f"node '{first}' serves '{node.rpc}' already", node.rpc)


def chain_id_of(chain: ChainSpec | None) -> int | None:
    """The chain's id, a known network's included."""
    if chain is None:
        return None
    known = NETWORKS.get(chain.network)
    return chain.chain_id or (known.chain_id if known else None)


def _chain(view: View, chain: ChainSpec) -> Iterator[Mistake]:
    yield from _network(view, chain)
    for index, name in enumerate(chain.rpcs or ()):
        yield from view.unknown(("chain", "rpcs", index), "rpc", name)
        if chain.rpcs and name in chain.rpcs[:index]:
            yield view.mistake(("chain", "rpcs", index), f"'{name}' is here twice", name)
    if chain.rpcs == []:
        yield view.mistake(("chain", "rpcs"), "an empty list: the chain can only be read by RPC")
    elif chain.rpcs is None and not view.is_wrong(("chain",), "rpcs", "chain_id"):
        if not view.names["rpc"]:
            message = "`chain` without `rpcs`: the chain can only be read by RPC"
            yield view.mistake(("chain",), message, key=True)
        elif len(view.rpcs) == len(view.names["rpc"]) and not asked_rpcs(view):
            yield view.mistake(
                ("chain",), f"no endpoint of `rpcs` is on chain {chain_id_of(chain)}", key=True
            )
    if chain.explorer is not None and chain.explorer.via is not None:
        loc = ("chain", "explorer", "via")
        yield from view.unknown(loc, "host", chain.explorer.via, (DIRECT,))
    if chain.block_time is not None and not 0.01 <= chain.block_time <= 600:
        yield view.mistake(("chain", "block_time"), "`block_time` must be between 10ms and 10m")


def _network(view: View, chain: ChainSpec) -> Iterator[Mistake]:
    network = chain.network
    loc = ("chain", "network")
    known = NETWORKS.get(network)
    if network == "offchain":
        yield view.mistake(loc, "a fleet off chain has no `chain` section: leave it out", network)
    elif network in GONE_NETWORKS:
        yield view.mistake(
            loc, f"network '{network}' does not exist any more", network, "arbitrum-one-mainnet"
        )
    elif known is not None:
        if chain.chain_id not in (None, known.chain_id):
            yield view.mistake(
                ("chain", "chain_id"),
                f"chain {chain.chain_id} is not that of {network} ({known.chain_id})",
                chain.chain_id,
                str(known.chain_id),
            )
    elif chain.controller is None or chain.chain_id is None:
        lacking = [
            key
            for key in ("controller", "chain_id")
            if getattr(chain, key) is None and not view.is_wrong(("chain",), key)
        ]
        if not lacking:
            return
        message = f"unknown network '{network}'"
        needs = f"; a network of your own needs {' and '.join(f'`{key}`' for key in lacking)}"
        meant = NETWORK_WORDS.get(network.lower(), "") or nearest(network, NETWORKS)
        yield view.mistake(loc, message + needs, network, meant)


def asked_rpcs(view: View) -> tuple[str, ...]:
    """Endpoints that the chain is asked through: as written, else all of it, references last."""
    chain = view.config.chain
    if chain is None:
        return ()
    if chain.rpcs is not None:
        return tuple(dict.fromkeys(chain.rpcs))
    chain_id = chain_id_of(chain)
    of_chain = [
        (rpc.reference, name) for name, rpc in view.rpcs.items() if rpc.chain_id in (None, chain_id)
    ]
    return tuple(name for _, name in sorted(of_chain, key=lambda item: item[0]))


def _orchestrator(view: View, name: str, spec: OrchestratorSpec) -> Iterator[Mistake]:
    namesake = view.nodes.get(name)
    if namesake is not None:
        works_for = recipient_of(namesake, view.config.chain)
        if spec.address not in (works_for, namesake.account) and works_for is not None:
            yield view.mistake(
                ("nodes", name),
                f"node '{name}' works for another orchestrator than '{name}': give one of the two "
                "another name, for a command's target may be either",
                name,
                key=True,
            )
    if spec.reward_caller is None:
        return
    loc = ("chain", "orchestrators", name, "reward_caller")
    yield from view.unknown(loc, "node", spec.reward_caller)
    node = view.nodes.get(spec.reward_caller)
    if node is None or not roles_of(node):
        return
    if not roles_of(node) & _CAN_REWARD:
        yield view.mistake(
            loc,
            f"node '{spec.reward_caller}' cannot call reward: its role is another",
            spec.reward_caller,
        )
    elif cli_of(node) is None:
        yield view.mistake(
            loc,
            f"node '{spec.reward_caller}' has no `cli` to call reward through",
            spec.reward_caller,
        )


def _registered_keys(view: View) -> Iterator[Mistake]:
    """One key, one active host: two nodes with it both call reward, and use each other's nonces.

    A stand-by has the key as well, but is stopped while the other runs.
    """
    for name, spec in view.orchestrators.items():
        holders = [
            node_name
            for node_name, node in view.nodes.items()
            if node.account == spec.address and is_on_chain(node) and node.standby_for is None
        ]
        for other in holders[1:]:
            yield view.mistake(
                ("nodes", other, "account"),
                f"nodes '{holders[0]}' and '{other}' both hold the registered key of "
                f"orchestrator '{name}' ({short_address(spec.address)})",
                spec.address,
            )


def _same_address(view: View) -> Iterator[Mistake]:
    sections: tuple[tuple[Loc, list[tuple[str, str]]], ...] = (
        (("chain", "orchestrators"), [(n, s.address) for n, s in view.orchestrators.items()]),
        (("signers",), [(n, s.address) for n, s in view.signers.items()]),
    )
    for section, entries in sections:
        seen: dict[str, str] = {}
        for name, address in entries:
            first = seen.setdefault(address, name)
            if first != name:
                yield view.mistake(
                    (*section, name, "address"), f"the same account as '{first}'", address
                )
