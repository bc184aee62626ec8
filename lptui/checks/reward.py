"""Rewards: is the round's reward called, how long is left, was one missed, is the orchestrator in.

go-livepeer's reward service calls once, when it sees a `NewRound` log, and never tries again
(eth/rewardservice.go); so whether it was called is judged from the chain alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import listed, span
from lptui.fleet.callers import Caller, orchestrator, reward_callers
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardHistory,
    RoundOutcome,
)
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Chain, Thresholds
from lptui.fleet.units import Round, format_units
from lptui.text import plural

DUE: Final = "reward-due"
MISSED: Final = "reward-missed"
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


@dataclass(frozen=True, slots=True)
class Assessment:
    """A reward's state. `seconds_left` until the round ends; `disagreement` "" when all agree."""

    state: RewardState
    severity: Severity
    blocks_left: int
    seconds_left: float
    warn_blocks: int
    critical_blocks: int
    disagreement: str = ""


def assess(
    clock: ChainRound,
    record: OrchestratorRecord,
    history: RewardHistory | None,
    limits: Thresholds,
    block_seconds: float,
) -> Assessment:
    """The state of one orchestrator's reward, from its record and from the logs.

    Limits longer than a quarter of the round are cut to that, so that they mean something on a
    short round too.
    """
    left = clock.blocks_left
    quarter = clock.length // 4
    critical = min(limits.reward_critical_blocks, quarter)
    warn = int(clock.length * limits.reward_warn_left / 100)
    grace = min(limits.reward_grace_s, quarter * block_seconds)
    state, severity, disagreement = _state(clock, record, history)
    if state is RewardState.DUE:
        past_grace = clock.blocks_into * block_seconds >= grace
        if left <= critical and past_grace:
            state, severity = RewardState.OVERDUE, Severity.CRITICAL
        elif left <= warn and past_grace:
            state, severity = RewardState.OVERDUE, Severity.WARNING
    return Assessment(state, severity, left, left * block_seconds, warn, critical, disagreement)


def _state(
    clock: ChainRound, record: OrchestratorRecord, history: RewardHistory | None
) -> tuple[RewardState, Severity, str]:
    event = history.event_of(clock.round) if history is not None else None
    if record.last_reward_round >= clock.round:
        if history is not None and event is None and _lacks_log(history, clock.round):
            text = "the record says called, the round's logs have no Reward log of it"
            return RewardState.CALLED, Severity.WARNING, text
        return RewardState.CALLED, Severity.OK, ""
    if event is not None:
        # The log may be younger than the record; a record read after it must know of it.
        if clock.head is not None and clock.head >= event.block:
            text = f"the Reward log says called, the record says round {record.last_reward_round}"
            return RewardState.CALLED, Severity.WARNING, text
        return RewardState.CALLED, Severity.OK, ""
    if clock.paused:
        return RewardState.PAUSED, Severity.WARNING, ""
    if not record.registered:
        return RewardState.UNREGISTERED, Severity.OK, ""
    if not record.active:
        return RewardState.INACTIVE, Severity.OK, ""
    if not clock.initialized:
        return RewardState.ROUND_PENDING, Severity.OK, ""
    return RewardState.DUE, Severity.OK, ""


def _lacks_log(history: RewardHistory, number: Round) -> bool:
    """Whether all logs since the round's beginning were seen when the record had it called."""
    begun = dict(history.starts).get(number)
    called = (number, RoundOutcome.CALLED) in history.rounds
    return called and begun is not None and history.since_block <= begun


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an orchestrator now, and where from."""

    chain: Chain
    name: str
    clock: ChainRound
    clock_reading: Reading[ChainRound]
    record: OrchestratorRecord
    record_reading: Reading[OrchestratorRecord]


def _orchestrators(view: View, check: str) -> Iterator[_Known | Finding]:
    """Each orchestrator with its record and the round, or the finding that they are not known."""
    chain = view.fleet.chain
    if chain is None:
        return
    clock_reading = view.reading(ChainRound, chain.network)
    clock = view.value(clock_reading)
    for registered in chain.orchestrators:
        record_reading = view.reading(OrchestratorRecord, registered.name)
        record = view.value(record_reading)
        if clock is not None and record is not None:
            yield _Known(chain, registered.name, clock, clock_reading, record, record_reading)
            continue
        cause = view.chain_blocker()
        if clock is None:
            yield view.unknown(check, "orchestrator", registered.name, clock_reading, cause=cause)
        else:
            yield view.unknown(check, "orchestrator", registered.name, record_reading, cause=cause)


def reward_due(view: View) -> Iterator[Finding]:
    """Has the current round's reward been called, and how long is left?"""
    for item in _orchestrators(view, DUE):
        yield item if isinstance(item, Finding) else _due(view, item)


