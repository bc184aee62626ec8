"""What a go-livepeer node says of itself (CLI API and metrics)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from lptui.fleet.units import Address, L2Block, Wei


@dataclass(frozen=True, slots=True)
class ConnectedTranscoder:
    """A transcoder as its orchestrator sees it; the port is the peer's ephemeral one."""

    address: str
    capacity: int


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """`/status`: the cheap sign of life. Prices are wei a pixel by gateway (or `default`)."""

    version: str
    transcoders: tuple[ConnectedTranscoder, ...] = ()
    transcoders_number: int = 0
    local_transcoding: bool = False
    prices: tuple[tuple[str, Fraction], ...] = ()
    streams: int = 0
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who the node is. None where the node has no chain client or does not answer that route.

    `tx_routes` is False when routes that send transactions are not registered (404).
    `knows_reward_caller` False: a build from before delegated reward callers (LIP-118).
    `max_gas_price` None with `has_gas_cap` False means "no cap". `errors` are routes that
    answered something else than promised, and what.
    """

    account: Address | None
    is_orchestrator: bool | None
    is_redeemer: bool | None
    chain_id: int | None
    max_gas_price: Wei | None = None
    has_gas_cap: bool | None = None
    min_gas_price: Wei | None = None
    tx_routes: bool | None = None
    reward_caller: Address | None = None
    knows_reward_caller: bool | None = None
    controller: Address | None = None
    log_level: int | None = None
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NodeBlock:
    """`/currentBlock`: the last block that the node's own watcher processed."""

    block: L2Block


@dataclass(frozen=True, slots=True)
class NodeMetrics:
    """`/metrics`. `monitored` False: the node runs without `-monitor`; everything else is unknown.

    A counter that is absent has not been recorded yet and is 0; a gauge that is absent is None.
    Money in wei (the node gives gwei). `success_rate` is of 1, `latency_avg_s` of a segment.
    `real_time_factor` is a segment's length by the time that its transcoding took; below 1 it is
    slower than it is watched.
    `node_type` is the label that names what the node is: orch, bctr, trcr, aiwk, rdmr, dflt.
    """

    monitored: bool
    started_at: float | None = None
    version: str = ""
    max_sessions: int | None = None
    current_sessions: int | None = None
    transcoders: int | None = None
    transcoders_capacity: int | None = None
    segments_received: int = 0
    segments_transcoded: int = 0
    segments_failed: int = 0
    success_rate: float | None = None
    transcode_score_p50: float | None = None
    real_time_factor: float | None = None
    latency_avg_s: float | None = None
    transcode_count: float = 0.0
    transcode_sum_s: float = 0.0
    score_count: float = 0.0
    score_sum: float = 0.0
    reward_errors: int = 0
    redemption_errors: int = 0
    payment_errors: int = 0
    winning_tickets: int = 0
    ticket_value: Wei | None = None
    value_redeemed: Wei | None = None
    suggested_gas_price: Wei | None = None
    max_gas_price: Wei | None = None
    open_files: int | None = None
    max_files: int | None = None
    resident_memory: int | None = None
    node_type: str = ""
