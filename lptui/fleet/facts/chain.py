"""What the contracts say. Rounds count L1 blocks; logs and `eth_blockNumber` count L2 blocks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.units import Address, L1Block, L2Block, Lptu, Round, Wei


@dataclass(frozen=True, slots=True)
class Contracts:
    """Addresses that the Controller gave; `resolved_at` (UTC seconds) is when."""

    controller: Address
    rounds_manager: Address
    bonding_manager: Address
    service_registry: Address | None = None
    ticket_broker: Address | None = None
    minter: Address | None = None
    resolved_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ChainRound:
    """The round clock, from the RoundsManager. Target of its reading: the network's name.

    Attributes:
        block: the L1 block that contracts see (`blockNum()`).
        head: the L2 block at which all this was read; `head_time` its timestamp (UTC seconds).
        treasury_cut: the treasury's share of each reward, of 10^27.
        length: of a round, in L1 blocks; `lock_blocks` of them at its end are the lock period.
    """

    round: Round
    initialized: bool
    locked: bool
    start_block: L1Block
    length: int
    lock_blocks: int
    block: L1Block
    last_initialized: Round
    paused: bool
    contracts: Contracts
    rpc: str
    head: L2Block | None = None
    head_time: float | None = None
    mintable: Lptu | None = None
    total_active_stake: Lptu | None = None
    treasury_cut: int | None = None
    pool_size: int | None = None
    pool_max: int | None = None

    @property
    def blocks_into(self) -> int:
        return max(0, self.block - self.start_block)

    @property
    def blocks_left(self) -> int:
        return max(0, self.start_block + self.length - self.block)


@dataclass(frozen=True, slots=True)
class OrchestratorRecord:
    """An orchestrator's record, from the BondingManager. Target: the orchestrator's name.

    `reward_cut` (kept) and `fee_share` (given to delegators) are of 1,000,000.
    `deactivation_round` None is "never". `reward_caller` None: none is set; `has_reward_caller`
    False: the contract does not know delegated callers (LIP-118 not deployed).
    """

    address: Address
    last_reward_round: Round
    reward_cut: int
    fee_share: int
    activation_round: Round
    deactivation_round: Round | None
    active: bool
    registered: bool
    stake: Lptu | None = None
    pending_stake: Lptu | None = None
    pending_fees: Wei | None = None
    service_uri: str | None = None
    reward_caller: Address | None = None
    has_reward_caller: bool | None = None


@dataclass(frozen=True, slots=True)
class RewardEvent:
    """A `Reward` log. `caller` is the sender of the transaction where it was asked for, `at` the
    time of its block (UTC seconds) where the endpoint told it."""

    round: Round | None
    block: L2Block
    tx: str
    amount: Lptu
    caller: Address | None = None
    at: float | None = None


class RoundOutcome(StrEnum):
    """What became of one round for one orchestrator."""

    CALLED = "called"
    MISSED = "missed"
    INACTIVE = "inactive"
    PENDING = "pending"
    NOT_INITIALIZED = "not-initialized"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RewardHistory:
    """The past rounds of one orchestrator, oldest first, from `NewRound` and `Reward` logs.

    `since_block` is the first L2 block whose logs were seen; `complete` False when the RPC did
    not give all that was asked for.
    `starts` are the L2 blocks of the `NewRound` logs seen, oldest first; `window` the range
    of blocks to ask for at once, as far as the RPC is known to give it; 0 when it is not known.
    `begun_at` is when the current round was initialised (UTC seconds), `begun_by` who sent that
    transaction; None when not known.
    `anchor` is the newest block of which no logs are asked for again, with its hash: as long as
    the chain has it, what was read before still holds.
    """

    rounds: tuple[tuple[Round, RoundOutcome], ...]
    events: tuple[RewardEvent, ...]
    since_block: L2Block
    upto_block: L2Block
    complete: bool = True
    starts: tuple[tuple[Round, L2Block], ...] = ()
    window: int = 0
    begun_at: float | None = None
    begun_by: Address | None = None
    anchor: tuple[L2Block, str] | None = None

    def is_of(self, number: Round) -> bool:
        """Whether that is the newest round that it tells of."""
        return self.rounds != () and self.rounds[-1][0] == number

    def event_of(self, number: int) -> RewardEvent | None:
        return next((event for event in self.events if event.round == number), None)


@dataclass(frozen=True, slots=True)
class PooledTransaction:
    """A transaction in an endpoint's pool; one that is `queued` waits for an earlier nonce."""

    hash: str
    nonce: int
    queued: bool = False
    max_fee: Wei | None = None


@dataclass(frozen=True, slots=True)
class SignerAccount:
    """An account's money and nonces. Target: its address.

    `pending_since` is when a pending transaction was first seen (UTC seconds); with none pending
    it is that of one that vanished without being mined. `pending_known` False: the RPC does not
    count pending transactions, `pending_nonce` repeats the mined one.
    `pool` are its transactions in the endpoint's pool; None: not asked for, or not offered.
    """

    balance: Wei
    nonce: int
    pending_nonce: int
    pending_since: float | None = None
    pending_known: bool = True
    pool: tuple[PooledTransaction, ...] | None = None

    @property
    def pending(self) -> int:
        return max(0, self.pending_nonce - self.nonce)


@dataclass(frozen=True, slots=True)
class GasPrices:
    """Prices of gas now, in wei a unit of gas. Target: the network's name."""

    gas_price: Wei
    base_fee: Wei | None = None


@dataclass(frozen=True, slots=True)
class SenderDeposit:
    """A gateway's deposit and reserve at the TicketBroker. Target: its address."""

    deposit: Wei
    reserve: Wei
    withdraw_round: Round
