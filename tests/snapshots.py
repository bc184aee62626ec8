"""Snapshots built by hand: a healthy reference fleet, and the means to break one thing in it.

    fleet = FleetBuilder()
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(4120))
    fleet.lose_host("edge-1")
    snapshot = fleet.snapshot()

The reference fleet: orchestrators `orch-N` on `edge-N` behind the balancers `front` (HAProxy on
`lb-1`) and `ws` (nginx on `lb-1`); transcoders `trans-N` with two GPUs on `gpu-N`; `redeemer`,
`reward` and the RPC node `nitro-1` on `core-1`; the endpoints `nitro` and `reference`; one
registered orchestrator `main`, whose key the node `reward` holds. Everything is well and was
read a second ago; half of round 4121 has gone by and its reward has been called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from lptui.errors import Problem, ProblemKind
from lptui.fleet.alike import TOLD
from lptui.fleet.duty import with_rest
from lptui.fleet.facts.activity import DiskActivity, HostActivity, HostPrograms, TcpSockets
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health, Proxy, Server
from lptui.fleet.facts.chain import (
    ChainRound,
    Contracts,
    GasPrices,
    OrchestratorRecord,
    RewardEvent,
    RewardHistory,
    RoundOutcome,
    SignerAccount,
)
from lptui.fleet.facts.connections import Connection, HostConnections
from lptui.fleet.facts.gpu import Gpu, HostGpus
from lptui.fleet.facts.host import (
    HostClock,
    HostDisks,
    HostListeners,
    HostProcesses,
    HostSystem,
    HostUnits,
    HostVitals,
    Listener,
    LivepeerProcess,
    Mount,
    Unit,
    UnitLoad,
)
from lptui.fleet.facts.keystore import HostKeystores, KeyAtStart, Keystore, NodeKeystore, TriedKey
from lptui.fleet.facts.links import Attempt, ClosedPorts, Place, PublicAddresses, RedeemerLink
from lptui.fleet.facts.livepeer import (
    ConnectedTranscoder,
    NodeBlock,
    NodeIdentity,
    NodeMetrics,
    NodeStatus,
)
from lptui.fleet.facts.logs import HostLogs, LogErrors
from lptui.fleet.facts.reward import L1Pace, NodeReward, RewardWatch
from lptui.fleet.facts.rpc import (
    RpcAbilities,
    RpcHead,
    RpcUsage,
    RpcVantage,
    RpcWay,
    SentTransactions,
)
from lptui.fleet.facts.safety import HostSafety, PendingUpdates, SshLogins, Volume
from lptui.fleet.facts.stake import PoolMember, StakeHistory, TranscoderPool
from lptui.fleet.facts.tickets import (
    RedeemedInRound,
    Redemption,
    Redemptions,
    TicketQueue,
    TicketsOfRound,
)
from lptui.fleet.facts.upkeep import HostGrowth, HostUnitTexts, MountGrowth, UnitText
from lptui.fleet.growth import SPAN_S, with_trend
from lptui.fleet.reading import Key, Reading
from lptui.fleet.safety import NO_SAFETY, Safety
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import (
    Balancer,
    BalancerKind,
    Chain,
    Endpoint,
    Fleet,
    Host,
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
from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Percent, Round, Wei

NOW = 1_800_000_000.0
"""When every snapshot of a builder is taken, unless it is told otherwise."""

NETWORK = "arbitrum-one-mainnet"
CHAIN_ID = 42161
ROUND = Round(4121)
ROUND_LENGTH = 6377
HEAD = L2Block(300_000_000)
SERVICE_URI = "https://stream.example.org:8935"
REWARD_TX = "0x" + "7e" * 32

REGISTERED = Address("0x" + "aa" * 20)
REDEEMER = Address("0x" + "bb" * 20)
DELEGATE = Address("0x" + "dd" * 20)

LOST = Problem(
    ProblemKind.UNREACHABLE, "SSH to the host", "no route to host", "check the machine's network"
)

_INTERVALS: Mapping[type, float] = {
    HostVitals: 2.0,
    HostUnits: 10.0,
    HostGpus: 5.0,
    NodeStatus: 5.0,
    NodeBlock: 5.0,
    NodeMetrics: 15.0,
    NodeIdentity: 300.0,
    ChainRound: 6.0,
    OrchestratorRecord: 6.0,
    SignerAccount: 6.0,
    GasPrices: 6.0,
    RewardHistory: 60.0,
    NodeReward: 60.0,
    RewardWatch: 60.0,
    L1Pace: 60.0,
    RpcHead: 4.0,
    RpcUsage: 4.0,
    SentTransactions: 4.0,
    BalancerState: 3.0,
}
_SLOW = 60.0

ROLE_FLAGS = {
    Role.ORCHESTRATOR: "orchestrator",
    Role.TRANSCODER: "transcoder",
    Role.REDEEMER: "redeemer",
    Role.GATEWAY: "gateway",
    Role.REWARD: "reward",
    Role.ROUND_INITIALISER: "initializeRound",
}
"""The arguments that make a process what it is."""


SAFETY = Safety((443,), (7935,), "192.0.2.77", True, True, 1)
"""What is stated of `lb-1`."""


def account(number: int) -> Address:
    """The account of the orchestrator node of that number: its own, not registered."""
    return Address(f"0x{number:040x}")


class FleetBuilder:
    """A healthy fleet and its readings; break something, then take a `snapshot`."""

    def __init__(self, *, orchestrators: int = 2, transcoders: int = 2) -> None:
        self.fleet = reference_fleet(orchestrators, transcoders)
        self.readings: dict[Key, Reading[object]] = {}
        self.now = NOW
        _read_all(self)

    def put(
        self, value: Any, target: str, *, age: float = 1.0, interval: float | None = None
    ) -> FleetBuilder:
        """Enters a value as its own topic, read `age` seconds ago."""
        topic = type(value)
        pace = _INTERVALS.get(topic, _SLOW) if interval is None else interval
        source = f"{topic.__name__} of {target}"
        self.readings[Key(topic, target)] = Reading(
            value, None, source, self.now - age, took_s=0.05, interval_s=pace
        )
        return self

    def value(self, topic: type, target: str) -> Any:
        """The value that is entered for a topic and a target."""
        return self.readings[Key(topic, target)].value

    def change(self, topic: type, target: str, **changes: Any) -> FleetBuilder:
        """Changes fields of a value; its time and source stay."""
        key = Key(topic, target)
        old = self.readings[key]
        fact: Any = old.value
        self.readings[key] = replace(old, value=replace(fact, **changes))
        return self

    def fail(
        self,
        topic: type,
        target: str,
        kind: ProblemKind = ProblemKind.TIMEOUT,
        why: str = "no answer in 8 s",
    ) -> FleetBuilder:
        """The latest attempt at a reading failed; the value before is its `last_good`."""
        key = Key(topic, target)
        old = self.readings[key]
        self.readings[key] = replace(
            old,
            value=None,
            problem=Problem(kind, old.source, why, "look at it"),
            taken_at=self.now - 1.0,
            last_good=replace(old, taken_at=self.now - 30.0) if old.problem is None else None,
        )
        return self

    def age(self, topic: type, target: str, seconds: float) -> FleetBuilder:
        """The reading is so many seconds old."""
        key = Key(topic, target)
        self.readings[key] = replace(self.readings[key], taken_at=self.now - seconds)
        return self

    def drop(self, topic: type, target: str) -> FleetBuilder:
        """The reading was never taken."""
        del self.readings[Key(topic, target)]
        return self

    def lose_host(self, name: str) -> FleetBuilder:
        """A host cannot be reached any more: everything that is read through it fails."""
        for key in list(self.readings):
            if self.fleet_host(key) == name:
                self.fail(key.topic, key.target)
                self.readings[key] = replace(self.readings[key], problem=LOST)
        return self

    def fleet_host(self, key: Key) -> str | None:
        """The host through which a reading is taken; None for a direct one."""
        fleet = self.fleet
        if key.topic.__name__.startswith("Host"):
            return key.target
        if key.topic.__name__.startswith("Node"):
            cli = fleet.nodes[key.target].cli
            return cli.via if cli else fleet.nodes[key.target].host
        if key.topic in (PublicAddresses, ClosedPorts):
            return None
        if key.topic in (RedeemerLink, TicketQueue, KeyAtStart):
            return fleet.nodes[key.target].host
        if key.topic is RpcHead:
            return fleet.rpcs[key.target].via
        if key.topic is RpcVantage:
            return key.target.rpartition("/")[2]
        if key.topic in (RpcUsage, SentTransactions):
            return None
        if key.topic is BalancerState:
            return fleet.balancers[key.target].host
        if fleet.chain is not None:
            return fleet.rpcs[fleet.chain.rpcs[0]].via
        return None

    def configure(self, **changes: Any) -> FleetBuilder:
        """Changes fields of the fleet."""
        self.fleet = replace(self.fleet, **changes)
        return self

    def configure_host(self, name: str, **changes: Any) -> FleetBuilder:
        hosts = {**self.fleet.hosts, name: replace(self.fleet.hosts[name], **changes)}
        return self.configure(hosts=MappingProxyType(hosts))

    def configure_node(self, name: str, **changes: Any) -> FleetBuilder:
        nodes = {**self.fleet.nodes, name: replace(self.fleet.nodes[name], **changes)}
        return self.configure(nodes=MappingProxyType(nodes))

    def configure_rpc(self, name: str, **changes: Any) -> FleetBuilder:
        rpcs = {**self.fleet.rpcs, name: replace(self.fleet.rpcs[name], **changes)}
        return self.configure(rpcs=MappingProxyType(rpcs))

    def configure_balancer(self, name: str, **changes: Any) -> FleetBuilder:
        balancers = {**self.fleet.balancers, name: replace(self.fleet.balancers[name], **changes)}
        return self.configure(balancers=MappingProxyType(balancers))

    def configure_chain(self, **changes: Any) -> FleetBuilder:
        assert self.fleet.chain is not None
        return self.configure(chain=replace(self.fleet.chain, **changes))

    def limit(self, **changes: Any) -> FleetBuilder:
        """Changes thresholds."""
        return self.configure(thresholds=replace(self.fleet.thresholds, **changes))

    def change_unit(self, host: str, unit: str, **changes: Any) -> FleetBuilder:
        """Changes one unit of a host's."""
        units = self.value(HostUnits, host).units
        changed = tuple(replace(u, **changes) if u.name == unit else u for u in units)
        return self.change(HostUnits, host, units=changed)

    def change_gpu(self, host: str, index: int, **changes: Any) -> FleetBuilder:
        """Changes one card of a host's."""
        gpus = self.value(HostGpus, host).gpus
        changed = tuple(replace(g, **changes) if g.index == index else g for g in gpus)
        return self.change(HostGpus, host, gpus=changed)

    def change_server(self, balancer: str, server: str, **changes: Any) -> FleetBuilder:
        """Changes one server of a balancer's, in every backend that has it."""
        servers = self.value(BalancerState, balancer).servers
        changed = tuple(replace(s, **changes) if s.name == server else s for s in servers)
        return self.change(BalancerState, balancer, servers=changed)

    def snapshot(self, *, after: float = 0.0) -> Snapshot:
        """What is known `after` so many more seconds in which nothing was read."""
        known = Snapshot(
            fleet=self.fleet,
            readings=MappingProxyType(dict(self.readings)),
            taken_at=self.now + after,
            number=7,
            complete=True,
        )
        return with_rest(known, known)

    def empty(self) -> Snapshot:
        """The same fleet before anything was read."""
        return Snapshot(fleet=self.fleet, taken_at=self.now)


