"""How values are written: durations, percentages, amounts, accounts, names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.config import kinds
from tests.unit.config.refusal import refusal

LOWER = "0xd8e8328501e9645d16cf49539efc04f734606ee4"
RIGHT = "0xD8E8328501E9645d16Cf49539efC04f734606ee4"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("5m", 300), ("1m30s", 90), ("6h", 21600), ("1d", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert kinds.duration(text) == seconds


@pytest.mark.parametrize(
    ("value", "suggestion"),
    [
        (2, "2s"),
        (0.5, "0.5s"),
        ("2", "2s"),
        ("5 min", "5m"),
        ("1h 30m", "1h30m"),
        ("10 seconds", "10s"),
        ("1 week", ""),
        ("fast", ""),
        ("-2s", ""),
        (-2, ""),
        (True, ""),
    ],
)
def test_durations_have_a_unit(value: object, suggestion: str) -> None:
    message, suggested = refusal(kinds.duration, value)
    assert "not a duration" in message
    assert suggested == suggestion


@pytest.mark.parametrize(("text", "value"), [("85%", 85), ("0%", 0), ("99.5 %", 99.5)])
def test_percentages(text: str, value: float) -> None:
    assert kinds.percent(text) == value


@pytest.mark.parametrize(
    ("value", "suggestion"), [(85, "85%"), (0.85, "85%"), ("101%", ""), ("-1%", ""), ("x", "")]
)
def test_percentages_have_their_sign(value: object, suggestion: str) -> None:
    assert refusal(kinds.percent, value)[1] == suggestion


@pytest.mark.parametrize(("text", "value"), [("83 C", 83), ("83C", 83), ("82.5 °C", 82.5)])
def test_temperatures(text: str, value: float) -> None:
    assert kinds.celsius(text) == value


def test_temperatures_have_a_unit() -> None:
    assert refusal(kinds.celsius, 83)[1] == "83 C"


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "wei"),
        [
            ("0.05 ETH", 50_000_000_000_000_000),
            ("1ETH", 10**18),
            ("2 eth", 2 * 10**18),
            ("0.000000000000000001 ETH", 1),
            ("30 gwei", 30 * 10**9),
            ("0.1 gwei", 10**8),
            ("1000 wei", 1000),
            ("0 ETH", 0),
            ("120000000.000000000000000001 ETH", 120_000_000 * 10**18 + 1),
        ],
    )
    def test_are_exact(self, text: str, wei: int) -> None:
        amount = kinds.amount(text)
        assert amount == wei
        assert type(amount) is int

    @given(st.integers(0, 10**28))
    @settings(max_examples=100)
    def test_every_wei_can_be_written(self, wei: int) -> None:
        assert kinds.amount(f"{Decimal(wei).scaleb(-18):f} ETH") == wei

    @pytest.mark.parametrize(
        ("value", "suggestion"),
        [
            (0.05, "0.05 ETH"),
            (1, "1 ETH"),
            ("0.5 wei", ""),
            ("1e-3 ETH", ""),
            ("-1 ETH", ""),
            ("1 LPT", ""),
            ("NaN ETH", ""),
            ("0.0000000000000000001 ETH", ""),
        ],
    )
    def test_without_unit_or_not_whole_wei_are_refused(
        self, value: object, suggestion: str
    ) -> None:
        assert refusal(kinds.amount, value)[1] == suggestion


class TestAccounts:
    @pytest.mark.parametrize("text", [LOWER, RIGHT, "0x" + LOWER[2:].upper()])
    def test_are_kept_in_lower_case(self, text: str) -> None:
        assert kinds.account(text) == LOWER

    def test_wrong_checksum_is_a_mistake(self) -> None:
        assert "wrong checksum" in refusal(kinds.account, RIGHT.replace("D8E", "d8E"))[0]

    def test_no_suggestion_that_would_hide_a_mistyped_digit(self) -> None:
        assert refusal(kinds.account, RIGHT.replace("4606", "4607"))[1] == ""

    @pytest.mark.parametrize("text", [LOWER[2:], "0X" + LOWER[2:]])
    def test_a_missing_prefix_is_suggested(self, text: str) -> None:
        assert refusal(kinds.account, text)[1] == LOWER

    @pytest.mark.parametrize("value", ["0x12", LOWER[2:], LOWER + "0", "0x" + "g" * 40, 5, None])
    def test_others_are_refused(self, value: object) -> None:
        assert "account" in refusal(kinds.account, value)[0]


class TestNames:
    @pytest.mark.parametrize("text", ["orch-1", "a", "GPU_2.eu", "9"])
    def test_of_selectors(self, text: str) -> None:
        assert kinds.name(text) == text

    def test_numbers_are_names(self) -> None:
        assert kinds.name(7) == "7"

    @pytest.mark.parametrize(
        ("value", "suggestion"),
        [
            ("orch 1", "orch-1"),
            ("a:b", "a-b"),
            (" a", "a"),
            ("-a", "a"),
            ("a/b", "a-b"),
            ("a, b", "[a, b]"),
            ("https://a/b", ""),
            ("é", ""),
            ("a" * 64, "a" * 63),
        ],
    )
    def test_what_would_break_selectors(self, value: str, suggestion: str) -> None:
        assert refusal(kinds.name, value)[1] == suggestion

    @pytest.mark.parametrize("value", ["all", "none", "direct"])
    def test_reserved_words(self, value: str) -> None:
        assert "meaning of its own" in refusal(kinds.name, value)[0]
