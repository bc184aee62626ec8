"""What may stand in a configuration file: its sections, their keys, and what each key means.

A description here is what an editor shows beside the key (`lptui config schema`). A model checks
single values; what values mean together is checked in `cross.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema

from lptui.config import addresses, kinds
from lptui.config.addresses import HostAddress, IpAddress, Port, ServiceUri
from lptui.config.kinds import (
    Account,
    Amount,
    DatabasePath,
    Duration,
    FilePath,
    Name,
    RemotePath,
    SessionCap,
    Text,
)
from lptui.config.parts import MANY, Part, words
from lptui.config.schema_commands import CommandSpec
from lptui.config.schema_limits import (
    GuardSpec,
    IntervalSpec,
    PagingSpec,
    RewardRetrySpec,
    ThresholdSpec,
)
from lptui.config.schema_logs import LogSpec
from lptui.config.schema_safety import SafetySpec
from lptui.config.schema_upkeep import BackupSpec, FlagName, LeastVersion
from lptui.fleet.topology import Role

ROLES: Final = tuple(role.value for role in Role)
_OLD_ROLES: Final = {
    "broadcaster": "gateway",
    "o": "orchestrator",
    "t": "transcoder",
    "reward-service": "reward",
    "rewards": "reward",
    "round-init": "round-initialiser",
    "round_init": "round-initialiser",
    "initializer": "round-initialiser",
    "initialiser": "round-initialiser",
    **dict.fromkeys(
        ("geth", "nitro", "nethermind", "erigon", "besu", "reth", "ethereum", "arbitrum"), "rpc"
    ),
}

NO_ENDPOINT: Final = "none"
"""Says that there is no such endpoint, where leaving it out means the default."""

HTTP_SCHEMES: Final = ("http", "https", "unix")
RPC_SCHEMES: Final = ("http", "https", "ws", "wss", "unix")

RPC_URL = Annotated[
    str,
    BeforeValidator(lambda value: addresses.url(value, RPC_SCHEMES)),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{'|'.join(RPC_SCHEMES)})://"}),
]
ROLE = Annotated[str, *words("role", ROLES, _OLD_ROLES, "; several are written `roles`")]
Variable = Annotated[Text, BeforeValidator(kinds.variable)]


class Secret(Part):
    """A secret by reference: exactly one of env, file, command."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Annotated[Text, BeforeValidator(kinds.environment_variable)] | None = Field(
        None, description="environment variable that holds it"
    )
    file: FilePath | None = Field(None, description="file that holds it, on the operator's machine")
    command: Annotated[list[Text], BeforeValidator(kinds.argv)] | None = Field(
        None, min_length=1, description="program and arguments that print it"
    )

    @model_validator(mode="before")
    @classmethod
    def _by_reference(cls, value: object) -> object:
        if not isinstance(value, dict):
            raise kinds.mistake(
                "a secret is never written here: refer to it with {env: NAME}, {file: PATH} "
                "or {command: [program, argument]}"
            )
        if len(value) != 1 and not set(value) - {"env", "file", "command"}:
            raise kinds.mistake("a secret has exactly one of env, file, command")
        return value


class EndpointSpec(Part):
    """An HTTP address: `address:port`, a port on loopback, a URL, or a mapping with `url`."""

    url: Text = Field(description="http://address:port, https://… or unix:///path")
    via: Text | None = Field(
        None,
        description="host through whose SSH connection it is reached, or `direct`; "
        "else the host that it belongs to",
    )
    verify_tls: bool = Field(True, description="whether an https certificate is checked")
    auth: Secret | None = Field(None, description="secret `user:password`, or a token")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if value == NO_ENDPOINT:
            return {"url": NO_ENDPOINT}
        if isinstance(value, int) and not isinstance(value, bool):
            value = f"127.0.0.1:{addresses.port(value)}"
        if isinstance(value, str):
            port = value.strip().removeprefix(":")
            if port.isdecimal():
                raise kinds.mistake(
                    "a port alone is written without quotes or ':'", value, suggestion=port
                )
            return {"url": addresses.url(value, HTTP_SCHEMES, "http")}
        if not isinstance(value, dict):
            raise kinds.mistake("expected address:port, a URL, or a mapping with `url`", value)
        if isinstance(value.get("url"), str):
            return {**value, "url": addresses.url(value["url"], HTTP_SCHEMES, "http")}
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        whole = handler.resolve_ref_schema(handler(core_schema))
        short = [
            {"type": "string", "description": "address:port, a URL, or `none`"},
            {"type": "integer", "minimum": 1, "maximum": 65535, "description": "a port"},
        ]
        return {"anyOf": [*short, dict(whole)], "description": cls.__doc__ or ""}