def reference_fleet(orchestrators: int, transcoders: int) -> Fleet:
    """The fleet that the module's docstring describes."""
    hosts = [_host("lb-1"), _host("core-1")]
    nodes = [_redeemer(), _reward(), _rpc_node()]
    for number in range(1, orchestrators + 1):
        hosts.append(_host(f"edge-{number}"))
        nodes.append(_orchestrator(number, transcoders))
    for number in range(1, transcoders + 1):
        hosts.append(_host(f"gpu-{number}", gpus=2, nvenc_sessions=16))
        nodes.append(_transcoder(number))
    rpcs = (
        Rpc("nitro", "http://127.0.0.1:8547", "core-1", node="nitro-1", chain_id=CHAIN_ID),
        Rpc("reference", "https://rpc.example.net", None, reference=True, chain_id=CHAIN_ID),
    )
    servers = {f"o{number}": f"orch-{number}" for number in range(1, orchestrators + 1)}
    return Fleet(
        name="example",
        hosts=MappingProxyType({host.name: host for host in hosts}),
        nodes=MappingProxyType({node.name: node for node in nodes}),
        rpcs=MappingProxyType({rpc.name: rpc for rpc in rpcs}),
        balancers=MappingProxyType(
            {
                "front": Balancer(
                    "front",
                    BalancerKind.HAPROXY,
                    "lb-1",
                    socket="/run/haproxy/admin.sock",
                    public_uri=SERVICE_URI,
                    servers=MappingProxyType(servers),
                    backends=("orchestrators",),
                ),
                "ws": Balancer(
                    "ws", BalancerKind.NGINX, "lb-1", config_path="/etc/nginx/nginx.conf"
                ),
            }
        ),
        signers=(
            Signer("registered", REGISTERED, "reward"),
            Signer("redeemer", REDEEMER, "redeemer"),
        ),
        chain=Chain(
            NETWORK,
            CHAIN_ID,
            Address("0x" + "c0" * 20),
            ("nitro", "reference"),
            (Orchestrator("main", REGISTERED, SERVICE_URI, reward_caller="reward"),),
        ),
        thresholds=Thresholds(),
    )


