"""What each node does, as far as its process, its own word and the chain tell. Pure.

The process's settings say most; where its command line is not to be had, the node's own routes
say whether it is an orchestrator or a redeemer, and its metrics name its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lptui.fleet import settings
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess, Origin
from lptui.fleet.facts.livepeer import NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Reading
from lptui.fleet.settings import NodeType, switch, type_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, Role
from lptui.fleet.units import Address

OF_TYPE: Final = MappingProxyType(
    {
        NodeType.REDEEMER: Role.REDEEMER,
        NodeType.ORCHESTRATOR: Role.ORCHESTRATOR,
        NodeType.TRANSCODER: Role.TRANSCODER,
        NodeType.GATEWAY: Role.GATEWAY,
    }
)
"""The role that a type stands for."""

_BY_LABEL: Final = {
    "orch": NodeType.ORCHESTRATOR,
    "bctr": NodeType.GATEWAY,
    "trcr": NodeType.TRANSCODER,
    "aiwk": NodeType.AI_WORKER,
    "rdmr": NodeType.REDEEMER,
}
"""The `node_type` label of a node's metrics; reward nodes and remote signers share `dflt`."""

_SHOWN: Final = (
    "network",
    "ethUrl",
    "ethAcctAddr",
    "ethOrchAddr",
    "serviceAddr",
    "nodes",
    "redeemerAddr",
    "orchAddr",
    "pricePerUnit",
    "pixelsPerUnit",
    "maxSessions",
    "nvidia",
    "reward",
    "initializeRound",
    "cliAddr",
    "httpAddr",
    "monitor",
    "enableCliTxRoutes",
)
"""Settings of interest. Secrets, and what a URL may hide, were taken away before."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that is in force, and where it is from. A bare switch has the value `true`."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What a node turns out to be.

    Attributes:
        node_type: None where nothing tells it.
        does: by role, whether it does that; a role that is not here cannot be told.
        account, recipient: whom it acts as, and the orchestrator that it works for.
        process: its process, where it can be told which one it is.
        evidence: what told all this, with source and age, one line each.
        contradiction: how its process and its own word differ; "" when they do not.
    """

    node_type: NodeType | None
    does: Mapping[Role, bool]
    account: Address | None = None
    recipient: Address | None = None
    process: LivepeerProcess | None = None
    evidence: tuple[Reading[object], ...] = ()
    contradiction: str = ""

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that it certainly has."""
        return tuple(role for role in Role if self.does.get(role))


def observe(snapshot: Snapshot, node: Node) -> Observed:
    """What one node of the fleet does, by what is freshly known."""
    process = process_of(snapshot, node)
    identity = snapshot.fresh(NodeIdentity, node.name)
    spoken = _spoken(snapshot, node)
    node_type = type_of(process) if process is not None else None
    does = dict(spoken)
    if node_type is not None and process is not None:
        does |= _done(process, node_type)
    account = identity.account if identity is not None else None
    if account is None and process is not None:
        account = settings.account_of(process)
    if process is not None:
        callers = identity is None or identity.knows_reward_caller is not False
        does |= _services(snapshot, process, account, callers)
    recipient = None
    if process is not None:
        recipient = settings.recipient_of(process)
        if recipient is None and does.get(Role.ORCHESTRATOR) and not process.unread:
            recipient = account
    return Observed(
        node_type or _spoken_type(snapshot, node),
        MappingProxyType(does),
        account,
        recipient,
        process,
        _readings(snapshot, node),
        _contradiction(node_type, spoken),
    )


def _spoken_type(snapshot: Snapshot, node: Node) -> NodeType | None:
    """Its type by its own word."""
    identity = snapshot.fresh(NodeIdentity, node.name)
    if identity is not None and identity.is_redeemer:
        return NodeType.REDEEMER
    if identity is not None and identity.is_orchestrator:
        return NodeType.ORCHESTRATOR
    metrics = snapshot.fresh(NodeMetrics, node.name)
    return _BY_LABEL.get(metrics.node_type) if metrics is not None else None


def _spoken(snapshot: Snapshot, node: Node) -> dict[Role, bool]:
    """The roles by its own word."""
    node_type = _spoken_type(snapshot, node)
    identity = snapshot.fresh(NodeIdentity, node.name)
    status = snapshot.fresh(NodeStatus, node.name)
    does: dict[Role, bool] = {}
    if node_type is not None:
        does |= {role: one is node_type for one, role in OF_TYPE.items()}
    if identity is not None and identity.is_orchestrator is not None:
        does[Role.ORCHESTRATOR] = identity.is_orchestrator
    if identity is not None and identity.is_redeemer is not None:
        does[Role.REDEEMER] = identity.is_redeemer
    if node_type is NodeType.ORCHESTRATOR and status is not None:
        # Without a manager of remote transcoders it transcodes itself.
        does[Role.TRANSCODER] = status.local_transcoding
    return does


def _done(process: LivepeerProcess, node_type: NodeType) -> dict[Role, bool]:
    """The roles by a process's type."""
    does = {role: one is node_type for one, role in OF_TYPE.items()}
    if node_type is NodeType.ORCHESTRATOR:
        does[Role.TRANSCODER] = bool(switch(process, "transcoder"))
    return does


