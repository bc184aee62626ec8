"""An orchestrator's reward: its cells; in its detail every source, the deadline, past rounds."""

from __future__ import annotations

from collections.abc import Iterator

from lptui.checks.misses import misses
from lptui.checks.reward import RewardState, standing
from lptui.checks.words import about
from lptui.fleet.callers import orchestrator
from lptui.fleet.evidence import Evidence, Kind, contradictions, evidences
from lptui.fleet.facts.chain import (
    ChainRound,
    OrchestratorRecord,
    RewardEvent,
    RewardHistory,
    RoundOutcome,
)
from lptui.fleet.facts.reward import RewardWatch
from lptui.fleet.finding import Severity
from lptui.fleet.reading import Reading
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import format_units
from lptui.present.model import UNKNOWN_CELL, Cell, Line, Row, Span, Tone, spans_cell
from lptui.present.view import View
from lptui.present.words import age, duration

MOST_MISSES = 10
"""Fruitless rounds that are explained, the newest."""

_WORDS = {
    True: Span("called     ", Tone.OK),
    False: Span("not called ", Tone.WARN),
    None: Span("?          ", Tone.UNKNOWN),
}
_SAYS = {
    Kind.CONTRACT: "chain",
    Kind.EVENT: "event",
    Kind.NODE: "node",
    Kind.LOG: "node's log",
    Kind.EXPLORER: "explorer",
}
_OUTCOME_TONES = {
    RoundOutcome.MISSED: Tone.CRITICAL,
    RoundOutcome.NOT_INITIALIZED: Tone.WARN,
    RoundOutcome.INACTIVE: Tone.MUTED,
}


def reward_cells(
    view: View,
    it: Orchestrator,
    clock: Reading[ChainRound],
    record: Reading[OrchestratorRecord],
    past: Reading[RewardHistory],
) -> tuple[Cell, Cell]:
    """The reward's state and what shows it; never better than what fresh readings say."""
    now_round, round_since = view.last(clock)
    held, since = view.last(record)
    if now_round is None:
        return UNKNOWN_CELL, Cell("chain not read", Tone.UNKNOWN)
    if round_since is None and clock.value is not None and (since is None or not record.value):
        return _standing(view, it, clock.value)
    if held is None:
        return UNKNOWN_CELL, Cell("chain not read", Tone.UNKNOWN)
    when = since if since is not None else round_since
    history, _ = view.last(past)
    event = history.event_of(now_round.round) if history else None
    if held.last_reward_round >= now_round.round:
        return Cell("called", Tone.OK, 3, when), _proof(event, history)
    if event is not None:
        text = f"event tx {event.tx[:8]}…, chain says no"
        return Cell("unsure", Tone.WARN, 1, when), Cell(text, Tone.WARN, text)
    if not held.active:
        return Cell("inactive", Tone.MUTED, 4, when), Cell("chain: not active", Tone.MUTED)
    text = f"chain: {held.last_reward_round}"
    return Cell("due", Tone.MUTED, 0, when), Cell(text, Tone.MUTED, text)


def _standing(view: View, it: Orchestrator, clock: ChainRound) -> tuple[Cell, Cell]:
    """By all sources, as the checks judge."""
    sources = evidences(view.snapshot, it)
    pairs = contradictions(view.snapshot, sources)
    found = standing(view.snapshot, it, clock, sources)
    history = view.snapshot.value(RewardHistory, it.name)
    record = view.snapshot.value(OrchestratorRecord, it.name)
    event = history.event_of(clock.round) if history else None
    if pairs:
        pair = pairs[0]
        text = f"{_SAYS[pair.says_called.kind]} says called, {_SAYS[pair.says_not.kind]} says no"
        called = found.state is RewardState.CALLED
        word = "unsure" if called else "LATE" if found.severity is Severity.CRITICAL else "due"
        return Cell(word, Tone.WARN, 1), Cell(text, Tone.WARN, text)
    match found.state:
        case RewardState.CALLED if record is not None:
            return Cell("called", Tone.OK, 3), _proof(event, history)
        case RewardState.CALLED:
            by = next(one.source for one in sources if one.called)
            return Cell("called", Tone.OK, 3), Cell(f"{by} alone", Tone.WARN, by)
        case RewardState.UNKNOWN:
            return UNKNOWN_CELL, Cell("no source says", Tone.UNKNOWN)
        case RewardState.PAUSED:
            return Cell("paused", Tone.WARN, 2), Cell("protocol paused", Tone.WARN)
        case RewardState.INACTIVE:
            return Cell("inactive", Tone.MUTED, 4), Cell("chain: not active", Tone.MUTED)
        case RewardState.UNREGISTERED:
            return Cell("inactive", Tone.MUTED, 4), Cell("chain: not registered", Tone.MUTED)
        case RewardState.ROUND_PENDING:
            return Cell("no round", Tone.WARN, 2), Cell("round not initialised", Tone.WARN)
    tone = {Severity.CRITICAL: Tone.CRITICAL, Severity.WARNING: Tone.WARN}.get(
        found.severity, Tone.ACCENT
    )
    word = "LATE" if found.severity is Severity.CRITICAL else "due"
    last = f"chain: {record.last_reward_round}" if record is not None else "no Reward log"
    left = found.left.seconds
    return Cell(word, tone, 0), Cell(f"{last}; ~{duration(left)} left", tone, left)