def _host(name: str, gpus: int | None = None, nvenc_sessions: int | None = None) -> Host:
    return Host(
        name,
        Ssh(name, address=f"{name}.example.org", user="ops"),
        tags=frozenset({"production"}),
        mounts=("/data",),
        gpus=gpus,
        nvenc_sessions=nvenc_sessions,
        safety=SAFETY if name == "lb-1" else NO_SAFETY,
    )


def _service(name: str) -> Service:
    return Service(SupervisorKind.SYSTEMD, f"{name}.service")


def _orchestrator(number: int, transcoders: int) -> Node:
    host = f"edge-{number}"
    return Node(
        f"orch-{number}",
        host,
        frozenset({Role.ORCHESTRATOR}),
        service=_service("livepeer-orchestrator"),
        cli=Endpoint("http://127.0.0.1:7935", host),
        account=account(number),
        recipient=REGISTERED,
        service_uri=SERVICE_URI,
        rpc="nitro",
        transcoders=transcoders,
    )


def _transcoder(number: int) -> Node:
    host = f"gpu-{number}"
    return Node(
        f"trans-{number}",
        host,
        frozenset({Role.TRANSCODER}),
        service=_service("livepeer-transcoder"),
        cli=Endpoint("http://127.0.0.1:6935", host),
    )


