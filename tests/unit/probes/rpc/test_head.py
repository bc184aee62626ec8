"""An endpoint's reading: what each client's shapes mean, and what is missing where."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, RpcError
from lptui.fleet.facts.rpc import NOT_OFFERED, RpcHead, SyncProgress
from lptui.probes.rpc.parse import ANCHOR, parse_head, parse_syncing
from tests.unit.probes.hostile import HOSTILE, JSON
from tests.unit.probes.rpc.scripted import NO_METHOD

HASH = "0x" + "ab" * 32
BLOCK = {
    "number": hex(460_000_123),
    "hash": HASH,
    "timestamp": hex(1_800_000_000),
    "baseFeePerGas": "0x989680",
    "l1BlockNumber": hex(25_000_000),
}
RESULTS: dict[str, Any] = {
    "eth_chainId": "0xa4b1",
    "eth_getBlockByNumber": BLOCK,
    "eth_syncing": False,
    "web3_clientVersion": "nitro/v3.5.0-8de7ff5/linux-amd64/go1.23.1",
    "net_peerCount": NO_METHOD,
    "eth_gasPrice": "0xa037a0",
    "txpool_status": {"pending": "0x2", "queued": "0x1"},
}


def read(**changes: Any) -> RpcHead:
    return parse_head({**RESULTS, **changes}, 0.1)


def test_reads_a_nitro_node() -> None:
    assert read() == RpcHead(
        client="nitro",
        version="3.5.0",
        chain_id=42161,
        head=460_000_123,  # type: ignore[arg-type]
        head_hash=HASH,
        head_time=1_800_000_000.0,
        syncing=None,
        peers=None,
        gas_price=10_500_000,  # type: ignore[arg-type]
        base_fee=10_000_000,  # type: ignore[arg-type]
        pool_pending=2,
        pool_queued=1,
        l1_block=25_000_000,  # type: ignore[arg-type]
        latency_s=0.1,
        errors=(("net_peerCount", NOT_OFFERED),),
    )


def test_what_an_endpoint_does_not_offer_keeps_nothing_alive() -> None:
    refusal = RpcError("own", "the method does not exist", code=-32601)
    assert read(net_peerCount=refusal).errors == (("net_peerCount", NOT_OFFERED),)
    assert refusal.__traceback__ is None


@pytest.mark.parametrize(
    ("text", "client", "version"),
    [
        ("Geth/v1.17.0-stable-abc/linux-amd64/go1.25", "Geth", "1.17.0"),
        ("Nethermind/v1.30.1+abc/linux-x64/dotnet9", "Nethermind", "1.30.1+abc"),
        ("erigon/3.0.2/linux-amd64/go1.23", "erigon", "3.0.2"),
        ("besu/v25.1.0/linux-x86_64/openjdk-java-21", "besu", "25.1.0"),
        ("reth/v1.3.4-90c514c/x86_64-unknown-linux-gnu", "reth", "1.3.4"),
        ("anvil/v1.7.1", "anvil", "1.7.1"),
        ("provider", "provider", ""),
        ("\x1b[2JGeth/v1\x07.0/x", "Geth", "1"),
        ("", "", ""),
    ],
)
def test_clients_name_themselves(text: str, client: str, version: str) -> None:
    head = read(web3_clientVersion=text)
    assert (head.client, head.version) == (client, version)


OPTIONAL = sorted(set(RESULTS) - {"eth_chainId", "eth_getBlockByNumber"})
# An object is a shape of eth_syncing, any text is a client's version.
FAILURES: list[tuple[str, object]] = [
    (method, failure)
    for method in OPTIONAL
    for failure in list[object]((NO_METHOD, "<html>", None, 7, [], {"pending": None}))
    if not (method == "eth_syncing" and isinstance(failure, dict))
    and not (method == "web3_clientVersion" and isinstance(failure, str))
]


@pytest.mark.parametrize(("method", "failure"), FAILURES)
def test_any_other_method_may_fail(method: str, failure: object) -> None:
    head = read(**{method: failure})
    assert head.head == 460_000_123
    assert [name for name, _ in head.errors].count(method) == 1


@pytest.mark.parametrize("method", ["eth_chainId", "eth_getBlockByNumber"])
def test_without_a_chain_or_a_block_there_is_no_reading(method: str) -> None:
    with pytest.raises(RpcError, match="Method not found"):
        read(**{method: NO_METHOD})
    with pytest.raises(BadAnswerError, match=method):
        read(**{method: None})


def test_a_block_from_the_future_is_kept() -> None:
    head = read(eth_getBlockByNumber={**BLOCK, "timestamp": hex(1_900_000_000)})
    assert head.head_time == 1_900_000_000.0


def test_a_plain_block_has_no_l1_height_and_no_base_fee() -> None:
    plain = {name: BLOCK[name] for name in ("number", "hash", "timestamp")}
    head = read(eth_getBlockByNumber=plain)
    assert head.l1_block is None
    assert head.base_fee is None


def test_the_block_to_compare_by_is_kept() -> None:
    head = read(**{ANCHOR: {"number": "0x40", "hash": "0x" + "cd" * 32}})
    assert (head.anchor, head.anchor_hash) == (64, "0x" + "cd" * 32)
    assert read(**{ANCHOR: None}).anchor is None


class TestSyncing:
    def test_false_is_not_syncing(self) -> None:
        assert parse_syncing(False) is None

    def test_geth_behind(self) -> None:
        found = parse_syncing(
            {
                "startingBlock": "0x0",
                "currentBlock": "0x64",
                "highestBlock": "0xc8",
                "syncedAccounts": "0x1",
                "txIndexRemainingBlocks": "0x5",
            }
        )
        assert found is not None
        assert (found.current, found.highest, found.indexing) == (100, 200, False)
        assert found.raw_fields[0] == "startingBlock"

    @pytest.mark.parametrize("index", ["txIndexRemainingBlocks", "stateIndexRemaining"])
    def test_geth_at_the_head_with_indices_to_do(self, index: str) -> None:
        found = parse_syncing({"currentBlock": "0xc8", "highestBlock": "0xc8", index: "0x9"})
        assert found is not None
        assert found.indexing

    def test_reth_with_highest_equal_to_current_is_not_indexing(self) -> None:
        found = parse_syncing(
            {"startingBlock": "0x0", "currentBlock": "0x5", "highestBlock": "0x5"}
        )
        assert found is not None
        assert not found.indexing

    def test_erigon_is_as_far_as_its_last_stage(self) -> None:
        found = parse_syncing(
            {
                "currentBlock": "0x0",
                "highestBlock": "0x0",
                "stages": [
                    {"stage_name": "Headers", "block_number": "0xc8"},
                    {"stage_name": "Execution", "block_number": "0x64"},
                    {"stage_name": "Finish", "block_number": "0x0"},
                ],
            }
        )
        assert found == SyncProgress(
            0,
            200,
            False,
            (("Headers", 200), ("Execution", 100), ("Finish", 0)),
            ("currentBlock", "highestBlock", "stages"),
        )

    def test_erigon_that_goes_on_ignores_stages_that_are_switched_off(self) -> None:
        found = parse_syncing(
            {
                "currentBlock": "0xc6",
                "highestBlock": "0xc8",
                "stages": [
                    {"stage_name": "Headers", "block_number": "0xc8"},
                    {"stage_name": "BorHeimdall", "block_number": "0x0"},
                    {"stage_name": "Finish", "block_number": "0xc6"},
                ],
            }
        )
        assert found is not None
        assert (found.current, found.highest) == (198, 200)

    def test_nitros_own_counters_are_syncing_all_the_same(self) -> None:
        found = parse_syncing({"batchSeen": 7, "blockNum": 12})
        assert found == SyncProgress(None, None, raw_fields=("batchSeen", "blockNum"))

    def test_true_is_syncing(self) -> None:
        assert parse_syncing(True) == SyncProgress(None, None)

    @HOSTILE
    @given(JSON)
    def test_no_json_does_any_harm(self, value: Any) -> None:
        with contextlib.suppress(BadAnswerError):
            found = parse_syncing(value)
            assert (found is None) == (value is False)


@HOSTILE
@given(st.dictionaries(st.sampled_from([*RESULTS, ANCHOR]), JSON | st.just(NO_METHOD)))
def test_no_json_does_any_harm(changes: dict[str, Any]) -> None:
    with contextlib.suppress(BadAnswerError, RpcError):
        head = read(**changes)
        assert all(text.isprintable() for _, text in head.errors)


@HOSTILE
@given(st.dictionaries(st.sampled_from(sorted(BLOCK)), JSON))
def test_no_block_does_any_harm(changes: dict[str, Any]) -> None:
    with contextlib.suppress(BadAnswerError):
        read(eth_getBlockByNumber={**BLOCK, **changes})
