"""Rewards: is the round's reward called, how long is left, do the sources agree, is the
orchestrator in.

go-livepeer's reward service calls once, when it sees a `NewRound` log, and never tries again
(eth/rewardservice.go); so whether it was called is judged from the chain, and from what else
there is where the chain does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import about
from lptui.fleet.callers import Caller, orchestrator, reward_callers
from lptui.fleet.deadline import TimeLeft, pace_of, time_left
from lptui.fleet.evidence import (
    Contradiction,
    Evidence,
    Kind,
    contradictions,
    evidences,
    verdict,
)
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain, Orchestrator, Thresholds
from lptui.fleet.units import format_units
from lptui.text import plural

DUE: Final = "reward-due"
DISAGREES: Final = "reward-disagrees"
ACTIVE: Final = "orchestrator-active"

_DISAGREE: Final = "ask another RPC endpoint before anything is called"


class RewardState(StrEnum):
    """Where an orchestrator stands with the current round's reward."""

    CALLED = "called"
    DUE = "due"
    OVERDUE = "overdue"
    ROUND_PENDING = "round pending"
    INACTIVE = "inactive"
    UNREGISTERED = "not registered"
    PAUSED = "paused"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Assessment:
    """A reward's state; `left` until the round ends."""

    state: RewardState
    severity: Severity
    left: TimeLeft
    blocks_left: int
    warn_blocks: int
    critical_blocks: int


def assess(
    clock: ChainRound,
    record: OrchestratorRecord | None,
    called: bool | None,
    limits: Thresholds,
    left: TimeLeft,
    since_begun_s: float | None = None,
) -> Assessment:
    """The state of one orchestrator's reward.

    `called` is what the evidence comes to, `since_begun_s` how long ago the round was
    initialised; without that its start counts. Limits longer than a quarter of the round are cut
    to that, so that they mean something on a short round too; the grace is no longer than a
    quarter of what was left when the round was initialised.
    """
    block = left.block.seconds
    quarter = clock.length // 4
    critical = min(limits.reward_critical_blocks, quarter)
    warn = int(clock.length * limits.reward_warn_left / 100)
    begun = clock.blocks_into * block
    if since_begun_s is not None:
        begun = min(begun, max(0.0, since_begun_s))
    grace = min(limits.reward_grace_s, (begun + left.seconds) / 4)
    state, severity = _state(clock, record, called)
    if state is RewardState.DUE and begun >= grace:
        if clock.blocks_left <= critical:
            state, severity = RewardState.OVERDUE, Severity.CRITICAL
        elif clock.blocks_left <= warn:
            state, severity = RewardState.OVERDUE, Severity.WARNING
    return Assessment(state, severity, left, clock.blocks_left, warn, critical)


def _state(
    clock: ChainRound, record: OrchestratorRecord | None, called: bool | None
) -> tuple[RewardState, Severity]:
    if called:
        return RewardState.CALLED, Severity.OK
    if clock.paused:
        return RewardState.PAUSED, Severity.WARNING
    if record is not None and not record.registered:
        return RewardState.UNREGISTERED, Severity.OK
    if record is not None and not record.active:
        return RewardState.INACTIVE, Severity.OK
    if not clock.initialized:
        return RewardState.ROUND_PENDING, Severity.OK
    if called is None:
        return RewardState.UNKNOWN, Severity.UNKNOWN
    return RewardState.DUE, Severity.OK


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an orchestrator now, and where from; `record` None: not the record."""

    chain: Chain
    registered: Orchestrator
    clock: ChainRound
    clock_reading: Reading[ChainRound]
    record: OrchestratorRecord | None
    record_reading: Reading[OrchestratorRecord]

    @property
    def name(self) -> str:
        return self.registered.name


def _orchestrators(view: View, check: str) -> Iterator[_Known | Finding]:
    """Each orchestrator with its record and the round, or the finding that the round is not
    known."""
    chain = view.fleet.chain
    if chain is None:
        return
    clock_reading = view.reading(ChainRound, chain.network)
    clock = view.value(clock_reading)
    for registered in chain.orchestrators:
        record_reading = view.reading(OrchestratorRecord, registered.name)
        record = view.value(record_reading)
        if clock is not None:
            yield _Known(chain, registered, clock, clock_reading, record, record_reading)
            continue
        cause = view.chain_blocker()
        yield view.unknown(check, "orchestrator", registered.name, clock_reading, cause=cause)


def reward_due(view: View) -> Iterator[Finding]:
    """Has the current round's reward been called, and how long is left?"""
    for item in _orchestrators(view, DUE):
        yield item if isinstance(item, Finding) else _due(view, item)


