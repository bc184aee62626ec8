"""Puts the stand-in contracts on a fresh chain."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from tests.devnet.anvil import Anvil, AnvilOptions, running_anvil
from tests.devnet.chain import LPT, Devnet
from tests.devnet.compiler import compile_contract
from tests.devnet.contract import Contract
from tests.devnet.rpc import Rpc

_DEPLOY_GAS = 12_000_000
_SETUP_GAS = 2_000_000


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the protocol is set up: real lengths, a clock far from any block number."""

    lip118: bool = True
    round_length: int = 6377
    first_round: int = 4200
    clock: int = 25_000_000
    blocks_into_round: int = 1000
    supply: int = 40_000_000 * LPT
    inflation: int = 300_000
    initialized: bool = True


async def deploy(anvil: Anvil, protocol: Protocol | None = None) -> Devnet:
    """Puts the protocol on a fresh chain."""
    chosen = protocol or Protocol()
    rpc = Rpc(anvil.url)
    try:
        return await _deploy(anvil, rpc, chosen)
    except BaseException:
        await rpc.aclose()
        raise


@contextlib.asynccontextmanager
async def running_devnet(
    options: AnvilOptions | None = None, protocol: Protocol | None = None
) -> AsyncIterator[Devnet]:
    """A chain with the protocol on it, for the length of a block."""
    async with running_anvil(options) as anvil:
        net = await deploy(anvil, protocol)
        try:
            yield net
        finally:
            await net.rpc.aclose()


async def _deploy(anvil: Anvil, rpc: Rpc, chosen: Protocol) -> Devnet:
    accounts = tuple(to_checksum_address(a) for a in await rpc.call("eth_accounts"))
    deployer = accounts[0]
    plan = _Deployment(rpc, deployer)
    start = chosen.clock - chosen.blocks_into_round
    controller = plan.create("Controller", [], [])
    minter = plan.create("Minter", ["uint256", "uint256"], [chosen.supply, chosen.inflation])
    rounds = plan.create(
        "RoundsManager",
        ["address", "uint256", "uint256", "uint256", "uint256"],
        [controller.address, chosen.first_round, start, chosen.round_length, chosen.clock],
    )
    bonding = plan.create(
        "BondingManager", ["address", "bool"], [controller.address, chosen.lip118]
    )
    broker = plan.create("TicketBroker", ["address"], [controller.address])
    registry = plan.create("ServiceRegistry", [], [])
    net = Devnet(anvil, rpc, accounts, controller, rounds, bonding, minter, registry, broker)
    for name, address in net.addresses.items():
        if name != "Controller":
            plan.send(controller, "setContractInfo", keccak(text=name), address, bytes(20))
    if chosen.initialized:
        plan.send(rounds, "initializeRound")
    await plan.run(net)
    return net


class _Deployment:
    """Transactions with known nonces, sent in one batch: waiting for each would take far longer."""

    def __init__(self, rpc: Rpc, deployer: str) -> None:
        self._rpc = rpc
        self._deployer = deployer
        self._transactions: list[dict[str, str]] = []

    def create(self, name: str, kinds: list[str], arguments: list[Any]) -> Contract:
        compiled = compile_contract(name)
        nonce = len(self._transactions)
        address = _created_address(self._deployer, nonce)
        data = compiled.bytecode + encode(kinds, arguments).hex()
        self._add({"data": data, "gas": hex(_DEPLOY_GAS)})
        return Contract(self._rpc, address, compiled.abi)

    def send(self, contract: Contract, name: str, *arguments: Any) -> None:
        data = contract.data(name, *arguments)
        self._add({"to": contract.address, "data": data, "gas": hex(_SETUP_GAS)})

    def _add(self, fields: dict[str, str]) -> None:
        nonce = hex(len(self._transactions))
        self._transactions.append({"from": self._deployer, "nonce": nonce, **fields})

    async def run(self, net: Devnet) -> None:
        sent = await self._rpc.batch([("eth_sendTransaction", [t]) for t in self._transactions])
        for number, transaction_hash in enumerate(sent):
            receipt = await net.receipt(transaction_hash)
            if receipt["status"] != "0x1":
                raise RuntimeError(f"set-up transaction {number} failed: {receipt}")


def _created_address(creator: str, nonce: int) -> str:
    # RLP of (creator, nonce), in the short form that nonces below 128 have.
    assert nonce < 128
    encoded = bytes([0xC0 + 22, 0x80 + 20, *to_canonical_address(creator), nonce or 0x80])
    return to_checksum_address(keccak(encoded)[12:])
