"""Builds the default fleet: three orchestrators behind HAProxy, a redeemer that also initialises
rounds, a reward node with a stand-by, transcoder hosts, two Arbitrum RPC nodes behind nginx with
their L1 node, and a gateway (topology 3 of livepeer.md §1.4).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lptui.clock import Clock
from lptui.errors import LptuiError
from lptui.fleet.topology import Role
from lptui.sim.world import edge
from lptui.sim.world.history import INTO_ROUND, new_ledger
from lptui.sim.world.ledger import Account, Registered, demo_address
from lptui.sim.world.livepeer import LivepeerProcess, TranscoderLink
from lptui.sim.world.load import move_load
from lptui.sim.world.machine import GIB, Disk, GpuCard, Machine, SystemdUnit, stable_hex
from lptui.sim.world.rpcnode import RpcProcess
from lptui.sim.world.services import redeem_past, run_services
from lptui.sim.world.units import boot_machines, spawn
from lptui.sim.world.watch import watch
from lptui.sim.world.world import World

SERVICE_HOST: Final = "live.demo.example"
SERVICE_URI: Final = f"https://{SERVICE_HOST}:8935"
REGISTERED: Final = demo_address("aurora")
CLI_PORT: Final = 7935
TRANSCODER_CLI_PORT: Final = 6935
SESSIONS_PER_GPU: Final = 8
DAY: Final = 86_400.0
SSH_PORTS: Final = (("0.0.0.0", 22), ("[::]", 22))  # noqa: S104


@dataclass(frozen=True, slots=True)
class CardModel:
    name: str
    memory: int
    watts: float


A4000 = CardModel("NVIDIA RTX A4000", 16_376, 140.0)
L4 = CardModel("NVIDIA L4", 23_034, 72.0)
T4 = CardModel("Tesla T4", 15_360, 70.0)
P4 = CardModel("Tesla P4", 7_680, 75.0)
FARM: Final = ((1, T4), (2, A4000), (2, L4), (4, A4000), (1, P4))
"""Cards of the transcoder hosts, repeated when there are more hosts than rows."""


@dataclass(frozen=True, slots=True)
class Box:
    """One machine of the plan: name, address, region, CPUs, GiB of memory."""

    name: str
    address: str
    region: str
    cpus: int
    memory: int


BOXES: Final = (
    Box("edge-1", "10.20.1.1", "fra", 4, 8),
    Box("orch-1", "10.20.1.11", "fra", 8, 32),
    Box("orch-2", "10.20.1.12", "fra", 8, 32),
    Box("orch-3", "10.20.1.13", "ams", 8, 32),
    Box("redeem-1", "10.20.1.5", "ams", 2, 4),
    Box("vault-1", "10.20.1.6", "zrh", 2, 4),
    Box("rpc-edge", "10.20.2.10", "fra", 4, 8),
    Box("nitro-1", "10.20.2.1", "fra", 16, 128),
    Box("nitro-2", "10.20.2.2", "ams", 16, 128),
    Box("geth-1", "10.20.2.3", "fra", 16, 64),
    Box("gateway-1", "10.20.4.1", "ams", 8, 16),
)
DEFAULT_FARM_HOSTS: Final = 5
MAX_FARM_HOSTS: Final = 4000


def build_world(
    clock: Clock, *, hosts: int | None, seed: int, into_round: int = INTO_ROUND
) -> World:
    """A healthy fleet with so many hosts in all (None: the default sixteen), so many L1 blocks
    into its round.

    Raises LptuiError when `hosts` leaves no room for a transcoder.
    """
    farm_hosts = DEFAULT_FARM_HOSTS if hosts is None else hosts - len(BOXES)
    if not 1 <= farm_hosts <= MAX_FARM_HOSTS:
        raise LptuiError(
            f"A simulated fleet of {hosts} hosts",
            f"the orchestrators, balancers and keys take {len(BOXES)} hosts",
            f"Ask for {len(BOXES) + 1} to {len(BOXES) + MAX_FARM_HOSTS} hosts.",
        )
    now = clock.now()
    ledger = new_ledger(now, REGISTERED, into_round)
    rng = random.Random(f"lptui demo {seed}")
    world = World(clock, ledger, seed=seed, rng=rng, now=now)
    for box in BOXES:
        _add_machine(world, box)
    _add_accounts(world)
    _add_signing_nodes(world)
    _add_rpcs(world)
    _add_orchestrators(world)
    _add_farm(world, farm_hosts)
    edge.add_haproxy(world, SERVICE_HOST)
    edge.add_nginx(world)
    for node in world.nodes.values():
        _install(world, node)
    world.sources.extend((boot_machines, watch, run_services, move_load))
    for node in world.nodes.values():
        node.round_seen = ledger.round_at(world.l2_block)
    redeem_past(world)
    _settle(world)
    return world


def _settle(world: World) -> None:
    """Lets the load reach its ordinary level before anybody looks."""
    for _ in range(90):
        move_load(world, 2.0)
    for node in world.nodes.values():
        node.work.grow(2_400)


def _add_machine(world: World, box: Box) -> Machine:
    rng = random.Random(f"{world.seed} {box.name}")
    boot = world.now - rng.uniform(20, 90) * DAY
    machine = Machine(
        box.name, box.address, box.region, box.cpus, box.memory * GIB, boot, load=0.08
    )
    machine.memory_base = rng.uniform(0.18, 0.3)
    machine.next_pid = rng.randrange(500, 3_000)
    machine.total_ticks = (world.now - boot) * 100 * box.cpus
    machine.busy_ticks = machine.total_ticks * rng.uniform(0.1, 0.3)
    machine.clock_offset = rng.uniform(-0.004, 0.004)
    root = 80 * GIB
    machine.disks.append(
        Disk("/", "/dev/nvme0n1p2", "ext4", root, int(root * rng.uniform(0.2, 0.45)))
    )
    machine.disks.append(Disk("/boot", "/dev/nvme0n1p1", "ext4", GIB, int(GIB * 0.2)))
    machine.files.add(
        "/etc/os-release",
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nID=debian\n'
        'VERSION_ID="12"\n',
    )
    add_unit(world, machine, "ssh.service", ("/usr/sbin/sshd",), "root", SSH_PORTS)
    add_unit(world, machine, "chrony.service", ("/usr/sbin/chronyd",), "root")
    world.machines[box.name] = machine
    return machine


def add_unit(
    world: World,
    machine: Machine,
    name: str,
    argv: tuple[str, ...],
    user: str,
    listens: tuple[tuple[str, int], ...] = (),
    files: int = 60,
) -> SystemdUnit:
    """A running unit with its process."""
    since = max(machine.boot_time + 12.0, world.now - (3 + world.rng.random() * 12) * DAY)
    unit = SystemdUnit(name, _description(name), argv, user, listens, files, since=since)
    spawn(machine, unit, since)
    machine.units[name] = unit
    return unit


def _add_resting_unit(machine: Machine, name: str, user: str) -> SystemdUnit:
    """One that has not run since its host's boot, and does not start with it."""
    unit = SystemdUnit(name, _description(name), user=user, enabled="disabled", starts=0)
    unit.active, unit.sub = "inactive", "dead"
    machine.units[name] = unit
    return unit


