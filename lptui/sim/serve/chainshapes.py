"""Blocks, logs, transactions and receipts in the shapes of the Ethereum JSON-RPC interface."""

from __future__ import annotations

from typing import Any, Final

from lptui.fleet.units import Address
from lptui.sim.world.ledger import REWARD_GAS, Ledger, Log, demo_hash, word
from lptui.sim.world.timeline import L1_BASE

_NO_BLOOM: Final = "0x" + "0" * 512
_SELECTORS: Final = {
    "reward": "0x81871056",
    "initialize": "0xd4807fb2",
    "caller": "0x0103e60e",
}


class Shapes:
    """The chain's things as a client of one layer (1 or 2) shows them."""

    def __init__(self, ledger: Ledger, layer: int) -> None:
        self._ledger = ledger
        self._layer = layer

    def hash(self, number: int) -> str:
        """A block's hash; every client of a layer gives the same."""
        return demo_hash("block", self._layer, number)

    def block(self, number: int) -> dict[str, Any]:
        line = self._ledger.timeline
        if self._layer == 1:
            when = line.start + (number - L1_BASE) * line.l1_seconds
        else:
            when = line.time_of_l2(number)
        block: dict[str, Any] = {
            "number": hex(number),
            "hash": self.hash(number),
            "parentHash": self.hash(number - 1),
            "timestamp": hex(max(0, int(when))),
            "baseFeePerGas": hex(self._ledger.base_fee),
            "gasLimit": "0x4000000000000",
            "gasUsed": hex(180_000 + number % 7 * 91_000),
            "miner": "0x" + "0" * 38 + "a4",
            "nonce": "0x0000000000000000",
            "difficulty": "0x1",
            "extraData": "0x",
            "logsBloom": _NO_BLOOM,
            "size": "0x5a0",
            "stateRoot": demo_hash("state", number),
            "transactionsRoot": demo_hash("transactions", number),
            "receiptsRoot": demo_hash("receipts", number),
            "sha3Uncles": demo_hash("uncles"),
            "mixHash": demo_hash("mix", number),
            "transactions": [],
            "uncles": [],
        }
        if self._layer == 2:
            block["l1BlockNumber"] = hex(line.l1_at_l2(number))
            block["sendCount"] = "0x1f4a"
        return block

    def log(self, log: Log) -> dict[str, Any]:
        return {
            "address": log.address,
            "topics": list(log.topics),
            "data": log.data,
            "blockNumber": hex(log.block),
            "blockHash": self.hash(log.block),
            "transactionHash": log.tx,
            "transactionIndex": "0x1",
            "logIndex": hex(log.index),
            "removed": False,
        }

    def transaction(self, digest: str) -> dict[str, Any] | None:
        tx = self._ledger.transactions.get(digest)
        if tx is None:
            return self._past_transaction(digest)
        mined = tx.block is not None
        return {
            "hash": tx.hash,
            "from": tx.sender,
            "to": tx.to,
            "nonce": hex(tx.nonce),
            "blockNumber": hex(tx.block or 0) if mined else None,
            "blockHash": self.hash(tx.block or 0) if mined else None,
            "gas": hex(600_000),
            "gasPrice": hex(tx.gas_price),
            "value": "0x0",
            "input": _SELECTORS[tx.kind],
            "type": "0x2",
        }

    def _past_transaction(self, digest: str) -> dict[str, Any] | None:
        """A transaction of before the simulation, known only by its logs."""
        log = next((one for one in self._ledger.logs if one.tx == digest), None)
        if log is None:
            return None
        is_reward = log.address == self._ledger.contracts.bonding
        stranger = "0x" + word(demo_hash("stranger"))[24:]
        own = Address("0x" + log.topics[1][-40:])
        record = self._ledger.registered.get(own)
        caller = record.reward_caller or own if record is not None else own
        return {
            "hash": digest,
            "from": caller if is_reward else stranger,
            "to": log.address,
            "nonce": "0x1",
            "blockNumber": hex(log.block),
            "blockHash": self.hash(log.block),
            "gas": hex(600_000),
            "gasPrice": hex(self._ledger.gas_price),
            "value": "0x0",
            "input": _SELECTORS["reward" if is_reward else "initialize"],
            "type": "0x2",
        }

    def receipt(self, digest: str, head: int) -> dict[str, Any] | None:
        """A receipt as a client whose newest block is `head` knows it."""
        logs = [log for log in self._ledger.logs if log.tx == digest]
        tx = self._ledger.transactions.get(digest)
        block = tx.block if tx is not None else (logs[0].block if logs else None)
        if block is None or block > head:
            return None
        known = self.transaction(digest) or {}
        gas = tx.gas if tx is not None else REWARD_GAS
        return {
            "transactionHash": digest,
            "transactionIndex": "0x1",
            "blockNumber": hex(block),
            "blockHash": self.hash(block),
            "from": known.get("from"),
            "to": known.get("to"),
            "status": "0x1" if tx is None or tx.ok else "0x0",
            "gasUsed": hex(gas),
            "cumulativeGasUsed": hex(gas),
            "effectiveGasPrice": known.get("gasPrice"),
            "contractAddress": None,
            "logs": [self.log(log) for log in logs],
            "logsBloom": _NO_BLOOM,
            "type": "0x2",
        }
