"""Rounds: is the current one initialised, is the protocol running."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import about, listed, span
from lptui.fleet.deadline import TimeLeft, pace_of, time_left
from lptui.fleet.facts.chain import ChainRound, RewardHistory
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.topology import Thresholds
from lptui.text import plural

INITIALIZED: Final = "round-initialized"
SKIPPED: Final = "round-skipped"
PAUSED: Final = "controller-paused"


def round_initialized(view: View) -> Iterator[Finding]:
    """`currentRound` advances by itself; until somebody initialises it nothing can be called."""
    chain = view.fleet.chain
    if chain is None:
        return
    reading = view.reading(ChainRound, chain.network)
    clock = view.value(reading)
    if clock is None:
        yield view.unknown(INITIALIZED, "round", chain.network, reading, cause=view.chain_blocker())
        return
    left = time_left(clock, pace_of(view.snapshot), reading.age(view.now))
    severity, summary = _initialized(clock, left, view.limits)
    waiting = not clock.initialized
    yield Finding(
        INITIALIZED,
        severity,
        "round",
        chain.network,
        summary,
        (view.says(reading, f"last initialised round {clock.last_initialized}"),),
        remedy="initialise the round; any funded account may" if waiting else "",
        action="initialize-round" if waiting else "",
        metrics=(
            Metric("round_blocks_left", clock.blocks_left),
            Metric("initialized", int(clock.initialized)),
        ),
        cause=f"{PAUSED}@{chain.network}" if waiting and clock.paused else "",
    )


def _initialized(clock: ChainRound, time: TimeLeft, limits: Thresholds) -> tuple[Severity, str]:
    block_seconds = time.block.seconds
    left = f"{plural(clock.blocks_left, 'block')} ({about(time.seconds, time.error_s)}) left"
    if clock.initialized:
        return Severity.OK, f"round {clock.round} is initialised, {left}"
    since = clock.blocks_into * block_seconds
    text = f"round {clock.round} is not initialised {span(since)} after its start"
    quarter = clock.length // 4
    if clock.blocks_left <= min(limits.reward_critical_blocks, quarter):
        return Severity.CRITICAL, f"{text}, {left}: its rewards are about to be lost"
    if since > min(limits.round_init_grace_s, quarter * block_seconds):
        return Severity.WARNING, text
    return Severity.OK, f"{text}; somebody usually does it within minutes"


def round_skipped(view: View) -> Iterator[Finding]:
    """A round that nobody initialises passes without rewards, for all orchestrators alike."""
    chain = view.fleet.chain
    if chain is None or not chain.orchestrators:
        return
    reading = view.reading(ChainRound, chain.network)
    clock = view.value(reading)
    # All histories tell the same of a round's beginning: their logs are asked for together.
    logs = view.reading(RewardHistory, chain.orchestrators[0].name)
    history = view.value(logs)
    cause = view.chain_blocker()
    if clock is None:
        yield view.unknown(SKIPPED, "round", chain.network, reading, cause=cause)
        return
    if history is None:
        yield view.unknown(SKIPPED, "round", chain.network, logs, cause=cause)
        return
    severity, summary = _skipped(clock, history)
    yield Finding(
        SKIPPED,
        severity,
        "round",
        chain.network,
        summary,
        (
            view.says(reading, f"last initialised round {clock.last_initialized}"),
            view.says(logs, f"NewRound logs of {plural(len(history.starts), 'round')}"),
        ),
        remedy="let a node of your own initialise rounds (-initializeRound)" if severity else "",
    )


def _skipped(clock: ChainRound, history: RewardHistory) -> tuple[Severity, str]:
    last = clock.round - 1
    begun = [number for number, _ in history.starts]
    finished = [n for n, _ in history.rounds if n < clock.round and begun and n >= min(begun)]
    skipped = [n for n in finished if n not in begun and n != clock.last_initialized]
    if last in skipped:
        text = f"nobody ever initialised round {last}: its rewards are lost for everybody"
        return Severity.WARNING, text
    if skipped:
        rounds = listed([str(number) for number in skipped])
        return Severity.OK, f"round {last} was initialised; never initialised: {rounds}"
    if last not in begun and last != clock.last_initialized:
        if not history.complete:
            first = history.since_block
            return Severity.UNKNOWN, f"round {last} is not known: no logs before block {first}"
        return Severity.OK, f"no NewRound log of round {last} is known, nor of any before it"
    return Severity.OK, f"initialised: all of {plural(len(finished), 'finished round')}"


def controller_paused(view: View) -> Iterator[Finding]:
    """A paused Controller stops rewards, rounds and redemptions for everybody."""
    chain = view.fleet.chain
    if chain is None:
        return
    reading = view.reading(ChainRound, chain.network)
    clock = view.value(reading)
    if clock is None:
        yield view.unknown(PAUSED, "round", chain.network, reading, cause=view.chain_blocker())
        return
    yield Finding(
        PAUSED,
        Severity.CRITICAL if clock.paused else Severity.OK,
        "round",
        chain.network,
        "the protocol is paused: nothing can be called" if clock.paused else "protocol running",
        (view.says(reading, f"Controller.paused() {clock.paused}"),),
        remedy="wait; follow the protocol's announcements" if clock.paused else "",
    )
