"""What the pool's program is made of, and what is made of its results."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.units import Address, L2Block
from lptui.probes.chain.pool import DONE, FAIL, LOOP, MOST, PROGRAM, parse_pool, pool_call
from tests.unit.probes.hostile import HOSTILE, JSON

JUMPDEST = 0x5B
MANAGER = Address("0x" + "5b" * 20)


def members(*stakes: int) -> str:
    return "0x" + "".join(f"{n:064x}{stake:064x}" for n, stake in enumerate(stakes, 1))


def parse(result: object, size: int | None = None) -> Any:
    return parse_pool(result, size=size, most=100, block=L2Block(7), now=1e9)


def test_the_program_jumps_to_where_it_can() -> None:
    places, at = set(), 0
    while at < len(PROGRAM):
        if PROGRAM[at] == JUMPDEST:
            places.add(at)
        pushes = PROGRAM[at] - 0x5F if 0x60 <= PROGRAM[at] <= 0x7F else 0
        at += 1 + pushes
    assert places == {LOOP, DONE, FAIL}


def test_the_call_has_no_destination_and_ends_with_the_managers_address() -> None:
    call = pool_call(MANAGER)
    assert call.method == "eth_call"
    assert set(call.params[0]) == {"data"}
    assert call.params[0]["data"].endswith("00" * 12 + "5b" * 20)


def test_members_are_read() -> None:
    pool = parse(members(30, 20, 20), 3)
    assert [one.stake for one in pool.members] == [30, 20, 20]
    assert pool.place(Address(f"0x{2:040x}")) == 2
    assert pool.place(MANAGER) is None
    assert (pool.block, pool.read_at) == (7, 1e9)


def test_an_empty_pool_is_one_only_where_the_contract_counts_nobody() -> None:
    assert parse("0x", 0).members == ()
    with pytest.raises(BadAnswerError, match="the contract counts 40"):
        parse("0x", 40)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (members(20, 30), "order of their stakes"),
        ("0x" + "ab" * 63, "no list of members"),
        ("0x" + "ff" * 64, "no address"),
        (f"0x{0:064x}{5:064x}", "no address"),
        ("0x" + "00" * 64 * 2000, "hexadecimal"),
    ],
)
def test_what_is_no_pool_is_refused(result: str, why: str) -> None:
    with pytest.raises(BadAnswerError, match=why):
        parse(result)


@HOSTILE
@given(JSON | st.binary(max_size=400).map(lambda raw: "0x" + raw.hex()))
def test_anything_else_is_a_bad_answer(result: object) -> None:
    with contextlib.suppress(BadAnswerError):
        assert len(parse(result).members) <= MOST + 1
