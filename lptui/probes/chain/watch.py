"""Remembers of each round what kept its reward from being called, and how long L1 blocks take.

It looks at what the other probes have just read, as long as there is time to see it: a node tells
nobody afterwards why it did not call (go-livepeer eth/rewardservice.go). It asks the chain only
to settle whether a node is ahead of it or wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lptui.errors import LptuiError
from lptui.fleet.chains import head_age_limits
from lptui.fleet.deadline import with_sample
from lptui.fleet.evidence import evidences, is_unsettled
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.facts.reward import Hindrance, L1Pace, RewardWatch, RoundNote, RoundSeen
from lptui.fleet.hindrances import failed_calls, hindrances, logged_failures
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Orchestrator
from lptui.fleet.units import Round
from lptui.probes.chain.history import ROUNDS
from lptui.probes.chain.probe import ChainProbe, networks_with_orchestrators, past, the_chain
from lptui.probes.probe import Answer, Asking
from lptui.text import plural

SETTLE_S: Final = 3.0
"""How long the chain is given to show what a node has seen already."""

MOST_NOTES: Final = ROUNDS * len(Hindrance)


@dataclass(frozen=True, slots=True)
class RewardWatchProbe:
    """What each orchestrator's reward waits for."""

    name: str = "reward-watch"
    needs: tuple[str, ...] = (
        "chain",
        "chain-events",
        "node-identity",
        "node-metrics",
        "node-reward",
        "node-status",
        "node-log",
    )

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return networks_with_orchestrators(fleet)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.events

    def source(self, fleet: Fleet, target: str) -> str:
        return "what lptui saw of each round"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (
            Key(L1Pace, target),
            *(Key(RewardWatch, item.name) for item in the_chain(fleet).orchestrators),
        )

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        now = asking.clock.now()
        snapshot = replace(asking.latest, taken_at=now)
        answers = [*await self._again(asking, snapshot, target)]
        answers.append(Answer(Key(L1Pace, target), _pace(snapshot, target)))
        for item in the_chain(asking.fleet).orchestrators:
            key = Key(RewardWatch, item.name)
            before: RewardWatch | None = past(snapshot.reading(RewardWatch, item.name))
            answers.append(Answer(key, watched(snapshot, item, before or RewardWatch(), now)))
        return answers

    async def _again(self, asking: Asking, snapshot: Snapshot, target: str) -> Sequence[Answer]:
        """The chain's readings once more, a moment later, where a node has just said that it
        called and the contract did not know of it yet."""
        if not any(
            is_unsettled(snapshot, evidences(snapshot, item))
            for item in the_chain(asking.fleet).orchestrators
        ):
            return ()
        left = asking.deadline_s - SETTLE_S
        if left < 1.0:
            return ()
        await asyncio.sleep(SETTLE_S)
        try:
            return await ChainProbe().ask(replace(asking, deadline_s=left), target)
        except LptuiError:
            return ()


def _pace(snapshot: Snapshot, network: str) -> L1Pace:
    before: Any = past(snapshot.reading(L1Pace, network))
    reading = snapshot.reading(ChainRound, network)
    clock = reading.value
    pace = before or L1Pace()
    if clock is None:
        return pace
    at = reading.taken_at
    chain = the_chain(snapshot.fleet)
    if clock.head_time is not None and head_age_limits(snapshot.fleet.thresholds, chain.chain_id):
        # The height is as old as the block that showed it.
        at = min(at, clock.head_time)
    return with_sample(pace, at, clock.block)


def watched(
    snapshot: Snapshot, registered: Orchestrator, before: RewardWatch, now: float
) -> RewardWatch:
    """What is known of the last rounds, with what the snapshot shows of the current one."""
    counts = failed_calls(snapshot, registered)
    errors = dict(before.errors) | counts
    clock = snapshot.fresh(ChainRound, the_chain(snapshot.fleet).network)
    record = snapshot.fresh(OrchestratorRecord, registered.name)
    if clock is None or record is None:
        return replace(before, errors=_bounded(errors))
    number = clock.round
    recent = [note for note in before.notes if number - ROUNDS <= note.round <= number]
    seen = [item for item in before.seen if number - ROUNDS <= item.round <= number]
    if record.last_reward_round >= number:
        recent = [note for note in recent if note.round != number]
        seen = [item for item in seen if item.round != number]
    else:
        found = dict(hindrances(snapshot, registered, before.caller))
        failed = logged_failures(snapshot, registered, number)
        failed = failed or failures(dict(before.errors), counts)
        if failed:
            found[Hindrance.CALL_FAILED] = failed
        recent = _noted(recent, number, found, now)
        seen = _looked_at(seen, clock, now)
    return RewardWatch(
        tuple(recent[-MOST_NOTES:]), tuple(seen), _bounded(errors), record.reward_caller
    )


def failures(before: Mapping[str, int], now: Mapping[str, int]) -> str:
    """Which callers' counters of failed calls have risen; a lower count is a new process's."""
    told = []
    for node, count in now.items():
        known = before.get(node)
        rise = 0 if known is None else count - known if count >= known else count
        if rise:
            told.append(f"{node} counted {plural(rise, 'failed call')} more")
    return "; ".join(told)


def _noted(
    notes: list[RoundNote], number: Round, found: Mapping[Hindrance, str], now: float
) -> list[RoundNote]:
    """The notes with those of the current round as they are now."""
    known = {note.kind: note for note in notes if note.round == number}
    for kind, text in found.items():
        since = known[kind].since_at if kind in known else now
        known[kind] = RoundNote(number, kind, text, since, now)
    return [note for note in notes if note.round != number] + list(known.values())


def _looked_at(seen: list[RoundSeen], clock: ChainRound, now: float) -> list[RoundSeen]:
    since = next((item.since_at for item in seen if item.round == clock.round), now)
    others = [item for item in seen if item.round != clock.round]
    return [*others, RoundSeen(clock.round, since, now, clock.blocks_into)]


def _bounded(errors: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(errors.items())[-64:]
