"""An orchestrator's stake events from cycle to cycle, each with its round. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.stake import StakeEvent, StakeHistory
from lptui.fleet.units import L2Block, Lptu, Round
from lptui.probes.chain.history import Start
from lptui.probes.chain.logs import RoundLog
from lptui.probes.chain.stake_logs import StakeLog

MOST: Final = 300
"""Events that are kept, the newest ones."""

ROUNDS: Final = 10
"""Of which the most stake that was seen is kept."""

Stakes = tuple[tuple[Round, Lptu], ...]


def stake_history(
    before: StakeHistory | None,
    found: Iterable[StakeLog],
    rounds: Iterable[RoundLog],
    starts: Sequence[Start],
    *,
    again: int,
    since: L2Block,
    upto: L2Block,
    complete: bool,
    most: Stakes = (),
) -> StakeHistory:
    """The events known before the block `again`, and those found since.

    `starts` are the beginnings of rounds; `rounds` their logs, where one of this cycle tells its
    place within the block. What is older than the first of `starts` is dropped.
    """
    exact = {log.round: log.index for log in rounds}
    begun = sorted((block, exact.get(number, -1), number) for number, block in starts)
    places = [(block, index) for block, index, _ in begun]

    def round_at(event: StakeEvent) -> Round | None:
        earlier = bisect_left(places, (event.block, event.index))
        return begun[earlier - 1][2] if earlier else event.round

    kept = [event for event in before.events if event.block < again] if before else []
    known = {(event.block, event.index): event for event in kept}
    for log in found:
        known[log.block, log.index] = _event(log)
    events = [replace(event, round=round_at(event)) for _, event in sorted(known.items())]
    recent = [event for event in events if not complete or event.round is not None]
    is_whole = complete and len(recent) <= MOST
    return StakeHistory(tuple(recent[-MOST:]), since, upto, is_whole, most)


def most_seen(before: Stakes, clock: ChainRound, stake: Lptu | None) -> Stakes:
    """The most stake that was seen in each round, with what is seen now."""
    found = dict(before)
    if stake is not None:
        found[clock.round] = max(stake, found.get(clock.round, Lptu(0)))
    kept = sorted(number for number in found if number <= clock.round)[-ROUNDS:]
    return tuple((number, found[number]) for number in kept)


def _event(log: StakeLog) -> StakeEvent:
    return StakeEvent(
        log.change,
        None,
        log.block,
        log.index,
        log.tx,
        log.amount,
        log.who,
        log.lock,
        log.effective,
        log.reward_cut,
        log.fee_share,
    )
