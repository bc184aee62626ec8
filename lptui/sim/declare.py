"""The simulated fleet as an operator would have declared it in a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from lptui.fleet.backups import Backup
from lptui.fleet.declared import DeclaredCommand
from lptui.fleet.safety import Safety
from lptui.fleet.topology import (
    Balancer,
    BalancerKind,
    Chain,
    Endpoint,
    Fleet,
    Host,
    Intervals,
    Node,
    Orchestrator,
    Role,
    Rpc,
    Service,
    Signer,
    Ssh,
    SupervisorKind,
    Thresholds,
)
from lptui.fleet.units import Percent
from lptui.sim.world.build import REGISTERED, SERVICE_URI
from lptui.sim.world.edge import HAPROXY_SOCKET, NGINX_STATUS_PORT
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.nginx import MAIN
from lptui.sim.world.watch import RPC_POOL_PORT
from lptui.sim.world.world import World

DIRECT_RPC: Final = "public"
"""The reference endpoint, asked over HTTP without SSH."""

THRESHOLDS: Final = Thresholds(
    reward_grace_s=90.0,
    reward_warn_left=Percent(50.0),
    reward_critical_blocks=300,
    round_init_grace_s=45.0,
    pending_nonce_s=0.0,
)
"""The usual limits, but for rounds of ten minutes instead of twenty-one hours."""

INTERVALS: Final = Intervals(
    fast=2.0,
    units=4.0,
    gpu=2.0,
    slow=20.0,
    node=2.0,
    metrics=4.0,
    identity=30.0,
    chain=2.0,
    events=15.0,
    rpc=2.0,
    balancer=2.0,
    timeout=6.0,
)
"""Livelier than the usual ones, which larger fleets keep."""
LIVELY_HOSTS: Final = 40


COMMANDS: Final = (
    DeclaredCommand(
        "uptime", ("uptime",), ("host",), "read", "since when a host runs, and how busy it is"
    ),
    DeclaredCommand(
        "maintenance",
        ("touch", "/run/maintenance"),
        ("host",),
        "write",
        "tells a host's own alarms that it is worked on",
        check=("test", "-e", "/run/maintenance"),
        undo=("rm", "-f", "/run/maintenance"),
        as_root=True,
    ),
)
"""What an operator might have declared."""


@dataclass(frozen=True, slots=True)
class Access:
    """How the console gets in: ports by host name, key files, the direct RPC's port."""

    ports: Mapping[str, int]
    identity: str
    known_hosts: str
    rpc_port: int


def _backups(world: World, host: str) -> tuple[Backup, ...]:
    """The registered key's, which nobody can do without."""
    keys = Backup("keys", "/srv/backup/keystore-*.tar.gz", min_size=1000)
    return (keys,) if host == world.nodes["reward"].host else ()


def declare(world: World) -> Fleet:
    """The fleet of a healthy world; nobody can reach it before `reachable`."""
    hosts = {
        name: Host(
            name,
            Ssh(name),
            tags=frozenset({machine.region}),
            region=machine.region,
            mounts=tuple(disk.path for disk in machine.disks if disk.path == "/data"),
            gpus=len(machine.gpus) or None,
            backups=_backups(world, name),
            safety=Safety(keys_only=True, encrypted=True, security_updates=1),
        )
        for name, machine in world.machines.items()
    }
    nodes = {node.name: _node(world, node) for node in world.nodes.values()}
    nodes |= _rpc_nodes(world)
    return Fleet(
        "demo",
        hosts=MappingProxyType(hosts),
        nodes=MappingProxyType(nodes),
        rpcs=MappingProxyType(_rpcs()),
        balancers=MappingProxyType(_balancers()),
        signers=_signers(world),
        chain=Chain(
            "arbitrum-one-mainnet",
            42161,
            world.ledger.contracts.controller,
            ("nitro-1", "nitro-2", DIRECT_RPC),
            (Orchestrator("aurora", REGISTERED, SERVICE_URI, "reward"),),
            block_seconds=world.ledger.timeline.l1_seconds,
            reward_retry=world.reward_retry,
        ),
        thresholds=THRESHOLDS,
        commands=MappingProxyType({command.name: command for command in COMMANDS}),
        intervals=INTERVALS if len(world.machines) <= LIVELY_HOSTS else Intervals(),
        demo=True,
        public_addresses=False,  # its names are known nowhere
    )


