"""The reward guard for scripts: each orchestrator's state with all evidence side by side."""

from __future__ import annotations

from collections.abc import Iterator

from lptui.checks.misses import misses
from lptui.checks.reward import Assessment, standing
from lptui.checks.words import about, span
from lptui.fleet.evidence import Evidence, contradictions, evidences
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.reward import RewardWatch
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import format_gwei
from lptui.report.encode import Json, number
from lptui.text import clean, plural


def rewards(snapshot: Snapshot) -> list[Json]:
    """An entry for each orchestrator."""
    chain = snapshot.fleet.chain
    return [_reward(snapshot, item) for item in chain.orchestrators] if chain else []


def automatic(snapshot: Snapshot) -> Iterator[str]:
    """Whether lptui calls reward by itself, and within which limits."""
    chain = snapshot.fleet.chain
    if chain is None:
        return
    armed = chain.reward_retry
    if armed is None:
        yield "automatic calls of reward: off (chain.reward_retry)"
        return
    price = "" if armed.max_gas_price is None else f", up to {format_gwei(armed.max_gas_price)}"
    yield (
        f"automatic calls of reward: ARMED, at most {armed.tries} a round, {span(armed.spacing_s)} "
        f"apart, from {span(armed.after_s)} after its start to {armed.last_blocks} blocks before "
        f"its end{price}; made by a running console or by `reward --if-due`"
    )


def _reward(snapshot: Snapshot, registered: Orchestrator) -> Json:
    chain = snapshot.fleet.chain
    clock = snapshot.fresh(ChainRound, chain.network) if chain else None
    sources = evidences(snapshot, registered)
    found = standing(snapshot, registered, clock, sources) if clock is not None else None
    history = snapshot.value(RewardHistory, registered.name)
    record = snapshot.fresh(OrchestratorRecord, registered.name)
    watch = snapshot.value(RewardWatch, registered.name)
    past = misses(history, clock.round, record, watch) if history and clock else ()
    return {
        "orchestrator": registered.name,
        "round": clock.round if clock is not None else None,
        "state": str(found.state) if found is not None else "not known",
        "deadline": _deadline(found) if found is not None else None,
        "evidence": [_evidence(snapshot, one) for one in sources],
        "contradictions": [pair.text for pair in contradictions(snapshot, sources)],
        "fruitless_rounds": [
            {"round": miss.round, "outcome": miss.outcome.value, "why": miss.why} for miss in past
        ],
    }


def _deadline(found: Assessment) -> Json:
    left = found.left
    return {
        "blocks_left": found.blocks_left,
        "seconds_left": number(left.seconds, 1),
        "uncertainty_seconds": number(left.error_s, 1),
        "block_seconds": number(left.block.seconds, 3),
        "block_seconds_measured": left.block.measured,
        "warn_blocks": found.warn_blocks,
        "critical_blocks": found.critical_blocks,
    }


def _evidence(snapshot: Snapshot, one: Evidence) -> Json:
    return {
        "kind": one.kind.value,
        "source": one.source,
        "called": one.called,
        "text": one.text,
        "read_from": one.reading.source,
        "age_seconds": number(one.reading.age(snapshot.taken_at), 3),
    }


def lines(snapshot: Snapshot) -> Iterator[str]:
    """The same as text, a line for each source."""
    chain = snapshot.fleet.chain
    for registered in chain.orchestrators if chain else ():
        clock = snapshot.fresh(ChainRound, chain.network) if chain else None
        sources = evidences(snapshot, registered)
        if clock is None:
            yield f"{registered.name}: whether reward was called is not known: the round is not"
        else:
            found = standing(snapshot, registered, clock, sources)
            time_left = about(found.left.seconds, found.left.error_s)
            left = f"{plural(found.blocks_left, 'block')} ({time_left}) left"
            yield f"{registered.name}: reward {found.state} in round {clock.round}, {left}"
        for one in sources:
            word = {True: "called: ", False: "not called: ", None: ""}[one.called]
            yield clean(f"  {one.source}: {word}{one.text}", 600)
        for pair in contradictions(snapshot, sources):
            yield clean(f"  CONTRADICTION: {pair.text}", 600)
