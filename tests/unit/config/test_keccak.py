"""The hash behind an account's checksum is the one that Ethereum uses."""

from __future__ import annotations

from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.config.keccak import keccak256
from lptui.config.kinds import checksum


def test_empty_input_has_ethereums_empty_hash() -> None:
    digest = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == digest


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_agrees_with_the_library(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


def test_block_boundaries_agree_with_the_library() -> None:
    for size in (134, 135, 136, 137, 271, 272, 273):
        data = bytes(range(256)) * 2
        assert keccak256(data[:size]) == keccak(data[:size])


def test_checksum_of_the_controller() -> None:
    right = "0xD8E8328501E9645d16Cf49539efC04f734606ee4"
    assert checksum(right.lower()) == right
