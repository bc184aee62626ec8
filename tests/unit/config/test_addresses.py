"""How places are written: hosts, ports, URLs, service addresses."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from lptui.config import addresses
from tests.unit.config.refusal import refusal


class TestAddresses:
    @pytest.mark.parametrize(
        "text", ["192.0.2.1", "2001:db8::1", "edge-1", "a.example.org", "a_b.example.org."]
    )
    def test_hosts(self, text: str) -> None:
        assert addresses.host_address(text) == text

    def test_brackets_of_ipv6_are_dropped(self) -> None:
        assert addresses.host_address("[2001:db8::1]") == "2001:db8::1"

    @pytest.mark.parametrize(
        "value", ["1.2.3", "256.0.0.1", "a b", "-x", "a..b", "x/y", "user@host", "", 5, "a:b:c"]
    )
    def test_others_are_refused(self, value: object) -> None:
        refusal(addresses.host_address, value)

    def test_a_port_in_it_is_told(self) -> None:
        message, suggestion = refusal(addresses.host_address, "a.example.org:22")
        assert "`port: 22`" in message
        assert suggestion == "a.example.org"

    @pytest.mark.parametrize("value", [0, 65536, -1, True, "22", 2.0])
    def test_ports(self, value: object) -> None:
        refusal(addresses.port, value)

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("127.0.0.1:9999", ("127.0.0.1", 9999)),
            ("[::1]:80", ("::1", 80)),
            ("lb:1", ("lb", 1)),
        ],
    )
    def test_address_and_port(self, text: str, parts: tuple[str, int]) -> None:
        assert addresses.address_port(text) == parts

    @pytest.mark.parametrize("value", ["lb", "::1:80", "lb:", ":80", "lb:0", "lb:99999", "lb:x"])
    def test_other_addresses_with_port_are_refused(self, value: str) -> None:
        refusal(addresses.address_port, value)


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
        assert addresses.url(text, self.SCHEMES, "http") == url

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
        refusal(lambda value: addresses.url(value, self.SCHEMES, "http"), text)

    @pytest.mark.parametrize(
        ("text", "suggestion"),
        [
            ("x:8545", "http://x:8545"),
            ("/data/geth.ipc", "unix:///data/geth.ipc"),
            ("ipc:///data/geth.ipc", "unix://…"),
            ("htp://x", "http://…"),
            ("x", ""),
        ],
    )
    def test_what_was_meant(self, text: str, suggestion: str) -> None:
        found = refusal(lambda value: addresses.url(value, self.SCHEMES), text)
        assert found[1] == suggestion

    @pytest.mark.parametrize("text", ["http://x/${KEY}", "http://x/$KEY", "http://<host>:1"])
    def test_placeholders_are_refused(self, text: str) -> None:
        refusal(lambda value: addresses.url(value, self.SCHEMES), text)

    @pytest.mark.parametrize(
        "text",
        [
            "https://user:hunter2hunter2@a.example.org",
            "https://hunter2hunter2@a.example.org",
            "https://a.example.org/v3/hunter2hunter2hunter2",
            "https://a.example.org/?apikey=hunter2hunter2hunter2",
            "https://a.example.org/?a=b&access_token=hunter2",
        ],
    )
    def test_secrets_in_urls_are_refused_and_not_repeated(self, text: str) -> None:
        with pytest.raises(PydanticCustomError) as caught:
            addresses.url(text, self.SCHEMES, "http")
        assert "hunter2" not in f"{caught.value} {caught.value.context}"

    @pytest.mark.parametrize(
        "text",
        [
            "https://a.example.org/arbitrum-mainnet-rpc-endpoint",
            "https://a.example.org/arbitrum-one-archive-node-01",
            "https://x/v2/42161",
            "https://x/?network=arbitrum&apikey=",
        ],
    )
    def test_ordinary_paths_are_no_secrets(self, text: str) -> None:
        assert addresses.url(text, self.SCHEMES) == text


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
        assert addresses.service_uri(text) == uri

    @pytest.mark.parametrize(
        ("text", "suggestion"),
        [
            ("http://a.example.org:8935", "https://a.example.org:8935"),
            ("http://a.example.org:8935/x", ""),
            ("none", ""),
            ("https://a.example.org", "https://a.example.org:8935"),
            ("https://a.example.org:8935/x", ""),
            ("https://a.example.org:8935?x", ""),
        ],
    )
    def test_others_are_refused(self, text: str, suggestion: str) -> None:
        assert refusal(addresses.service_uri, text)[1] == suggestion
