"""
go-livepeer's HTTP interface, one server a node, with its oddities.

Any method is accepted, so a GET spends. Errors are text with a line break. `/reward` and
`/initializeRound` really send a transaction to the test chain and block until it is mined.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from tests.devnet.call_log import CallLog
from tests.devnet.chain import Devnet
from tests.devnet.httpd import HttpServer, Request, Response
from tests.devnet.node import records
from tests.devnet.node.answers import NOT_FOUND, TEXT, error
from tests.devnet.node.chain_routes import CHAIN_ROUTES, ChainRoutes
from tests.devnet.node.config import ConnectedTranscoder, NodeConfig, Role, TxFault
from tests.devnet.node.local_routes import LocalRoutes
from tests.devnet.node.metrics import Metrics
from tests.devnet.node.spending_routes import SPENDING_ROUTES, SpendingRoutes
from tests.devnet.node.wallet import (
    ConnectionDroppedError,
    TransactionError,
    Wallet,
    error_text,
)
from tests.devnet.rpc import RpcError

__all__ = [
    "ConnectedTranscoder",
    "LivepeerNode",
    "NodeConfig",
    "NodeFactory",
    "Role",
    "TxFault",
    "running_node",
]

_REWARD_POLL_S = 0.02
# Checked before the route looks at anything.
_REQUIRED = {
    "/setMaxGasPrice": "amount",
    "/setMinGasPrice": "minGasPrice",
    "/signMessage": "message",
}
# Of builds that know LIP-118.
_DELEGATION_ROUTES = ("/rewardCaller", "/setRewardCaller")


class LivepeerNode:
    """One node. Its configuration may be changed while it runs."""

    def __init__(
        self, config: NodeConfig, net: Devnet | None = None, log: CallLog | None = None
    ) -> None:
        self.config = config
        self.net = net
        self.log = log or CallLog()
        # What it would have written to its own log.
        self.said: list[str] = []
        who = f"{config.account}-{config.name}" if config.account else config.name
        self.metrics = Metrics({"node_id": who, "node_type": config.role.value}, time.time())
        self._server = HttpServer(self._answer)
        self._service: asyncio.Task[None] | None = None
        self._wallet: Wallet | None = None
        self._local = LocalRoutes(config, net, self.metrics).routes()
        self._reads: ChainRoutes | None = None
        self._spends: SpendingRoutes | None = None
        if net is not None and config.account is not None:
            self._wallet = Wallet(config, net, config.account)
            self._reads = ChainRoutes(config, net, config.account)
            self._spends = SpendingRoutes(config, self._wallet)

    @property
    def url(self) -> str:
        """The base address."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on, on 127.0.0.1."""
        return self._server.port

    async def start(self, port: int = 0) -> None:
        """Begins to listen, and to watch for new rounds where it calls reward by itself."""
        await self._server.start(port)
        if self.config.automatic_reward and self.net is not None and self._wallet is not None:
            service = RewardService(self, self.net, self._wallet)
            # Rounds of before the start are not looked at.
            seen = await service.initialized_round()
            self._service = asyncio.create_task(service.run(seen))

    async def stop(self) -> None:
        """Stops, dropping whoever waits. Safe to call twice."""
        if self._service is not None:
            self._service.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._service
            self._service = None
        await self._server.stop()

    async def restart(self) -> None:
        """Stops and starts on the same port; counters begin again."""
        port = self.port
        await self.stop()
        self.metrics.restart(time.time())
        await self.start(port)

    async def _answer(self, request: Request) -> Response | None:
        call = self.log.begin(self.config.name, request.method, request.path, request.params)
        status: int | None = None
        try:
            await asyncio.sleep(self.config.answer_delay_s)
            if self.config.frozen:
                await asyncio.Event().wait()
            response = await self._dispatch(request)
            status = response.status
            return response
        except ConnectionDroppedError:
            return None
        finally:
            self.log.end(call, status)

    async def _dispatch(self, request: Request) -> Response:
        path = request.path
        override = self.config.overrides.get(path)
        if override is not None:
            return Response(override[0], override[1], TEXT)
        if not self._has_route(path):
            return NOT_FOUND
        if self.config.posts_only and path in SPENDING_ROUTES and request.method != "POST":
            return error(405, "Method Not Allowed")
        required = _REQUIRED.get(path)
        if required is not None and not request.params.get(required):
            return error(400, f"missing form param: {required}")
        if path in self._local:
            return await self._local[path](request)
        if self._reads is None or self._spends is None:
            return error(500, "missing ETH client")
        try:
            if path in CHAIN_ROUTES:
                return await CHAIN_ROUTES[path](self._reads, request)
            return await SPENDING_ROUTES[path](self._spends, request)
        except (RpcError, httpx.HTTPError) as cause:
            return error(500, error_text(cause))

    def _has_route(self, path: str) -> bool:
        if path == "/metrics":
            return self.config.monitor
        if path in _DELEGATION_ROUTES and not self.config.delegated_rewards:
            return False
        if path in SPENDING_ROUTES:
            return self.config.cli_tx_routes
        return path in self._local or path in CHAIN_ROUTES


# What the fixture `livepeer_node` is: (net, config=… or its fields) -> a started node.
NodeFactory = Callable[..., Awaitable[LivepeerNode]]


class RewardService:
    """The automatic caller: one attempt for each new round it sees, and no second one."""

    def __init__(self, node: LivepeerNode, net: Devnet, wallet: Wallet) -> None:
        self._node = node
        self._net = net
        self._wallet = wallet

    async def initialized_round(self) -> int:
        """The last round that somebody initialised."""
        number: int = await self._net.rounds.call("lastInitializedRound")
        return number

    async def run(self, seen: int) -> None:
        """Watches for rounds after the one already seen, until it is cancelled."""
        while True:
            await asyncio.sleep(_REWARD_POLL_S)
            with contextlib.suppress(RpcError, httpx.HTTPError):
                latest = await self.initialized_round()
                if latest > seen:
                    seen = latest
                    await self._attempt(latest)

    async def _attempt(self, round_number: int) -> None:
        node = self._node
        address = node.config.recipient if node.config.is_delegated else node.config.account
        assert address is not None
        record = await records.transcoder(self._net, address)
        if not record["Active"] or record["LastRewardRound"] >= round_number:
            return
        try:
            await self._wallet.reward()
        except (TransactionError, ConnectionDroppedError) as cause:
            node.metrics.count("reward_call_errors")
            node.said.append(f"Error trying to call reward for round {round_number} err={cause}")
        else:
            node.said.append(f"Called reward for round {round_number}")


@contextlib.asynccontextmanager
async def running_node(
    config: NodeConfig, net: Devnet | None = None, log: CallLog | None = None
) -> AsyncIterator[LivepeerNode]:
    """A node for the length of a block."""
    node = LivepeerNode(config, net, log)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
