"""The fleet as the operator described it: hosts, nodes, RPC endpoints, balancers, the chain.

Names are unique within their kind and are what selectors, readings and plans refer to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from lptui.fleet.backups import Backup
from lptui.fleet.declared import DeclaredCommand
from lptui.fleet.guards import USUAL_GUARDS, Guards
from lptui.fleet.paging import Paging
from lptui.fleet.retry import RewardRetry
from lptui.fleet.safety import NO_SAFETY, Safety
from lptui.fleet.units import Address, Percent, Wei


class Role(StrEnum):
    """What a process is there for."""

    ORCHESTRATOR = "orchestrator"
    TRANSCODER = "transcoder"
    REDEEMER = "redeemer"
    REWARD = "reward"
    ROUND_INITIALISER = "round-initialiser"
    GATEWAY = "gateway"
    RPC = "rpc"


LIVEPEER_ROLES = frozenset(Role) - {Role.RPC}

NO_DATABASE = "none"
"""A node's `database` that is not to be read."""

UNLIMITED = "unlimited"
"""A host's `nvenc_sessions` where its driver sets no limit."""


@dataclass(frozen=True, slots=True)
class Ssh:
    """How a host is reached by SSH; None leaves the choice to `~/.ssh/config`.

    Attributes:
        alias: the name that `~/.ssh/config` is asked for; also the address when none is given.
        address: host name or IP address.
        identities: private key files, tried before the agent's.
        jump: hosts to go through, outermost first: names of hosts of this fleet, or
            `[user@]address[:port]`.
        known_hosts: file with the expected host keys instead of the user's own.
        config_files: ssh configuration files instead of `~/.ssh/config`; () reads none.
    """

    alias: str
    address: str | None = None
    port: int | None = None
    user: str | None = None
    identities: tuple[str, ...] = ()
    jump: tuple[str, ...] = ()
    known_hosts: str | None = None
    config_files: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A machine. `ssh` None is the operator's own machine (transport `local`).

    Attributes:
        mounts: mount points that must exist and are watched besides the root.
        gpus: how many GPUs are expected; None for "whatever is there".
        nvenc_sessions: concurrent encoder sessions that the driver allows, or UNLIMITED; None
            where that is to be told from the cards and the driver.
        safety: what must hold of it, for those who come at it from outside.
        backups: files that must be there.
    """

    name: str
    ssh: Ssh | None
    tags: frozenset[str] = frozenset()
    region: str = ""
    mounts: tuple[str, ...] = ()
    gpus: int | None = None
    nvenc_sessions: int | str | None = None
    privilege: str = "sudo"
    safety: Safety = NO_SAFETY
    backups: tuple[Backup, ...] = ()


class SupervisorKind(StrEnum):
    SYSTEMD = "systemd"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Service:
    """What keeps a node's process running: a systemd unit or a container."""

    kind: SupervisorKind
    name: str


