"""Makes the fleet of a configuration that has no mistakes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from lptui.config.cross_chain import asked_rpcs, chain_id_of
from lptui.config.defaults import (
    DIRECT,
    GAS_ROLES,
    NETWORKS,
    cli_of,
    node_type,
    recipient_of,
    roles_of,
    topology_name,
    unit_name,
    via_of,
)
from lptui.config.pages import paging_of
from lptui.config.schema import (
    NO_ENDPOINT,
    BalancerSpec,
    EndpointSpec,
    ExplorerSpec,
    HostSpec,
    NodeSpec,
    RpcSpec,
    Secret,
    SshSpec,
)
from lptui.config.schema_commands import CommandSpec
from lptui.config.schema_limits import GuardSpec, RewardRetrySpec, ThresholdSpec
from lptui.config.schema_logs import LogSpec
from lptui.config.schema_safety import stated
from lptui.config.schema_upkeep import BackupSpec
from lptui.config.view import View
from lptui.fleet.backups import Backup
from lptui.fleet.declared import DeclaredCommand
from lptui.fleet.guards import Guards
from lptui.fleet.retry import RewardRetry
from lptui.fleet.topology import (
    Balancer,
    BalancerKind,
    Chain,
    Endpoint,
    Environment,
    Fleet,
    Host,
    Intervals,
    LogKind,
    LogSource,
    Node,
    Orchestrator,
    Role,
    Rpc,
    SecretRef,
    Service,
    Signer,
    Ssh,
    SupervisorKind,
    Thresholds,
)
from lptui.fleet.units import Address, Wei

NGINX_CONFIG: Final = "/etc/nginx/nginx.conf"


class Builder:
    """Makes the parts of one fleet; `folder` is what relative paths are relative to."""

    def __init__(self, view: View, folder: Path) -> None:
        self._view = view
        self._folder = folder
        self._ssh = view.config.ssh or SshSpec.model_construct()

    def fleet(self, fallback_name: str) -> Fleet:
        """The whole fleet."""
        view = self._view
        config = view.config
        chain = self._chain()
        nodes = {name: self._node(name, node) for name, node in view.nodes.items()}
        intervals = config.intervals.model_dump(exclude_none=True) if config.intervals else {}
        return Fleet(
            config.name or fallback_name,
            hosts=MappingProxyType({n: self._host(n, host) for n, host in view.hosts.items()}),
            nodes=MappingProxyType(nodes),
            rpcs=MappingProxyType({n: self._rpc(n, rpc) for n, rpc in view.rpcs.items()}),
            balancers=MappingProxyType(
                {n: self._balancer(n, spec) for n, spec in view.balancers.items()}
            ),
            signers=_signers(view, nodes.values(), chain),
            chain=chain,
            thresholds=_thresholds(config.thresholds),
            intervals=Intervals(**intervals),
            guards=_guards(config.guards),
            paging=paging_of(config.paging),
            commands=MappingProxyType(
                {n: _command(n, spec) for n, spec in (config.commands or {}).items()}
            ),
            production=config.production,
            public_addresses=config.public_addresses,
            pinned_addresses=frozenset(config.pinned_addresses or ()),
            minimum_versions=MappingProxyType(
                {name.lower(): least for name, least in (config.minimum_versions or {}).items()}
            ),
            may_differ=frozenset(name.lower() for name in config.may_differ or ()),
            known_hosts=self._path(self._ssh.known_hosts),
        )

    def _path(self, written: str | None) -> str | None:
        """A path on the operator's machine: `~` expanded, relative to the file's folder."""
        if written is None:
            return None
        return os.path.normpath(self._folder / os.path.expanduser(written))  # noqa: PTH111

    def _paths(self, *written: str | list[str] | None) -> tuple[str, ...]:
        found: list[str] = []
        for paths in written:
            listed = [paths] if isinstance(paths, str) else paths or []
            found.extend(path for path in map(self._path, listed) if path is not None)
        return tuple(found)

    def _secret(self, secret: Secret | None) -> SecretRef | None:
        if secret is None:
            return None
        if secret.command is not None:
            return SecretRef("command", argv=tuple(secret.command))
        if secret.file is not None:
            return SecretRef("file", self._path(secret.file) or "")
        return SecretRef("env", secret.env or "")

    def _endpoint(
        self, spec: EndpointSpec | None, owner: str | None, without: str = ""
    ) -> Endpoint | None:
        if spec is None or spec.url == NO_ENDPOINT:
            return None
        url = spec.url.rstrip("/")
        if without:
            url = url.removesuffix(without).rstrip("/")
        return Endpoint(url, via_of(spec, owner), spec.verify_tls, self._secret(spec.auth))

    def _host(self, name: str, spec: HostSpec) -> Host:
        ssh = None if spec.local else self._login(name, spec)
        return Host(
            name,
            ssh,
            tags=frozenset(spec.tags or ()),
            region=spec.region or "",
            mounts=tuple(dict.fromkeys(spec.mounts or ())),
            gpus=spec.gpus,
            nvenc_sessions=spec.nvenc_sessions,
            privilege=spec.privilege,
            safety=stated(spec.safety, spec.address),
            backups=tuple(_backup(n, one) for n, one in (spec.backups or {}).items()),
        )

    def _login(self, name: str, spec: HostSpec) -> Ssh:
        # A Host of ~/.ssh/config speaks for itself: the file's own defaults would overrule it.
        common = self._ssh if spec.ssh is None else SshSpec.model_construct()
        own = self._paths(spec.identity, spec.identities)
        files = self._ssh.config
        return Ssh(
            alias=spec.ssh or spec.address or name,
            address=spec.address,
            port=spec.port or common.port,
            user=spec.user or common.user,
            identities=own or self._paths(common.identity, common.identities),
            jump=tuple(spec.jump or ()),
            known_hosts=self._path(spec.known_hosts or self._ssh.known_hosts),
            config_files=None if files is None else self._paths(files),
        )

    def _node(self, name: str, spec: NodeSpec) -> Node:
        view = self._view
        host = view.hosts[spec.host]
        member_of = [group for group, nodes in (view.config.groups or {}).items() if name in nodes]
        roles = roles_of(spec)
        cli = None if Role.RPC in roles else self._endpoint(cli_of(spec), spec.host)
        # A stand-by acts as the one that it stands by for, for the same orchestrator.
        active = view.nodes.get(spec.standby_for or "", spec)
        account = spec.account or active.account
        return Node(
            name,
            spec.host,
            roles,
            service=_service(spec),
            cli=cli,
            metrics=self._endpoint(spec.metrics, spec.host, "/metrics"),
            account=Address(account) if account else None,
            recipient=recipient_of(spec, view.config.chain)
            or recipient_of(active, view.config.chain),
            service_uri=spec.service_uri,
            rpc=spec.rpc or (self._served_by(name) if Role.RPC in roles else None),
            transcoders=spec.transcoders,
            tags=frozenset((*(spec.tags or ()), *(host.tags or ()), *member_of)),
            standby_for=spec.standby_for,
            environment_file=spec.environment_file,
            environment=_environment(spec),
            keystore_check=spec.keystore_check,
            database=spec.database,
            logs=tuple(dict.fromkeys(map(_log, spec.logs or ()))),
        )

    def _served_by(self, node: str) -> str | None:
        """The first endpoint that says it is served by a node."""
        return next((name for name, rpc in self._view.rpcs.items() if rpc.node == node), None)

    def _rpc(self, name: str, spec: RpcSpec) -> Rpc:
        view = self._view
        node = spec.node or next(
            (n for n, it in view.nodes.items() if it.rpc == name and Role.RPC in roles_of(it)), None
        )
        via = view.nodes[node].host if node else None
        if spec.via is not None:
            via = None if spec.via == "direct" else spec.via
        headers = {header: self._secret(secret) for header, secret in (spec.headers or {}).items()}
        asked = name in asked_rpcs(view)
        return Rpc(
            name,
            spec.url,
            via,
            node=node,
            headers=MappingProxyType({header: ref for header, ref in headers.items() if ref}),
            reference=spec.reference,
            chain_id=spec.chain_id or (chain_id_of(view.config.chain) if asked else None),
            verify_tls=spec.verify_tls,
            key=self._secret(spec.key),
        )

    def _balancer(self, name: str, spec: BalancerSpec) -> Balancer:
        is_nginx = spec.kind == "nginx"
        return Balancer(
            name,
            BalancerKind(spec.kind),
            spec.host,
            socket=spec.socket,
            stats=self._endpoint(spec.stats, spec.host, ";csv"),
            config_path=(spec.config or NGINX_CONFIG) if is_nginx else None,
            stub_status=self._endpoint(spec.stub_status, spec.host),
            public_uri=spec.public_uri,
            servers=MappingProxyType(dict(spec.servers or {})),
            backends=tuple(dict.fromkeys(spec.backends or ())),
            probe_path=spec.probe_path,
        )

    def _chain(self) -> Chain | None:
        spec = self._view.config.chain
        chain_id = chain_id_of(spec)
        if spec is None or chain_id is None:
            return None
        known = NETWORKS.get(spec.network)
        controller = Address(spec.controller) if spec.controller else None
        if controller is None and known is not None:
            controller = known.controller
        if controller is None:
            return None
        chain = Chain(
            spec.network,
            chain_id,
            controller,
            asked_rpcs(self._view),
            tuple(
                Orchestrator(name, Address(it.address), it.service_uri, it.reward_caller)
                for name, it in self._view.orchestrators.items()
            ),
            reward_retry=_retry(spec.reward_retry),
            lpt_price=None if spec.lpt_price is None else Wei(spec.lpt_price),
            explorer=self._explorer(spec.explorer),
        )
        return chain if spec.block_time is None else replace(chain, block_seconds=spec.block_time)

    def _explorer(self, spec: ExplorerSpec | None) -> Endpoint | None:
        if spec is None:
            return None
        via = None if spec.via == DIRECT else spec.via
        url = spec.url.rstrip("/")
        return Endpoint(url, via, spec.verify_tls, query_key=self._secret(spec.key))


def _service(spec: NodeSpec) -> Service | None:
    if spec.unit is not None:
        return Service(SupervisorKind.SYSTEMD, unit_name(spec.unit))
    if spec.container is not None:
        return Service(SupervisorKind.CONTAINER, spec.container)
    return None


def _log(spec: LogSpec) -> LogSource:
    if spec.journal is not None:
        return LogSource(LogKind.JOURNAL, unit_name(spec.journal))
    if spec.file is not None:
        return LogSource(LogKind.FILE, spec.file)
    return LogSource(LogKind.CONTAINER, spec.container or "")


def _backup(name: str, spec: BackupSpec) -> Backup:
    standard = Backup(name, spec.path, checksum=spec.checksum)
    return replace(
        standard,
        max_age_s=standard.max_age_s if spec.max_age is None else spec.max_age,
        min_size=standard.min_size if spec.min_size is None else spec.min_size,
    )


def _signers(view: View, nodes: Iterable[Node], chain: Chain | None) -> tuple[Signer, ...]:
    """Accounts that pay gas: as written, then those of nodes and orchestrators that must pay.

    An orchestrator's own key only signs messages while a redeemer and a reward caller do the
    paying; an empty balance is no fault then (livepeer.md, topologies 2, 3 and 3b).
    """
    found = {
        spec.address: Signer(
            name,
            Address(spec.address),
            spec.role or "signer",
            Wei(spec.warn_below) if spec.warn_below is not None else None,
            Wei(spec.critical_below) if spec.critical_below is not None else None,
        )
        for name, spec in view.signers.items()
    }
    # What two nodes have in common is called by the one that works.
    listed = sorted(nodes, key=lambda node: node.standby_for is not None)
    registered = {it.address: it.name for it in chain.orchestrators} if chain else {}
    redeemed = {node.recipient for node in listed if Role.REDEEMER in node.roles}
    for node in listed:
        account = node.account
        if account is None or account in found or not node.is_livepeer:
            continue
        redeems = Role.ORCHESTRATOR in node.roles and not redeemed & {node.recipient, None}
        pays = node.roles & GAS_ROLES or redeems
        if account in registered:
            found[account] = Signer(registered[account], account, Role.ORCHESTRATOR.value)
        elif pays:
            role = next((role for role in Role if role in node.roles & GAS_ROLES), None)
            found[account] = Signer(
                node.name, account, (role or node_type(node.roles) or "").strip()
            )
    callers = [node for node in listed if Role.REWARD in node.roles and node.account]
    for it in chain.orchestrators if chain else ():
        cold = any(node.recipient == it.address and node.account != it.address for node in callers)
        if it.address not in found and not cold:
            found[it.address] = Signer(it.name, it.address, Role.ORCHESTRATOR.value)
    return _told_apart(tuple(found.values()), len(view.signers))


def _told_apart(signers: tuple[Signer, ...], written: int) -> tuple[Signer, ...]:
    """No two of one name: a node may be called like an orchestrator, with a key of its own.

    The first `written` keep the names that the operator gave them.
    """
    names = Counter(signer.name for signer in signers)
    return tuple(
        replace(signer, name=f"{signer.name} {signer.address[:8]}")
        if names[signer.name] > 1 and position >= written
        else signer
        for position, signer in enumerate(signers)
    )


def _environment(spec: NodeSpec) -> Environment:
    written = spec.environment.model_dump(exclude_none=True) if spec.environment else {}
    return Environment(**written)


def _command(name: str, spec: CommandSpec) -> DeclaredCommand:
    standard = DeclaredCommand(name, tuple(spec.run), tuple(spec.on), spec.effect)
    return replace(
        standard,
        help=spec.help or "",
        confirm=spec.confirm or "",
        timeout_s=standard.timeout_s if spec.timeout is None else spec.timeout,
        check=tuple(spec.check or ()),
        undo=tuple(spec.undo or ()),
        as_root=spec.as_root,
    )


def _retry(spec: RewardRetrySpec | None) -> RewardRetry | None:
    if spec is None:
        return None
    standard = RewardRetry()
    return RewardRetry(
        spec.tries or standard.tries,
        standard.spacing_s if spec.spacing is None else spec.spacing,
        standard.after_s if spec.after is None else spec.after,
        standard.last_blocks if spec.last_blocks is None else spec.last_blocks,
        None if spec.max_gas_price is None else Wei(spec.max_gas_price),
    )


def _guards(spec: GuardSpec | None) -> Guards:
    if spec is None:
        return Guards()
    values: dict[str, Any] = {
        "cool_down_s" if key == "cool_down" else key: tuple(value) if type(value) is list else value
        for key, value in spec
        if value is not None
    }
    return Guards(**values)


def _thresholds(spec: ThresholdSpec | None) -> Thresholds:
    if spec is None:
        return Thresholds()
    values: dict[str, Any] = {topology_name(key): value for key, value in spec if value is not None}
    return Thresholds(**values)
