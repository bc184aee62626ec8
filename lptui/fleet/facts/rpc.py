"""What an execution client says over JSON-RPC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lptui.fleet.units import Address, L1Block, L2Block, Wei

NOT_OFFERED: Final = "the endpoint does not offer this method"
"""What `RpcHead.errors` says of a method that an endpoint does without."""


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """`eth_syncing` when it is not false; None where the client's shape lacks the field.

    `stages` are Erigon's; `indexing` is true when the head is reached but indices are not.
    """

    current: int | None
    highest: int | None
    indexing: bool = False
    stages: tuple[tuple[str, int], ...] = ()
    raw_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RpcAbilities:
    """What an endpoint gives besides its head, asked for along with it at a slow pace.

    Attributes:
        read_at: when (UTC seconds).
        logs: why it gives none; "" when it does; None when it did not say.
        archive: whether it has the state of the chain's beginning; None when it did not say, and
            `archive_error` is what it said instead.
        receipt_of: the fleet's newest transaction that is known to be mined, and `receipt`
            whether the endpoint has its receipt; "" and None when there was none to ask for.
    """

    read_at: float
    logs: str | None = None
    archive: bool | None = None
    archive_error: str = ""
    receipt_of: str = ""
    receipt: bool | None = None


class TransactionState(StrEnum):
    """What an endpoint says of a transaction by its hash."""

    MINED = "mined"
    PENDING = "pending"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SeenTransaction:
    """What one endpoint says of a transaction of the fleet."""

    hash: str
    state: TransactionState
    block: L2Block | None = None


@dataclass(frozen=True, slots=True)
class RpcHead:
    """One cycle's answers of an RPC node. Target: the endpoint's name.

    Attributes:
        head, head_hash, head_time: the latest block; the time is its timestamp (UTC seconds).
        syncing: None when `eth_syncing` is false, and when it gave an error: see `is_sync_known`.
        peers: None when the client does not have the method (L2, development chains).
        l1_block: Arbitrum blocks carry the L1 height that contracts see; `l1_advanced_at` is when
            this console last saw it move (UTC seconds).
        transactions: those of the fleet that are not settled, as this endpoint knows them.
        latency_s: of the whole batch.
        errors: methods that answered with an error, and its text (`NOT_OFFERED` for a method
            that is not there).
    """

    client: str
    version: str
    chain_id: int
    head: L2Block
    head_hash: str
    head_time: float
    syncing: SyncProgress | None = None
    peers: int | None = None
    gas_price: Wei | None = None
    base_fee: Wei | None = None
    pool_pending: int | None = None
    pool_queued: int | None = None
    l1_block: L1Block | None = None
    latency_s: float = 0.0
    advanced_at: float | None = None
    """When this console last saw the head move (UTC seconds)."""
    errors: tuple[tuple[str, str], ...] = ()
    anchor: L2Block | None = None
    """A height well below the heads, the same for all endpoints of one chain at one time."""
    anchor_hash: str = ""
    """The hash there: endpoints that differ in it at the same height follow different chains."""
    l1_advanced_at: float | None = None
    abilities: RpcAbilities | None = None
    transactions: tuple[SeenTransaction, ...] = ()

    def error_of(self, method: str) -> str:
        """What a method said instead of an answer; "" when it answered or was not asked."""
        return dict(self.errors).get(method, "")

    @property
    def is_sync_known(self) -> bool:
        """Whether `eth_syncing` answered: without that, `syncing` None says nothing."""
        return not self.error_of("eth_syncing")


@dataclass(frozen=True, slots=True)
class RpcWay:
    """What was asked of an endpoint over one way, and how it answered.

    Attributes:
        host: the host that it was asked from; "" for this machine.
        requests, calls, log_queries: since lptui was started: documents sent, the calls in them,
            those of them that ask for logs. `failed` requests had no answer that can be used,
            `limited` of them for their number.
        recent: requests of the last quarter of an hour; `recent_failed` of them, the `median_s`
            of the answered ones and the time that one in twenty takes longer than (`slow_s`).
    """

    host: str = ""
    requests: int = 0
    calls: int = 0
    log_queries: int = 0
    failed: int = 0
    limited: int = 0
    recent: int = 0
    recent_failed: int = 0
    median_s: float | None = None
    slow_s: float | None = None
    last_failure: str = ""


@dataclass(frozen=True, slots=True)
class RpcUsage:
    """All that was asked of an endpoint, the usual way first. Target: the endpoint's name."""

    ways: tuple[RpcWay, ...]

    @property
    def requests(self) -> int:
        return sum(way.requests for way in self.ways)

    @property
    def calls(self) -> int:
        return sum(way.calls for way in self.ways)

    @property
    def log_queries(self) -> int:
        return sum(way.log_queries for way in self.ways)

    @property
    def failed(self) -> int:
        return sum(way.failed for way in self.ways)


@dataclass(frozen=True, slots=True)
class RpcVantage:
    """An endpoint as the hosts of its users see it. Target: `endpoint/host`.

    Attributes:
        address: scheme, host and port that the host's nodes use; "" when it is not known: then
            nothing was asked.
        nodes: those that use it from there.
        latency_s: of a small request, with the way from here to the host.
    """

    rpc: str
    host: str
    nodes: tuple[str, ...]
    address: str = ""
    chain_id: int | None = None
    head: L2Block | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction of the fleet that is followed until it is mined or its nonce is used.

    Attributes:
        sender, nonce: None where only the hash is known.
        seen_at: when it was seen or sent first (UTC seconds); `known_to` names who told of it.
        pooled_at: when an endpoint last had it in its pool (UTC seconds); None for never.
        looked_nonce: of one whose nonce is not known, the account's next when it was first looked
            for; a node sends one after the other, so that a later one shows that it is settled.
    """

    hash: str
    seen_at: float
    known_to: str
    sender: Address | None = None
    nonce: int | None = None
    pooled_at: float | None = None
    looked_nonce: int | None = None


@dataclass(frozen=True, slots=True)
class SentTransactions:
    """The fleet's transactions that are not settled. Target: the network's name.

    `settled` are hashes of those that were followed and are not any more, the newest last.
    """

    sent: tuple[SentTransaction, ...] = ()
    settled: tuple[str, ...] = ()
