"""JSON-RPC of the simulated execution clients: single calls and batches, over HTTP and IPC."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from lptui.sim.serve.chainshapes import Shapes
from lptui.sim.serve.contracts import Contracts, revert_data
from lptui.sim.serve.http import HttpReply, HttpRequest, text
from lptui.sim.serve.link import Link
from lptui.sim.world.ledger import REWARD_GAS, Log, RevertError, demo_hash
from lptui.sim.world.rpcnode import RpcProcess
from lptui.sim.world.world import World

BATCH_LIMIT: Final = 1000
FINAL_DEPTH: Final = 3_000
FINAL_STEP: Final = 1_200
"""L2 blocks: ten minutes behind, five at a time."""
LOG_RANGE: Final = 10_000_000
Json: TypeAlias = Any
"""A JSON value as it came or as it goes out."""
_TAGS: Final = ("latest", "pending", "safe", "finalized")


class RpcFault(Exception):  # noqa: N818 (a fault of the protocol, not of the simulation)
    """An error object: code, message, data."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class JsonRpcApi:
    """One client's view of the chain."""

    def __init__(self, world: World, rpc: RpcProcess, contracts: Contracts) -> None:
        self._world = world
        self._rpc = rpc
        self._contracts = contracts
        self._shapes = Shapes(world.ledger, rpc.layer)
        self._methods: dict[str, Callable[[list[Any]], Any]] = {
            "web3_clientVersion": lambda _: world.say(rpc.client),
            "eth_chainId": lambda _: hex(rpc.chain_id),
            "net_version": lambda _: str(rpc.chain_id),
            "net_listening": lambda _: True,
            "eth_blockNumber": lambda _: hex(self._head()),
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_syncing": lambda _: self._syncing(),
            "net_peerCount": lambda _: self._peers(),
            "eth_gasPrice": lambda _: hex(self._gas_price()),
            "eth_maxPriorityFeePerGas": lambda _: "0x0",
            "eth_feeHistory": self._fee_history,
            "eth_getBalance": lambda params: hex(self._account(params, "balance")),
            "eth_getTransactionCount": self._nonce,
            "eth_getCode": lambda p: "0x6080" if self._contracts.has_code(str(p[0])) else "0x",
            "eth_getStorageAt": lambda _: "0x" + "0" * 64,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_getLogs": self._logs,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_accounts": lambda _: [],
            "eth_sendRawTransaction": self._refuse,
            "rpc_modules": lambda _: {"eth": "1.0", "net": "1.0", "web3": "1.0"},
        }
        if rpc.has_pool:
            self._methods["txpool_contentFrom"] = self._pool_of
        if rpc.layer == 1:
            self._methods["txpool_status"] = lambda _: {"pending": "0x8c", "queued": "0x11"}

    def handle(self, request: HttpRequest) -> HttpReply:
        """One HTTP request, with the faults that a scenario gave this client."""
        self._rpc.asked += 1
        fault = self._rpc.fault
        if fault == "html":
            return HttpReply(b"<html><h1>504 Gateway Time-out</h1></html>", 504, "text/html")
        if fault == "rate":
            return HttpReply(b"", 429, headers={"Retry-After": "1"})
        if request.method != "POST":
            return text("", 200 if request.path == "/" else 404)
        body = self.answer(request.body)
        cut = fault == "truncated" or (fault == "odd" and self._rpc.asked % 2 == 1)
        if cut:
            body = body[: len(body) // 2]
        return HttpReply(body, 200, "application/json")

    def answer(self, raw: bytes) -> bytes:
        """The answer to a call or a batch."""
        try:
            asked = json.loads(raw)
        except ValueError:
            return _dump(_error(None, RpcFault(-32700, "parse error")))
        if isinstance(asked, list):
            if len(asked) > BATCH_LIMIT:
                return _dump(_error(None, RpcFault(-32600, "batch too large")))
            return _dump([self._one(call) for call in asked])
        return _dump(self._one(asked))

    def _one(self, call: Json) -> dict[str, Any]:
        if not isinstance(call, dict) or "method" not in call:
            return _error(None, RpcFault(-32600, "invalid request"))
        name, key = str(call["method"]), call.get("id")
        method = self._methods.get(name)
        try:
            if method is None:
                missing = f"the method {name} does not exist/is not available"
                raise RpcFault(-32601, missing)
            params = call.get("params") or []
            return {"jsonrpc": "2.0", "id": key, "result": method(params)}
        except RpcFault as fault:
            return _error(key, fault)
        except RevertError as revert:
            reason = str(revert)
            message = f"execution reverted: {reason}" if reason else "execution reverted"
            return _error(key, RpcFault(3, message, revert_data(reason) if reason else "0x"))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return _error(key, RpcFault(-32602, "invalid argument"))

    def _head(self) -> int:
        """This client's newest block, in its own chain's numbers."""
        rpc, world = self._rpc, self._world
        if rpc.layer == 1:
            return world.ledger.timeline.l1_at_l2(world.l2_block)
        return rpc.head(world.l2_block)

    def _state_block(self, tag: Json) -> int:
        """The L2 block whose state a block parameter means."""
        head = self._head()
        if tag is None or tag in _TAGS:
            return head
        if tag == "earliest":
            return 0
        if isinstance(tag, dict):
            return self._state_block(tag.get("blockNumber", "latest"))
        number = int(str(tag), 16)
        if number > head:
            raise RpcFault(-32000, "header not found")
        return number

    def _syncing(self) -> Json:
        if not self._rpc.syncing:
            return False
        if self._rpc.layer == 1:
            head = self._head()
            target = {"highestBlock": hex(head + 9_400), "startingBlock": hex(head - 100)}
            return {"currentBlock": hex(head), **target, "txIndexRemainingBlocks": "0x0"}
        done = self._head() // 9
        return {"batchSeen": done + 40, "batchProcessed": done, "messageOfLastBlock": done * 3}

    def _peers(self) -> str:
        if self._rpc.peers is None:
            raise RpcFault(-32601, "the method net_peerCount does not exist/is not available")
        return hex(self._rpc.peers)

    def _gas_price(self) -> int:
        price = self._world.ledger.gas_price
        return price * 40 if self._rpc.layer == 1 else price

    def _account(self, params: list[Any], field: str) -> int:
        account = self._world.ledger.accounts.get(str(params[0]).lower())  # type: ignore[call-overload]
        return int(getattr(account, field)) if account else 0

    def _nonce(self, params: list[Any]) -> str:
        stuck = self._account(params, "stuck") if params[1:] == ["pending"] else 0
        return hex(self._account(params, "nonce") + stuck)

    def _block_by_number(self, params: list[Any]) -> dict[str, Any] | None:
        tag = params[0]
        if tag in ("safe", "finalized"):
            # What is final moves in large steps: batches are posted to L1 now and then.
            number = max(0, self._head() - FINAL_DEPTH) // FINAL_STEP * FINAL_STEP
        elif tag in _TAGS or tag == "earliest":
            number = self._head() if tag != "earliest" else 0
        else:
            number = int(str(tag), 16)
        return self._block(number) if number <= self._head() else None

    def _block(self, number: int) -> dict[str, Any]:
        block = self._shapes.block(number)
        fork = self._rpc.forked_at
        if fork is not None and number >= fork:
            block["hash"] = demo_hash("fork", self._rpc.name, number)
        return block

    def _pool_of(self, params: list[Any]) -> dict[str, Any]:
        """Transactions that wait for one that is not there."""
        account = self._world.ledger.accounts.get(str(params[0]).lower())  # type: ignore[call-overload]
        queued = {}
        for ahead in range(1, (account.queued if account else 0) + 1):
            nonce = account.nonce + ahead
            digest = demo_hash("queued", account.address, nonce)
            price = hex(self._world.ledger.gas_price)
            queued[str(nonce)] = {"hash": digest, "nonce": hex(nonce), "gasPrice": price}
        return {"pending": {}, "queued": queued}

    def _block_by_hash(self, params: list[Any]) -> dict[str, Any] | None:
        for number in range(self._head(), self._head() - 64, -1):
            if self._shapes.hash(number) == params[0]:
                return self._shapes.block(number)
        return None

    def _fee_history(self, params: list[Any]) -> dict[str, Any]:
        count = max(0, min(1024, int(str(params[0]), 0)))
        fee = hex(self._world.ledger.base_fee)
        history: dict[str, Any] = {
            "oldestBlock": hex(self._head() - count + 1),
            "baseFeePerGas": [fee] * (count + 1),
            "gasUsedRatio": [0.4] * count,
        }
        if len(params) > 2:
            history["reward"] = [["0x0"] * len(params[2])] * count
        return history

    def _call(self, params: list[Any]) -> str:
        call = params[0]
        block = self._state_block(params[1] if len(params) > 1 else "latest")
        if self._rpc.layer == 1:
            return "0x"
        data = str(call.get("data") or call.get("input") or "0x")
        if call.get("to") is None:
            return self._contracts.program(data)
        sender = str(call.get("from") or "0x" + "0" * 40)
        return self._contracts.call(str(call["to"]), data, sender, block)

    def _estimate(self, params: list[Any]) -> str:
        self._call(params)
        return hex(REWARD_GAS + REWARD_GAS // 25)

    def _logs(self, params: list[Any]) -> list[dict[str, Any]]:
        query = params[0]
        first = self._state_block(query.get("fromBlock", "latest"))
        last = min(self._head(), self._state_block(query.get("toBlock", "latest")))
        if last - first > LOG_RANGE:
            raise RpcFault(-32005, f"query exceeds max block range {LOG_RANGE}")
        if self._rpc.layer == 1:
            return []
        wanted = query.get("address")
        addresses = {str(a).lower() for a in (wanted if isinstance(wanted, list) else [wanted])}
        topics = query.get("topics") or []
        return [
            self._shapes.log(log)
            for log in self._world.ledger.logs
            if first <= log.block <= last
            and (wanted is None or log.address in addresses)
            and _matches(log, topics)
        ]

    def _transaction(self, params: list[Any]) -> dict[str, Any] | None:
        return self._shapes.transaction(str(params[0]))

    def _receipt(self, params: list[Any]) -> dict[str, Any] | None:
        return self._shapes.receipt(str(params[0]), self._head())

    def _refuse(self, _: list[Any]) -> Json:
        raise RpcFault(-32000, "the simulated chain takes no raw transactions")


class IpcService:
    """The JSON-RPC of a client's unix socket: one JSON text a line, either way."""

    def __init__(self, link: Link, api: JsonRpcApi) -> None:
        self._link = link
        self._api = api
        self._buffer = b""

    def received(self, data: bytes) -> None:
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        if self._buffer and _is_whole(self._buffer):
            lines.append(self._buffer)
            self._buffer = b""
        for line in lines:
            if line.strip():
                self._link.write(self._api.answer(line) + b"\n")

    def finished(self) -> None:
        self._link.close()

    def lost(self) -> None:
        return


def _is_whole(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True


def _matches(log: Log, topics: list[Any]) -> bool:
    """Whether a log passes a topic filter; None stands for any, a list for one of several."""
    if len(topics) > len(log.topics):
        return False
    for wanted, topic in zip(topics, log.topics, strict=False):
        if wanted is None:
            continue
        among = wanted if isinstance(wanted, list) else [wanted]
        if topic not in {str(one).lower() for one in among}:
            return False
    return True


def _error(key: Json, fault: RpcFault) -> dict[str, Any]:
    body: dict[str, Any] = {"code": fault.code, "message": fault.message}
    if fault.data is not None:
        body["data"] = fault.data
    return {"jsonrpc": "2.0", "id": key, "error": body}


def _dump(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