class SshSpec(Part):
    """SSH for all hosts. What is left out is asked of `~/.ssh/config`."""

    known_hosts: FilePath | None = Field(
        None, description="file with the expected host keys, instead of the user's own"
    )
    config: Annotated[list[FilePath], MANY] | None = Field(
        None, description="ssh configuration files instead of ~/.ssh/config; [] reads none"
    )
    user: Text | None = Field(None, description="login name on hosts given by address")
    port: Port | None = Field(None, description="port of hosts given by address")
    identity: FilePath | None = Field(None, description="private key for hosts given by address")
    identities: Annotated[list[FilePath], MANY] | None = Field(
        None, description="several private keys, in order"
    )


class HostSpec(Part):
    """A machine. One of `address`, `ssh`, `local` says how it is reached."""

    address: HostAddress | None = Field(None, description="host name or IP address")
    ssh: Text | None = Field(None, description="name of a Host in ~/.ssh/config")
    local: bool = Field(False, description="true: the operator's own machine, without SSH")
    port: Port | None = Field(None, description="SSH port")
    user: Text | None = Field(None, description="login name")
    identity: FilePath | None = Field(None, description="private key file")
    identities: Annotated[list[FilePath], MANY] | None = Field(
        None, description="several private key files, in order"
    )
    jump: Annotated[list[Text], MANY] | None = Field(
        None,
        description="hosts to go through, outermost first: hosts of this file, "
        "or [user@]address[:port]",
    )
    known_hosts: FilePath | None = Field(None, description="file with this host's expected keys")
    tags: Annotated[list[Name], MANY] | None = Field(
        None, description="labels for selectors; its nodes have them too"
    )
    region: Name | None = Field(None, description="where it is, for grouping")
    mounts: Annotated[list[RemotePath], MANY] | None = Field(
        None, description="mount points that must exist, besides the root"
    )
    gpus: int | None = Field(None, ge=0, le=64, description="how many GPUs are expected")
    nvenc_sessions: SessionCap | None = Field(
        None,
        description="encoder sessions that the driver allows at once, or unlimited; "
        "by the cards and the driver",
    )
    backups: dict[Name, BackupSpec] | None = Field(
        None, description="files that must be there, be young and be whole, by a name of yours"
    )
    privilege: Annotated[str, *words("privilege", ("sudo", "doas", "root", "none"))] = Field(
        "sudo",
        description="how root is become there, where it must be (never with a password); "
        "root: the login is root already; none: never",
    )
    safety: SafetySpec | None = Field(
        None, description="what must hold of it: ports, logins, encryption, updates"
    )


class EnvironmentSpec(Part):
    """Names of the variables in an environment file, where they are not go-livepeer's own."""

    rpc: Variable | None = Field(
        None, description="variable with the RPC endpoint (-ethUrl); LP_ETHURL"
    )
    orchestrator: Variable | None = Field(
        None, description="variable with the orchestrator's address (-orchAddr); LP_ORCHADDR"
    )