class LogKind(StrEnum):
    JOURNAL = "journal"
    FILE = "file"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where a log is: a systemd unit's journal, files by path or pattern, a container's output."""

    kind: LogKind
    name: str

    def __str__(self) -> str:
        return self.name if self.kind is LogKind.FILE else f"{self.kind.value} {self.name}"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is; never the secret. `kind` is env, file or command.

    `value` is the variable's name, the file's path; a command is in `argv`.
    """

    kind: str
    value: str = ""
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An HTTP address and the host through whose SSH connection it is reached (None: direct).

    `url` is `http://…`, `https://…`, or `unix:///path` for HTTP on a unix socket. `query_key` is
    a secret that belongs at the end of each request's query; it is put there when a request is
    made, and nowhere else.
    """

    url: str
    via: str | None
    verify_tls: bool = True
    auth: SecretRef | None = None
    query_key: SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Rpc:
    """A JSON-RPC endpoint: `http(s)://`, `ws(s)://`, or `unix:///path` (line-framed IPC).

    Attributes:
        via: host through whose SSH connection it is reached; None for a direct connection.
        node: the node that serves it, when it is one of the fleet's.
        headers: HTTP headers whose values are secrets (API keys).
        key: secret that belongs at the end of the URL's path (`https://host/v2/` + key); it
            is put there when a request is made, and nowhere else.
        reference: only there to compare the fleet's own RPC nodes with.
        chain_id: expected chain; None when it is not checked.
    """

    name: str
    url: str
    via: str | None
    node: str | None = None
    headers: Mapping[str, SecretRef] = field(default_factory=lambda: MappingProxyType({}))
    reference: bool = False
    chain_id: int | None = None
    verify_tls: bool = True
    key: SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """Names of the variables in a node's environment file; go-livepeer's own where none is given.

    Attributes:
        rpc: the one with its RPC endpoint (`-ethUrl`).
        orchestrator: the one with the orchestrator that it transcodes for (`-orchAddr`).
    """

    rpc: str = "LP_ETHURL"
    orchestrator: str = "LP_ORCHADDR"


@dataclass(frozen=True, slots=True)
class Node:
    """A process of the fleet.

    Attributes:
        cli: the go-livepeer CLI API; None when the node has none (or is an RPC node).
        account: the account that the node must act with; None when any will do.
        recipient: the registered orchestrator that it works for (`-ethOrchAddr`).
        service_uri: the public address it advertises (`-serviceAddr`), for reachability.
        rpc: name of the RPC endpoint that it uses (`-ethUrl`), or serves (role rpc).
        transcoders: how many transcoders are expected to be connected; None: any number.
        standby_for: the node whose key and work it takes over. It is stopped until then: one
            key, one active host.
        environment_file: the file on its host with its settings, for those that are moved.
        keystore_check: the empty passphrase is tried on its key files.
        database: its `lpdb.sqlite3` on its host; None: found from its process; `none`: not read.
        logs: where its log is; () for the output of its unit or container.
    """

    name: str
    host: str
    roles: frozenset[Role]
    service: Service | None = None
    cli: Endpoint | None = None
    metrics: Endpoint | None = None
    account: Address | None = None
    recipient: Address | None = None
    service_uri: str | None = None
    rpc: str | None = None
    transcoders: int | None = None
    tags: frozenset[str] = frozenset()
    standby_for: str | None = None
    environment_file: str | None = None
    environment: Environment = Environment()
    keystore_check: bool = False
    database: str | None = None
    logs: tuple[LogSource, ...] = ()

    @property
    def is_livepeer(self) -> bool:
        return bool(self.roles & LIVEPEER_ROLES)

    @property
    def is_service(self) -> bool:
        """It calls reward or initialises rounds, and is nothing else."""
        return self.roles <= {Role.REWARD, Role.ROUND_INITIALISER}


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """A registered orchestrator on chain: the account that stakes and earns.

    Attributes:
        reward_caller: node that is expected to call reward; None: found from the accounts.
        service_uri: the address expected in the ServiceRegistry.
    """

    name: str
    address: Address
    service_uri: str | None = None
    reward_caller: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain that the contracts are on.

    Attributes:
        rpcs: names of the endpoints to ask, in order of preference.
        block_seconds: length of an L1 block, the unit of the round clock.
        reward_retry: when lptui calls reward by itself; None: never.
        lpt_price: what an LPT is worth, in wei; None: nobody said.
        explorer: API of a block explorer (Etherscan's or one like it) that is asked for the
            rewards too, as a witness of its own.
    """

    network: str
    chain_id: int
    controller: Address
    rpcs: tuple[str, ...]
    orchestrators: tuple[Orchestrator, ...] = ()
    block_seconds: float = 12.0
    reward_retry: RewardRetry | None = None
    lpt_price: Wei | None = None
    explorer: Endpoint | None = None


