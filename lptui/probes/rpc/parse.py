"""Reads what an execution client says of itself (Ethereum execution API, and the clients' own
shapes of `eth_syncing`: geth, Nethermind, Erigon, Besu, Reth, Arbitrum Nitro)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from lptui.errors import BadAnswerError, LptuiError, RpcError
from lptui.fleet.facts.rpc import (
    NOT_OFFERED,
    RpcHead,
    SeenTransaction,
    SyncProgress,
    TransactionState,
)
from lptui.fleet.units import L1Block, L2Block, Wei
from lptui.probes.rpc.values import (
    PRICE,
    block_hash,
    block_number,
    given,
    quantity,
    record,
    shown,
)
from lptui.text import clean

CHAIN_ID: Final = "eth_chainId"
BLOCK: Final = "eth_getBlockByNumber"
SYNCING: Final = "eth_syncing"
VERSION: Final = "web3_clientVersion"
PEERS: Final = "net_peerCount"
GAS_PRICE: Final = "eth_gasPrice"
POOL: Final = "txpool_status"
TRANSACTION: Final = "eth_getTransactionByHash"
ANCHOR: Final = "anchor block"
"""Not a method: the block at a height that all endpoints are asked for."""

T = TypeVar("T")

_CLIENT: Final = re.compile(r"([^/]+)/(?:[^/]*/)??v?(\d[^\s/-]*)")
"""The name, what its operator calls it where they do (geth's `--identity`), the version."""
_INDEXING: Final = ("txIndexRemainingBlocks", "stateIndexRemaining", "trienodeIndexRemaining")
_NITRO_SEEN: Final = (
    "msgCount",
    "maxMessageCount",
    "syncTargetMsgCount",
    "consensusSyncTarget",
    "feedPendingMessageCount",
    "broadcasterQueuedMessagesPos",
    "messageOfProcessedBatch",
)
"""Of one release or another: how many messages it knows of."""
_MANY: Final = 40
_NO_METHOD: Final = frozenset({-32601, -32004, -32604})
"""Codes of a method that is not there (JSON-RPC 2.0), not supported (EIP-1474), or not enabled
(Besu)."""
_MODULE_OFF: Final = "module is disabled"
"""Nethermind's words for the same, with the code of an invalid request."""


def parse_head(results: Mapping[str, Any], latency_s: float = 0.0) -> RpcHead:
    """An endpoint's reading from the results of one batch, by method.

    Without a chain id or a latest block there is no reading: raises RpcError or BadAnswerError.
    Any other method's failure is only noted.
    """
    errors: list[tuple[str, str]] = []

    def optional(method: str, parse: Callable[[object, str], T | None]) -> T | None:
        if method not in results:
            return None
        result = results[method]
        if isinstance(result, RpcError):
            # Not raised: its traceback would keep the frames that hold it, and a whole snapshot.
            missing = result.code in _NO_METHOD or _MODULE_OFF in result.why
            errors.append((method, NOT_OFFERED if missing else _words(result)))
            return None
        try:
            return parse(result, method)
        except LptuiError as error:
            errors.append((method, _words(error)))
            return None

    chain_id = quantity(given(results[CHAIN_ID]), CHAIN_ID, 2**63)
    block = record(given(results[BLOCK]), BLOCK)
    # Nitro gives a quantity, anvil a JSON number.
    l1_block = _lenient(block.get("l1BlockNumber"))
    client, version = optional(VERSION, _client) or ("", "")
    pool = optional(POOL, _pool)
    anchor = optional(ANCHOR, _anchor)
    return RpcHead(
        client=client,
        version=version,
        chain_id=chain_id,
        head=L2Block(block_number(block.get("number"), BLOCK)),
        head_hash=block_hash(block.get("hash"), BLOCK),
        head_time=float(quantity(block.get("timestamp"), BLOCK, 2**40)),
        syncing=optional(SYNCING, parse_syncing),
        peers=optional(PEERS, _number),
        gas_price=optional(GAS_PRICE, _wei),
        base_fee=_when_there(block, "baseFeePerGas", _wei),
        pool_pending=pool[0] if pool else None,
        pool_queued=pool[1] if pool else None,
        l1_block=None if l1_block is None else L1Block(l1_block),
        latency_s=latency_s,
        errors=tuple(errors),
        anchor=anchor[0] if anchor else None,
        anchor_hash=anchor[1] if anchor else "",
    )


def parse_transaction(tx: str, result: object) -> SeenTransaction | None:
    """What `eth_getTransactionByHash` says of a transaction; None when it says nothing of it."""
    if result is None:
        return SeenTransaction(tx, TransactionState.UNKNOWN)
    try:
        found = record(given(result), TRANSACTION)
        number = found.get("blockNumber")
        if number is None:
            return SeenTransaction(tx, TransactionState.PENDING)
        block = L2Block(block_number(number, TRANSACTION))
    except LptuiError:
        return None
    return SeenTransaction(tx, TransactionState.MINED, block)


def parse_syncing(value: object, what: str = SYNCING) -> SyncProgress | None:
    """`eth_syncing`; None for false. Raises BadAnswerError for what is no shape of it.

    Nitro's object has counters of its own and geth's also comes when only indices are missing,
    so anything but false is "syncing", with as much as the shape tells.
    """
    if value is False:
        return None
    if value is True:
        return SyncProgress(None, None)
    fields = record(value, what)
    stages = _stages(fields.get("stages"))
    current, highest = _lenient(fields.get("currentBlock")), _lenient(fields.get("highestBlock"))
    if "msgCount" in fields:
        # Nitro's own counters: a block is made of each message (arbnode/sync_monitor.go).
        current = _lenient(fields.get("messageOfLastBlock"))
        seen = (_lenient(fields.get(name)) for name in _NITRO_SEEN)
        highest = max((number for number in seen if number is not None), default=None)
    if stages:
        # Erigon's own currentBlock is that of its last stage, which stays at zero for days; then
        # the stage that is least far counts. Once it moves, stages that are switched off (zero
        # for ever) mean nothing. Its highestBlock once was zero.
        current = current or min(number for _, number in stages)
        headers = max((n for name, n in stages if name.lower() == "headers"), default=0)
        highest = max(highest or 0, headers) or None
    reached = current is not None and highest is not None and current >= highest
    return SyncProgress(
        current=current,
        highest=highest,
        indexing=reached and any(_lenient(fields.get(name)) for name in _INDEXING),
        stages=stages,
        raw_fields=tuple(clean(str(name), 40) for name in list(fields)[:_MANY]),
    )


def _stages(value: object) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, list):
        return ()
    named = (
        (clean(str(item.get("stage_name", "")), 40), _lenient(item.get("block_number")))
        for item in value[:_MANY]
        if isinstance(item, dict)
    )
    return tuple((name, number) for name, number in named if number is not None)