def _redeemer() -> Node:
    return Node(
        "redeemer",
        "core-1",
        frozenset({Role.REDEEMER}),
        service=_service("livepeer-redeemer"),
        cli=Endpoint("http://127.0.0.1:7936", "core-1"),
        account=REDEEMER,
        recipient=REGISTERED,
        rpc="nitro",
    )


def _reward() -> Node:
    return Node(
        "reward",
        "core-1",
        frozenset({Role.REWARD}),
        service=_service("livepeer-reward"),
        cli=Endpoint("http://127.0.0.1:7937", "core-1"),
        account=REGISTERED,
        rpc="nitro",
        keystore_check=True,
    )


def _rpc_node() -> Node:
    return Node("nitro-1", "core-1", frozenset({Role.RPC}), service=_service("nitro"), rpc="nitro")


def _read_all(fleet: FleetBuilder) -> None:
    for name in fleet.fleet.hosts:
        _read_host(fleet, name)
    for node in fleet.fleet.nodes.values():
        if node.is_livepeer:
            _read_node(fleet, node)
    _read_rpcs(fleet)
    _read_chain(fleet)
    _read_balancers(fleet)
    _read_links(fleet)


def _read_links(fleet: FleetBuilder) -> None:
    tried = Attempt("192.0.2.40:8945", 0.004, certificate="5e" * 32)
    for node in fleet.fleet.nodes_with(Role.ORCHESTRATOR):
        fleet.put(RedeemerLink("-redeemerAddr 192.0.2.40:8945", tried), node.name)
    redeemed = TicketsOfRound(Round(ROUND - 1), 17, Wei(17 * 10**16))
    fleet.put(TicketQueue("/srv/lpdb.sqlite3", redeemed=(redeemed,)), "redeemer")
    users = (("orchestrator", "main"), ("balancer", "front"), ("node", "orch-1"))
    attempts = tuple(Attempt(f"192.0.2.{n}:8935", 0.02, certificate="5f" * 32) for n in (10, 11))
    fleet.put(PublicAddresses((Place(SERVICE_URI, users, attempts),)), fleet.fleet.name)