class BalancerKind(StrEnum):
    HAPROXY = "haproxy"
    NGINX = "nginx"


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer and how its state is read.

    Attributes:
        host: host that it runs on; for HAProxy with only HTTP statistics it may be None.
        socket: HAProxy's runtime socket: a path, or `host:port` of a TCP socket.
        stats: HAProxy's HTTP statistics page.
        config_path: nginx's main configuration file.
        stub_status: nginx's stub_status address.
        public_uri: where clients connect, to compare with the service URI on chain.
        servers: names of the balancer's servers mapped to node names.
        backends: backends (upstreams) of interest; empty for all.
    """

    name: str
    kind: BalancerKind
    host: str | None
    socket: str | None = None
    stats: Endpoint | None = None
    config_path: str | None = None
    stub_status: Endpoint | None = None
    public_uri: str | None = None
    servers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    backends: tuple[str, ...] = ()
    probe_path: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """An account that pays gas, with its own limits where it has any."""

    name: str
    address: Address
    role: str
    warn_below: Wei | None = None
    critical_below: Wei | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits for the checks. Seconds, percent of the whole, wei, L1 blocks, by their names."""

    reward_grace_s: float = 1800.0
    reward_warn_left: Percent = Percent(50.0)
    reward_critical_blocks: int = 600
    round_init_grace_s: float = 900.0
    balance_warn: Wei = Wei(50_000_000_000_000_000)
    balance_critical: Wei = Wei(10_000_000_000_000_000)
    deposit_warn: Wei = Wei(50_000_000_000_000_000)
    deposit_critical: Wei = Wei(10_000_000_000_000_000)
    reserve_warn: Wei = Wei(50_000_000_000_000_000)
    reserve_critical: Wei = Wei(10_000_000_000_000_000)
    runway_warn_rounds: int = 30
    runway_critical_rounds: int = 7
    reward_gas: int = 500_000
    tickets_warn_left: Percent = Percent(50.0)
    tickets_critical_blocks: int = 600
    pending_nonce_s: float = 300.0
    head_age_warn_s: float = 30.0
    head_age_critical_s: float = 120.0
    head_lag_warn_blocks: int = 40
    head_lag_critical_blocks: int = 400
    l1_lag_warn_blocks: int = 25
    l1_lag_critical_blocks: int = 150
    rpc_slow_s: float = 2.0
    rpc_failed_warn: Percent = Percent(10.0)
    watcher_lag_blocks: int = 600
    sessions_warn: Percent = Percent(90.0)
    gpu_temperature_warn_c: float = 83.0
    gpu_temperature_critical_c: float = 90.0
    encoder_warn: Percent = Percent(95.0)
    decoder_warn: Percent = Percent(95.0)
    stake_margin_warn: Percent = Percent(5.0)
    stake_drop_warn: Percent = Percent(10.0)
    disk_warn: Percent = Percent(85.0)
    disk_critical: Percent = Percent(95.0)
    disk_days_warn: float = 7.0
    disk_days_critical: float = 2.0
    memory_warn: Percent = Percent(92.0)
    memory_critical: Percent = Percent(97.0)
    load_warn_per_cpu: float = 2.0
    fd_warn: Percent = Percent(70.0)
    fd_critical: Percent = Percent(90.0)
    clock_warn_s: float = 0.5
    clock_critical_s: float = 2.0
    restarts_warn: int = 3
    log_errors_warn: int = 300
    log_size_warn: int = 10_000_000_000
    log_rotation_s: float = 8 * 86_400.0
    transcoder_grace_s: float = 90.0
    min_peers: int = 3
    min_orchestrators: int = 1
    stale_intervals: float = 3.0


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often each kind of source is asked, in seconds. `fast` is what `+` and `-` change."""

    fast: float = 2.0
    units: float = 10.0
    gpu: float = 5.0
    slow: float = 60.0
    node: float = 5.0
    metrics: float = 15.0
    identity: float = 300.0
    chain: float = 6.0
    events: float = 60.0
    explorer: float = 600.0
    rpc: float = 4.0
    balancer: float = 3.0
    timeout: float = 8.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything that the operator declared, checked and linked.

    `standbys` are the nodes that stand by, by the node that they stand by for; `by_host` all.
    `public_addresses`: where clients are sent is tried from the operator's machine;
    `pinned_addresses`: the IP addresses that DNS may answer for it, any when there are none.
    `minimum_versions` are by program, in lower case; `may_differ` are names of flags and unit
    settings, in lower case, that nodes of one role need not have alike.
    """

    name: str
    hosts: Mapping[str, Host] = field(default_factory=lambda: MappingProxyType({}))
    nodes: Mapping[str, Node] = field(default_factory=lambda: MappingProxyType({}))
    rpcs: Mapping[str, Rpc] = field(default_factory=lambda: MappingProxyType({}))
    balancers: Mapping[str, Balancer] = field(default_factory=lambda: MappingProxyType({}))
    signers: tuple[Signer, ...] = ()
    chain: Chain | None = None
    thresholds: Thresholds = Thresholds()
    intervals: Intervals = Intervals()
    guards: Guards = USUAL_GUARDS
    paging: Paging | None = None
    commands: Mapping[str, DeclaredCommand] = field(default_factory=lambda: MappingProxyType({}))
    production: bool = False
    known_hosts: str | None = None
    demo: bool = False
    public_addresses: bool = True
    pinned_addresses: frozenset[str] = frozenset()
    minimum_versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    may_differ: frozenset[str] = frozenset()
    standbys: Mapping[str, tuple[Node, ...]] = field(init=False, repr=False, compare=False)
    by_host: Mapping[str, tuple[Node, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        standbys: dict[str, tuple[Node, ...]] = {}
        by_host: dict[str, tuple[Node, ...]] = {}
        for node in self.nodes.values():
            active = node.standby_for
            if active is not None and active in self.nodes:
                standbys[active] = (*standbys.get(active, ()), node)
            by_host[node.host] = (*by_host.get(node.host, ()), node)
        object.__setattr__(self, "standbys", MappingProxyType(standbys))
        object.__setattr__(self, "by_host", MappingProxyType(by_host))

    def nodes_on(self, host: str) -> tuple[Node, ...]:
        """Nodes of one host, in the configuration's order."""
        return self.by_host.get(host, ())

    def nodes_with(self, role: Role) -> tuple[Node, ...]:
        """Nodes that have a role, in the configuration's order."""
        return tuple(node for node in self.nodes.values() if role in node.roles)

    def standbys_of(self, node: str) -> tuple[Node, ...]:
        """Nodes that can take over for one, in the configuration's order."""
        return self.standbys.get(node, ())

    def shares_key(self, node: Node) -> bool:
        """Whether another node may take over a node's key, or it another's."""
        return node.standby_for is not None or bool(self.standbys_of(node.name))

    def units_on(self, host: str) -> tuple[str, ...]:
        """systemd units to watch on one host, without repeats."""
        units = (
            node.service.name
            for node in self.nodes_on(host)
            if node.service and node.service.kind is SupervisorKind.SYSTEMD
        )
        return tuple(dict.fromkeys(units))

    def containers_on(self, host: str) -> tuple[str, ...]:
        """Containers to watch on one host, without repeats."""
        names = (
            node.service.name
            for node in self.nodes_on(host)
            if node.service and node.service.kind is SupervisorKind.CONTAINER
        )
        return tuple(dict.fromkeys(names))
