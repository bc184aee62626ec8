"""
What tests do to the chain and the protocol on it.

Every change waits for its receipt; one that reverts after it was mined is returned, not raised.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, TypedDict

from tests.devnet.anvil import Anvil
from tests.devnet.contract import Contract
from tests.devnet.facts import NEVER
from tests.devnet.rpc import Rpc

LPT = 10**18
ETH = 10**18
GWEI = 10**9
TREASURY = "0xf82C1FF415F1fCf582554fDba790E27019c8E8C4"
_RECEIPT_DEADLINE_S = 45.0


class Receipt(TypedDict):
    """A mined transaction, as the node tells it."""

    transactionHash: str
    blockNumber: str
    status: str
    gasUsed: str
    logs: list[dict[str, Any]]


@dataclass(slots=True)
class Devnet:
    """A running chain with the protocol on it."""

    anvil: Anvil
    rpc: Rpc
    accounts: tuple[str, ...]
    controller: Contract
    rounds: Contract
    bonding: Contract
    minter: Contract
    registry: Contract
    broker: Contract

    @property
    def url(self) -> str:
        """The JSON-RPC address."""
        return self.anvil.url

    @property
    def chain_id(self) -> int:
        """The chain's id."""
        return self.anvil.options.chain_id

    @property
    def first_block(self) -> int:
        """Where this chain begins. Logs asked for from `earliest` take seconds: it starts at 0."""
        return self.anvil.options.first_block

    @property
    def faucet(self) -> str:
        """The account that pays for whatever names no sender. Keep it out of tests."""
        return self.accounts[0]

    @property
    def addresses(self) -> dict[str, str]:
        """Where each contract is."""
        return {
            "Controller": self.controller.address,
            "RoundsManager": self.rounds.address,
            "BondingManager": self.bonding.address,
            "Minter": self.minter.address,
            "ServiceRegistry": self.registry.address,
            "TicketBroker": self.broker.address,
            "Treasury": TREASURY,
        }

    # Transactions

    async def submit(
        self, contract: Contract, name: str, *arguments: Any, sender: str = "", **extra: int
    ) -> str:
        """
        Sends and returns the hash at once. Extra fields (gas, value, nonce, …) are integers.

        Without `gas` the gas is estimated first, so that a refusal raises RpcError and nothing is
        sent; with it the refusal is mined and paid for.
        """
        transaction = {
            "from": sender or self.faucet,
            "to": contract.address,
            "data": contract.data(name, *arguments),
            **{key: hex(value) for key, value in extra.items()},
        }
        if "gas" not in extra:
            transaction["gas"] = hex(await self.estimate_gas(transaction))
        sent: str = await self.rpc.call("eth_sendTransaction", transaction)
        return sent

    async def send(
        self, contract: Contract, name: str, *arguments: Any, sender: str = "", **extra: int
    ) -> Receipt:
        """Sends and waits until it is mined."""
        return await self.receipt(
            await self.submit(contract, name, *arguments, sender=sender, **extra)
        )

    async def estimate_gas(self, transaction: dict[str, str]) -> int:
        """The gas a transaction needs, with some to spare; raises RpcError if it would revert."""
        return int(await self.rpc.call("eth_estimateGas", transaction), 16) * 11 // 10

    async def receipt(self, sent: str, deadline_s: float = _RECEIPT_DEADLINE_S) -> Receipt:
        """Waits for a transaction to be mined; raises TimeoutError when it is not in time."""
        pause_s = 0.005
        async with asyncio.timeout(deadline_s):
            while True:
                found: Receipt | None = await self.rpc.call("eth_getTransactionReceipt", sent)
                if found is not None:
                    return found
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, 0.1)

    # Rounds

    async def current_round(self) -> int:
        """The round the clock is in, initialised or not."""
        number: int = await self.rounds.call("currentRound")
        return number

    async def clock(self) -> int:
        """The Ethereum block number as contracts see it."""
        number: int = await self.rounds.call("blockNum")
        return number

    async def advance_clock(self, l1_blocks: int) -> Receipt:
        """Moves the round clock, and nothing else."""
        return await self.send(self.rounds, "advanceClock", l1_blocks)

    async def set_clock(self, l1_block: int) -> Receipt:
        """Puts the round clock to a block."""
        return await self.send(self.rounds, "setClock", l1_block)

    async def set_clock_rate(self, l1_blocks_per_second: float) -> Receipt:
        """Lets the clock run with block time from now on; 0 stops it."""
        return await self.send(self.rounds, "setClockRate", round(l1_blocks_per_second * 1000))

    async def set_blocks_into_round(self, l1_blocks: int) -> Receipt:
        """Puts the clock so many blocks after the start of the running round."""
        start: int = await self.rounds.call("currentRoundStartBlock")
        return await self.set_clock(start + l1_blocks)

    async def next_round(self, *, initialize: bool = True, blocks_into: int = 0) -> int:
        """Moves the clock into the next round and returns its number."""
        start, length = [
            int(answer, 16)
            for answer in await self.rpc.batch(
                [
                    ("eth_call", [{"to": self.rounds.address, "data": data}, "latest"])
                    for data in (
                        self.rounds.data("currentRoundStartBlock"),
                        self.rounds.data("roundLength"),
                    )
                ]
            )
        ]
        await self.set_clock(start + length + blocks_into)
        if initialize:
            await self.initialize_round()
        return await self.current_round()

    async def initialize_round(self, sender: str = "") -> Receipt:
        """Initialises the running round."""
        return await self.send(self.rounds, "initializeRound", sender=sender)

    async def pause(self) -> None:
        """Pauses the protocol."""
        await self.send(self.controller, "pause")

    async def unpause(self) -> None:
        """Ends the pause."""
        await self.send(self.controller, "unpause")

    # Orchestrators

    async def bond(
        self, orchestrator: str, stake: int = 1000 * LPT, *, active: bool = True
    ) -> None:
        """Registers an orchestrator; unless told otherwise it is active in the running round."""
        await self.send(self.bonding, "setStake", orchestrator, stake)
        if active:
            await self.set_activation(orchestrator, await self.current_round())

    async def set_activation(
        self, orchestrator: str, activation_round: int, deactivation_round: int = NEVER
    ) -> Receipt:
        """Sets from and until which round it is active."""
        return await self.send(
            self.bonding, "setActivation", orchestrator, activation_round, deactivation_round
        )

    async def reward(self, orchestrator: str, **extra: int) -> Receipt:
        """Calls reward as the orchestrator."""
        return await self.send(self.bonding, "reward", sender=orchestrator, **extra)

    async def reward_for(self, orchestrator: str, caller: str) -> Receipt:
        """Calls reward for an orchestrator as its reward caller."""
        return await self.send(self.bonding, "rewardForTranscoder", orchestrator, sender=caller)

    async def set_reward_caller(self, orchestrator: str, caller: str) -> Receipt:
        """Authorises another key to call reward."""
        return await self.send(self.bonding, "setRewardCaller", caller, sender=orchestrator)

    async def last_reward_round(self, orchestrator: str) -> int:
        """The last round in which reward was called."""
        number: int = (await self.bonding.call("getTranscoder", orchestrator))[0]
        return number

    async def set_service_uri(self, orchestrator: str, uri: str) -> Receipt:
        """Sets the address under which the orchestrator can be reached."""
        return await self.send(self.registry, "setServiceURI", uri, sender=orchestrator)

    async def fund_payer(self, payer: str, deposit: int, reserve: int) -> Receipt:
        """Gives a gateway's account a deposit and a reserve."""
        return await self.send(
            self.broker,
            "fundDepositAndReserve",
            deposit,
            reserve,
            sender=payer,
            value=deposit + reserve,
        )

    async def redeem_ticket(
        self, payer: str, recipient: str, face_value: int, redeemer: str = ""
    ) -> Receipt:
        """A winning ticket as the chain would show its redemption."""
        return await self.send(
            self.broker,
            "emitRedemption",
            payer,
            recipient,
            face_value,
            2**255,
            1,
            2,
            sender=redeemer,
        )

    # Money and gas

    async def fund(self, address: str, wei: int, *, sender: str = "") -> Receipt:
        """Sends ether, from the faucet unless somebody else is named."""
        transaction = {"from": sender or self.faucet, "to": address, "value": hex(wei)}
        return await self.receipt(await self.rpc.call("eth_sendTransaction", transaction))

    async def set_balance(self, address: str, wei: int) -> None:
        """Sets a balance without a transaction."""
        await self.rpc.call("anvil_setBalance", address, hex(wei))

    async def balance(self, address: str) -> int:
        """A balance in wei."""
        return int(await self.rpc.call("eth_getBalance", address, "latest"), 16)

    async def gas_price(self) -> int:
        """What the node suggests, in wei."""
        return int(await self.rpc.call("eth_gasPrice"), 16)

    async def set_base_fee(self, wei: int) -> None:
        """Sets the base fee of the next block, and mines it."""
        await self.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(wei))
        await self.mine()

    async def nonces(self, address: str) -> tuple[int, int]:
        """The latest and the pending nonce."""
        latest, pending = await self.rpc.batch(
            [("eth_getTransactionCount", [address, block]) for block in ("latest", "pending")]
        )
        return int(latest, 16), int(pending, 16)

    # Faults of the node

    async def mine(self, blocks: int = 1) -> None:
        """Mines empty blocks."""
        await self.rpc.call("anvil_mine", hex(blocks))

    async def pass_time(self, seconds: int) -> None:
        """Lets the chain's time run ahead, and mines a block."""
        await self.rpc.call("evm_increaseTime", hex(seconds))
        await self.mine()

    async def stall(self) -> None:
        """The head stands still: transactions are accepted and stay pending."""
        await self.rpc.batch([("evm_setAutomine", [False]), ("evm_setIntervalMining", [0])])

    async def resume(self) -> None:
        """Ends a stall, and mines what was pending."""
        block_time = self.anvil.options.block_time_s
        if block_time is None:
            await self.rpc.call("evm_setAutomine", True)
        else:
            # Whole seconds: anvil takes fractions on its command line only.
            await self.rpc.call("anvil_setIntervalMining", max(1, round(block_time)))
        await self.mine()

    async def stuck_transaction(self, sender: str) -> str:
        """Stalls the chain and leaves a pending transaction of this account; returns its hash."""
        await self.stall()
        transaction = {"from": sender, "to": sender, "value": "0x0", "gas": hex(21_000)}
        sent: str = await self.rpc.call("eth_sendTransaction", transaction)
        return sent

    async def reorganise(self, depth: int) -> None:
        """Replaces the newest blocks by empty ones of the same heights."""
        await self.rpc.call("anvil_reorg", depth, [])