def _read_host(fleet: FleetBuilder, name: str) -> None:
    for node in fleet.fleet.nodes_on(name):
        if node.keystore_check:
            key = TriedKey("UTC--2025-01-01T00-00-00Z--aa", NOW - 9e6, 491, False)
            fleet.put(NodeKeystore("/var/lib/livepeer/keystore", (key,)), node.name, age=20.0)
    keys = Keystore("/var/lib/livepeer/keystore", True, "livepeer", 0o700, (0o600,))
    fleet.put(HostKeystores((keys,)), name)
    logins = SshLogins("prohibit-password", False, ports=(22,))
    updates = PendingUpdates(3, 0, "apt-get", NOW - 86_400.0)
    volumes = (Volume("/data", True),)
    fleet.put(HostSafety(f"{name}.example.org", logins, "", updates, "", volumes), name, age=20.0)
    if fleet.fleet.hosts[name].safety.closed_ports:
        refused = Problem(ProblemKind.REFUSED, "192.0.2.77:7935", "connection refused")
        fleet.put(ClosedPorts((Attempt("192.0.2.77:7935", problem=refused),)), name)
    host = fleet.fleet.hosts[name]
    nodes = fleet.fleet.nodes_on(name)
    gib = 1024**3
    fleet.put(
        HostVitals(
            uptime_s=864_000.0,
            load_1m=1.2,
            load_5m=1.0,
            load_15m=0.8,
            tasks_running=2,
            tasks=300,
            cpu_busy_ticks=1_000_000,
            cpu_total_ticks=40_000_000,
            cpu_iowait_ticks=1000,
            memory_total=64 * gib,
            memory_available=48 * gib,
            cpu_busy=Percent(12.5),
            cpu_user=Percent(9.5),
            cpu_system=Percent(3.0),
            cpu_iowait=Percent(0.4),
            cpu_steal=Percent(0.0),
        ),
        name,
    )
    disk = DiskActivity("sda", 1_000_000, 5_000_000, 40 * gib, 200 * gib, 6_000_000, 4_000_000)
    disk = replace(
        disk,
        read_bytes_per_second=20_000.0,
        written_bytes_per_second=1_500_000.0,
        requests_per_second=42.0,
        busy=Percent(3.5),
        wait_s=0.0008,
    )
    sockets = dict.fromkeys((field.name for field in fields(TcpSockets)), 0)
    sockets |= {"open": 80, "established": 80, "listening": 12, "time_wait": 9}
    fleet.put(HostActivity(864_000.0, (disk,), TcpSockets(**sockets)), name, age=3.0, interval=10.0)
    is_livepeer = any(node.is_livepeer for node in nodes)
    programs = HostPrograms(livepeer="0.9.1" if is_livepeer else "")
    fleet.put(programs, name, age=200.0, interval=900.0)
    fleet.put(
        HostDisks(
            (
                Mount("/", "/dev/sda1", "ext4", 100 * gib, 30 * gib, 65 * gib, False, Percent(4.0)),
                Mount("/data", "/dev/sdb1", "xfs", 900 * gib, 90 * gib, 810 * gib),
            )
        ),
        name,
        age=20.0,
    )
    fleet.put(
        HostGrowth(
            (
                _growth("/", "/dev/sda1", 100 * gib, 65),
                _growth("/data", "/dev/sdb1", 900 * gib, 810),
            )
        ),
        name,
        age=20.0,
    )
    fleet.put(HostLogs(NOW - 20.0, 128 * 1024**2, 40_000.0), name, age=20.0)
    fleet.put(
        HostSystem(
            hostname=name,
            kernel="6.1.0-30-amd64",
            machine="x86_64",
            os_name="Debian GNU/Linux 12 (bookworm)",
            cpus=16,
            boot_id=f"boot-of-{name}",
            user="ops",
            groups=("ops", "systemd-journal"),
            has_systemd=True,
            reboot_required=False,
            files_open=4000,
            files_max=1_000_000,
            oom_kills=0,
            machine_key=f"key-of-{name}",
        ),
        name,
        age=20.0,
    )
    fleet.put(HostClock(0.004, 0.010, True, "chrony"), name, age=20.0)
    units = [_unit(pid, node) for pid, node in enumerate(nodes, 1000) if node.service]
    fleet.put(HostUnits(tuple(units), failed=()), name)
    texts = [_unit_text(node) for node in nodes if node.is_livepeer and node.service]
    if texts:
        fleet.put(HostUnitTexts(tuple(texts)), name, age=100.0, interval=120.0)
    cli_ports = [int(node.cli.url.rpartition(":")[2]) for node in nodes if node.cli]
    listeners = [Listener("0.0.0.0", 22), *(Listener("127.0.0.1", port) for port in cli_ports)]
    fleet.put(HostListeners(tuple(listeners)), name, age=20.0)
    processes = [_process(pid, node) for pid, node in enumerate(nodes, 1000) if node.is_livepeer]
    fleet.put(HostProcesses(tuple(processes)), name, age=20.0)
    if any(node.roles == {Role.TRANSCODER} for node in nodes):
        number = int(name.removeprefix("gpu-"))
        own = Connection(f"192.0.2.{number - 1}:40000", "192.0.2.200:8935")
        fleet.put(HostConnections((own,), (8935,)), name, age=3.0)
    if host.gpus:
        fleet.put(
            HostGpus(
                tuple(_gpu(name, index) for index in range(host.gpus)),
                driver="550.54.14",
                tool="nvidia-smi",
                cuda="12.4",
            ),
            name,
        )