def _due(view: View, known: _Known) -> Finding:
    clock, network = known.clock, known.chain.network
    sources = evidences(view.snapshot, known.registered)
    against = [pair for pair in contradictions(view.snapshot, sources) if _is_of_chain(pair)]
    found = standing(view.snapshot, known.registered, clock, sources)
    severity, cause = found.severity, ""
    summary = _due_summary(found, clock, sources)
    if found.state is RewardState.CALLED and against:
        severity, cause = Severity.WARNING, f"{DISAGREES}@{known.name}"
        summary = f"sources disagree on round {clock.round}: {against[0].text}"
    elif found.state is RewardState.PAUSED:
        cause = f"controller-paused@{network}"
    waiting = found.state in (RewardState.DUE, RewardState.OVERDUE)
    callers = _callers(view, known) if waiting else ()
    end = clock.start_block + clock.length
    warn, critical = f"{found.warn_blocks + 1}:", f"{found.critical_blocks + 1}:"
    return Finding(
        DUE,
        severity,
        "orchestrator",
        known.name,
        summary,
        (
            *_lines(view, sources),
            view.says(
                known.clock_reading,
                f"round {clock.round}, L1 block {clock.block}, the round ends at {end}; "
                f"{_pace(found.left)}",
            ),
            *(line for caller in callers for line in _attempts(view, caller)),
        ),
        remedy=_call_remedy(callers)
        if waiting
        else _DISAGREE
        if cause.startswith(DISAGREES)
        else "see why none of the sources says whether it was called"
        if severity is Severity.UNKNOWN
        else "",
        action="reward" if waiting else "",
        metrics=(
            Metric("blocks_left", found.blocks_left, "", warn, critical)
            if waiting
            else Metric("blocks_left", found.blocks_left),
            Metric(
                "called",
                None
                if found.state is RewardState.UNKNOWN
                else int(found.state is RewardState.CALLED),
            ),
        ),
        cause=cause,
    )


def standing(
    snapshot: Snapshot, registered: Orchestrator, clock: ChainRound, sources: Sequence[Evidence]
) -> Assessment:
    """Where an orchestrator stands by a snapshot, whose round is `clock`."""
    chain, now = snapshot.fleet.chain, snapshot.taken_at
    age = snapshot.reading(ChainRound, chain.network).age(now) if chain else 0.0
    reading = snapshot.reading(RewardHistory, registered.name)
    history = reading.value or (reading.last_good.value if reading.last_good else None)
    begun_at = None
    if history is not None and history.rounds and history.rounds[-1][0] == clock.round:
        begun_at = history.begun_at
    return assess(
        clock,
        snapshot.fresh(OrchestratorRecord, registered.name),
        verdict(sources),
        snapshot.fleet.thresholds,
        time_left(clock, pace_of(snapshot), age),
        None if begun_at is None else now - begun_at,
    )


def _is_of_chain(pair: Contradiction) -> bool:
    return {pair.says_called.kind, pair.says_not.kind} == {Kind.CONTRACT, Kind.EVENT}


def _lines(view: View, sources: Sequence[Evidence]) -> Iterator[str]:
    """Each source's word, or that it has none."""
    for one in sources:
        if one.called is not None or one.reading.problem is None:
            yield view.says(one.reading, f"{one.source}: {one.text}")
        else:
            yield f"{one.source}: not known: {one.text}"


def _pace(left: TimeLeft) -> str:
    block = left.block
    if not block.measured:
        return f"L1 blocks of {block.seconds:g} s as configured"
    return f"L1 blocks of {block.seconds:.2f} s as measured"


def _callers(view: View, known: _Known) -> tuple[Caller, ...]:
    """The nodes that may call, as far as they told lately who they are."""
    registered = orchestrator(view.snapshot, known.name)
    if registered is None:
        return ()
    found = reward_callers(view.snapshot, registered, known.record)
    return tuple(caller for caller in found if view.is_fresh(caller.identity))


def _attempts(view: View, caller: Caller) -> Iterator[str]:
    """What a node tells of its own tries; its counter starts anew with its process."""
    reading = view.reading(NodeMetrics, caller.node.name)
    metrics = view.value(reading)
    if metrics is not None and metrics.monitored:
        tries = plural(metrics.reward_errors, "failed call")
        yield view.says(reading, f"{caller.node.name} counts {tries} of reward since its start")


def _call_remedy(callers: Sequence[Caller]) -> str:
    if not callers:
        return "call reward now on the node that holds the key"
    name, identity = callers[0].node.name, callers[0].identity.value
    if identity is not None and identity.tx_routes is False:
        return f"start {name} with -enableCliTxRoutes, then call reward on it"
    return f"call reward now on {name}"


