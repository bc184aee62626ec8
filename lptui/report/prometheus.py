"""Prometheus text for node_exporter's textfile collector: no time stamps, bounded labels.

What is unknown has no sample (the check's status says 3); money is exact decimal text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from lptui import __version__
from lptui.checks import failing, overall
from lptui.checks.balancers import serves
from lptui.checks.gpu import card_name
from lptui.checks.spending import runway_of
from lptui.checks.view import View
from lptui.fleet.chains import of_the_past
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostDisks, HostUnits, HostVitals
from lptui.fleet.facts.livepeer import NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.facts.rpc import RpcHead, RpcUsage
from lptui.fleet.facts.stake import TranscoderPool
from lptui.fleet.facts.tickets import TicketQueue
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.headroom import headroom
from lptui.fleet.payers import payers
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.standing import standing
from lptui.fleet.tickets import VALID_ROUNDS, keepers, total
from lptui.fleet.topology import Role
from lptui.fleet.transcoders import Join, joined
from lptui.fleet.units import WEI_PER_ETH
from lptui.text import clean

LABEL_CHARACTERS: Final = 120
_SESSION_ROLES: Final = frozenset({Role.ORCHESTRATOR, Role.GATEWAY})
Value = float | int | str
Sample = tuple[dict[str, str], Value]


@dataclass(slots=True)
class Family:
    """A metric's name, help and samples. All are gauges."""

    name: str
    help: str
    samples: list[Sample] = field(default_factory=list)

    def add(self, value: Value | bool | None, **labels: str) -> None:
        """Adds a sample; nothing for what is unknown."""
        if value is None or (isinstance(value, float) and not isfinite(value)):
            return
        self.samples.append((labels, int(value) if isinstance(value, bool) else value))

    def lines(self) -> Iterator[str]:
        if not self.samples:
            return
        yield f"# HELP {self.name} {self.help}"
        yield f"# TYPE {self.name} gauge"
        seen: set[str] = set()
        for labels, value in self.samples:
            told = ",".join(f'{name}="{_label(text)}"' for name, text in labels.items())
            series = f"{self.name}{{{told}}}" if told else self.name
            if series not in seen:
                seen.add(series)
                yield f"{series} {value}"


