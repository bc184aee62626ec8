"""How values are written: durations, percentages, amounts, accounts, addresses, URLs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from lptui.config import kinds

LOWER = "0xd8e8328501e9645d16cf49539efc04f734606ee4"
RIGHT = "0xD8E8328501E9645d16Cf49539efC04f734606ee4"


def refusal(kind: Callable[[object], object], value: object) -> tuple[str, str]:
    """Message and suggestion with which a value is refused."""
    with pytest.raises(PydanticCustomError) as caught:
        kind(value)
    context = caught.value.context or {}
    return str(context["text"]), str(context["suggestion"])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("5m", 300), ("1m30s", 90), ("6h", 21600), ("1d", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert kinds.duration(text) == seconds


@pytest.mark.parametrize(
    ("value", "suggestion"),
    [(2, "2s"), (0.5, "0.5s"), ("2", ""), ("fast", ""), ("-2s", ""), (-2, ""), (True, "")],
)
def test_durations_have_a_unit(value: object, suggestion: str) -> None:
    message, suggested = refusal(kinds.duration, value)
    assert "not a duration" in message
    assert suggested == suggestion


@pytest.mark.parametrize(("text", "value"), [("85%", 85), ("0%", 0), ("99.5 %", 99.5)])
def test_percentages(text: str, value: float) -> None:
    assert kinds.percent(text) == value


@pytest.mark.parametrize(
    ("value", "suggestion"), [(85, "85%"), (0.85, ""), ("101%", ""), ("-1%", ""), ("x", "")]
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
            ("é", ""),
            ("a" * 64, "a" * 63),
        ],
    )
    def test_what_would_break_selectors(self, value: str, suggestion: str) -> None:
        assert refusal(kinds.name, value)[1] == suggestion

    @pytest.mark.parametrize("value", ["all", "none", "direct"])
    def test_reserved_words(self, value: str) -> None:
        assert "meaning of its own" in refusal(kinds.name, value)[0]


class TestAddresses:
    @pytest.mark.parametrize(
        "text", ["192.0.2.1", "2001:db8::1", "edge-1", "a.example.org", "a_b.example.org."]
    )
    def test_hosts(self, text: str) -> None:
        assert kinds.host_address(text) == text

    def test_brackets_of_ipv6_are_dropped(self) -> None:
        assert kinds.host_address("[2001:db8::1]") == "2001:db8::1"

    @pytest.mark.parametrize(
        "value", ["1.2.3", "256.0.0.1", "a b", "-x", "a..b", "x/y", "user@host", "", 5, "a:b:c"]
    )
    def test_others_are_refused(self, value: object) -> None:
        refusal(kinds.host_address, value)

    def test_a_port_in_it_is_told(self) -> None:
        message, suggestion = refusal(kinds.host_address, "a.example.org:22")
        assert "`port: 22`" in message
        assert suggestion == "a.example.org"

    @pytest.mark.parametrize("value", [0, 65536, -1, True, "22", 2.0])
    def test_ports(self, value: object) -> None:
        refusal(kinds.port, value)

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("127.0.0.1:9999", ("127.0.0.1", 9999)),
            ("[::1]:80", ("::1", 80)),
            ("lb:1", ("lb", 1)),
        ],
    )
    def test_address_and_port(self, text: str, parts: tuple[str, int]) -> None:
        assert kinds.address_port(text) == parts

    @pytest.mark.parametrize("value", ["lb", "::1:80", "lb:", ":80", "lb:0", "lb:99999", "lb:x"])
    def test_other_addresses_with_port_are_refused(self, value: str) -> None:
        refusal(kinds.address_port, value)


class TestUrls:
    SCHEMES = ("http", "https", "unix")

    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("127.0.0.1:7935", "http://127.0.0.1:7935"),
            ("https://a.example.org/x", "https://a.example.org/x"),
            ("unix:///run/x.sock", "unix:///run/x.sock"),
            ("http://[::1]:80/", "http://[::1]:80/"),
        ],
    )
    def test_are_completed(self, text: str, url: str) -> None:
        assert kinds.url(text, self.SCHEMES, "http") == url

    @pytest.mark.parametrize(
        "text",
        [
            "ftp://x",
            "http://",
            "http://a:99999",
            "http://a:x",
            "http://a:0",
            "http://[::1",
            "unix://x",
            "http://a b",
            "http://a.example.org/a b",
            "",
        ],
    )
    def test_others_are_refused(self, text: str) -> None:
        refusal(lambda value: kinds.url(value, self.SCHEMES, "http"), text)

    @pytest.mark.parametrize(
        "text",
        [
            "https://user:hunter2hunter2@a.example.org",
            "https://hunter2hunter2@a.example.org",
            "https://a.example.org/v3/hunter2hunter2hunter2",
            "https://a.example.org/?apikey=hunter2hunter2hunter2",
        ],
    )
    def test_secrets_in_urls_are_refused_and_not_repeated(self, text: str) -> None:
        with pytest.raises(PydanticCustomError) as caught:
            kinds.url(text, self.SCHEMES, "http")
        assert "hunter2" not in f"{caught.value} {caught.value.context}"

    @pytest.mark.parametrize(
        "text", ["https://a.example.org/arbitrum-mainnet-rpc-endpoint", "https://x/v2/42161"]
    )
    def test_ordinary_paths_are_no_secrets(self, text: str) -> None:
        assert kinds.url(text, self.SCHEMES) == text


class TestServiceUris:
    @pytest.mark.parametrize(
        ("text", "uri"),
        [
            ("https://a.example.org:8935", "https://a.example.org:8935"),
            ("https://a.example.org:8935/", "https://a.example.org:8935"),
            ("a.example.org:8935", "https://a.example.org:8935"),
            ("https://[2001:db8::1]:8935", "https://[2001:db8::1]:8935"),
        ],
    )
    def test_are_https_host_and_port(self, text: str, uri: str) -> None:
        assert kinds.service_uri(text) == uri

    @pytest.mark.parametrize(
        ("text", "suggestion"),
        [
            ("http://a.example.org:8935", "https://a.example.org:8935"),
            ("https://a.example.org", "https://a.example.org:8935"),
            ("https://a.example.org:8935/x", ""),
            ("https://a.example.org:8935?x", ""),
        ],
    )
    def test_others_are_refused(self, text: str, suggestion: str) -> None:
        assert refusal(kinds.service_uri, text)[1] == suggestion