def _due_summary(found: Assessment, clock: ChainRound, sources: Sequence[Evidence]) -> str:
    time = about(found.left.seconds, found.left.error_s)
    left = f"{plural(found.blocks_left, 'block')} ({time}) left"
    number = clock.round
    by = _by(sources)
    match found.state:
        case RewardState.CALLED:
            return f"called in round {number}{by}"
        case RewardState.DUE:
            return f"due in round {number}: not called yet{by}, {left}"
        case RewardState.OVERDUE:
            return f"overdue in round {number}: not called{by}, {left}"
        case RewardState.ROUND_PENDING:
            return f"nothing to call yet: round {number} is not initialised"
        case RewardState.PAUSED:
            return f"not called in round {number}, and the protocol is paused"
        case RewardState.UNKNOWN:
            lacking = "; ".join(f"{one.source}: {one.text}" for one in sources)
            return f"not known whether it was called in round {number}, {left} ({lacking})"
        case _:
            return f"nothing to call in round {number}: {found.state}"


def _by(sources: Sequence[Evidence]) -> str:
    """Whose word it is, where it is not the contract's."""
    contract = next((one for one in sources if one.kind is Kind.CONTRACT), None)
    if contract is None or contract.called is not None:
        return ""
    first = next((one for one in sources if one.called is not None), None)
    return f" by the word of {first.source} alone" if first is not None else ""


def reward_disagrees(view: View) -> Iterator[Finding]:
    """Do contract, log, node and explorer say the same of the current round's reward?"""
    for item in _orchestrators(view, DISAGREES):
        if isinstance(item, Finding):
            yield item
            continue
        sources = evidences(view.snapshot, item.registered)
        pairs = contradictions(view.snapshot, sources)
        saying = [one for one in sources if one.called is not None]
        number = item.clock.round
        if pairs:
            summary = f"round {number}: {pairs[0].text}"
        elif len(saying) < 2:
            who = saying[0].source if saying else "nobody"
            summary = f"nothing to compare: {who} alone tells of round {number}"
        else:
            word = "called" if verdict(sources) else "not called"
            agreeing = [one.source for one in saying if one.called == verdict(sources)]
            summary = f"round {number} {word} by {', '.join(agreeing)}"
        yield Finding(
            DISAGREES,
            Severity.WARNING if pairs else Severity.OK,
            "orchestrator",
            item.name,
            summary,
            tuple(_lines(view, sources)) + tuple(pair.text for pair in pairs[1:]),
            remedy=_which_is_wrong(pairs[0]) if pairs else "",
            metrics=(Metric("sources", len(saying)), Metric("contradictions", len(pairs))),
        )


def _which_is_wrong(pair: Contradiction) -> str:
    kinds = {pair.says_called.kind, pair.says_not.kind}
    if kinds & {Kind.NODE, Kind.LOG}:
        told = (pair.says_called, pair.says_not)
        node = next(one for one in told if one.kind in (Kind.NODE, Kind.LOG))
        return f"compare the RPC endpoint behind {node.source} with ours: one of them is wrong"
    if Kind.EXPLORER in kinds:
        return "look the transaction up at another RPC endpoint"
    return _DISAGREE


def orchestrator_active(view: View) -> Iterator[Finding]:
    """Is the orchestrator registered and in the active set, now and in the next round?"""
    for item in _orchestrators(view, ACTIVE):
        if isinstance(item, Finding):
            yield item
            continue
        record = item.record
        if record is None:
            cause = view.chain_blocker()
            yield view.unknown(ACTIVE, "orchestrator", item.name, item.record_reading, cause=cause)
            continue
        severity, summary, remedy = _activity(item.clock, record)
        fact = f"active {record.active}, registered {record.registered}"
        if record.stake is not None:
            fact += f", stake {format_units(record.stake, 2)} LPT"
        evidence = (view.says(item.record_reading, fact),)
        yield Finding(ACTIVE, severity, "orchestrator", item.name, summary, evidence, remedy)


def _activity(clock: ChainRound, record: OrchestratorRecord) -> tuple[Severity, str, str]:
    now, leaves = clock.round, record.deactivation_round
    if not record.registered:
        return (
            Severity.CRITICAL,
            f"{record.address} is not registered as an orchestrator",
            "check the address in the configuration, or bond stake to itself",
        )
    if record.active and (leaves is None or leaves <= now):
        return Severity.OK, f"registered and active in round {now}", ""
    if record.active:
        return (
            Severity.WARNING,
            f"leaves the active set in round {leaves}",
            "add stake, or it will earn nothing from then on",
        )
    if record.activation_round > now:
        return (
            Severity.WARNING,
            f"not active yet: joins the active set in round {record.activation_round}",
            "nothing to do but to keep the stake until then",
        )
    since = f" since round {leaves}" if leaves is not None else ""
    return (
        Severity.CRITICAL,
        f"not in the active set{since}: it can neither work nor call reward",
        "add stake until it is among the orchestrators with most stake",
    )