class Up:
    """Whether things answer: what could not be asked is neither up nor down."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._unknown = {found.id for found in findings if found.severity is Severity.UNKNOWN}

    def __call__(self, check: str, target: str, value: object) -> bool | None:
        """True for a fresh value; None where the check could not tell why there is none."""
        if value is not None:
            return True
        return None if f"{check}@{target}" in self._unknown else False


def render(snapshot: Snapshot, findings: Sequence[Finding], took_s: float | None = None) -> str:
    """The whole page, ending with a newline."""
    up = Up(findings)
    families = [
        *_run(snapshot, findings, took_s),
        *_chain(snapshot),
        *_rpcs(snapshot, up),
        *_nodes(snapshot, up),
        *_headroom(snapshot),
        *_gpus(snapshot),
        *_balancers(snapshot, up),
        *_hosts(snapshot, up),
        *_sources(snapshot),
    ]
    return "\n".join(line for family in families for line in family.lines()) + "\n"


def _label(text: str) -> str:
    cleaned = clean(text, LABEL_CHARACTERS)
    return cleaned.replace("\\", "\\\\").replace('"', '\\"')


def eth(wei: int) -> str:
    """Wei as exact decimal ETH, without trailing zeros."""
    whole, part = divmod(abs(wei), WEI_PER_ETH)
    digits = f"{part:018d}".rstrip("0")
    sign = "-" if wei < 0 else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def _run(snapshot: Snapshot, findings: Sequence[Finding], took_s: float | None) -> Iterator[Family]:
    build = Family("lptui_build_info", "Version of lptui that wrote this.")
    build.add(1, version=__version__)
    up = Family("lptui_up", "1: lptui ran and wrote this.")
    up.add(1)
    last = Family("lptui_last_run_timestamp_seconds", "When the readings were collected.")
    last.add(round(snapshot.taken_at, 3))
    took = Family("lptui_run_duration_seconds", "How long the run took.")
    took.add(None if took_s is None else round(took_s, 6))
    status = Family(
        "lptui_status", "Worst state of all checks: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."
    )
    status.add(int(overall(findings)))
    bad = Family("lptui_checks_failing", "Findings that are not OK and need somebody.")
    bad.add(len(failing(findings)))
    checks = Family(
        "lptui_check_status",
        "State of each check and target: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
    )
    explained = Family(
        "lptui_check_explained", "1: what is wrong follows from another failing check."
    )
    for found in findings:
        checks.add(
            int(found.severity),
            check=found.check,
            target=found.target,
            subject=found.subject,
        )
        if found.severity and found.cause:
            explained.add(1, check=found.check, target=found.target)
    yield from (build, up, last, took, status, bad, checks, explained)


def _chain(snapshot: Snapshot) -> Iterator[Family]:
    chain = snapshot.fleet.chain
    if chain is None or of_the_past(snapshot) is not None:
        return  # what an endpoint that stands still says of the chain is not known to hold now
    number = Family("lptui_round", "Number of the current round.")
    initialized = Family("lptui_round_initialized", "1: the current round is initialised.")
    left = Family("lptui_round_blocks_remaining", "L1 blocks until the round ends.")
    locked = Family("lptui_round_locked", "1: the round is in its lock period.")
    price = Family("lptui_gas_price_wei", "Gas price, in wei a unit of gas.")
    prices = snapshot.fresh(GasPrices, chain.network)
    if prices is not None:
        price.add(int(prices.gas_price), network=chain.network)
    clock = snapshot.fresh(ChainRound, chain.network)
    called = Family("lptui_reward_called", "1: the round's reward has been called.")
    remaining = Family(
        "lptui_reward_blocks_remaining", "L1 blocks left to call the round's reward in."
    )
    active = Family("lptui_orchestrator_active", "1: in the active set.")
    stake = Family("lptui_orchestrator_stake_lpt", "Its stake and its delegators', in LPT.")
    place = Family("lptui_orchestrator_place", "Its place in the pool, by stake.")
    margin = Family("lptui_orchestrator_margin_lpt", "LPT above the stake of the last place.")
    if clock is not None:
        number.add(clock.round, network=chain.network)
        initialized.add(clock.initialized, network=chain.network)
        left.add(clock.blocks_left, network=chain.network)
        locked.add(clock.locked, network=chain.network)
    pool = snapshot.fresh(TranscoderPool, chain.network)
    for item in chain.orchestrators:
        if pool is not None:
            found = standing(pool, item.address)
            place.add(found.place, orchestrator=item.name)
            margin.add(None if found.margin is None else eth(found.margin), orchestrator=item.name)
        record = snapshot.fresh(OrchestratorRecord, item.name)
        if record is None:
            continue
        stake.add(None if record.stake is None else eth(record.stake), orchestrator=item.name)
        active.add(record.active, orchestrator=item.name)
        if clock is not None:
            called.add(record.last_reward_round >= clock.round, orchestrator=item.name)
            remaining.add(clock.blocks_left, orchestrator=item.name)
    yield from (number, initialized, left, locked, price, called, remaining, active)
    yield from (stake, place, margin)
    yield from _money(snapshot)


def _money(snapshot: Snapshot) -> Iterator[Family]:
    balance = Family("lptui_balance_eth", "Balance of a signing key, in ETH.")
    pending = Family("lptui_pending_transactions", "Transactions of a signing key not yet mined.")
    for signer in snapshot.fleet.signers:
        account = snapshot.fresh(SignerAccount, signer.address)
        if account is not None:
            balance.add(eth(account.balance), signer=signer.name, role=signer.role)
            waiting = account.pending if account.pending_known else None
            pending.add(waiting, signer=signer.name, role=signer.role)
    yield from (balance, pending)
    yield from _lasting(snapshot)
    yield from _tickets(snapshot)


def _lasting(snapshot: Snapshot) -> Iterator[Family]:
    """How long balances last, what gateways have left, and what nodes may pay for gas."""
    chain = snapshot.fleet.chain
    if chain is None:
        return
    view = View(snapshot)
    rounds = Family("lptui_runway_rounds", "Rounds that a signing key's balance lasts.")
    burn = Family("lptui_burn_eth_per_round", "What is reckoned to be spent a round, in ETH.")
    for signer in snapshot.fleet.signers:
        account = snapshot.fresh(SignerAccount, signer.address)
        found = runway_of(view, chain, signer, account) if account is not None else None
        if found is not None:
            rounds.add(found.rounds, signer=signer.name, basis=found.basis.value)
            burn.add(eth(found.burn), signer=signer.name, basis=found.basis.value)
    deposit = Family("lptui_gateway_deposit_eth", "A gateway's deposit, in ETH.")
    reserve = Family("lptui_gateway_reserve_eth", "A gateway's reserve, in ETH.")
    for address, name in payers(snapshot).items():
        held = snapshot.fresh(SenderDeposit, address)
        if held is not None:
            deposit.add(eth(held.deposit), gateway=name)
            reserve.add(eth(held.reserve), gateway=name)
    cap = Family("lptui_gas_cap_wei", "The most that a node pays for a unit of gas, in wei.")
    for node in snapshot.fleet.nodes.values():
        identity = snapshot.value(NodeIdentity, node.name)
        if identity is not None and identity.max_gas_price is not None:
            cap.add(int(identity.max_gas_price), node=node.name)
    yield from (rounds, burn, deposit, reserve, cap)


def _tickets(snapshot: Snapshot) -> Iterator[Family]:
    chain = snapshot.fleet.chain
    clock = snapshot.fresh(ChainRound, chain.network) if chain else None
    count = Family("lptui_tickets_waiting", "Winning tickets that wait to be redeemed.")
    value = Family("lptui_tickets_waiting_eth", "What winning tickets that wait are worth, in ETH.")
    soon = Family("lptui_tickets_expiring", "Winning tickets that are lost when the round ends.")
    risk = Family("lptui_tickets_expiring_eth", "What is lost with them, in ETH.")
    for node in keepers(snapshot.fleet):
        queue = snapshot.fresh(TicketQueue, node.name)
        if queue is None or clock is None:
            continue
        last = clock.round - VALID_ROUNDS + 1
        waiting = total(part for part in queue.waiting if part.round >= last)
        expiring = total(part for part in queue.waiting if part.round == last)
        count.add(waiting.count, node=node.name)
        value.add(eth(waiting.value), node=node.name)
        soon.add(expiring.count, node=node.name)
        risk.add(eth(expiring.value), node=node.name)
    yield from (count, value, soon, risk)


def _rpcs(snapshot: Snapshot, answers: Up) -> Iterator[Family]:
    up = Family("lptui_rpc_up", "1: the endpoint answers.")
    number = Family("lptui_head_number", "Number of the newest block.")
    age = Family("lptui_head_age_seconds", "Age of the newest block when it was read.")
    lag = Family("lptui_head_lag_blocks", "Blocks behind the highest head of the same chain.")
    syncing = Family("lptui_rpc_syncing", "1: the client says that it is syncing.")
    peers = Family("lptui_rpc_peers", "Peers of the client.")
    latency = Family("lptui_rpc_latency_seconds", "How long the endpoint took to answer.")
    asked = Family("lptui_rpc_requests", "Requests that lptui made to it since it was started.")
    best: dict[int, int] = {}
    heads = {name: snapshot.fresh(RpcHead, name) for name in snapshot.fleet.rpcs}
    for head in heads.values():
        if head is not None:
            best[head.chain_id] = max(head.head, best.get(head.chain_id, 0))
    for name, head in heads.items():
        up.add(answers("rpc-reachable", name, head), rpc=name)
        usage = snapshot.fresh(RpcUsage, name)
        asked.add(usage.requests if usage is not None else None, rpc=name)
        if head is None:
            continue
        reading = snapshot.reading(RpcHead, name)
        number.add(head.head, rpc=name)
        age.add(round(max(0.0, reading.taken_at - head.head_time), 3), rpc=name)
        lag.add(best[head.chain_id] - head.head, rpc=name)
        syncing.add(head.syncing is not None if head.is_sync_known else None, rpc=name)
        peers.add(head.peers, rpc=name)
        latency.add(round(head.latency_s, 6), rpc=name)
    yield from (up, number, age, lag, syncing, peers, latency, asked)


def _nodes(snapshot: Snapshot, answers: Up) -> Iterator[Family]:
    up = Family("lptui_node_up", "1: the node's CLI API answers.")
    transcoders = Family("lptui_transcoders", "Transcoders connected to an orchestrator.")
    sessions = Family("lptui_sessions", "Sessions of a node now.")
    most = Family("lptui_sessions_limit", "Sessions that a node takes at most.")
    success = Family("lptui_success_ratio", "Share of segments transcoded well, as the node says.")
    restarts = Family("lptui_unit_restarts", "Restarts by the supervisor since the last by hand.")
    running = Family("lptui_unit_running", "1: the node's service runs.")
    for node in snapshot.fleet.nodes.values():
        if node.is_livepeer and node.cli is not None:
            status = snapshot.fresh(NodeStatus, node.name)
            up.add(answers("node-up", node.name, status), node=node.name)
            if status is not None and node.transcoders is not None:
                transcoders.add(status.transcoders_number, node=node.name)
            metrics = snapshot.fresh(NodeMetrics, node.name)
            # A transcoder's own session gauge stays at 0 whatever it does.
            if metrics is not None and metrics.monitored and node.roles & _SESSION_ROLES:
                sessions.add(metrics.current_sessions, node=node.name)
                most.add(metrics.max_sessions, node=node.name)
                success.add(metrics.success_rate, node=node.name)
        units = snapshot.fresh(HostUnits, node.host)
        unit = units.find(node.service.name) if units and node.service else None
        if unit is not None:
            running.add(unit.is_running, node=node.name)
            restarts.add(unit.restarts, node=node.name)
    yield from (up, transcoders, sessions, most, success, running, restarts)


def _headroom(snapshot: Snapshot) -> Iterator[Family]:
    """Nothing of an orchestrator whose sessions are not known."""
    room = Family("lptui_headroom_sessions", "More sessions that an orchestrator takes.")
    by = Family("lptui_headroom_limit_sessions", "More sessions that each resource allows.")
    fleet = Family("lptui_fleet_headroom_sessions", "More sessions that the fleet takes.")
    registered = Family("lptui_transcoder_registered", "1: it is in its orchestrator's list.")
    found = headroom(snapshot)
    for one in found.nodes:
        room.add(one.room, node=one.orchestrators[0])
        for limit in one.limits:
            by.add(limit.room, node=one.orchestrators[0], resource=limit.resource)
    if found.is_whole:
        fleet.add(found.room)
    for each in joined(snapshot):
        if each.join in (Join.LISTED, Join.ALONE):
            registered.add(each.join is Join.LISTED, node=each.node.name)
    yield from (room, by, fleet, registered)


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 6)


def _gpus(snapshot: Snapshot) -> Iterator[Family]:
    degrees = Family("lptui_gpu_temperature_celsius", "Temperature of a card.")
    encoder = Family("lptui_gpu_encoder_ratio", "How busy a card's encoder is.")
    decoder = Family("lptui_gpu_decoder_ratio", "How busy a card's decoder is.")
    sessions = Family("lptui_gpu_encoder_sessions", "Encoder sessions of a card now.")
    busy = Family("lptui_gpu_utilization_ratio", "How busy a card is.")
    power = Family("lptui_gpu_power_watts", "Power that a card draws.")
    memory = Family("lptui_gpu_memory_used_bytes", "Memory of a card in use.")
    throttled = Family("lptui_gpu_throttled", "1: slowed down for heat, power or a fault.")
    for host in snapshot.fleet.hosts:
        found = snapshot.fresh(HostGpus, host)
        for gpu in found.gpus if found else ():
            name = card_name(host, gpu)
            degrees.add(gpu.temperature_c, gpu=name)
            encoder.add(_ratio(gpu.encoder), gpu=name)
            decoder.add(_ratio(gpu.decoder), gpu=name)
            sessions.add(gpu.encoder_sessions, gpu=name)
            busy.add(_ratio(gpu.utilisation), gpu=name)
            power.add(gpu.power_w, gpu=name)
            memory.add(gpu.memory_used, gpu=name)
            throttled.add(gpu.throttled, gpu=name)
    yield from (degrees, encoder, decoder, sessions, busy, power, memory, throttled)


def _balancers(snapshot: Snapshot, answers: Up) -> Iterator[Family]:
    there = Family("lptui_balancer_up", "1: the balancer answers.")
    usable = Family("lptui_backend_up", "1: a server of the backend can take new traffic.")
    up = Family("lptui_server_up", "1: new traffic may go to the server.")
    sessions = Family("lptui_server_sessions", "Sessions of a server now.")
    for balancer in snapshot.fleet.balancers.values():
        state = snapshot.fresh(BalancerState, balancer.name)
        there.add(answers("lb-up", balancer.name, state), balancer=balancer.name)
        if state is None:
            continue
        serving: dict[str, bool] = {}
        for server in state.servers:
            labels = {"balancer": balancer.name, "backend": server.backend, "server": server.name}
            up.add(serves(server), **labels)
            sessions.add(server.sessions, **labels)
            serving[server.backend] = serving.get(server.backend, False) or serves(server)
        for backend, is_up in serving.items():
            usable.add(is_up, balancer=balancer.name, backend=backend)
    yield from (there, usable, up, sessions)


def _hosts(snapshot: Snapshot, answers: Up) -> Iterator[Family]:
    up = Family("lptui_host_up", "1: the host can be reached.")
    memory = Family("lptui_host_memory_used_ratio", "Memory that cannot be had without swapping.")
    load = Family("lptui_host_load5", "Load of the last five minutes.")
    disk = Family("lptui_disk_used_ratio", "Used part of a file system.")
    for host in snapshot.fleet.hosts:
        vitals = snapshot.fresh(HostVitals, host)
        up.add(answers("host-up", host, vitals), host=host)
        if vitals is not None:
            load.add(vitals.load_5m, host=host)
            if vitals.memory_total > 0:
                memory.add(_ratio(vitals.memory_used), host=host)
        disks = snapshot.fresh(HostDisks, host)
        for mount in disks.mounts[:16] if disks else ():
            disk.add(_ratio(mount.used_percent), host=host, mount=mount.path)
    yield from (up, memory, load, disk)


def _sources(snapshot: Snapshot) -> Iterator[Family]:
    age = Family("lptui_source_age_seconds", "Age of each reading.")
    failed = Family("lptui_source_failed", "1: the last attempt at a reading failed.")
    for key, reading in snapshot.readings.items():
        labels = {"topic": key.topic.__name__, "target": key.target}
        age.add(round(reading.age(snapshot.taken_at), 3), **labels)
        failed.add(reading.problem is not None, **labels)
    yield from (age, failed)
