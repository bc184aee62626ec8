"""The interface's constants, recomputed."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3

from lptui.errors import BadAnswerError
from lptui.probes.chain import abi, codec
from tests.devnet.facts import CONTRACT_IDS, EVENTS, SELECTORS
from tests.unit.probes.hostile import HOSTILE, JSON

REFERENCE = {signature: value for part in SELECTORS.values() for signature, value in part.items()}
REFERENCE_TOPICS = {
    signature.replace("*", ""): value
    for part in EVENTS.values()
    for signature, value in part.items()
}


@pytest.mark.parametrize("function", abi.FUNCTIONS, ids=lambda function: function.name)
def test_selectors_are_those_of_the_signatures_and_of_the_protocol(function: abi.Function) -> None:
    assert function.selector == "0x" + keccak(text=function.signature)[:4].hex()
    assert REFERENCE[function.signature] == function.selector


@pytest.mark.parametrize("event", abi.EVENTS, ids=lambda event: event.signature)
def test_topics_are_those_of_the_signatures_and_of_the_protocol(event: abi.Event) -> None:
    assert event.topic == "0x" + keccak(text=event.signature).hex()
    assert REFERENCE_TOPICS[event.signature] == event.topic


def test_contracts_are_asked_by_the_hash_of_their_names() -> None:
    for name, identifier in abi.CONTRACT_IDS.items():
        assert identifier == "0x" + keccak(text=name).hex() == CONTRACT_IDS[name]


def test_errors_have_the_languages_own_selectors() -> None:
    assert "0x" + keccak(text="Error(string)")[:4].hex() == abi.ERROR_SELECTOR
    assert "0x" + keccak(text="Panic(uint256)")[:4].hex() == abi.PANIC_SELECTOR


def test_every_function_listed_is_defined_once() -> None:
    defined = {value for value in vars(abi).values() if isinstance(value, abi.Function)}
    assert defined == set(abi.FUNCTIONS)
    assert len({function.selector for function in abi.FUNCTIONS}) == len(abi.FUNCTIONS)


def test_loading_web3_leaves_the_recursion_limit_alone() -> None:
    script = (
        "import sys; before = sys.getrecursionlimit();"
        "import lptui.transport.web3_provider;"
        "assert 'web3' in sys.modules; assert sys.getrecursionlimit() == before"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_call_data_is_the_selector_and_the_arguments() -> None:
    who = "0x" + "ab" * 20
    assert codec.encode(abi.PAUSED) == "0x5c975abb"
    assert codec.encode(abi.IS_ACTIVE, who) == "0x08802374" + "00" * 12 + "ab" * 20


VALUES = {
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "bytes32": st.binary(min_size=32, max_size=32),
    "uint256": st.integers(0, 2**256 - 1),
}


@pytest.mark.parametrize("function", abi.FUNCTIONS, ids=lambda function: function.name)
@HOSTILE
@given(data=st.data())
def test_calls_are_coded_as_web3_codes_them(function: abi.Function, data: st.DataObject) -> None:
    arguments = [data.draw(VALUES[kind]) for kind in function.arguments]
    coded = Web3().codec.encode(function.arguments, arguments).hex()
    assert codec.encode(function, *arguments) == function.selector + coded


@pytest.mark.parametrize("function", abi.FUNCTIONS, ids=lambda function: function.name)
@HOSTILE
@given(words=st.lists(st.integers(0, 64) | st.integers(0, 2**256 - 1), max_size=12))
def test_answers_are_read_as_web3_reads_them(function: abi.Function, words: list[int]) -> None:
    raw = b"".join(word.to_bytes(32, "big") for word in words)
    try:
        read = codec.decode_types(function.returns, raw, function.name)
    except BadAnswerError:
        with pytest.raises((DecodingError, OverflowError, ValueError)):
            Web3().codec.decode(function.returns, raw)
    else:
        assert read == Web3().codec.decode(function.returns, raw)


@pytest.mark.parametrize("function", abi.FUNCTIONS, ids=lambda function: function.name)
@HOSTILE
@given(raw=st.binary(max_size=400))
def test_no_returned_bytes_do_any_harm(function: abi.Function, raw: bytes) -> None:
    with contextlib.suppress(BadAnswerError):
        codec.decode(function, "0x" + raw.hex())


@HOSTILE
@given(JSON)
def test_no_returned_json_does_any_harm(result: object) -> None:
    with contextlib.suppress(BadAnswerError):
        codec.decode(abi.CURRENT_ROUND, result)
        codec.decode_address(abi.REWARD_CALLER, result)


@pytest.mark.parametrize(
    "words", [("ff" * 32,), ("20".zfill(64), "ff" * 32), ("20".zfill(64), "05".zfill(64), "ff")]
)
def test_a_text_with_an_absurd_place_or_length_is_a_bad_answer(words: tuple[str, ...]) -> None:
    with pytest.raises(BadAnswerError, match="getServiceURI"):
        codec.decode(abi.SERVICE_URI, "0x" + "".join(words))


def test_nothing_is_there_where_nothing_is_returned() -> None:
    with pytest.raises(BadAnswerError, match="no such contract"):
        codec.decode(abi.CURRENT_ROUND, "0x")