def _proof(event: RewardEvent | None, history: RewardHistory | None) -> Cell:
    """The log of a call that the contract knows of."""
    if event is None:
        proof = "chain; event not seen" if history else "chain; events not read"
        tone = Tone.WARN if history and history.complete else Tone.MUTED
        return Cell(proof, tone, proof)
    amount = f"+{format_units(event.amount, 2)} LPT"
    return spans_cell((Span(f"tx {event.tx[:8]}… "), Span(amount, Tone.OK)), amount)


def reward_lines(view: View, row: Row) -> Iterator[Line]:
    """What the detail of an orchestrator's row shows besides its cells and readings."""
    snapshot = view.snapshot
    chain = snapshot.fleet.chain
    registered = orchestrator(snapshot, row.subject("orchestrator") or "")
    if chain is None or registered is None:
        return
    yield (
        Span(" Reward", Tone.ACCENT),
        Span("  what each source says of the round's call", Tone.MUTED),
    )
    sources = evidences(snapshot, registered)
    for one in sources:
        yield _source(view, one)
    for pair in contradictions(snapshot, sources):
        yield (Span("   CONTRADICTION ", Tone.CRITICAL), Span(pair.text, Tone.WARN))
    clock = snapshot.fresh(ChainRound, chain.network)
    if clock is not None:
        found = standing(snapshot, registered, clock, sources)
        left, block = found.left, found.left.block
        how = "measured" if block.measured else "as configured"
        yield (
            Span("   deadline   ", Tone.MUTED),
            Span(f"{found.blocks_left} L1 blocks", Tone.STRONG),
            Span(f", {about(left.seconds, left.error_s)}"),
            Span(
                f"  (blocks of {block.seconds:.4g} s {how}; warning at {found.warn_blocks} left, "
                f"critical at {found.critical_blocks})",
                Tone.MUTED,
            ),
        )
    yield from _past(view, registered.name, clock)
    yield ()


def _source(view: View, one: Evidence) -> Line:
    old = age(one.reading.age(view.now))
    seen = f"  {old} ago" if one.reading.taken_at else ""
    return (
        Span(f"   {one.kind.value:<10} ", Tone.MUTED),
        _WORDS[one.called],
        Span(f"{one.source}: {one.text}"),
        Span(f"{seen}  {one.reading.source}", Tone.MUTED),
    )


def _past(view: View, name: str, clock: ChainRound | None) -> Iterator[Line]:
    seen_history: Reading[RewardHistory] = view.reading(RewardHistory, name)
    history, since = view.last(seen_history)
    if history is None or not history.rounds:
        return
    current = clock.round if clock is not None else history.rounds[-1][0]
    record = view.snapshot.fresh(OrchestratorRecord, name)
    seen_watch: Reading[RewardWatch] = view.reading(RewardWatch, name)
    watch, _ = view.last(seen_watch)
    found = misses(history, current, record, watch)
    called = sum(1 for number, o in history.rounds if number < current and o == "called")
    finished = sum(1 for number, _ in history.rounds if number < current)
    seen = f", as of {age(view.now - since)} ago" if since is not None else ""
    yield (
        Span("   past       ", Tone.MUTED),
        Span(f"called in {called} of {finished} rounds{seen}"),
    )
    for miss in reversed(found[-MOST_MISSES:]):
        yield (
            Span(f"     {miss.round} "),
            Span(f"{miss.outcome.value} ", _OUTCOME_TONES[miss.outcome]),
            Span(miss.why, Tone.MUTED),
        )