def _growth(path: str, device: str, size: int, free_gib: int) -> MountGrowth:
    """Ten megabytes more are used every two hours, for two days by now."""
    now, free = int(NOW // SPAN_S), free_gib * 1024**3
    samples = tuple((now - ago, free + ago * 10_000_000) for ago in range(24, -1, -1))
    return with_trend(MountGrowth(path, device, size, free, samples))


def _unit_text(node: Node) -> UnitText:
    assert node.service is not None
    flags = tuple(item for item in _process(0, node).flags if item[0] in TOLD)
    settings = (("LimitNOFILE", "65536"), ("Restart", "always"), ("User", "livepeer"))
    program = "/usr/local/bin/livepeer"
    return UnitText(
        node.service.name,
        program,
        flags,
        environment=False,
        plain=True,
        settings=settings,
        digest="d1" * 32,
    )


def _unit(pid: int, node: Node) -> Unit:
    assert node.service is not None
    return Unit(
        node.service.name,
        UnitLoad.LOADED,
        "active",
        "running",
        result="success",
        enabled="enabled",
        restarts=0,
        main_pid=pid,
        since_s=400_000.0,
        memory=2 * 1024**3,
        tasks=40,
        fd_used=120,
        fd_limit=65_536,
        fd_promised=65_536,
        watchdog_s=0.0,
        restart_policy="always",
        invocation=f"invocation-of-{node.name}",
    )


def _process(pid: int, node: Node) -> LivepeerProcess:
    flags = [("network", NETWORK)]
    flags += [(flag, "") for role, flag in ROLE_FLAGS.items() if role in node.roles]
    if Role.ORCHESTRATOR in node.roles:
        flags.append(("pricePerUnit", "1200"))
    if node.cli is not None:
        flags.append(("cliAddr", node.cli.url.removeprefix("http://")))
    if node.account is not None:
        flags += [("ethAcctAddr", node.account), ("ethUrl", "http://127.0.0.1:8547")]
    if node.recipient is not None:
        flags.append(("ethOrchAddr", node.recipient))
    if node.roles == {Role.TRANSCODER}:
        flags += [("orchAddr", "edge-1.example.org:8935"), ("nvidia", "all")]
    unit = node.service.name if node.service else ""
    return LivepeerProcess(pid, "livepeer", tuple(flags), unit=unit)


def _gpu(host: str, index: int) -> Gpu:
    return Gpu(
        index,
        f"GPU-{host}-{index}",
        "NVIDIA L4",
        temperature_c=61.0,
        fan=Percent(40.0),
        power_w=55.0,
        power_limit_w=72.0,
        utilisation=Percent(35.0),
        memory_utilisation=Percent(20.0),
        encoder=Percent(45.0),
        decoder=Percent(30.0),
        encoder_sessions=4,
        memory_used=4 * 1024**3,
        memory_total=24 * 1024**3,
        throttle_reasons=0,
        ecc_uncorrected=0,
    )


def _read_node(fleet: FleetBuilder, node: Node) -> None:
    if node.is_livepeer:
        fleet.put(LogErrors(NOW - 3600.0, NOW, f"{NOW - 9:.6f}"), node.name)
    is_orchestrator = Role.ORCHESTRATOR in node.roles
    connected = node.transcoders or 0
    fleet.put(
        NodeStatus(
            version="0.9.1",
            transcoders=tuple(
                ConnectedTranscoder(f"192.0.2.{number}:40000", 20) for number in range(connected)
            ),
            transcoders_number=connected,
            prices=(("default", Fraction(1200)),) if is_orchestrator else (),
            latency_s=0.004,
        ),
        node.name,
    )
    fleet.put(
        NodeMetrics(
            monitored=True,
            started_at=fleet.now - 400_000.0,
            version="0.9.1",
            max_sessions=40 if is_orchestrator else None,
            current_sessions=10 if is_orchestrator else None,
            transcoders=connected if is_orchestrator else None,
            success_rate=0.999 if is_orchestrator else None,
        ),
        node.name,
        age=5.0,
    )
    if node.account is None:
        fleet.put(NodeIdentity(None, None, None, None), node.name, age=5.0)
        return
    fleet.put(
        NodeIdentity(
            node.account,
            is_orchestrator=is_orchestrator,
            is_redeemer=Role.REDEEMER in node.roles,
            chain_id=CHAIN_ID,
            max_gas_price=Wei(1_000_000_000),
            has_gas_cap=True,
            tx_routes=True,
        ),
        node.name,
        age=5.0,
    )
    fleet.put(NodeBlock(L2Block(HEAD - 8)), node.name)


def _read_rpcs(fleet: FleetBuilder) -> None:
    for name, behind in (("nitro", 2), ("reference", 0)):
        head = L2Block(HEAD - behind)
        fleet.put(
            RpcHead(
                client="nitro",
                version="3.5.4",
                chain_id=CHAIN_ID,
                head=head,
                head_hash=f"0x{head:064x}",
                head_time=fleet.now - 2.0,
                gas_price=Wei(10_000_000),
                base_fee=Wei(10_000_000),
                l1_block=L1Block(23_000_000),
                latency_s=0.02,
                advanced_at=fleet.now - 1.0,
                abilities=RpcAbilities(fleet.now - 20.0, logs="", archive=False),
            ),
            name,
        )
        if name == "nitro":
            seen = RpcVantage(name, "edge-1", ("orch-1",), "http://192.0.2.10:8547", CHAIN_ID, head)
            fleet.put(replace(seen, latency_s=0.03), f"{name}/edge-1")
        way = RpcWay(fleet.fleet.rpcs[name].via or "", 40, 300, 2, 0, 0, 40, 0, 0.02, 0.05)
        fleet.put(RpcUsage((way,)), name)


def _ranked(place: int) -> Address:
    """A member of the pool; the fleet's orchestrator is the fifty-first."""
    return REGISTERED if place == 50 else Address(f"0x{0xE0 << 152 | place:040x}")


def _read_chain(fleet: FleetBuilder) -> None:
    fleet.put(SentTransactions(), NETWORK)
    start = L1Block(22_996_812)
    fleet.put(
        ChainRound(
            round=ROUND,
            initialized=True,
            locked=False,
            start_block=start,
            length=ROUND_LENGTH,
            lock_blocks=637,
            block=L1Block(start + 3188),
            last_initialized=ROUND,
            paused=False,
            contracts=Contracts(
                Address("0x" + "c0" * 20), Address("0x" + "c1" * 20), Address("0x" + "c2" * 20)
            ),
            rpc="nitro",
            head=L2Block(HEAD - 2),
            head_time=fleet.now - 2.0,
            mintable=Lptu(7_000 * 10**18),
            total_active_stake=Lptu(20_000_000 * 10**18),
            pool_size=100,
            pool_max=100,
        ),
        NETWORK,
    )
    word = NodeReward(ROUND, True, REGISTERED, ROUND, active=True, registered=True)
    fleet.put(word, "reward", age=20.0)
    fleet.put(RewardWatch(), "main", age=10.0)
    # A day of L1 blocks that took twelve seconds each.
    samples = ((fleet.now - 72_002.0, start - 2812), (fleet.now - 2.0, start + 3188))
    fleet.put(L1Pace(tuple((at, L1Block(block)) for at, block in samples)), NETWORK, age=10.0)
    pool = (PoolMember(_ranked(place), Lptu((400 - 3 * place) * 10**21)) for place in range(100))
    fleet.put(TranscoderPool(tuple(pool), 100, L2Block(HEAD - 900), fleet.now - 240.0), NETWORK)
    fleet.put(StakeHistory((), L2Block(HEAD - 900_000), L2Block(HEAD)), "main", age=30.0)
    redeemed = (
        RedeemedInRound(Round(ROUND - 1), L2Block(HEAD - 450_000), 17, Wei(17 * 10**16)),
        RedeemedInRound(ROUND, L2Block(HEAD - 150_000), 2, Wei(2 * 10**16)),
    )
    newest = Redemption(
        Address("0x" + "9a" * 20), Wei(10**16), L2Block(HEAD - 8_000), "0x" + "6b" * 32, NOW - 2_000
    )
    found = Redemptions(redeemed, newest, redeemed[0].begun, L2Block(HEAD - 64), fleet.now - 240.0)
    fleet.put(found, "main", age=30.0)
    fleet.put(
        OrchestratorRecord(
            REGISTERED,
            last_reward_round=ROUND,
            reward_cut=100_000,
            fee_share=500_000,
            activation_round=Round(2000),
            deactivation_round=None,
            active=True,
            registered=True,
            stake=Lptu(250_000 * 10**18),
            service_uri=SERVICE_URI,
            has_reward_caller=True,
        ),
        "main",
    )
    event = RewardEvent(ROUND, L2Block(HEAD - 150_000), REWARD_TX, Lptu(87 * 10**18), REGISTERED)
    rounds = tuple((Round(ROUND - back), RoundOutcome.CALLED) for back in range(29, -1, -1))
    fleet.put(
        RewardHistory(rounds, (event,), L2Block(HEAD - 9_000_000), L2Block(HEAD - 100)),
        "main",
        age=10.0,
    )
    fleet.put(SignerAccount(Wei(3 * 10**17), 4000, 4000), REGISTERED)
    fleet.put(SignerAccount(Wei(2 * 10**17), 900, 900), REDEEMER)
    fleet.put(GasPrices(Wei(10_000_000), Wei(10_000_000)), NETWORK)


def _read_balancers(fleet: FleetBuilder) -> None:
    servers = fleet.fleet.balancers["front"].servers
    fleet.put(
        BalancerState(
            kind="haproxy",
            version="2.6.12",
            proxies=(
                Proxy("public", "frontend", "OPEN", sessions=12),
                Proxy("orchestrators", "backend", "UP", active=len(servers), backup=0, queue=0),
            ),
            servers=tuple(
                Server(
                    "orchestrators",
                    name,
                    f"192.0.2.{number}:8935",
                    AdminState.READY,
                    Health.UP,
                    weight=100,
                    configured_weight=100,
                    sessions=5,
                    check="L6OK",
                )
                for number, name in enumerate(servers, 10)
            ),
            level="admin",
            pid=812,
            uptime_s=300_000.0,
        ),
        "front",
    )
    fleet.put(
        BalancerState(
            kind="nginx",
            version="1.22.1",
            proxies=(Proxy("rpc_ws", "backend", "UP"),),
            servers=(
                Server(
                    "rpc_ws",
                    "192.0.2.30:8548",
                    "192.0.2.30:8548",
                    AdminState.READY,
                    Health.UP,
                    weight=1,
                    configured_weight=1,
                    health_source="probe",
                ),
            ),
            edited=False,
        ),
        "ws",
    )
