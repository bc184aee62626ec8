"""What became of each round, from logs where they were seen and from the record. Pure.

Nothing on chain marks a missed reward: only the absence of an event, in a round that was
initialised, in blocks whose logs were really seen, while active. Anything less is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardEvent,
    RewardHistory,
    RoundOutcome,
)
from lptui.fleet.units import Address, L2Block, Round
from lptui.probes.chain.logs import RewardLog, RoundLog

ROUNDS: Final = 30
"""Finished rounds that are looked back upon."""

Start = tuple[Round, L2Block]


def wanted_rounds(current: Round) -> tuple[Round, ...]:
    """The rounds of a history, oldest first, the current one included."""
    return tuple(Round(number) for number in range(max(0, current - ROUNDS), current + 1))


def merge_starts(before: Iterable[Start], found: Iterable[RoundLog]) -> tuple[Start, ...]:
    """Beginnings of rounds by L2 block, oldest first."""
    starts = dict(before) | {log.round: log.block for log in found}
    return tuple(sorted(starts.items(), key=lambda start: start[1]))


def merge_events(
    before: Sequence[RewardEvent],
    found: Iterable[RewardLog],
    rounds: Iterable[RoundLog],
    starts: Sequence[Start],
    callers: Mapping[str, Address],
    times: Mapping[L2Block, float],
) -> tuple[RewardEvent, ...]:
    """One orchestrator's events, oldest first, each with its round where that is known.

    `callers` are the senders by transaction, `times` the times of blocks (UTC seconds), as far
    as they were asked for.

    An event is of the round whose beginning is the last before it; in one block the logs' own
    order decides.
    """
    places = [(block, -1, number) for number, block in starts]
    exact = {log.round: log.index for log in rounds}
    places = sorted((block, exact.get(number, -1), number) for block, _, number in places)

    def round_at(block: L2Block, index: int) -> Round | None:
        earlier = [number for at, place, number in places if (at, place) < (block, index)]
        return earlier[-1] if earlier else None

    known = {event.tx: event for event in before}
    for log in found:
        seen = known.get(log.tx)
        known[log.tx] = RewardEvent(
            round=round_at(log.block, log.index),
            block=log.block,
            tx=log.tx,
            amount=log.amount,
            caller=callers.get(log.tx) or (seen.caller if seen else None),
            at=log.at or times.get(log.block) or (seen.at if seen else None),
        )
    return tuple(
        event if event.round is not None else replace(event, round=round_at(event.block, 0))
        for event in sorted(known.values(), key=lambda event: event.block)
    )


def outcomes(
    clock: ChainRound,
    record: OrchestratorRecord | None,
    starts: Sequence[Start],
    events: Sequence[RewardEvent],
    upto: L2Block,
) -> tuple[tuple[Round, RoundOutcome], ...]:
    """What became of the last rounds, oldest first.

    A round before the record's activation counts as inactive; whether the orchestrator was
    active in an earlier life is not looked up.
    """
    called = {event.round for event in events if event.round is not None}
    if record is not None and record.last_reward_round:
        called.add(record.last_reward_round)
    begun = sorted(number for number, _ in starts)

    def outcome(number: Round) -> RoundOutcome:
        if number in called:
            return RoundOutcome.CALLED
        initialized = _initialized(clock, begun, number)
        if initialized is False:
            return RoundOutcome.NOT_INITIALIZED
        if record is None:
            return RoundOutcome.UNKNOWN
        if number == clock.round:
            return RoundOutcome.PENDING if record.active else RoundOutcome.INACTIVE
        if _inactive(record, number):
            return RoundOutcome.INACTIVE
        if initialized is None:
            return RoundOutcome.UNKNOWN
        # The record alone proves it for a round after the last one that was rewarded; for an
        # earlier one the logs up to the round's end must have been seen.
        ended = begun[-1] > number or (clock.head is not None and upto >= clock.head)
        proved = record.last_reward_round < number or ended
        return RoundOutcome.MISSED if proved else RoundOutcome.UNKNOWN

    return tuple((number, outcome(number)) for number in wanted_rounds(clock.round))


def _initialized(clock: ChainRound, begun: Sequence[Round], number: Round) -> bool | None:
    """Whether a round was ever initialised; None when that is not known."""
    if number in begun:
        return True
    if number == clock.round:
        return clock.initialized
    if number > clock.last_initialized:
        return False
    if begun and begun[0] < number < begun[-1]:
        return False
    return None


def _inactive(record: OrchestratorRecord, number: Round) -> bool:
    after = record.deactivation_round is not None and number >= record.deactivation_round
    return number < record.activation_round or after


def history(
    clock: ChainRound,
    record: OrchestratorRecord | None,
    starts: Sequence[Start],
    events: Sequence[RewardEvent],
    *,
    since: L2Block,
    upto: L2Block,
    window: int,
    complete: bool,
    begun_at: float | None = None,
    begun_by: Address | None = None,
    anchor: tuple[L2Block, str] | None = None,
) -> RewardHistory:
    """One orchestrator's history; what is older than its rounds is dropped.

    An event whose round is not known yet is kept as long as older logs may tell it.
    """
    oldest = wanted_rounds(clock.round)[0]
    kept = tuple(start for start in starts if start[0] >= oldest)
    recent = tuple(
        event
        for event in events
        if (not complete if event.round is None else event.round >= oldest)
    )
    return RewardHistory(
        rounds=outcomes(clock, record, starts, events, upto),
        events=recent,
        since_block=since,
        upto_block=upto,
        complete=complete,
        starts=kept,
        window=window,
        begun_at=begun_at,
        begun_by=begun_by,
        anchor=anchor,
    )