def _description(unit: str) -> str:
    return f"{unit.removesuffix('.service')} daemon"


def _install(world: World, node: LivepeerProcess) -> None:
    """Puts a node's unit onto its machine, running unless it stands by."""
    machine = world.machines[node.host]
    if node.standby_for:
        unit = _add_resting_unit(machine, node.unit, "livepeer")
        unit.command = node.argv()
        node.running = False
    else:
        files = 120 if node.links else 64
        unit = add_unit(world, machine, node.unit, node.argv(), "livepeer", node.listens, files)
        node.started = unit.since
    unit.folder = "/etc/systemd/system"
    if node.database:
        machine.files.add(node.database, "", machine.boot_time, is_private=True)
    if node.environment_file:
        machine.files.add(
            node.environment_file, node.settings(), machine.boot_time, is_private=True
        )


def _add_accounts(world: World) -> None:
    finney = 10**15
    for name, balance, nonce in (
        ("aurora", 420 * finney, 4_391),
        ("redeem-1", 312 * finney, 18_204),
        ("rounds", 118 * finney, 2_077),
        ("gateway-1", 205 * finney, 611),
        ("orch-1", 0, 0),
        ("orch-2", 0, 0),
        ("orch-3", 0, 0),
    ):
        account = demo_address(name)
        world.ledger.accounts[account] = Account(account, balance, nonce)
    world.ledger.deposits[demo_address("gateway-1")] = (750 * finney, 310 * finney)


def _node(name: str, host: str, unit: str, roles: Iterable[Role], port: int) -> LivepeerProcess:
    return LivepeerProcess(name, host, frozenset(roles), unit, port)


