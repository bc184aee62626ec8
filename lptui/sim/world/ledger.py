"""The simulated chain's state: accounts, registered orchestrators, rounds, logs, transactions.

Past states can be asked for by L2 block, so that an RPC node that stands still shows the past.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from lptui.fleet.units import Address
from lptui.sim.world.timeline import RoundClock, Timeline

NEW_ROUND: Final = "0x22f2fc17c5daf07db2379b3a03a8ef20a183f761097a58fce219c8a14619e786"
REWARD: Final = "0x619caafabdd75649b302ba8419e48cccf64f37f1983ac4727cfb38b57703ffc9"
TREASURY_REWARD: Final = "0x40e200718fe552021167687e5491d09f5931275b6f88f14a462650f0effb5237"
REWARD_CALLER_SET: Final = "0x15932b87747cac36d3c505e86a946c6d3a79d9d7bdb79d81584d32bbe54516c2"
TICKET_REDEEMED: Final = "0xc389eb51ed006dbf2528507f010efdf5225ea596e1e1741d74f550dab1925ee7"
REWARD_GAS: Final = 478_000
INITIALIZE_GAS: Final = 233_000
CALLER_GAS: Final = 62_000


def demo_address(name: str) -> Address:
    """A made-up address that belongs to a name; nobody has its key."""
    return Address("0x" + hashlib.sha256(f"lptui demo {name}".encode()).hexdigest()[:40])


def demo_hash(*parts: object) -> str:
    """A made-up 32-byte hash."""
    text = "/".join(str(part) for part in parts)
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


def word(value: int | str) -> str:
    """A number or an address as 64 hexadecimal digits."""
    number = int(value, 16) if isinstance(value, str) else value
    return f"{number & (2**256 - 1):064x}"


class RevertError(Exception):
    """What a contract would revert with."""


@dataclass(slots=True)
class Account:
    """A signing account. `stuck` transactions are pending and are never mined; `queued` ones wait
    in a client's pool for the one before them, which it has dropped."""

    address: Address
    balance: int
    nonce: int
    stuck: int = 0
    queued: int = 0


@dataclass(slots=True)
class Registered:
    """An orchestrator's record. `rewards` holds (L2 block, round), oldest first."""

    address: Address
    service_uri: str
    stake: int
    pending_fees: int
    activation_round: int
    reward_cut: int = 100_000
    fee_share: int = 950_000
    deactivation_round: int = 2**256 - 1
    rewards: list[tuple[int, int]] = field(default_factory=list)
    reward_caller: Address | None = None

    def last_reward(self, block: int) -> int:
        """The last round that it called reward in, as seen at an L2 block."""
        index = bisect_right(self.rewards, (block, 2**256))
        return self.rewards[index - 1][1] if index else 0

    def is_active(self, number: int) -> bool:
        return self.activation_round <= number < self.deactivation_round


@dataclass(frozen=True, slots=True)
class Log:
    """An event log; `block` counts L2 blocks."""

    address: Address
    topics: tuple[str, ...]
    data: str
    block: int
    tx: str
    index: int = 0


@dataclass(slots=True)
class Transaction:
    """A sent transaction. `block` None: pending; `ok` says how it ended once mined."""

    hash: str
    kind: str
    sender: Address
    to: Address
    target: Address | None
    due: float
    nonce: int
    gas_price: int
    block: int | None = None
    ok: bool = False
    gas: int = 0


@dataclass(frozen=True, slots=True)
class ContractSet:
    """Where the simulated contracts live."""

    controller: Address
    bonding: Address
    rounds: Address
    broker: Address
    registry: Address
    minter: Address
    token: Address
    treasury: Address

    @classmethod
    def made_up(cls) -> ContractSet:
        return cls(
            *(
                demo_address(name)
                for name in (
                    "Controller",
                    "BondingManager",
                    "RoundsManager",
                    "TicketBroker",
                    "ServiceRegistry",
                    "Minter",
                    "LivepeerToken",
                    "Treasury",
                )
            )
        )


