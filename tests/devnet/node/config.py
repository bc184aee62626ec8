"""What a stand-in node is and how it behaves. Everything may be changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction


class Role(StrEnum):
    """The node's type, valued as in the metrics label `node_type`."""

    ORCHESTRATOR = "orch"
    GATEWAY = "bctr"
    TRANSCODER = "trcr"
    REDEEMER = "rdmr"
    REWARD = "dflt"


class TxFault(StrEnum):
    """What becomes of a route that sends a transaction."""

    NONE = "none"
    # Never answers, sends nothing.
    HANG = "hang"
    # Answers 500 with the configured cause, sends nothing.
    FAIL = "fail"
    # Closes the connection, sends nothing.
    DROP = "drop"
    # Sends, and closes the connection once the transaction is mined.
    DROP_AFTER = "drop_after"
    # Answers 200 and sends nothing.
    LIE = "lie"


@dataclass(frozen=True, slots=True)
class ConnectedTranscoder:
    """A transcoder as its orchestrator sees it."""

    address: str
    capacity: int = 10


@dataclass(slots=True)
class NodeConfig:
    """One node. Without an account, or without a chain, it runs offchain."""

    role: Role = Role.ORCHESTRATOR
    name: str = "node"
    account: str | None = None
    # -ethOrchAddr: the registered address, where it is not the account's own.
    recipient: str | None = None
    version: str = "0.9.1"
    # -monitor
    monitor: bool = True
    # -enableCliTxRoutes of newer builds; older ones always have the routes.
    cli_tx_routes: bool = True
    # The newest builds register these routes for POST alone; others act on any method.
    posts_only: bool = False
    # Newer builds call reward for -ethOrchAddr by LIP-118.
    delegated_rewards: bool = False
    # RewardService: reacts to a new round, tries once.
    automatic_reward: bool = False
    # None: transcodes itself, so it has no list of remote transcoders.
    transcoders: list[ConnectedTranscoder] | None = None
    max_sessions: int = 10
    sessions: int = 0
    # Wei per pixel.
    price: Fraction | None = Fraction(1200)
    max_gas_price: int | None = None
    min_gas_price: int = 0
    # -gasLimit: 0 estimates, and so learns of a refusal before it pays.
    gas_limit: int = 0
    transaction_timeout_s: float = 300.0
    log_level: int = 3
    token_balance: int = 0
    # The last block the node's watcher saw; None follows the chain.
    watched_block: int | None = None
    # Before every answer.
    answer_delay_s: float = 0.0
    # Before a transaction is sent.
    tx_delay_s: float = 0.0
    tx_fault: TxFault = TxFault.NONE
    tx_fault_cause: str = "EOF"
    # Accepts connections and answers nothing.
    frozen: bool = False
    # Paths answered with a fixed status and body, before anything else.
    overrides: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def orchestrator(self) -> str | None:
        """The address whose stake and rewards this node works for."""
        return self.recipient or self.account

    @property
    def is_delegated(self) -> bool:
        """Whether it calls reward for somebody else's address."""
        return self.delegated_rewards and self.recipient not in (None, self.account)