def _due(view: View, known: _Known) -> Finding:
    clock, record, network = known.clock, known.record, known.chain.network
    history_reading = view.reading(RewardHistory, known.name)
    history = history_reading.value
    event = history.event_of(clock.round) if history is not None else None
    found = assess(clock, record, history, view.limits, known.chain.block_seconds)
    last, end = record.last_reward_round, clock.start_block + clock.length
    fact = f"lastRewardRound {last}, current round {clock.round} at {clock.rpc}"
    evidence = [
        view.says(known.record_reading, fact),
        view.says(known.clock_reading, f"L1 block {clock.block}, the round ends at {end}"),
    ]
    if event is not None:
        minted = f"Reward log of {format_units(event.amount)} LPT in {event.tx}"
        evidence.append(view.says(history_reading, minted))
    elif history is None:
        evidence.append(f"Reward logs not known: {view.why(history_reading)}")
    waiting = found.state in (RewardState.DUE, RewardState.OVERDUE)
    callers = _callers(view, known) if waiting else ()
    evidence += [line for caller in callers for line in _attempts(view, caller)]
    warn, critical = f"{found.warn_blocks + 1}:", f"{found.critical_blocks + 1}:"
    return Finding(
        DUE,
        found.severity,
        "orchestrator",
        known.name,
        _due_summary(found, clock),
        tuple(evidence),
        remedy=_call_remedy(callers) if waiting else _DISAGREE if found.disagreement else "",
        action="reward" if waiting else "",
        metrics=(
            Metric("blocks_left", found.blocks_left, "", warn, critical)
            if waiting
            else Metric("blocks_left", found.blocks_left),
            Metric("called", int(found.state is RewardState.CALLED)),
        ),
        cause=f"controller-paused@{network}" if found.state is RewardState.PAUSED else "",
    )


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


def _due_summary(found: Assessment, clock: ChainRound) -> str:
    left = f"{plural(found.blocks_left, 'block')} ({span(found.seconds_left)}) left"
    number = clock.round
    match found.state:
        case RewardState.CALLED if found.disagreement:
            return f"sources disagree on round {number}: {found.disagreement}"
        case RewardState.CALLED:
            return f"called in round {number}"
        case RewardState.DUE:
            return f"due in round {number}: not called yet, {left}"
        case RewardState.OVERDUE:
            return f"overdue in round {number}: not called, {left}"
        case RewardState.ROUND_PENDING:
            return f"nothing to call yet: round {number} is not initialised"
        case RewardState.PAUSED:
            return f"not called in round {number}, and the protocol is paused"
        case _:
            return f"nothing to call in round {number}: {found.state}"


def reward_missed(view: View) -> Iterator[Finding]:
    """Was the last finished round's reward called? Older misses are told, not alarmed."""
    chain = view.fleet.chain
    if chain is None:
        return
    for registered in chain.orchestrators:
        reading = view.reading(RewardHistory, registered.name)
        history = view.value(reading)
        if history is None:
            cause = view.chain_blocker()
            yield view.unknown(MISSED, "orchestrator", registered.name, reading, cause=cause)
        else:
            yield _missed(view, chain, registered.name, reading, history)


def _missed(
    view: View, chain: Chain, name: str, reading: Reading[RewardHistory], history: RewardHistory
) -> Finding:
    clock = view.fresh(ChainRound, chain.network)
    newest = history.rounds[-1][0] if history.rounds else 0
    current = clock.round if clock is not None else newest
    record = view.fresh(OrchestratorRecord, name)
    finished = [
        (number, _settled(number, outcome, clock, record))
        for number, outcome in history.rounds
        if number < current
    ]
    missed = [number for number, outcome in finished if outcome is RoundOutcome.MISSED]
    unclear = sum(outcome is RoundOutcome.UNKNOWN for _, outcome in finished)
    severity, summary = _missed_verdict(finished, missed, unclear, Round(current))
    return Finding(
        MISSED,
        severity,
        "orchestrator",
        name,
        summary,
        (view.says(reading, f"logs of L2 blocks {history.since_block} to {history.upto_block}"),),
        remedy=(
            "what was missed cannot be claimed any more; find out why before the next round"
            if severity is Severity.WARNING
            else "ask an RPC endpoint that serves older logs"
            if severity is Severity.UNKNOWN
            else ""
        ),
        metrics=(Metric("missed_rounds", len(missed)), Metric("finished_rounds", len(finished))),
    )


def _settled(
    number: Round,
    outcome: RoundOutcome,
    clock: ChainRound | None,
    record: OrchestratorRecord | None,
) -> RoundOutcome:
    """What became of a round that was still open when the logs were read, by the record."""
    begun_since = clock is not None and clock.last_initialized == number
    was_open = outcome is RoundOutcome.NOT_INITIALIZED and begun_since
    if not was_open and outcome is not RoundOutcome.PENDING:
        return outcome
    if record is None or record.last_reward_round > number:
        return RoundOutcome.UNKNOWN
    return RoundOutcome.CALLED if record.last_reward_round == number else RoundOutcome.MISSED


def _missed_verdict(
    finished: list[tuple[Round, RoundOutcome]], missed: list[Round], unclear: int, current: Round
) -> tuple[Severity, str]:
    if not finished:
        return Severity.UNKNOWN, "no finished round is known yet"
    last, outcome = finished[-1]
    if last != current - 1:
        return Severity.UNKNOWN, f"the logs known end before round {current - 1}"
    if outcome is RoundOutcome.UNKNOWN:
        return Severity.UNKNOWN, f"round {last} is not known: logs are missing"
    if outcome is RoundOutcome.MISSED:
        return Severity.WARNING, f"the reward of round {last} was missed"
    text = f"no reward missed in {plural(len(finished) - unclear, 'finished round')}"
    if missed:
        rounds = listed([str(number) for number in missed])
        text = f"round {last} was {outcome}; missed earlier: {rounds}"
    return Severity.OK, text + (f", {unclear} not known" if unclear else "")


def orchestrator_active(view: View) -> Iterator[Finding]:
    """Is the orchestrator registered and in the active set, now and in the next round?"""
    for item in _orchestrators(view, ACTIVE):
        if isinstance(item, Finding):
            yield item
            continue
        record = item.record
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
