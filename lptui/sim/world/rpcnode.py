"""A simulated execution client: what it is, and how it lies or lags."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RpcProcess:
    """A JSON-RPC server.

    Attributes:
        layer: 2 serves the Arbitrum ledger, 1 the L1 chain that Nitro reads.
        lag: L2 blocks behind the newest; stuck_at: block at which it stands still.
        syncing: answers `eth_syncing` with an object.
        peers: None where the client has no `net_peerCount` (every L2 node).
        fault: "" or how answers are broken: "html", "truncated", "rate", "odd" (every odd
            request is cut short).
        forked_at: first block that it has otherwise than all others.
        has_pool: offers `txpool_contentFrom`, which Nitro does not.
    """

    name: str
    host: str
    unit: str
    port: int
    client: str
    layer: int = 2
    chain_id: int = 42161
    lag: int = 0
    stuck_at: int | None = None
    syncing: bool = False
    peers: int | None = None
    running: bool = True
    fault: str = ""
    asked: int = 0
    ipc: str = ""
    forked_at: int | None = None
    has_pool: bool = False

    def head(self, newest: int) -> int:
        """Its newest L2 block when `newest` is the chain's."""
        return newest - self.lag if self.stuck_at is None else self.stuck_at
