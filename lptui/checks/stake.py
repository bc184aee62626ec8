"""Stake: how safe is an orchestrator's place, was it slashed, has it lost stake, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import ago, listed, logs_of, span
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.stake import StakeChange, StakeEvent, StakeHistory, TranscoderPool
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.standing import Standing, own_locks, standing
from lptui.fleet.topology import Chain, Orchestrator
from lptui.fleet.units import Lptu, Round, format_units, short_address
from lptui.text import plural

MARGIN: Final = "stake-margin"
SLASHED: Final = "slashed"
DROPPED: Final = "stake-dropped"

_RECENT: Final = 1
"""Rounds before the current one in which a slashing or a loss is news."""
_OLDER_LOGS: Final = "ask an RPC endpoint that serves older logs"


def _lpt(amount: int) -> str:
    return f"{format_units(amount, 2)} LPT"


def margin(view: View) -> Iterator[Finding]:
    """How far is an orchestrator from the last place of the pool, below which it earns nothing?"""
    chain = view.fleet.chain
    if chain is None:
        return
    reading = view.reading(TranscoderPool, chain.network)
    pool = view.value(reading)
    for item in chain.orchestrators:
        if pool is None:
            cause = view.chain_blocker()
            yield view.unknown(MARGIN, "orchestrator", item.name, reading, cause=cause)
            continue
        place = standing(pool, item.address)
        severity, summary, remedy = _margin(view, item, place)
        pooled = f"as of L2 block {pool.block}, read {ago(max(0.0, view.now - pool.read_at))}"
        yield Finding(
            MARGIN,
            severity,
            "orchestrator",
            item.name,
            summary,
            (
                f"{len(pool.members)} in the pool, room for {pool.most or '?'} ({pooled})",
                *_card(view, chain, item),
            ),
            remedy,
            metrics=(
                Metric("stake_place", place.place, "", str(pool.most or "")),
                Metric("stake_margin", place.margin, "lptu"),
            ),
            cause="" if place.place else f"orchestrator-active@{item.name}",
        )


def _margin(view: View, item: Orchestrator, place: Standing) -> tuple[Severity, str, str]:
    more = "bond more, or win delegators, before the next round"
    if place.place is None or place.margin is None or not place.stake:
        record = view.fresh(OrchestratorRecord, item.name)
        lacks = place.short_of(record.stake) if record and record.stake is not None else None
        short = f": it lacks {_lpt(lacks)}" if lacks else ""
        return Severity.CRITICAL, f"in no place of the pool of {place.size}{short}", more
    where = f"place {place.place} of {place.size}"
    if place.is_full is None:
        return Severity.UNKNOWN, f"{where}; the size of the pool is not known", _OLDER_LOGS
    if not place.is_full:
        free = plural((place.most or 0) - place.size, "place")
        return Severity.OK, f"{where}, {free} free: nobody is pushed out", ""
    if place.place == place.size:
        text = f"{where}, the last: whoever bonds more than {_lpt(place.stake)} takes it"
        return Severity.WARNING, text, more
    share = 100 * place.margin / place.stake
    text = f"{where}, {_lpt(place.margin)} ({share:.1f} %) above the last"
    if share < view.limits.stake_margin_warn:
        behind = plural(place.size - place.place, "orchestrator")
        text += f"; {behind} behind it would need {_lpt(place.to_pass or 0)} in all to pass it"
        return Severity.WARNING, text, more
    return Severity.OK, text, ""


def _card(view: View, chain: Chain, item: Orchestrator) -> Iterator[str]:
    """What else says whether it works: standing, rates, when they may change, own locks."""
    reading = view.reading(OrchestratorRecord, item.name)
    record = view.value(reading)
    if record is None:
        return
    leaves = "never" if record.deactivation_round is None else f"round {record.deactivation_round}"
    yield view.says(
        reading,
        f"registered {record.registered}, active {record.active}, from round "
        f"{record.activation_round} to {leaves}",
    )
    rates = f"reward cut {record.reward_cut / 1e4:g} %, fee share {record.fee_share / 1e4:g} %"
    clock_reading = view.reading(ChainRound, chain.network)
    clock = view.value(clock_reading)
    if clock is not None:
        yield view.says(clock_reading, f"{rates}; {rates_words(clock, record, chain)}")
    history = view.fresh(StakeHistory, item.name)
    for event in own_locks(history, item.address) if history is not None else ():
        ready = clock is not None and event.effective is not None and event.effective <= clock.round
        when = "can be withdrawn" if ready else f"to be withdrawn from round {event.effective}"
        yield f"own unbonding lock {event.lock}: {_lpt(event.amount or 0)}, {when}"


def rates_words(clock: ChainRound, record: OrchestratorRecord, chain: Chain) -> str:
    """Whether reward cut and fee share may be changed now (BondingManager.transcoder)."""
    if clock.locked:
        left = span(clock.blocks_left * chain.block_seconds)
        return f"changes are refused while the round is locked, for {left}"
    if not clock.initialized:
        return "changes are refused until the round is initialised"
    if record.active and record.last_reward_round != clock.round:
        return "changes are refused until this round's reward is called"
    left = span(max(0, clock.blocks_left - clock.lock_blocks) * chain.block_seconds)
    return f"may be changed for {left}, until the round is locked"


def slashed(view: View) -> Iterator[Finding]:
    """Has the orchestrator been slashed in the rounds whose logs are known?"""
    for known in _histories(view, SLASHED):
        if isinstance(known, Finding):
            yield known
            continue
        item, clock, reading, history = known
        found = [one for one in history.events if one.change is StakeChange.SLASHED]
        evidence = [
            view.says(reading, logs_of(history.since_block, history.upto_block)),
            *(_told(one) for one in reversed(found)),
        ]
        severity, summary, remedy = Severity.OK, "not slashed", ""
        if found:
            newest = found[-1]
            is_news = newest.round is None or newest.round >= clock.round - _RECENT
            severity = Severity.CRITICAL if is_news else Severity.WARNING
            lost = _lpt(sum(one.amount or 0 for one in found))
            when = f"in round {newest.round}" if newest.round is not None else "lately"
            summary = f"slashed {when}: {lost} lost"
            remedy = "look at its registration and its stake; ask the protocol's community why"
        elif not _covers(view, item, clock, history):
            severity = Severity.UNKNOWN
            seen = logs_of(history.since_block, history.upto_block)
            summary = f"not known: logs are missing, {seen} were seen"
            remedy = _OLDER_LOGS
        yield Finding(
            SLASHED,
            severity,
            "orchestrator",
            item.name,
            summary,
            tuple(evidence[:10]),
            remedy,
            metrics=(Metric("slashings", len(found)),),
        )


def dropped(view: View) -> Iterator[Finding]:
    """Has the orchestrator lost much stake since the last round, and do the logs say why?"""
    for known in _histories(view, DROPPED):
        if isinstance(known, Finding):
            yield known
            continue
        item, clock, reading, history = known
        record = view.fresh(OrchestratorRecord, item.name)
        if record is None or record.stake is None:
            record_reading = view.reading(OrchestratorRecord, item.name)
            cause = view.chain_blocker()
            yield view.unknown(DROPPED, "orchestrator", item.name, record_reading, cause=cause)
            continue
        yield _dropped(view, item, clock, reading, history, record.stake)


def _dropped(
    view: View,
    item: Orchestrator,
    clock: ChainRound,
    reading: Reading[StakeHistory],
    history: StakeHistory,
    now: Lptu,
) -> Finding:
    first = Round(clock.round - _RECENT)
    recent = [one for one in history.events if one.round is not None and one.round >= first]
    told = sum(_loss(one) for one in recent)
    seen = max((most for number, most in history.most if number >= first), default=now)
    lost = max(told, seen - now, 0)
    share = 100 * lost / (now + lost) if lost else 0.0
    severity = Severity.WARNING if share >= view.limits.stake_drop_warn else Severity.OK
    causes = _causes(recent, lost)
    summary = f"{_lpt(now)}, nothing lost since round {first}"
    if lost:
        summary = f"{_lpt(lost)} ({share:.1f} %) lost since round {first}: {listed(causes)}"
    elif not history.most and not _covers(view, item, clock, history):
        severity = Severity.UNKNOWN
        summary = f"not known: neither an earlier stake nor the logs since round {first} were seen"
    losses = [one for one in recent if _loss(one) > 0]
    return Finding(
        DROPPED,
        severity,
        "orchestrator",
        item.name,
        summary,
        (
            view.says(reading, logs_of(history.since_block, history.upto_block)),
            *(_told(one) for one in losses[-8:]),
        ),
        "see who left, and how far the last place of the pool is"
        if severity is Severity.WARNING
        else _OLDER_LOGS * (severity is Severity.UNKNOWN),
        metrics=(Metric("stake", now, "lptu"), Metric("stake_lost", round(share, 2), "%")),
        cause=f"{SLASHED}@{item.name}" if _is_slashed_alone(losses) else "",
    )


def _is_slashed_alone(losses: Sequence[StakeEvent]) -> bool:
    return bool(losses) and all(one.change is StakeChange.SLASHED for one in losses)


def _loss(event: StakeEvent) -> int:
    amount = event.amount or 0
    if event.change in (StakeChange.UNBOND, StakeChange.SLASHED):
        return amount
    return -amount if event.change in (StakeChange.BOND, StakeChange.REBOND) else 0


def _causes(recent: Sequence[StakeEvent], lost: int) -> list[str]:
    """What took the stake away, as far as the logs tell."""
    words = {StakeChange.SLASHED: "slashed", StakeChange.UNBOND: "unbonded"}
    found = []
    for change, word in words.items():
        amount = sum(one.amount or 0 for one in recent if one.change is change)
        if amount:
            found.append(f"{_lpt(amount)} {word}")
    untold = lost - max(0, sum(_loss(one) for one in recent))
    if untold > 0:
        found.append(f"{_lpt(untold)} moved to others, as no log of it says otherwise")
    return found


def _told(event: StakeEvent) -> str:
    amount = f" {_lpt(event.amount)}" if event.amount is not None else ""
    who = f" by {short_address(event.who)}" if event.who else ""
    when = f"round {event.round}" if event.round is not None else "a round not known"
    return f"{event.change}{amount}{who} in {when}, L2 block {event.block}, tx {event.tx}"


def _covers(view: View, item: Orchestrator, clock: ChainRound, history: StakeHistory) -> bool:
    """Whether the logs reach back to the beginning of the round before this one."""
    if history.complete:
        return True
    rewards = view.fresh(RewardHistory, item.name)
    starts = dict(rewards.starts) if rewards is not None else {}
    begun = starts.get(Round(clock.round - _RECENT))
    return begun is not None and history.since_block <= begun


def _histories(
    view: View, check: str
) -> Iterator[tuple[Orchestrator, ChainRound, Reading[StakeHistory], StakeHistory] | Finding]:
    """Each orchestrator's stake history with the round, or the finding that it is not known."""
    chain = view.fleet.chain
    if chain is None:
        return
    clock_reading = view.reading(ChainRound, chain.network)
    clock = view.value(clock_reading)
    for item in chain.orchestrators:
        reading = view.reading(StakeHistory, item.name)
        history = view.value(reading)
        cause = view.chain_blocker()
        if history is None:
            yield view.unknown(check, "orchestrator", item.name, reading, cause=cause)
        elif clock is None:
            yield view.unknown(check, "orchestrator", item.name, clock_reading, cause=cause)
        else:
            yield item, clock, reading, history