@dataclass(slots=True)
class Ledger:
    """The chain. `initialised` holds (L2 block, round), oldest first."""

    timeline: Timeline
    rounds: RoundClock
    contracts: ContractSet = field(default_factory=ContractSet.made_up)
    chain_id: int = 42161
    accounts: dict[Address, Account] = field(default_factory=dict)
    registered: dict[Address, Registered] = field(default_factory=dict)
    deposits: dict[Address, tuple[int, int]] = field(default_factory=dict)
    initialised: list[tuple[int, int]] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    transactions: dict[str, Transaction] = field(default_factory=dict)
    gas_price: int = 18_000_000
    base_fee: int = 16_000_000
    total_stake: int = 29_400_000 * 10**18
    paused: bool = False

    def round_at(self, block: int) -> int:
        """The round that contracts see at an L2 block, initialised or not."""
        return self.rounds.round_at(self.timeline.l1_at_l2(block))

    def last_initialised(self, block: int) -> int:
        index = bisect_right(self.initialised, (block, 2**256))
        return self.initialised[index - 1][1] if index else 0

    def mintable(self, number: int) -> int:
        """What all orchestrators together may mint in a round."""
        return (14_800 + number % 37) * 10**18

    def reward_of(self, record: Registered, number: int) -> int:
        """What one call of reward mints, after the treasury's tenth."""
        return self.mintable(number) * record.stake // self.total_stake * 9 // 10

    def check_reward(self, caller: str, block: int) -> Registered:
        """The record that a caller may reward now; raises RevertError as the contract would."""
        self.check_running()
        number = self.round_at(block)
        if self.last_initialised(block) != number:
            raise RevertError("current round is not initialized")
        record = self.registered.get(Address(caller.lower()))
        if record is None or not record.is_active(number):
            raise RevertError("caller must be an active transcoder")
        if record.last_reward(block) == number:
            raise RevertError("caller has already called reward for the current round")
        return record

    def check_running(self) -> None:
        """Raises RevertError while the protocol is paused."""
        if self.paused:
            raise RevertError("system is paused")

    def check_initialise(self, block: int) -> None:
        """Raises RevertError unless the round waits to be initialised."""
        self.check_running()
        if self.last_initialised(block) == self.round_at(block):
            raise RevertError("round already initialized")

    def send(self, kind: str, sender: Address, target: Address | None, due: float) -> Transaction:
        """Queues a `reward`, `initialize` or `caller` transaction to be mined at `due`.

        The target of `caller` is who may call reward from then on.
        """
        account = self.accounts[sender]
        to = self.contracts.rounds if kind == "initialize" else self.contracts.bonding
        digest = demo_hash(kind, sender, account.nonce, round(due, 3))
        tx = Transaction(digest, kind, sender, to, target, due, account.nonce, self.gas_price)
        self.transactions[digest] = tx
        return tx

    def mine(self, block: int, now: float) -> list[Transaction]:
        """Mines what is due into an L2 block; returns it."""
        due = [tx for tx in self.transactions.values() if tx.block is None and tx.due <= now]
        for tx in due:
            self._execute(tx, block)
        return due

    def _execute(self, tx: Transaction, block: int) -> None:
        try:
            if tx.kind == "reward":
                record = self.check_reward(tx.target or tx.sender, block)
                self.record_reward(record, self.round_at(block), block, tx.hash)
                tx.gas = REWARD_GAS
            elif tx.kind == "caller":
                self.check_running()
                self.record_caller(tx.sender, tx.target, block, tx.hash)
                tx.gas = CALLER_GAS
            else:
                self.check_initialise(block)
                self.record_round(self.round_at(block), block, tx.hash)
                tx.gas = INITIALIZE_GAS
            tx.ok = True
        except RevertError:
            tx.gas = 78_270
        tx.block = block
        account = self.accounts[tx.sender]
        account.nonce += 1
        account.balance = max(0, account.balance - tx.gas * tx.gas_price)

    def record_round(self, number: int, block: int, tx: str) -> None:
        """Marks a round as initialised and logs NewRound."""
        self.initialised.append((block, number))
        topics = (NEW_ROUND, "0x" + word(number))
        data = demo_hash("l1", self.rounds.start_of(number) - 1)
        self.logs.append(Log(self.contracts.rounds, topics, data, block, tx))

    def record_caller(self, sender: Address, caller: Address | None, block: int, tx: str) -> None:
        """Sets who else may call reward for the sender, and logs it."""
        record = self.registered.get(sender)
        if record is not None:
            record.reward_caller = caller
        topics = (REWARD_CALLER_SET, "0x" + word(sender), "0x" + word(caller or 0))
        self.logs.append(Log(self.contracts.bonding, topics, "0x", block, tx))

    def record_redemption(
        self, payer: Address, recipient: Address, face: int, block: int, tx: str
    ) -> None:
        """Logs that a winning ticket was redeemed."""
        topics = (TICKET_REDEEMED, "0x" + word(payer), "0x" + word(recipient))
        # The chance to win, the nonce, the recipient's number; then 64 bytes of the ticket's round.
        fields = (face, 2**255, 1, 2, 5 * 32, 64, self.round_at(block), 0)
        data = "0x" + "".join(word(field) for field in fields)
        self.logs.append(Log(self.contracts.broker, topics, data, block, tx, 7))

    def record_reward(self, record: Registered, number: int, block: int, tx: str) -> None:
        """Marks a reward as called and logs it."""
        amount = self.reward_of(record, number)
        record.rewards.append((block, number))
        record.stake += amount
        self.total_stake += amount
        topic = "0x" + word(record.address)
        bonding = self.contracts.bonding
        treasury = "0x" + word(self.contracts.treasury) + word(amount // 9)
        self.logs.append(Log(bonding, (TREASURY_REWARD, topic), treasury, block, tx, 3))
        self.logs.append(Log(bonding, (REWARD, topic), "0x" + word(amount), block, tx, 4))