class NodeSpec(Part):
    """A process of the fleet: a go-livepeer node, or an Ethereum node (role rpc)."""

    host: Text = Field(description="host that it runs on")
    role: ROLE | None = Field(None, description="what it is there for")
    roles: Annotated[list[ROLE], MANY] | None = Field(
        None, min_length=1, description="several roles of one process, instead of `role`"
    )
    unit: Text | None = Field(None, description="systemd unit, like livepeer.service")
    container: Text | None = Field(None, description="container's name, instead of a unit")
    cli: EndpointSpec | None = Field(
        None,
        description="go-livepeer's CLI API (-cliAddr), or `none`; else the role's own default "
        "(orchestrator 7935, transcoder 6935, gateway 5935)",
    )
    metrics: EndpointSpec | None = Field(
        None, description="where /metrics is (-monitor); else the CLI API's address"
    )
    account: Account | None = Field(None, description="account that it must act with")
    orchestrator: Text | None = Field(
        None, description="orchestrator of `chain` that it works for (-ethOrchAddr)"
    )
    recipient: Account | None = Field(
        None, description="the same by address, instead of `orchestrator`"
    )
    rpc: Text | None = Field(
        None, description="entry of `rpcs` that it uses (-ethUrl), or that it serves (role rpc)"
    )
    service_uri: ServiceUri | None = Field(
        None,
        description="public address that it advertises (-serviceAddr); of a redeemer: where "
        "orchestrators reach it (-httpAddr)",
    )
    transcoders: int | None = Field(
        None, ge=0, le=100_000, description="how many transcoders should be connected"
    )
    standby_for: Text | None = Field(
        None,
        description="node whose key and work this one takes over; it is stopped until then",
    )
    environment_file: RemotePath | None = Field(
        None, description="file on its host with its LP_… settings (EnvironmentFile= of its unit)"
    )
    environment: EnvironmentSpec | None = Field(
        None, description="names of the variables there, where they are not go-livepeer's own"
    )
    keystore_check: bool = Field(
        False,
        description="true: its key files are read, as root where they must be, and the empty "
        "passphrase is tried on them here; the key itself is never taken out",
    )
    database: DatabasePath | None = Field(
        None,
        description="its lpdb.sqlite3 on its host, whose winning tickets are looked at, or `none`; "
        "else a redeemer's is found by its -dataDir",
    )
    logs: Annotated[list[LogSpec], MANY] | None = Field(
        None, description="where its log is; else the output of its unit or container"
    )
    tags: Annotated[list[Name], MANY] | None = Field(None, description="labels for selectors")


class RpcSpec(Part):
    """A JSON-RPC endpoint of an Ethereum or Arbitrum node."""

    url: RPC_URL = Field(
        description="http(s)://, ws(s):// or unix:///path (geth.ipc); never with an API key in it"
    )
    via: Text | None = Field(
        None,
        description="host through whose SSH connection it is reached, or `direct`; "
        "else the host of `node`, else direct",
    )
    node: Text | None = Field(None, description="node of this file that serves it")
    key: Secret | None = Field(
        None, description="API key that belongs at the end of the URL, by reference"
    )
    headers: dict[Text, Secret] | None = Field(
        None, description="HTTP headers whose values are secrets"
    )
    reference: bool = Field(
        False, description="only there to compare the fleet's own endpoints with"
    )
    chain_id: int | None = Field(
        None, ge=1, le=2**63, description="chain that it must serve; else that of `chain`"
    )
    verify_tls: bool = Field(True, description="whether its certificate is checked")


class OrchestratorSpec(Part):
    """A registered orchestrator: the account on chain that stakes and earns."""

    address: Account = Field(description="the registered account")
    service_uri: ServiceUri | None = Field(
        None, description="the address that the ServiceRegistry should have"
    )
    reward_caller: Text | None = Field(
        None, description="node that calls reward; else found from the accounts"
    )


class ExplorerSpec(Part):
    """A block explorer's API, Etherscan's or one like it: a further witness of the rewards."""

    url: Annotated[
        Text, BeforeValidator(lambda value: addresses.url(value, ("http", "https"), "https"))
    ] = Field(description="its API's address, like https://api.etherscan.io/v2/api")
    key: Secret | None = Field(None, description="API key, by reference")
    via: Text | None = Field(
        None, description="host through whose SSH connection it is reached; else direct"
    )
    verify_tls: bool = Field(True, description="whether its certificate is checked")


class ChainSpec(Part):
    """The chain with the Livepeer contracts. Leave it out for a fleet without one."""

    network: Name = Field(
        description="arbitrum-one-mainnet or mainnet; any other name needs controller and chain_id"
    )
    controller: Account | None = Field(None, description="the Controller contract's address")
    chain_id: int | None = Field(None, ge=1, le=2**63, description="the chain's id")
    rpcs: Annotated[list[Text], MANY] | None = Field(
        None, description="entries of `rpcs` to ask, best first; else all of this chain"
    )
    block_time: Duration | None = Field(
        None, description="length of an L1 block, the clock of rounds; 12s"
    )
    orchestrators: dict[Name, OrchestratorSpec] | None = Field(
        None, description="registered orchestrators, by a name of your choice"
    )
    lpt_price: Amount | None = Field(
        None, description="what an LPT is worth, to set a call's cost against what it mints"
    )
    reward_retry: RewardRetrySpec | None = Field(
        None, description="lptui calls reward by itself, within these limits; else it never does"
    )
    explorer: ExplorerSpec | None = Field(
        None, description="block explorer to ask for the rewards as well"
    )


