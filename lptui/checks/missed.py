"""Rewards of past rounds: was one missed, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from lptui.checks.misses import Miss, misses
from lptui.checks.view import View
from lptui.checks.words import listed, logs_of
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardHistory,
    RoundOutcome,
)
from lptui.fleet.facts.reward import RewardWatch
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Chain
from lptui.fleet.units import Round
from lptui.text import plural

MISSED: Final = "reward-missed"

_MOST_TOLD: Final = 5
"""Fruitless rounds that are explained one by one, the newest."""


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
    watch = view.reading(RewardWatch, name)
    settled = replace(
        history,
        rounds=tuple((n, _settled(n, outcome, clock, record)) for n, outcome in history.rounds),
    )
    finished = [(number, outcome) for number, outcome in settled.rounds if number < current]
    fruitless = misses(settled, Round(current), record, view.value(watch))
    missed = [miss.round for miss in fruitless if miss.outcome is RoundOutcome.MISSED]
    severity, summary = _missed_verdict(finished, fruitless, Round(current))
    return Finding(
        MISSED,
        severity,
        "orchestrator",
        name,
        summary,
        (
            view.says(reading, logs_of(history.since_block, history.upto_block)),
            *_explained(fruitless),
        ),
        remedy=(
            "what was missed cannot be claimed any more; find out why before the next round"
            if severity is Severity.WARNING
            else "ask an RPC endpoint that serves older logs"
            if severity is Severity.UNKNOWN
            else ""
        ),
        metrics=(Metric("missed_rounds", len(missed)), Metric("finished_rounds", len(finished))),
    )


def _explained(fruitless: Sequence[Miss]) -> Iterator[str]:
    """The newest first; what the orchestrator was not in needs no line for each round."""
    told = [miss for miss in fruitless if miss.outcome is not RoundOutcome.INACTIVE]
    told += [miss for miss in fruitless if miss.outcome is RoundOutcome.INACTIVE][-1:]
    for miss in sorted(told, key=lambda miss: -miss.round)[:_MOST_TOLD]:
        yield f"round {miss.round} {miss.outcome}: {miss.why}"


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
    finished: Sequence[tuple[Round, RoundOutcome]], fruitless: Sequence[Miss], current: Round
) -> tuple[Severity, str]:
    if not finished:
        return Severity.UNKNOWN, "no finished round is known yet"
    last, outcome = finished[-1]
    if last != current - 1:
        return Severity.UNKNOWN, f"the logs known end before round {current - 1}"
    if outcome is RoundOutcome.UNKNOWN:
        return Severity.UNKNOWN, f"round {last} is not known: logs are missing"
    why = next((miss.why for miss in fruitless if miss.round == last), "")
    if outcome is RoundOutcome.MISSED:
        return Severity.WARNING, f"the reward of round {last} was missed: {why}"
    missed = [str(miss.round) for miss in fruitless if miss.outcome is RoundOutcome.MISSED]
    unclear = sum(outcome is RoundOutcome.UNKNOWN for _, outcome in finished)
    text = f"no reward missed in {plural(len(finished) - unclear, 'finished round')}"
    if why:
        text = f"round {last} earned nothing: {why}"
    elif missed:
        text = f"round {last} was {outcome}"
    if missed:
        text += f"; missed earlier: {listed(missed)}"
    return Severity.OK, text + (f", {unclear} not known" if unclear else "")