def _words(error: LptuiError) -> str:
    return clean(error.why or error.what, 120)


def _lenient(value: object) -> int | None:
    """A count in either of the forms that clients use: a quantity or a JSON number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 2**63 else None
    try:
        return block_number(value, SYNCING)
    except BadAnswerError:
        return None


def _client(value: object, what: str) -> tuple[str, str]:
    """`Name/vX.Y.Z…/os/runtime` as name and version; the whole text where it is not so."""
    if not isinstance(value, str):
        raise BadAnswerError(what, f"not a text: {shown(value)}")
    text = clean(value, 120)
    match = _CLIENT.match(text)
    return (match[1], match[2]) if match else (text, "")


def _pool(value: object, what: str) -> tuple[int, int]:
    status = record(value, what)
    return _number(status.get("pending"), what), _number(status.get("queued"), what)


def _anchor(value: object, what: str) -> tuple[L2Block, str] | None:
    if value is None:
        # Nothing is final yet, or the endpoint is not so far.
        return None
    block = record(value, what)
    number = block_number(block.get("number"), what)
    return L2Block(number), block_hash(block.get("hash"), what)


def _number(value: object, what: str) -> int:
    return quantity(value, what, 2**63)


def _wei(value: object, what: str) -> Wei:
    return Wei(quantity(value, what, PRICE))


def _when_there(block: dict[str, Any], name: str, parse: Callable[[object, str], T]) -> T | None:
    """A field that not every chain's blocks have; a malformed one counts as absent."""
    try:
        return parse(block.get(name), name)
    except (BadAnswerError, RpcError):
        return None
