"""Why a past round earned nothing, as far as the evidence goes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lptui.clock import iso
from lptui.fleet.facts.chain import OrchestratorRecord, RewardHistory, RoundOutcome
from lptui.fleet.facts.reward import Hindrance, RewardWatch, RoundNote, RoundSeen
from lptui.fleet.units import Round

_WEIGHT: Final = {kind: place for place, kind in enumerate(Hindrance)}
"""What keeps everybody from calling comes first, then what keeps the caller."""

_FRUITLESS: Final = (RoundOutcome.MISSED, RoundOutcome.INACTIVE, RoundOutcome.NOT_INITIALIZED)


@dataclass(frozen=True, slots=True)
class Miss:
    """A finished round without a reward, and why."""

    round: Round
    outcome: RoundOutcome
    why: str


def misses(
    history: RewardHistory,
    current: Round,
    record: OrchestratorRecord | None,
    watch: RewardWatch | None,
) -> tuple[Miss, ...]:
    """All finished rounds without a reward, oldest first."""
    return tuple(
        Miss(number, outcome, explain(number, outcome, record, watch))
        for number, outcome in history.rounds
        if number < current and outcome in _FRUITLESS
    )


def explain(
    number: Round,
    outcome: RoundOutcome,
    record: OrchestratorRecord | None,
    watch: RewardWatch | None,
) -> str:
    """Why a round earned nothing; "no evidence why" is said where there is none."""
    notes = [note for note in watch.notes if note.round == number] if watch is not None else []
    notes.sort(key=lambda note: _WEIGHT[note.kind])
    seen = next((item for item in watch.seen if item.round == number), None) if watch else None
    told = "; ".join(_told(notes))
    if outcome is RoundOutcome.NOT_INITIALIZED:
        return "nobody ever initialised it"
    if outcome is RoundOutcome.INACTIVE:
        return _inactive(number, record) or told or "not active"
    return told or _nothing(seen)


def _inactive(number: Round, record: OrchestratorRecord | None) -> str:
    if record is None:
        return ""
    if number < record.activation_round:
        return f"not active before round {record.activation_round}"
    leaves = record.deactivation_round
    return "" if leaves is None or number < leaves else f"not active since round {leaves}"


def _told(notes: list[RoundNote]) -> Iterator[str]:
    for note in notes:
        until = f" to {iso(note.until_at)}" if note.until_at - note.since_at >= 1 else ""
        yield f"{note.text} (seen {iso(note.since_at)}{until})"


def _nothing(seen: RoundSeen | None) -> str:
    if seen is None:
        return "no evidence why: nobody looked while it lasted"
    if seen.until_at - seen.since_at < 1:
        return f"no evidence why: nothing stood in its way at {iso(seen.since_at)}"
    since, until = iso(seen.since_at), iso(seen.until_at)
    return f"no evidence why: nothing stood in its way from {since} to {until}"
