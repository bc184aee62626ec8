"""Decides whether lptui may call reward by itself now. Pure: from a plan, the snapshot it was made
from, and the calls that the audit record knows of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lptui.actions.audit import Try
from lptui.actions.plan import Plan
from lptui.clock import iso
from lptui.fleet.facts.chain import ChainRound, GasPrices, OrchestratorRecord, RewardHistory
from lptui.fleet.retry import Decision, RewardRetry, Standing
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Chain
from lptui.fleet.units import format_gwei
from lptui.text import plural

AUTOMATIC = "automatic"
"""Who does it, in the audit record."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is decided about."""

    snapshot: Snapshot
    chain: Chain
    policy: RewardRetry
    plan: Plan
    tries: Sequence[Try]

    @property
    def made(self) -> int:
        return sum(one.called for one in self.tries)

    def so(self, standing: Standing, why: str, at: float | None = None) -> Decision:
        name, most = self.plan.target, self.policy.tries
        return Decision(name, standing, why, at, self.made, most)


def decide(snapshot: Snapshot, plan: Plan, tries: Sequence[Try]) -> Decision | None:
    """What follows for the plan's orchestrator; None where the operator allows no such calls.

    `tries` are this round's, whoever made them.
    """
    chain = snapshot.fleet.chain
    if chain is None or chain.reward_retry is None:
        return None
    case = _Case(snapshot, chain, chain.reward_retry, plan, tries)
    if plan.done:
        return case.so(Standing.IDLE, plan.done)
    now = snapshot.fresh(ChainRound, chain.network)
    record = snapshot.fresh(OrchestratorRecord, plan.target)
    if now is None or record is None:
        return case.so(Standing.HINDERED, plan.why_not)
    if not record.active:
        return case.so(Standing.IDLE, f"not active in round {now.round}: nothing to call")
    if not now.initialized:
        return case.so(Standing.WAITING, f"round {now.round} is not initialised")
    return (
        _too_soon(case, now)
        or _too_late(case, now)
        or _unsure(case, now)
        or _spent(case)
        or _too_close(case)
        or _too_dear(case)
        or _refused(case)
        or case.so(Standing.DUE, f"not called in round {now.round}", snapshot.taken_at)
    )


def grace_s(policy: RewardRetry, now: ChainRound, block_seconds: float) -> float:
    """So long after a round's start nothing is called; a quarter of a short round at most."""
    return min(policy.after_s, now.length // 4 * block_seconds)


def _too_soon(case: _Case, now: ChainRound) -> Decision | None:
    length = case.chain.block_seconds
    left = grace_s(case.policy, now, length) - now.blocks_into * length
    if left <= 0:
        return None
    at = case.snapshot.taken_at + left
    return case.so(Standing.WAITING, "the node's own try comes first", at)


def _too_late(case: _Case, now: ChainRound) -> Decision | None:
    left, least = now.blocks_left, case.policy.last_blocks
    if left > least:
        return None
    return case.so(Standing.HINDERED, f"too late: {plural(left, 'block')} left, {least} are needed")


def _unsure(case: _Case, now: ChainRound) -> Decision | None:
    """The record says that it is due; a log that says otherwise is reason enough to wait."""
    history = case.snapshot.value(RewardHistory, case.plan.target)
    event = history.event_of(now.round) if history is not None else None
    if event is None:
        return None
    return case.so(Standing.HINDERED, f"the log of {event.tx} says that it was called")


def _spent(case: _Case) -> Decision | None:
    if case.made < case.policy.tries:
        return None
    return case.so(Standing.HINDERED, f"all {case.policy.tries} tries of this round are made")


def _too_close(case: _Case) -> Decision | None:
    newest = max((one.at for one in case.tries), default=None)
    at = None if newest is None else newest + case.policy.spacing_s
    if newest is None or at is None or at <= case.snapshot.taken_at:
        return None
    return case.so(Standing.WAITING, f"tried at {iso(newest)}", at)


def _too_dear(case: _Case) -> Decision | None:
    most = case.policy.max_gas_price
    if most is None:
        return None
    prices = case.snapshot.fresh(GasPrices, case.chain.network)
    if prices is None:
        return case.so(Standing.HINDERED, "the gas price could not be read")
    if prices.gas_price <= most:
        return None
    return case.so(
        Standing.HINDERED, f"gas at {format_gwei(prices.gas_price)}, allowed {format_gwei(most)}"
    )


def _refused(case: _Case) -> Decision | None:
    why = case.plan.why_not
    return case.so(Standing.HINDERED, why) if why else None