class BalancerSpec(Part):
    """A load balancer: haproxy (`socket` or `stats`) or nginx (`host`)."""

    kind: Annotated[str, *words("kind of balancer", ("haproxy", "nginx"))] = Field(
        description="haproxy or nginx"
    )
    host: Text | None = Field(None, description="host that it runs on")
    socket: Text | None = Field(
        None, description="HAProxy's runtime socket on that host: /path, or address:port"
    )
    stats: EndpointSpec | None = Field(None, description="HAProxy's statistics page, with its path")
    config: RemotePath | None = Field(
        None, description="nginx's main configuration file; /etc/nginx/nginx.conf"
    )
    stub_status: EndpointSpec | None = Field(
        None, description="nginx's stub_status page, with its path"
    )
    public_uri: ServiceUri | None = Field(None, description="where clients connect")
    servers: dict[Text, Text] | None = Field(
        None, description="the balancer's server names (nginx: address:port) and their nodes"
    )
    backends: Annotated[list[Text], MANY] | None = Field(
        None, description="backends (upstreams) of interest; else all"
    )
    probe_path: RemotePath | None = Field(
        None, description="path that each server is asked for itself, like /healthz"
    )


class SignerSpec(Part):
    """An account that pays gas, with limits of its own."""

    address: Account = Field(description="the account")
    role: Name | None = Field(None, description="what it pays for, in a word")
    warn_below: Amount | None = Field(None, description="balance below which it is a warning")
    critical_below: Amount | None = Field(None, description="balance below which it is critical")


class Config(Part):
    """An lptui configuration: one fleet, as its operator describes it."""

    name: Text | None = Field(None, description="the fleet's name; else the file's")
    production: bool = Field(False, description="true: a fleet that earns; the console says so")
    public_addresses: bool = Field(
        True, description="false: do not try, from here, the addresses that clients are sent to"
    )
    pinned_addresses: Annotated[list[IpAddress], MANY] | None = Field(
        None,
        description="IP addresses that public names may have; with public_addresses, DNS is held "
        "against them",
    )
    ssh: SshSpec | None = Field(None, description="SSH for all hosts")
    hosts: dict[Name, HostSpec] | None = Field(None, description="machines, by name")
    nodes: dict[Name, NodeSpec] | None = Field(None, description="processes, by name")
    rpcs: dict[Name, RpcSpec] | None = Field(None, description="JSON-RPC endpoints, by name")
    chain: ChainSpec | None = Field(None, description="the chain with the contracts")
    balancers: dict[Name, BalancerSpec] | None = Field(None, description="load balancers, by name")
    signers: dict[Name, SignerSpec] | None = Field(
        None, description="accounts that pay gas, besides those of the nodes"
    )
    groups: dict[Name, Annotated[list[Text], MANY]] | None = Field(
        None, description="names for sets of nodes: tag:NAME selects them"
    )
    thresholds: ThresholdSpec | None = Field(None, description="limits for the checks")
    minimum_versions: dict[Name, LeastVersion] | None = Field(
        None,
        description="the oldest versions that may run: of livepeer, and of Ethereum clients by "
        "the name that they give (geth, nitro, …)",
    )
    may_differ: Annotated[list[FlagName], MANY] | None = Field(
        None,
        min_length=1,
        description="flags and unit settings that may differ between nodes of one role",
    )
    intervals: IntervalSpec | None = Field(None, description="how often sources are asked")
    guards: GuardSpec | None = Field(None, description="what every change must keep to")
    paging: PagingSpec | None = Field(None, description="what is worth a page at which hours")
    commands: dict[Name, CommandSpec] | None = Field(
        None, description="commands of your own, by name: lptui --headless run NAME"
    )
