"""JSON-RPC values are read strictly."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.probes.rpc.values import block_hash, block_number, data, quantity, record, shown
from tests.unit.probes.hostile import HOSTILE, JSON


@HOSTILE
@given(st.integers(0, 2**256 - 1))
def test_quantities_of_a_whole_word_are_exact(number: int) -> None:
    assert quantity(hex(number), "x") == number


@pytest.mark.parametrize(
    "value",
    [
        "16",
        "0x",
        "",
        "0xg",
        "0X10",
        " 0x1",
        "0x1 ",
        "0x_1",
        "-0x1",
        "0x" + "f" * 65,
        16,
        None,
        True,
    ],
)
def test_what_is_no_quantity_is_a_bad_answer(value: object) -> None:
    with pytest.raises(BadAnswerError, match="not a quantity"):
        quantity(value, "eth_gasPrice")


def test_an_absurd_block_number_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswerError, match="absurdly large"):
        block_number(hex(2**256 - 1), "eth_blockNumber")


@pytest.mark.parametrize("value", ["0x1", "1234", "0xzz", None, {}, "0x" + "00" * 70_000])
def test_what_is_no_data_is_a_bad_answer(value: object) -> None:
    with pytest.raises(BadAnswerError):
        data(value, "eth_call")


def test_hashes_are_lower_case() -> None:
    assert block_hash("0x" + "AB" * 32, "x") == "0x" + "ab" * 32


@HOSTILE
@given(JSON)
def test_no_json_does_any_harm(value: Any) -> None:
    for read in (quantity, block_number, data, block_hash, record):
        with contextlib.suppress(BadAnswerError):
            read(value, "x")
    assert shown(value).isprintable()
