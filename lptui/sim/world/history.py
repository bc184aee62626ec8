"""The chain's past: the rounds and rewards that happened before the simulation began."""

from __future__ import annotations

from typing import Final

from lptui.fleet.units import Address
from lptui.sim.world.ledger import Ledger, Registered, demo_hash
from lptui.sim.world.timeline import L1_BASE, RoundClock, Timeline

ROUND_LENGTH: Final = 1200
"""L1 blocks; with a block a second a round takes twenty minutes."""
FIRST_ROUND: Final = 4_106
PAST_ROUNDS: Final = 40
INTO_ROUND: Final = 400
"""How far into its round the simulation usually begins, in L1 blocks."""
INITIALISED_AFTER: Final = 6
REWARDED_AFTER: Final = 15


def new_ledger(now: float, registered: Address, into_round: int) -> Ledger:
    """A ledger whose current round is initialised and whose rewards were all called."""
    base_block = L1_BASE - into_round - PAST_ROUNDS * ROUND_LENGTH
    clock = RoundClock(FIRST_ROUND, base_block, ROUND_LENGTH)
    ledger = Ledger(Timeline(now), clock)
    record = Registered(
        registered,
        "https://live.demo.example:8935",
        stake=128_450 * 10**18,
        pending_fees=3_412 * 10**15,
        activation_round=FIRST_ROUND - 310,
    )
    ledger.registered[registered] = record
    for number in range(FIRST_ROUND, FIRST_ROUND + PAST_ROUNDS + 1):
        _past_round(ledger, record, number)
    return ledger


def _past_round(ledger: Ledger, record: Registered, number: int) -> None:
    start = ledger.rounds.start_of(number)
    line = ledger.timeline
    ledger.record_round(
        number, line.l2_of_l1(start + INITIALISED_AFTER), demo_hash("initialize", number)
    )
    ledger.record_reward(
        record, number, line.l2_of_l1(start + REWARDED_AFTER), demo_hash("reward", number)
    )


def forget_reward(ledger: Ledger, record: Registered, number: int) -> None:
    """Rewrites the past: this round's reward was never called."""
    record.rewards = [entry for entry in record.rewards if entry[1] != number]
    gone = demo_hash("reward", number)
    ledger.logs = [log for log in ledger.logs if log.tx != gone]


def forget_round(ledger: Ledger, number: int) -> None:
    """Rewrites the past: this round was never initialised (nor its reward called)."""
    ledger.initialised = [entry for entry in ledger.initialised if entry[1] != number]
    gone = demo_hash("initialize", number)
    ledger.logs = [log for log in ledger.logs if log.tx != gone]
    for record in ledger.registered.values():
        forget_reward(ledger, record, number)
