"""`/status` and `/currentBlock`: what is promised is read, anything else is a bad answer."""

from __future__ import annotations

import contextlib
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeStatus
from lptui.probes.livepeer.status import parse_block, parse_status, rational
from tests.unit.probes.hostile import HOSTILE, JSON

FULL = {
    "Manifests": {},
    "InternalManifests": {},
    "StreamInfo": {},
    "OrchestratorPool": [],
    "OrchestratorPoolInfos": None,
    "Version": "0.9.1-176aa415",
    "GolangRuntimeVersion": "go1.25.0",
    "GOArch": "amd64",
    "GOOS": "linux",
    "RegisteredTranscodersNumber": 2,
    "RegisteredTranscoders": [
        {"Address": "192.0.2.7:41002", "Capacity": 10},
        {"Address": "192.0.2.8:41003", "Capacity": 5},
    ],
    "LocalTranscoding": False,
    "BroadcasterPrices": {"default": "1200", "0xaa": "3/2"},
}


def read(**changes: object) -> NodeStatus:
    return parse_status(json.dumps({**FULL, **changes}).encode(), 0.25)


class TestStatus:
    def test_reads_what_an_orchestrator_says(self) -> None:
        assert read() == NodeStatus(
            version="0.9.1-176aa415",
            transcoders=(
                ConnectedTranscoder("192.0.2.7:41002", 10),
                ConnectedTranscoder("192.0.2.8:41003", 5),
            ),
            transcoders_number=2,
            local_transcoding=False,
            prices=(("default", Fraction(1200)), ("0xaa", Fraction(3, 2))),
            streams=0,
            latency_s=0.25,
        )

    def test_null_is_an_empty_list(self) -> None:
        status = read(RegisteredTranscoders=None, RegisteredTranscodersNumber=0)
        assert status.transcoders == ()
        assert status.transcoders_number == 0

    def test_a_number_that_is_missing_is_counted(self) -> None:
        assert read(RegisteredTranscodersNumber=None).transcoders_number == 2

    def test_a_gateways_streams_are_counted(self) -> None:
        assert read(Manifests={"a": {}, "b": {}}).streams == 2

    @pytest.mark.parametrize("price", ["1/0", "", "-1", "1e999999999", "0x10", None, 7, "1/2/3"])
    def test_a_price_that_is_no_rational_is_left_out(self, price: object) -> None:
        assert read(BroadcasterPrices={"default": price}).prices == ()

    def test_a_capacity_beyond_any_count_is_not_believed(self) -> None:
        status = read(
            RegisteredTranscodersNumber=2,
            RegisteredTranscoders=[{"Address": "a", "Capacity": 2**256 - 1}, {"Capacity": 1}],
        )
        assert status.transcoders == (ConnectedTranscoder("", 1),)
        assert status.transcoders_number == 2

    @pytest.mark.parametrize("number", [2**256 - 1, -1, 1.5, "1", True, [1]])
    def test_an_impossible_number_of_transcoders_is_not_taken_for_none(
        self, number: object
    ) -> None:
        with pytest.raises(BadAnswerError, match="not a number of transcoders"):
            read(RegisteredTranscodersNumber=number)

    def test_control_sequences_do_not_get_through(self) -> None:
        status = read(
            Version="0.9\x1b[2J\x1b]0;owned\x07.1",
            RegisteredTranscoders=[{"Address": "\u202e1.2.3.4", "Capacity": 1}],
        )
        assert status.version == "0.9.1"
        assert status.transcoders[0].address == "1.2.3.4"

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b"", "empty"),
            (b"  \n", "empty"),
            (b"<html><body>502 Bad Gateway</body></html>", "HTML"),
            (b'{"Version": "0.9.1", "Regist', "not JSON"),
            (b"null", "no object"),
            (b"[]", "no object"),
            (b"NaN", "not JSON"),
            (b"{}", "no Version"),
            (b'{"Version": null}', "no Version"),
            (b"[" * 100_000, "nested without end"),
            (b'{"Version":' * 100_000, "nested without end"),
            (b'{"Version": ' + b"9" * 5000 + b"}", "not JSON"),
        ],
    )
    def test_anything_else_is_a_bad_answer(self, body: bytes, says: str) -> None:
        with pytest.raises(BadAnswerError, match=says):
            parse_status(body)

    @HOSTILE
    @given(st.binary(max_size=300))
    def test_no_bytes_do_any_harm(self, raw: bytes) -> None:
        with contextlib.suppress(BadAnswerError):
            parse_status(raw)

    @HOSTILE
    @given(st.dictionaries(st.sampled_from(sorted(FULL)), JSON))
    def test_no_json_does_any_harm(self, changes: dict[str, object]) -> None:
        with contextlib.suppress(BadAnswerError):
            status = read(**changes)
            assert status.version.isprintable()
            assert all(t.address.isprintable() for t in status.transcoders)


class TestBlock:
    @HOSTILE
    @given(st.integers(0, 2**36))
    def test_is_read_as_big_endian_bytes(self, number: int) -> None:
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        if raw not in (b"null", b"true"):
            assert parse_block(raw).block == number

    def test_leading_zeros_are_fine_up_to_a_whole_word(self) -> None:
        assert parse_block((460_000_000).to_bytes(32, "big")).block == 460_000_000

    def test_no_bytes_are_block_zero(self) -> None:
        assert parse_block(b"").block == 0

    @pytest.mark.parametrize(
        "body",
        [b"460000123", b"null", b"true", b"{}" * 4, b"<html></html>", b"404 page not found\n"],
    )
    def test_text_is_a_bad_answer(self, body: bytes) -> None:
        with pytest.raises(BadAnswerError, match="not a block"):
            parse_block(body)

    def test_more_than_a_word_is_a_bad_answer(self) -> None:
        with pytest.raises(BadAnswerError, match="33 bytes"):
            parse_block(bytes(33))

    def test_an_absurd_number_is_a_bad_answer(self) -> None:
        with pytest.raises(BadAnswerError):
            parse_block((2**256 - 1).to_bytes(32, "big"))

    @HOSTILE
    @given(st.binary(max_size=80))
    def test_no_bytes_do_any_harm(self, raw: bytes) -> None:
        with contextlib.suppress(BadAnswerError):
            assert 0 <= parse_block(raw).block <= 2**36


@HOSTILE
@given(st.integers(0, 10**60), st.integers(1, 10**60))
def test_prices_are_exact(above: int, below: int) -> None:
    assert rational(f"{above}/{below}") == Fraction(above, below)
