"""What the nodes' block watchers see of the chain: what the endpoint that each uses shows them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.rpcnode import RpcProcess
from lptui.sim.world.world import World

RPC_POOL_PORT: Final = 8545
RPC_UPSTREAM: Final = "arbitrum_rpc"


def watch(world: World, _: float) -> None:
    """Lets every watcher take a look."""
    for node in world.nodes.values():
        if node.has_chain:
            block_of(world, node)


def block_of(world: World, node: LivepeerProcess) -> int:
    """The newest L2 block that a node knows of; it stays when its endpoint does not go on."""
    if node.stalled_at is not None:
        return node.stalled_at
    if node.running:
        rpc = behind(world, node.rpc_url)
        if rpc is not None and rpc.layer == 2:
            node.block = max(node.block, rpc.head(world.l2_block))
    return node.block


def behind(world: World, url: str) -> RpcProcess | None:
    """The client that serves the next request to an address; None when nobody does."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return None
    machine = world.machine_at(host)
    for nginx in world.nginxes.values():
        if machine is not None and nginx.host == machine.name and port == RPC_POOL_PORT:
            address = nginx.route(RPC_UPSTREAM, lambda one: serves(world, one) is not None)
            return serves(world, address) if address is not None else None
    return serves(world, f"{host}:{port}")


def serves(world: World, address: str) -> RpcProcess | None:
    """The client that answers at `address:port`; None when none does."""
    host, _, port = address.rpartition(":")
    machine = world.machine_at(host)
    for rpc in world.rpcs.values():
        if machine is not None and rpc.host == machine.name and str(rpc.port) == port:
            return rpc if rpc.running and machine.reach != "refused" else None
    return None