def _services(
    snapshot: Snapshot, process: LivepeerProcess, account: Address | None, knows_callers: bool
) -> dict[Role, bool]:
    """Whether it calls reward and initialises rounds; what cannot be told is left out."""
    does: dict[Role, bool] = {}
    initialises = switch(process, "initializeRound")
    if initialises is not None or not process.unread:
        does[Role.ROUND_INITIALISER] = bool(initialises)
    reward = switch(process, "reward")
    if reward is not None:
        does[Role.REWARD] = reward
    elif process.flag("reward") is None:
        may = (
            _may_call(snapshot, account, knows_callers) if settings.is_on_chain(process) else False
        )
        # Not told, as far as may be read: it then calls with an account that may.
        if may or (may is False and not process.unread):
            does[Role.REWARD] = may
    return does


def _may_call(snapshot: Snapshot, account: Address | None, knows_callers: bool) -> bool | None:
    """Whether a node would call reward unbidden: its account is registered, or the caller that a
    registered one has authorised. None when that is not known."""
    chain = snapshot.fleet.chain
    if account is None or chain is None:
        return None
    unread = False
    for item in chain.orchestrators:
        record = snapshot.fresh(OrchestratorRecord, item.name)
        if record is None:
            unread = True
        elif item.address == account:
            return record.registered
        elif record.reward_caller == account and knows_callers:
            return True
    # Of other accounts the chain is not asked: those of the fleet alone are known.
    return None if unread else False


def _contradiction(node_type: NodeType | None, spoken: Mapping[Role, bool]) -> str:
    if node_type is None:
        return ""
    for role in (Role.ORCHESTRATOR, Role.REDEEMER):
        told = spoken.get(role)
        if told is not None and told is not (OF_TYPE.get(node_type) is role):
            word = f"it is {'an' if role is Role.ORCHESTRATOR else 'a'} {role}"
            return (
                f"its process runs as {node_type}, but what answers says that "
                f"{word if told else word.replace('it is', 'it is not')}"
            )
    return ""


def settings_of(snapshot: Snapshot, node: Node, seen: Observed) -> tuple[Setting, ...]:
    """The settings in force that are known of a node: those it was given, and those it tells."""
    found = list(_given(seen.process)) if seen.process is not None else []
    status = snapshot.fresh(NodeStatus, node.name)
    for gateway, wei in status.prices if status else ():
        found.append(Setting(f"price for {gateway}", f"{wei} wei/pixel", "/status"))
    metrics = snapshot.fresh(NodeMetrics, node.name)
    if metrics is not None and metrics.max_sessions is not None:
        found.append(Setting("sessions at most", str(metrics.max_sessions), "/metrics"))
    identity = snapshot.fresh(NodeIdentity, node.name)
    if identity is not None and identity.chain_id is not None:
        found.append(Setting("chain", str(identity.chain_id), "/EthChainID"))
    if identity is not None and identity.max_gas_price is not None:
        found.append(Setting("gas price at most", f"{identity.max_gas_price} wei", "/maxGasPrice"))
    return tuple(found)


def _given(process: LivepeerProcess) -> Iterator[Setting]:
    for name in (*(flag for flag, _ in settings.TYPE_FLAGS), *_SHOWN):
        setting = process.setting(name)
        if setting is not None:
            value, origin = setting
            where = f" {process.config_file}" if origin is Origin.FILE else ""
            yield Setting(name, value or "true", f"{origin}{where}")


def _readings(snapshot: Snapshot, node: Node) -> tuple[Reading[object], ...]:
    """What all this was taken from, as far as it was there."""
    return tuple(
        snapshot.reading(topic, target)
        for topic, target in ((HostProcesses, node.host), (NodeIdentity, node.name))
        if snapshot.fresh(topic, target) is not None
    )
