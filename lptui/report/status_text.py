"""The whole snapshot as text for people: a line for each thing, with its source's age."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from lptui.checks import failing, headroom, overall, stake, transcoders
from lptui.checks.rpc_service import way_words
from lptui.checks.rpc_verdict import verdict
from lptui.checks.words import ago, span
from lptui.clock import iso
from lptui.errors import ProblemKind
from lptui.fleet.facts.activity import HostActivity, HostPrograms
from lptui.fleet.facts.balancer import BalancerState, NginxConfig, NginxConnections
from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    RewardHistory,
    RoundOutcome,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.facts.gas import FeeTrend, PaidCall
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import (
    HostClock,
    HostDisks,
    HostListeners,
    HostProcesses,
    HostSystem,
    HostUnits,
    HostVitals,
)
from lptui.fleet.facts.keystore import HostKeystores, KeyAtStart, NodeKeystore
from lptui.fleet.facts.links import ClosedPorts, PublicAddresses, RedeemerLink
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.facts.logs import HostLogs, LogErrors
from lptui.fleet.facts.money import AccountFlow, EarningsFlow
from lptui.fleet.facts.rpc import RpcHead, RpcUsage, RpcVantage, SentTransactions
from lptui.fleet.facts.safety import HostSafety
from lptui.fleet.facts.tickets import Redemptions, TicketQueue
from lptui.fleet.facts.upkeep import HostBackups, HostGrowth, HostImages, HostUnitTexts
from lptui.fleet.finding import Finding
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.tickets import total
from lptui.fleet.topology import Role
from lptui.fleet.units import format_gwei, format_units
from lptui.present.activity import cpu_words, program_words
from lptui.report import host_text, layout, money, rewards, ways_text
from lptui.text import clean, plural

_MARKS: Final = {
    RoundOutcome.CALLED: "C",
    RoundOutcome.MISSED: "M",
    RoundOutcome.INACTIVE: "-",
    RoundOutcome.PENDING: ".",
    RoundOutcome.NOT_INITIALIZED: "n",
    RoundOutcome.UNKNOWN: "?",
}
_LEGEND: Final = "C called, M missed, - inactive, . pending, n round not initialised, ? not known"
_MONEY: Final[tuple[type, ...]] = (
    SignerAccount,
    AccountFlow,
    SenderDeposit,
    EarningsFlow,
    TicketQueue,
    Redemptions,
    GasPrices,
    FeeTrend,
    PaidCall,
)
_SECTIONS: Final[tuple[tuple[str, tuple[type, ...]], ...]] = (
    ("Round & reward", (ChainRound, OrchestratorRecord, RewardHistory)),
    ("ETH balances", _MONEY),
    (
        "Transcoders & GPUs",
        (
            NodeStatus,
            NodeMetrics,
            NodeIdentity,
            NodeBlock,
            LogErrors,
            RedeemerLink,
            HostGpus,
        ),
    ),
    ("Load balancers", (BalancerState, NginxConfig, NginxConnections, PublicAddresses)),
    ("Ethereum sync", (RpcHead, RpcUsage, RpcVantage, SentTransactions)),
    (
        "Hosts",
        (
            HostVitals,
            HostActivity,
            HostUnits,
            HostDisks,
            HostSystem,
            HostPrograms,
            HostClock,
            HostListeners,
            HostProcesses,
            HostKeystores,
            NodeKeystore,
            KeyAtStart,
            HostSafety,
            ClosedPorts,
            HostGrowth,
            HostBackups,
            HostUnitTexts,
            HostImages,
            HostLogs,
        ),
    ),
)

_CONCLUDED: Final[Mapping[type, tuple[str, ...]]] = {
    ChainRound: (stake.MARGIN, stake.SLASHED, stake.DROPPED),
    HostGpus: (headroom.HEADROOM, transcoders.REGISTERED),
}
"""Checks whose findings are told in a section, by one of its topics."""


def render(snapshot: Snapshot, findings: Sequence[Finding]) -> str:
    """The whole report, ending with a newline."""
    return "\n".join(_lines(snapshot, findings)) + "\n"


def _lines(snapshot: Snapshot, findings: Sequence[Finding]) -> Iterator[str]:
    bad = failing(findings)
    told = f"{len(bad)}/{len(findings)} checks failing" if bad else f"{len(findings)} checks"
    name = clean(snapshot.fleet.name)
    yield f"{overall(findings).name} - {name}, {told}, collected at {iso(snapshot.taken_at)}"
    for found in bad:
        yield f"  {found.severity.name} {clean(found.id)}: {clean(found.summary)}"
    if snapshot.fleet.nodes:
        yield from ("", "Topology", *layout.lines(snapshot, findings))
    for title, topics in _SECTIONS:
        lines = [line for topic in topics for line in _topic(snapshot, topic)]
        if lines:
            yield ""
            yield title
            yield from _verdicts(snapshot, findings) if RpcHead in topics else ()
            yield from (f"  {line}" for line in rewards.lines(snapshot) if ChainRound in topics)
            yield from _concluded(findings, topics)
            yield from (f"  {line}" for line in rewards.automatic(snapshot) if ChainRound in topics)
            yield from lines


def _concluded(findings: Sequence[Finding], topics: tuple[type, ...]) -> Iterator[str]:
    """What follows from several readings together, well or not."""
    checks = {name for topic, names in _CONCLUDED.items() if topic in topics for name in names}
    for found in findings:
        if found.check in checks:
            yield "  " + clean(f"{found.target}: {found.check} {found.summary}", 600)


def _verdicts(snapshot: Snapshot, findings: Sequence[Finding]) -> Iterator[str]:
    """What to think of each endpoint, and why."""
    for name in snapshot.fleet.rpcs:
        told = verdict(name, findings)
        because = f": {told.because.summary} ({told.because.id})" if told.because else ""
        yield "  " + clean(f"{name}: {told.word.upper() if because else told.word}{because}", 600)


def _topic(snapshot: Snapshot, topic: type) -> Iterator[str]:
    found: list[tuple[str, Reading[Any]]] = sorted(snapshot.all(topic), key=lambda item: item[0])
    intervals = snapshot.fleet.thresholds.stale_intervals
    names = {str(signer.address): signer.name for signer in snapshot.fleet.signers}
    for target, reading in found:
        name = f"{names[target]} {target}" if target in names else target
        age = reading.age(snapshot.taken_at)
        stale = ", STALE" if reading.is_stale(snapshot.taken_at, intervals) else ""
        if reading.problem is not None and reading.problem.kind is ProblemKind.STANDBY:
            text = reading.problem.why
        elif reading.problem is not None:
            text = f"unknown: {reading.problem}"
        elif (
            isinstance(reading.value, NodeMetrics)
            and reading.value.monitored
            and not _counts_sessions(snapshot, target)
        ):
            text = "gives metrics; its sessions are its orchestrator's to count"
        else:
            text = _TELL[topic](reading.value)
        yield "  " + clean(f"{name}: {text} ({reading.source}, {ago(age)}{stale})", 600)


def _counts_sessions(snapshot: Snapshot, name: str) -> bool:
    """Whether a node's session gauge means anything: a transcoder's own stays at 0."""
    node = snapshot.fleet.nodes.get(name)
    return node is not None and bool(node.roles & {Role.ORCHESTRATOR, Role.GATEWAY})


def _round(value: ChainRound) -> str:
    state = "initialised" if value.initialized else "NOT initialised"
    lock = ", locked" if value.locked else ""
    paused = ", protocol PAUSED" if value.paused else ""
    left = plural(value.blocks_left, "block")
    return f"round {value.round} {state}{lock}{paused}, {left} left of {value.length}"


def _record(value: OrchestratorRecord) -> str:
    state = "active" if value.active else "not active"
    stake = "unknown" if value.stake is None else f"{format_units(value.stake, 2)} LPT"
    uri = value.service_uri if value.service_uri is not None else "unknown"
    return (
        f"{state}, last reward in round {value.last_reward_round}, stake {stake}, "
        f"reward cut {value.reward_cut / 10_000:g} %, fee share {value.fee_share / 10_000:g} %, "
        f"service URI {uri}"
    )


def _history(value: RewardHistory) -> str:
    strip = "".join(_MARKS[outcome] for _, outcome in value.rounds)
    whole = "" if value.complete else ", incomplete"
    begun = f", the newest initialised by {value.begun_by}" if value.begun_by else ""
    return f"rounds {strip or 'none known'}{whole}{begun} ({_LEGEND})"


def _account(value: SignerAccount) -> str:
    pending = f", {plural(value.pending, 'transaction')} pending" if value.pending else ""
    pending = pending if value.pending_known else ", pending transactions not known"
    return f"{format_units(value.balance, 6)} ETH, nonce {value.nonce}{pending}"


def _deposit(value: SenderDeposit) -> str:
    deposit, reserve = format_units(value.deposit, 6), format_units(value.reserve, 6)
    return f"deposit {deposit} ETH, reserve {reserve} ETH"


def _tickets(value: TicketQueue) -> str:
    waiting = total(value.waiting)
    worth = format_units(waiting.value, 6)
    return f"{plural(waiting.count, 'winning ticket')} waiting, worth {worth} ETH ({value.path})"


def _prices(value: GasPrices) -> str:
    return f"gas at {format_gwei(value.gas_price)}"


def _status(value: NodeStatus) -> str:
    return (
        f"version {value.version or 'unknown'}, "
        f"{plural(value.transcoders_number, 'transcoder')} connected"
    )


def _identity(value: NodeIdentity) -> str:
    chain = "unknown" if value.chain_id is None else str(value.chain_id)
    return f"account {value.account or 'none'}, chain {chain}"


def _node_block(value: NodeBlock) -> str:
    return f"block {value.block}"


def _metrics(value: NodeMetrics) -> str:
    if not value.monitored:
        return "no metrics: it runs without -monitor"
    success = None if value.success_rate is None else 100 * value.success_rate
    return (
        f"sessions {_or(value.current_sessions)} of {_or(value.max_sessions)}, "
        f"success {host_text.share(success)}"
    )


def _balancer(value: BalancerState) -> str:
    servers = ", ".join(
        f"{server.backend}/{server.name} {server.admin} {server.health}"
        for server in value.servers[:20]
    )
    return f"{value.kind} {value.version}: {servers or 'no servers'}"


def _nginx(value: NginxConfig) -> str:
    parts = [
        f"nginx {value.version or 'of unknown version'}, {plural(len(value.upstreams), 'upstream')}"
    ]
    if value.refused:
        parts.append(f"would not start with its files: {value.refused}")
    elif value.edited:
        parts.append("its files are newer than its workers")
    return ", ".join(parts)


def _connections(value: NginxConnections) -> str:
    counts = ", ".join(f"{address} {_or(held)}" for address, held in value.servers[:20])
    return f"connections to servers: {counts or 'no servers'}"


def _head(value: RpcHead) -> str:
    syncing = ", SYNCING" if value.syncing is not None else ""
    syncing = syncing if value.is_sync_known else ", syncing or not is not known"
    peers = "" if value.peers is None else f", {plural(value.peers, 'peer')}"
    l1 = "" if value.l1_block is None else f", sees L1 block {value.l1_block}"
    return (
        f"{value.client} {value.version}, chain {value.chain_id}, block {value.head}"
        f"{l1}{syncing}{peers}"
    )


def _usage(value: RpcUsage) -> str:
    failed = f", {value.failed} failed" if value.failed else ""
    return (
        f"{plural(value.requests, 'request')} with {plural(value.calls, 'call')}, "
        f"{value.log_queries} of them for logs{failed}"
        + "".join(f"; {way_words(way)}" for way in value.ways[:1])
        + "".join(f"; {way.requests} from {way.host}" for way in value.ways[1:])
    )


def _vantage(value: RpcVantage) -> str:
    if not value.address:
        return f"not asked: where {value.host} finds it is not known"
    took = "unknown" if value.latency_s is None else f"{value.latency_s * 1000:.0f} ms"
    return f"chain {value.chain_id}, block {value.head} in {took} at {value.address}"


def _sent(value: SentTransactions) -> str:
    told = [f"{item.hash} of {item.sender or 'an account'}" for item in value.sent]
    return f"not settled: {', '.join(told)}" if told else "none that is not settled"


def _vitals(value: HostVitals) -> str:
    return (
        f"up {span(value.uptime_s)}, load {value.load_1m:g} {value.load_5m:g} "
        f"{value.load_15m:g}, CPU {host_text.share(value.cpu_busy)} ({cpu_words(value)}), "
        f"memory {value.memory_used:.0f} %"
    )


def _units(value: HostUnits) -> str:
    return ", ".join(f"{u.name} {u.active} ({u.sub})" for u in value.units) or "no units watched"


def _disks(value: HostDisks) -> str:
    mounts = [f"{mount.path} {mount.used_percent:.0f} %" for mount in value.mounts[:12]]
    return ", ".join([*mounts, *(f"{path} NOT MOUNTED" for path in value.missing)]) or "none"


def _system(value: HostSystem) -> str:
    reboot = ", reboot needed" if value.reboot_required else ""
    return f"{value.os_name}, kernel {value.kernel}, {plural(value.cpus, 'CPU')}{reboot}"


def _clock(value: HostClock) -> str:
    return f"clock {value.offset_s:+.3f} s, give or take {value.uncertainty_s:.3f} s"


def _listeners(value: HostListeners) -> str:
    wide = [f"{item.address}:{item.port}" for item in value.listeners if not item.is_loopback]
    return f"listens beyond loopback on {', '.join(wide[:20]) or 'nothing'}"


def _processes(value: HostProcesses) -> str:
    return plural(len(value.livepeer), "livepeer process", "livepeer processes")


def _or(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


_TELL: Final[Mapping[type, Callable[[Any], str]]] = {
    ChainRound: _round,
    OrchestratorRecord: _record,
    RewardHistory: _history,
    SignerAccount: _account,
    SenderDeposit: _deposit,
    TicketQueue: _tickets,
    Redemptions: money.redeemed,
    FeeTrend: money.trend,
    PaidCall: money.paid,
    AccountFlow: money.account,
    EarningsFlow: money.earnings,
    GasPrices: _prices,
    NodeStatus: _status,
    NodeIdentity: _identity,
    NodeBlock: _node_block,
    NodeMetrics: _metrics,
    LogErrors: ways_text.log_errors,
    HostLogs: ways_text.log_files,
    HostGpus: host_text.gpus,
    BalancerState: _balancer,
    NginxConfig: _nginx,
    NginxConnections: _connections,
    RpcHead: _head,
    RpcUsage: _usage,
    RpcVantage: _vantage,
    SentTransactions: _sent,
    HostVitals: _vitals,
    HostActivity: host_text.activity,
    HostPrograms: program_words,
    HostUnits: _units,
    HostDisks: _disks,
    HostSystem: _system,
    HostClock: _clock,
    HostListeners: _listeners,
    HostProcesses: _processes,
    HostKeystores: ways_text.keystores,
    NodeKeystore: ways_text.tried,
    KeyAtStart: ways_text.key_at_start,
    HostSafety: ways_text.safety,
    ClosedPorts: ways_text.closed,
    HostGrowth: host_text.growth,
    HostBackups: host_text.backups,
    HostUnitTexts: host_text.unit_texts,
    HostImages: host_text.images,
    RedeemerLink: ways_text.redeemer,
    PublicAddresses: ways_text.public,
}
