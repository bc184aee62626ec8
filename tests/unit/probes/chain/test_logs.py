"""Logs: only those that were asked for, never a malformed one in silence."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.chain import Contracts
from lptui.fleet.units import Address, Round
from lptui.probes.chain import abi
from lptui.probes.chain.logs import Logs, Query, joined, pad
from lptui.probes.chain.scan import SHORTEST, limit_in
from lptui.probes.chain.stake_logs import TOPICS as STAKE_TOPICS
from tests.unit.probes.hostile import HOSTILE, JSON

ROUNDS = Address("0x" + "0a" * 20)
BONDING = Address("0x" + "0b" * 20)
WHO = Address("0x" + "01" * 20)
OTHER = "0x" + "02" * 20
QUERY = Query(Contracts(ROUNDS, ROUNDS, BONDING), (WHO,), (Round(99), Round(100)))

REWARD: dict[str, Any] = {
    "address": BONDING,
    "topics": [abi.REWARD_EVENT.topic, pad(int(WHO, 16))],
    "data": pad(7 * 10**18),
    "blockNumber": "0x64",
    "logIndex": "0x3",
    "transactionHash": "0x" + "AB" * 32,
    "removed": False,
}
NEW_ROUND: dict[str, Any] = {
    **REWARD,
    "address": ROUNDS,
    "topics": [abi.NEW_ROUND.topic, pad(100)],
    "logIndex": "0x1",
}


def test_one_query_asks_for_rewards_stakes_and_rounds() -> None:
    call = QUERY.call(16, 255)
    assert call.method == "eth_getLogs"
    (span,) = call.params
    assert (span["fromBlock"], span["toBlock"]) == ("0x10", "0xff")
    assert span["address"] == [BONDING, ROUNDS]
    assert span["topics"] == [
        [abi.REWARD_EVENT.topic, abi.NEW_ROUND.topic, *sorted(STAKE_TOPICS)],
        [pad(int(WHO, 16)), pad(99), pad(100)],
    ]


def test_reads_both() -> None:
    found = QUERY.parse([REWARD, NEW_ROUND])
    (reward,), (begun,) = found.rewards, found.rounds
    assert (reward.orchestrator, reward.amount) == (WHO, 7 * 10**18)
    assert (reward.block, reward.index, reward.tx) == (100, 3, "0x" + "ab" * 32)
    assert (begun.round, begun.block, begun.index) == (100, 100, 1)
    assert begun.tx == "0x" + "ab" * 32


@pytest.mark.parametrize(
    "changes",
    [
        {"address": ROUNDS},
        {"address": None},
        {"topics": [abi.REWARD_EVENT.topic, pad(int(OTHER, 16))]},
        {"topics": [abi.REWARD_EVENT.topic]},
        {"topics": []},
        {"topics": ["0x" + "00" * 32, pad(int(WHO, 16))]},
        {"removed": True},
    ],
)
def test_another_log_is_left_out(changes: dict[str, Any]) -> None:
    assert QUERY.parse([{**REWARD, **changes}]) == Logs()


@pytest.mark.parametrize(
    "changes",
    [
        {"data": "0x"},
        {"data": "0x07"},
        {"data": None},
        {"blockNumber": None},
        {"blockNumber": "100"},
        {"logIndex": None},
        {"transactionHash": "0x12"},
        {"topics": None},
        {"topics": ["Reward", "orch"]},
    ],
)
def test_a_malformed_one_is_a_bad_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswerError):
        QUERY.parse([{**REWARD, **changes}])


@pytest.mark.parametrize("result", [None, {}, "0x", [None], ["log"], 7])
def test_what_is_no_list_of_logs_is_a_bad_answer(result: object) -> None:
    with pytest.raises(BadAnswerError):
        QUERY.parse(result)


def test_ranges_are_joined_without_repeats_and_in_order() -> None:
    later = {**REWARD, "blockNumber": "0x65"}
    one, two = QUERY.parse([later, REWARD]), QUERY.parse([REWARD])
    assert [log.block for log in joined([one, two]).rewards] == [100, 101]


@HOSTILE
@given(st.lists(st.dictionaries(st.sampled_from(sorted(REWARD)), JSON), max_size=3))
def test_no_json_does_any_harm(changes: list[dict[str, Any]]) -> None:
    with contextlib.suppress(BadAnswerError):
        QUERY.parse([{**REWARD, **change} for change in changes])


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("query exceeds max block range 10000", 10_000),
        ("eth_getLogs is limited to a 10,000 range", 10_000),
        ("block range too large, max: 2k", 2_000),
        ("exceed maximum block range: 50000", 50_000),
        ("Query returned more than 10000 results", 10_000),
        ("block range is too wide", 250_000),
        ("code 7, retry in 30 s", 250_000),
        ("", 250_000),
    ],
)
def test_a_refusal_may_name_its_limit(text: str, blocks: int) -> None:
    assert limit_in(text, 1_000_000) == blocks


@HOSTILE
@given(st.text(max_size=80), st.integers(SHORTEST + 1, 2**40))
def test_a_refusal_always_makes_the_range_shorter(text: str, length: int) -> None:
    assert max(SHORTEST, min(length // 2, limit_in(text, length))) < length
