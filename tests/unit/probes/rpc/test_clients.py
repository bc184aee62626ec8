"""What execution clients really answer while they sync, who they say they are, and their errors.

The `eth_syncing` objects were given by running nodes, as people have shown them in public: geth
and Besu in guides for node runners, Erigon in its issue 6250, cdk-erigon in its issue 88, Nitro
in two guides for its full nodes. Hashes are shortened; nothing else is changed.
"""

from __future__ import annotations

from typing import Any

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.rpc import NOT_OFFERED, SyncProgress
from lptui.probes.rpc.parse import parse_head, parse_syncing
from lptui.transport.jsonrpc import rpc_error
from tests.unit.probes.rpc.test_head import RESULTS

ERIGON_STAGES = [
    *(("Snapshots", "0x148105f"), ("Headers", "0x14d805f"), ("BlockHashes", "0x148105f")),
    *(("Bodies", "0x148105f"), ("Senders", "0x148105f"), ("Execution", "0x0")),
    *(("Translation", "0x0"), ("HashState", "0x0")),
]
CDK_STAGES = [
    *(("Snapshots", "0x0"), ("Headers", "0x0"), ("BlockHashes", "0x0"), ("Bodies", "0x0")),
    *(("Senders", "0x2aa74c"), ("Execution", "0x6f20f"), ("Finish", "0x0")),
]


def stages(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"stage_name": name, "block_number": number} for name, number in found]


SHAPES: dict[str, tuple[dict[str, Any], tuple[int | None, int | None]]] = {
    "geth": (
        {
            "currentBlock": "0x1e275b",
            "healedBytecodeBytes": "0x0",
            "healedBytecodes": "0x0",
            "healedTrienodeBytes": "0x0",
            "healedTrienodes": "0x0",
            "healingBytecode": "0x0",
            "healingTrienodes": "0x0",
            "highestBlock": "0x9aa7dc",
            "startingBlock": "0x1a050b",
            "stateIndexRemaining": "0x0",
            "syncedAccountBytes": "0x238c4f4c",
            "syncedAccounts": "0x290fd6",
            "syncedBytecodeBytes": "0x2a37a3b7",
            "syncedBytecodes": "0x4ecb8",
            "syncedStorage": "0xa86b70",
            "syncedStorageBytes": "0x9474f7df",
            "txIndexFinishedBlocks": "0x0",
            "txIndexRemainingBlocks": "0x1",
        },
        (0x1E275B, 0x9AA7DC),
    ),
    "besu": (
        {
            "startingBlock": "0x0",
            "currentBlock": "0x1518",
            "highestBlock": "0x9567a3",
            "pulledStates": "0x203ca",
            "knownStates": "0x200636",
        },
        (0x1518, 0x9567A3),
    ),
    "erigon": (
        {"currentBlock": "0x0", "highestBlock": "0x14d805f", "stages": stages(ERIGON_STAGES)},
        (0, 0x14D805F),
    ),
    "cdk-erigon": (
        {"currentBlock": "0x0", "highestBlock": "0x0", "stages": stages(CDK_STAGES)},
        (0, None),
    ),
    # Reth first gave its own head as the highest (pull request 1117); it is syncing all the same.
    "reth": (
        {"startingBlock": "0x0", "currentBlock": "0x10", "highestBlock": "0x10"},
        (16, 16),
    ),
    # Nethermind has geth's three, and may have more; texts and numbers are both seen.
    "nethermind": (
        {
            "startingBlock": "0x0",
            "currentBlock": 4096,
            "highestBlock": "0x2000",
            "syncMode": "Fast",
        },
        (4096, 8192),
    ),
    "nitro": (
        {
            "batchProcessed": 308668,
            "batchSeen": 308668,
            "blockNum": 96352870,
            "broadcasterQueuedMessagesPos": 0,
            "lastL1BlockNum": 17885784,
            "lastl1BlockHash": "0x758b86452273",
            "messageOfLastBlock": 74145055,
            "messageOfProcessedBatch": 97883962,
            "msgCount": 97884349,
        },
        (74145055, 97884349),
    ),
    "nitro of today": (
        {
            "batchProcessed": 346862,
            "batchSeen": 346862,
            "blockNum": 98302890,
            "consensusSyncTarget": 98303169,
            "feedPendingMessageCount": 0,
            "messageOfLastBlock": 98302890,
            "messageOfProcessedBatch": 98302538,
            "msgCount": 98303174,
            "syncTargetMsgCount": 98303169,
        },
        (98302890, 98303174),
    ),
    # Before it has begun, and where the progress itself failed.
    "nitro uninitialized": ({"err": "uninitialized"}, (None, None)),
}


