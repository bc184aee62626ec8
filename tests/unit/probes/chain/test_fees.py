"""Base fees of late and what a call has cost: real shapes, and hostile ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from lptui.errors import LptuiError, RpcError
from lptui.fleet.facts.gas import FeeTrend, FeeWindow, PaidCall
from lptui.fleet.units import L2Block, Wei
from lptui.probes.chain.fees import (
    BLOCKS,
    EVERY_S,
    MOST_WINDOWS,
    is_due,
    parse_history,
    parse_receipt,
)
from tests.unit.probes.hostile import HOSTILE, JSON

TX = "0x" + "7e" * 32
HISTORY = {
    "oldestBlock": "0x64",
    "baseFeePerGas": ["0x989680", "0xe4e1c0", "0x1312d00", "0x7a1200"],
    "gasUsedRatio": [0.1, 0.2, 0.3],
}
RECEIPT = {
    "transactionHash": TX,
    "blockNumber": "0x65",
    "gasUsed": "0x74b30",
    "effectiveGasPrice": "0x989680",
    "gasUsedForL1": "0x1000",
    "status": "0x1",
}


def test_the_fee_of_a_block_to_come_is_left_out() -> None:
    trend = parse_history(HISTORY, None, 50.0)
    window = FeeWindow(50.0, Wei(10_000_000), Wei(15_000_000), Wei(20_000_000))
    assert trend == FeeTrend((window,), L2Block(102), 3, 50.0)
    again = parse_history(HISTORY, trend, 350.0)
    assert [one.at for one in again.windows] == [50.0, 350.0]
    assert again.highest == 20_000_000


def test_a_days_windows_are_kept() -> None:
    trend = None
    for number in range(MOST_WINDOWS + 5):
        trend = parse_history(HISTORY, trend, float(number))
    assert trend is not None
    assert (len(trend.windows), trend.windows[0].at) == (MOST_WINDOWS, 5.0)


def test_an_endpoint_without_such_a_history_is_asked_again_later() -> None:
    trend = parse_history(RpcError("eth_feeHistory", "method not found"), None, 50.0)
    assert trend == FeeTrend((), L2Block(0), 0, 50.0)
    assert not is_due(trend, 50.0 + EVERY_S - 1)
    assert is_due(trend, 50.0 + EVERY_S)
    assert is_due(None, 0.0)
    assert is_due(trend, 49.0), "the clock went back"


@pytest.mark.parametrize(
    "wrong",
    [
        {"baseFeePerGas": []},
        {"baseFeePerGas": None},
        {"baseFeePerGas": ["0x1"]},
        {"baseFeePerGas": ["0x1"] * (BLOCKS + 2)},
        {"baseFeePerGas": ["0x1", -1, "0x1"]},
        {"baseFeePerGas": [hex(2**256), "0x1", "0x1"]},
        {"oldestBlock": "latest"},
    ],
)
def test_a_strange_history_adds_nothing(wrong: dict[str, Any]) -> None:
    known = parse_history(HISTORY, None, 50.0)
    assert parse_history({**HISTORY, **wrong}, known, 60.0) == replace(known, tried_at=60.0)


def test_a_receipt_tells_gas_and_price() -> None:
    paid = parse_receipt(RECEIPT, TX)
    assert paid == PaidCall(TX, L2Block(101), 478_000, Wei(10_000_000))
    assert paid.cost == 478_000 * 10_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"transactionHash": "0x" + "11" * 32},
        {"gasUsed": None},
        {"effectiveGasPrice": hex(2**256)},
        {"blockNumber": None},
    ],
)
def test_a_strange_receipt_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(LptuiError):
        parse_receipt({**RECEIPT, **wrong}, TX)
    with pytest.raises(LptuiError):
        parse_receipt(None, TX)


@HOSTILE
@given(JSON)
def test_nothing_that_an_endpoint_says_does_any_harm(said: Any) -> None:
    assert parse_history(said, None, 1.0).windows == ()
    with pytest.raises(LptuiError):
        parse_receipt(said, TX)