def _add_signing_nodes(world: World) -> None:
    redeemer = _node("redeemer", "redeem-1", "livepeer-redeemer.service", {Role.REDEEMER}, 11935)
    redeemer.account, redeemer.recipient = demo_address("redeem-1"), REGISTERED
    redeemer.public_port = 8945
    starter = _node(
        "initialiser", "redeem-1", "livepeer-rounds.service", {Role.ROUND_INITIALISER}, 10936
    )
    starter.account = demo_address("rounds")
    reward = _node("reward", "vault-1", "livepeer-reward.service", {Role.REWARD}, 10935)
    standby = _node("reward-standby", "redeem-1", "livepeer-reward.service", {Role.REWARD}, 10935)
    standby.standby_for = reward.name
    for node in (reward, standby):
        node.account, node.recipient = REGISTERED, REGISTERED
        node.reward_service = True
        node.max_gas_price = 2_000_000_000
    gateway = _node("gateway", "gateway-1", "livepeer-gateway.service", {Role.GATEWAY}, 5935)
    gateway.account = demo_address("gateway-1")
    gateway.public_port = 9935
    for node in (redeemer, gateway):
        node.environment_file = f"/etc/livepeer/{node.name}.env"
    for node in (redeemer, starter, reward, standby, gateway):
        node.rpc = "rpc-pool"
        world.nodes[node.name] = node


def _add_rpcs(world: World) -> None:
    for name, lag in (("nitro-1", 0), ("nitro-2", 1)):
        _add_rpc(world, RpcProcess(name, name, "nitro.service", 8547, NITRO, lag=lag))
    geth = RpcProcess("geth-1", "geth-1", "geth.service", 8545, GETH, layer=1, chain_id=1)
    geth.peers = 52
    geth.ipc = "/var/lib/geth/geth.ipc"
    _add_rpc(world, geth)
    world.rpcs["public"] = RpcProcess("public", "", "", 0, NITRO, lag=0)


NITRO: Final = "nitro/v3.6.5-89cef87/linux-amd64/go1.23.6"
GETH: Final = "Geth/v1.16.2-stable-dfde3f0c/linux-amd64/go1.24.4"


def _add_rpc(world: World, rpc: RpcProcess) -> None:
    machine = world.machines[rpc.host]
    program = f"/usr/local/bin/{rpc.unit.removesuffix('.service')}"
    listens = (("127.0.0.1" if rpc.layer == 1 else "*", rpc.port),)
    unit = add_unit(world, machine, rpc.unit, (program,), "ethereum", listens)
    unit.folder, unit.memory = "/etc/systemd/system", 38 * GIB
    machine.disks.append(Disk("/data", "/dev/nvme1n1", "xfs", 3_840 * GIB, int(3_840 * GIB * 0.61)))
    machine.load, machine.memory_base = 0.3, 0.55
    if rpc.ipc:
        machine.unix_sockets[rpc.ipc] = rpc.name
    world.rpcs[rpc.name] = rpc


def _add_orchestrators(world: World) -> None:
    for number in (1, 2, 3):
        name = f"orch-{number}"
        node = _node(name, name, "livepeer-orchestrator.service", {Role.ORCHESTRATOR}, CLI_PORT)
        node.account, node.recipient = demo_address(name), REGISTERED
        node.public_port, node.service_uri, node.rpc = 8935, SERVICE_URI, "rpc-pool"
        node.environment_file = f"/etc/livepeer/{name}.env"
        world.nodes[name] = node


def _add_farm(world: World, count: int) -> None:
    """Transcoder hosts; the first one each for orch-1, then two, one, one as in FARM.

    Those that every fleet has are the ones that can be moved.
    """
    owners = ("orch-1", "orch-1", "orch-2", "orch-3", "orch-2")
    for index in range(count):
        cards, model = FARM[index % len(FARM)]
        name = f"gpu-{index + 1}"
        address = f"10.20.{10 + index // 250}.{index % 250 + 1}"
        machine = _add_machine(world, Box(name, address, ("fra", "ams", "hel")[index % 3], 16, 64))
        machine.driver = "550.163.01"
        machine.groups = ("lptui", "video", "systemd-journal")
        machine.gpus.extend(
            GpuCard(slot, _uuid(f"{name}/{slot}"), model.name, model.memory, model.watts)
            for slot in range(cards)
        )
        node = _node(
            f"transcoder-{index + 1}",
            name,
            "livepeer-transcoder.service",
            {Role.TRANSCODER},
            TRANSCODER_CLI_PORT,
        )
        node.capacity = cards * SESSIONS_PER_GPU
        node.tx_routes = False
        owner = world.nodes[owners[index % len(owners)]]
        node.orchestrator = f"{owner.host}:{owner.public_port}"
        node.home = owner.name
        if index < DEFAULT_FARM_HOSTS:
            node.environment_file = "/etc/livepeer/transcoder.env"
        world.nodes[node.name] = node
        port = 40_000 + world.rng.randrange(20_000)
        link = TranscoderLink(node.name, address, port, node.capacity, since=world.now)
        owner.links.append(link)
        owner.capacity += node.capacity


def _uuid(text: str) -> str:
    digits = stable_hex(text)
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32])
    return "GPU-" + "-".join(parts)


def registered(world: World) -> Registered:
    """The record of the fleet's registered orchestrator."""
    return world.ledger.registered[REGISTERED]