def reachable(fleet: Fleet, access: Access) -> Fleet:
    """The same fleet with the addresses and keys of a run."""
    hosts = {name: replace(host, ssh=_ssh(name, access)) for name, host in fleet.hosts.items()}
    rpcs = dict(fleet.rpcs)
    url = f"http://127.0.0.1:{access.rpc_port}"
    rpcs[DIRECT_RPC] = replace(rpcs[DIRECT_RPC], url=url)
    return replace(
        fleet,
        hosts=MappingProxyType(hosts),
        rpcs=MappingProxyType(rpcs),
        known_hosts=access.known_hosts,
    )


def _ssh(name: str, access: Access) -> Ssh:
    return Ssh(
        alias=name,
        address="127.0.0.1",
        port=access.ports[name],
        user="lptui",
        identities=(access.identity,),
        known_hosts=access.known_hosts,
        config_files=(),
    )


def _node(world: World, node: LivepeerProcess) -> Node:
    is_orchestrator = Role.ORCHESTRATOR in node.roles
    endpoint = Endpoint(f"http://127.0.0.1:{node.cli_port}", node.host)
    return Node(
        node.name,
        node.host,
        node.roles,
        service=Service(SupervisorKind.SYSTEMD, node.unit),
        cli=endpoint,
        metrics=endpoint,
        account=node.account,
        recipient=node.recipient,
        service_uri=node.service_uri or None,
        rpc=node.rpc or None,
        transcoders=len(node.links) if is_orchestrator else None,
        tags=frozenset({world.machines[node.host].region}),
        standby_for=node.standby_for or None,
        environment_file=node.environment_file or None,
        keystore_check=bool(node.data_dir),
    )


def _rpc_nodes(world: World) -> dict[str, Node]:
    return {
        rpc.name: Node(
            rpc.name,
            rpc.host,
            frozenset({Role.RPC}),
            service=Service(SupervisorKind.SYSTEMD, rpc.unit),
            rpc=rpc.name,
            tags=frozenset({world.machines[rpc.host].region}),
        )
        for rpc in world.rpcs.values()
        if rpc.host
    }


def _rpcs() -> dict[str, Rpc]:
    listed = (
        Rpc("nitro-1", "http://127.0.0.1:8547", "nitro-1", "nitro-1", chain_id=42161),
        Rpc("nitro-2", "http://127.0.0.1:8547", "nitro-2", "nitro-2", chain_id=42161),
        Rpc("rpc-pool", f"http://127.0.0.1:{RPC_POOL_PORT}", "rpc-edge", chain_id=42161),
        Rpc("geth-1", "http://127.0.0.1:8545", "geth-1", "geth-1", chain_id=1),
        Rpc(DIRECT_RPC, "http://127.0.0.1", None, reference=True, chain_id=42161),
    )
    return {rpc.name: rpc for rpc in listed}


def _balancers() -> dict[str, Balancer]:
    edge = Balancer(
        "edge",
        BalancerKind.HAPROXY,
        "edge-1",
        socket=HAPROXY_SOCKET,
        public_uri=SERVICE_URI,
        servers=MappingProxyType({f"orch-{n}": f"orch-{n}" for n in (1, 2, 3)}),
        backends=("orchestrators",),
    )
    rpc = Balancer(
        "rpc-edge",
        BalancerKind.NGINX,
        "rpc-edge",
        config_path=MAIN,
        stub_status=Endpoint(f"http://127.0.0.1:{NGINX_STATUS_PORT}/nginx_status", "rpc-edge"),
        servers=MappingProxyType({"10.20.2.1:8547": "nitro-1", "10.20.2.2:8547": "nitro-2"}),
    )
    return {edge.name: edge, rpc.name: rpc}


def _signers(world: World) -> tuple[Signer, ...]:
    caller = world.signer("reward")
    hot = () if caller == REGISTERED else (Signer("reward", caller, "reward"),)
    return (
        Signer("aurora", REGISTERED, "orchestrator"),
        *hot,
        Signer("redeemer", world.signer("redeemer"), "redeemer"),
        Signer("initialiser", world.signer("initialiser"), "round-initialiser"),
        Signer("gateway", world.signer("gateway"), "gateway"),
    )