@pytest.mark.parametrize("client", SHAPES)
def test_anything_that_a_client_says_is_syncing(client: str) -> None:
    said, (current, highest) = SHAPES[client]
    found = parse_syncing(said)
    assert found is not None
    assert (found.current, found.highest) == (current, highest)
    assert found.raw_fields == tuple(said)
    assert not found.indexing


def test_an_empty_object_is_syncing_too() -> None:
    """Some releases of Nitro give one when they are in sync; nobody can tell: see its head."""
    assert parse_syncing({}) == SyncProgress(None, None)


@pytest.mark.parametrize(
    ("said", "name", "version"),
    [
        ("nitro/v3.5.4-8de7ff5/linux-amd64/go1.23.1", "nitro", "3.5.4"),
        ("Geth/v1.17.5-stable-9621c6ad/linux-amd64/go1.25.1", "Geth", "1.17.5"),
        ("Nethermind/v1.39.3+28cbe2a0/linux-x64/dotnet10.0.10", "Nethermind", "1.39.3+28cbe2a0"),
        ("Nethermind/v1.31.6+4e68f8ee/linux-arm64/dotnet9.0.3", "Nethermind", "1.31.6+4e68f8ee"),
        ("erigon/3.0.2/linux-amd64/go1.23", "erigon", "3.0.2"),
        ("besu/v25.1.0/linux-x86_64/openjdk-java-21", "besu", "25.1.0"),
        ("reth/v1.3.4-90c514c/x86_64-unknown-linux-gnu", "reth", "1.3.4"),
        ("OpenEthereum//v3.3.5-stable/x86_64-linux-musl/rustc1.59.0", "OpenEthereum", "3.3.5"),
        ("bor/v0.2.14-stable-10c4e89f/linux-amd64/go1.17.3", "bor", "0.2.14"),
        ("Geth/my-name/v1.17.5-stable/linux-amd64/go1.25", "Geth", "1.17.5"),
        ("stratus", "stratus", ""),
    ],
)
def test_who_a_client_is(said: str, name: str, version: str) -> None:
    head = parse_head({**RESULTS, "web3_clientVersion": said})
    assert (head.client, head.version) == (name, version)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        # geth, Nitro and Erigon; Reth and anvil; Besu; by EIP-1474; Nethermind.
        (
            {"code": -32601, "message": "the method txpool_status does not exist/is not available"},
            ProblemKind.RPC_ERROR,
        ),
        ({"code": -32601, "message": "Method not found"}, ProblemKind.RPC_ERROR),
        ({"code": -32604, "message": "Method not enabled"}, ProblemKind.RPC_ERROR),
        ({"code": -32004, "message": "method not supported"}, ProblemKind.RPC_ERROR),
        (
            {
                "code": -32600,
                "message": "txpool_status found but the containing module is disabled for the url "
                "'http://127.0.0.1:8545', consider adding module in JsonRpcConfig.EnabledModules",
            },
            ProblemKind.RPC_ERROR,
        ),
    ],
)
def test_a_method_that_a_client_leaves_out(error: dict[str, Any], kind: ProblemKind) -> None:
    told = rpc_error("txpool_status", error)
    assert told.kind is kind
    head = parse_head({**RESULTS, "txpool_status": told})
    assert head.pool_pending is None
    assert head.error_of("txpool_status") == NOT_OFFERED


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 3, "message": "execution reverted: x", "data": "0x08c379a0"}, "reverted"),
        ({"code": -32000, "message": "execution reverted"}, "reverted"),
        # Nethermind, earlier and now; Besu.
        (
            {"code": -32015, "message": "VM execution error.", "data": "Reverted 0x08c379a0"},
            "reverted",
        ),
        ({"code": -32000, "message": "Execution reverted", "data": "0x08c379a0"}, "reverted"),
        ({"code": -32005, "message": "daily request count exceeded"}, "rate-limited"),
        ({"code": 429, "message": "Too Many Requests"}, "rate-limited"),
        ({"code": -32029, "message": "x"}, "rate-limited"),
        ({"code": "-32000", "message": None}, "rpc-error"),
        ("text alone", "rpc-error"),
    ],
)
def test_errors_in_each_clients_words(error: Any, kind: str) -> None:
    assert rpc_error("eth_call", error).kind.value == kind
