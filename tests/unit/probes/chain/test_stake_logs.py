"""Each log about an orchestrator's stake, from its topics and its data."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.stake import StakeChange
from lptui.fleet.units import L2Block
from lptui.probes.chain import abi
from lptui.probes.chain.stake_logs import TOPICS, StakeLog, parse_stake
from tests.unit.probes.hostile import HOSTILE

OWN, OTHER, DELEGATOR, NOBODY = ("0x" + digit * 40 for digit in "ab50")
TX = "0x" + "77" * 32


def parse(event: abi.Event, addresses: list[str], *values: int | str) -> StakeLog:
    topics = [event.topic, *(f"0x{int(one, 16):064x}" for one in addresses)]
    words = (int(value, 16) if isinstance(value, str) else value for value in values)
    raw = b"".join(word.to_bytes(32, "big") for word in words)
    return parse_stake(topics, raw, (L2Block(12), 3), TX)


def test_a_first_bond_brings_what_is_added() -> None:
    log = parse(abi.BOND, [OWN, NOBODY, DELEGATOR], 70, 70)
    assert (log.orchestrator, log.change, log.amount, log.who) == (
        OWN,
        StakeChange.BOND,
        70,
        DELEGATOR,
    )
    assert (log.block, log.index, log.tx) == (12, 3, TX)


def test_a_further_bond_brings_what_is_added() -> None:
    assert parse(abi.BOND, [OWN, OWN, DELEGATOR], 5, 75).amount == 5


def test_a_delegator_who_comes_from_another_brings_all_it_has() -> None:
    assert parse(abi.BOND, [OWN, OTHER, DELEGATOR], 0, 75).amount == 75


def test_an_unbonding_tells_its_lock_and_from_which_round_it_can_be_withdrawn() -> None:
    log = parse(abi.UNBOND, [OWN, DELEGATOR], 4, 30, 4207)
    assert (log.change, log.amount, log.who) == (StakeChange.UNBOND, 30, DELEGATOR)
    assert (log.lock, log.effective) == (4, 4207)


def test_a_rebond_and_a_withdrawal_name_the_lock_that_they_end() -> None:
    again = parse(abi.REBOND, [OWN, DELEGATOR], 4, 30)
    assert (again.change, again.amount, again.lock) == (StakeChange.REBOND, 30, 4)
    gone = parse(abi.WITHDRAW_STAKE, [OWN], 5, 31, 4207)
    assert (gone.change, gone.amount, gone.lock, gone.who) == (StakeChange.WITHDRAWN, 31, 5, OWN)


def test_a_slashing_tells_the_penalty_and_the_finder() -> None:
    log = parse(abi.SLASHED, [OWN], OTHER, 400, 20)
    assert (log.change, log.amount, log.who) == (StakeChange.SLASHED, 400, OTHER)


def test_rates_and_standing() -> None:
    rates = parse(abi.RATES, [OWN], 100_000, 950_000)
    assert (rates.reward_cut, rates.fee_share) == (100_000, 950_000)
    assert parse(abi.ACTIVATED, [OWN], 4201).effective == 4201
    assert parse(abi.DEACTIVATED, [OWN], 4202).effective == 4202
    assert parse(abi.DEACTIVATED, [OWN], 2**256 - 1).effective is None


def test_a_log_without_its_indexed_arguments_is_refused() -> None:
    with pytest.raises(BadAnswerError, match="a log of 2 topics"):
        parse(abi.UNBOND, [OWN], 4, 30, 4207)


@HOSTILE
@given(
    st.sampled_from(sorted(TOPICS)),
    st.lists(st.integers(0, 2**256 - 1).map(lambda n: f"0x{n:064x}"), min_size=1, max_size=3),
    st.binary(max_size=200),
)
def test_any_data_is_read_or_refused(topic: str, more: list[str], raw: bytes) -> None:
    with contextlib.suppress(BadAnswerError):
        log = parse_stake([topic, *more], raw, (L2Block(1), 0), TX)
        assert log.orchestrator == "0x" + more[0][-40:]
