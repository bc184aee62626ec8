"""How a node spends: estimates, respects its cap, sends one transaction at a time, waits."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import httpx

from tests.devnet.chain import Devnet
from tests.devnet.contract import Contract
from tests.devnet.node.config import NodeConfig, TxFault
from tests.devnet.rpc import RpcError

ZERO_ADDRESS = "0x" + "00" * 20


class TransactionError(Exception):
    """Why nothing was achieved, in the node's words."""


class ConnectionDroppedError(Exception):
    """The node closes the connection without an answer."""


class Wallet:
    """One account and its queue."""

    def __init__(self, config: NodeConfig, net: Devnet, account: str) -> None:
        self._config = config
        self._net = net
        self._account = account
        self._queue = asyncio.Lock()

    async def reward(self) -> None:
        """Calls reward with hints, for itself or as somebody's reward caller."""
        if await self._fault_instead():
            return
        bonding = self._net.bonding
        orchestrator = self._config.recipient if self._config.is_delegated else self._account
        assert orchestrator is not None
        try:
            before, after = await self._hints(orchestrator)
        except (RpcError, httpx.HTTPError) as error:
            raise TransactionError(error_text(error)) from error
        if self._config.is_delegated:
            await self._transact(
                bonding, "rewardForTranscoderWithHint", orchestrator, before, after
            )
        else:
            await self._transact(bonding, "rewardWithHint", before, after)

    async def initialize_round(self) -> None:
        """Initialises the running round."""
        if not await self._fault_instead():
            await self._transact(self._net.rounds, "initializeRound")

    async def set_service_uri(self, uri: str) -> None:
        """Sets the address on chain."""
        if not await self._fault_instead():
            await self._transact(self._net.registry, "setServiceURI", uri)

    async def set_reward_caller(self, caller: str) -> None:
        """Lets another key call reward."""
        if not await self._fault_instead():
            await self._transact(self._net.bonding, "setRewardCaller", caller)

    async def sign(self, message: bytes) -> bytes:
        """A personal signature."""
        try:
            signed = await self._net.rpc.call("eth_sign", self._account, "0x" + message.hex())
        except (RpcError, httpx.HTTPError) as error:
            raise TransactionError(error_text(error)) from error
        return bytes.fromhex(signed[2:])

    async def _fault_instead(self) -> bool:
        """Whether a fault takes the place of sending anything."""
        fault = self._config.tx_fault
        if fault is TxFault.HANG:
            await asyncio.Event().wait()
        if fault is TxFault.FAIL:
            raise TransactionError(self._config.tx_fault_cause)
        if fault is TxFault.DROP:
            raise ConnectionDroppedError
        return fault is TxFault.LIE

    async def _hints(self, orchestrator: str) -> tuple[str, str]:
        # The walk is what makes a reward slow on a real chain: a call for each place in the pool.
        bonding = self._net.bonding
        before, at = ZERO_ADDRESS, await bonding.call("getFirstTranscoderInPool")
        while at not in (ZERO_ADDRESS, orchestrator):
            before, at = at, await bonding.call("getNextTranscoderInPool", at)
        if at == ZERO_ADDRESS:
            return ZERO_ADDRESS, ZERO_ADDRESS
        return before, await bonding.call("getNextTranscoderInPool", at)

    async def _transact(self, contract: Contract, name: str, *arguments: str) -> None:
        transaction = {
            "from": self._account,
            "to": contract.address,
            "data": contract.data(name, *arguments),
        }
        try:
            cap = await self._fee_cap()
            gas = self._config.gas_limit or await self._net.estimate_gas(transaction)
            transaction["gas"] = hex(gas)
            transaction["maxFeePerGas"] = hex(cap)
            transaction["maxPriorityFeePerGas"] = "0x0"
            await asyncio.sleep(self._config.tx_delay_s)
            async with self._queue:
                await self._send_and_wait(transaction)
        except (RpcError, httpx.HTTPError) as error:
            raise TransactionError(error_text(error)) from error
        if self._config.tx_fault is TxFault.DROP_AFTER:
            raise ConnectionDroppedError

    async def _fee_cap(self) -> int:
        price = await self._net.gas_price()
        cap = self._config.max_gas_price
        if cap is not None and price > cap:
            raise TransactionError(
                "current gas price exceeds maximum gas price "
                f"max={_gwei(cap)} GWei current={_gwei(price)} GWei"
            )
        return 2 * price if cap is None else min(cap, 2 * price)

    async def _send_and_wait(self, transaction: dict[str, str]) -> None:
        sent: str = await self._net.rpc.call("eth_sendTransaction", transaction)
        try:
            receipt = await self._net.receipt(sent, self._config.transaction_timeout_s)
        except TimeoutError:
            raise TransactionError(
                f"timed out waiting for transaction receipt txHash={sent}"
            ) from None
        if receipt["status"] != "0x1":
            raise TransactionError(f"transaction failed txHash={sent}")


def error_text(error: RpcError | httpx.HTTPError) -> str:
    """An error of the RPC node as a Go client would pass it on."""
    if isinstance(error, RpcError):
        # geth's texts begin in lower case.
        return error.message[:1].lower() + error.message[1:]
    where = str(error.request.url).rstrip("/")
    host = f"{error.request.url.host}:{error.request.url.port}"
    if isinstance(error, httpx.ConnectError):
        return f'Post "{where}": dial tcp {host}: connect: connection refused'
    if isinstance(error, httpx.TimeoutException):
        return f'Post "{where}": context deadline exceeded'
    return f'Post "{where}": EOF'


def _gwei(wei: int) -> str:
    return f"{(Decimal(wei) / 10**9).normalize():f}"
