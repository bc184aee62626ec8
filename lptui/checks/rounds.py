"""Rounds: is the current one initialised, is the protocol running."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import about, span
from lptui.fleet.deadline import TimeLeft, pace_of, time_left
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.topology import Thresholds
from lptui.text import plural

INITIALIZED: Final = "round-initialized"
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
