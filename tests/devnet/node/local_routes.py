"""Routes that ask the process alone, and settings that it forgets when it stops."""

from __future__ import annotations

import asyncio
import contextlib

import httpx

from tests.devnet.chain import GWEI, Devnet
from tests.devnet.httpd import Request, Response
from tests.devnet.node import records
from tests.devnet.node.answers import Route, boolean, error, fixed, json_value, text
from tests.devnet.node.config import NodeConfig, Role
from tests.devnet.node.metrics import Metrics
from tests.devnet.node.wallet import ConnectionDroppedError
from tests.devnet.rpc import RpcError

# The node reads its own database, so a hanging RPC node must not make this route hang.
_WATCHER_PATIENCE_S = 0.2


class LocalRoutes:
    """What a node knows without its RPC node."""

    def __init__(self, config: NodeConfig, net: Devnet | None, metrics: Metrics) -> None:
        self._config = config
        self._net = net
        self._metrics = metrics
        self._last_block = 0

    def routes(self) -> dict[str, Route]:
        """By path."""
        config = self._config
        return {
            "/status": self._status,
            "/currentBlock": self._current_block,
            "/metrics": self._metrics_page,
            "/IsOrchestrator": fixed(lambda: boolean(config.role is Role.ORCHESTRATOR)),
            "/IsRedeemer": fixed(lambda: boolean(config.role is Role.REDEEMER)),
            "/EthChainID": fixed(lambda: text(self._net.chain_id if self._net else 0)),
            "/getLogLevel": fixed(lambda: text(config.log_level)),
            "/localStreams": fixed(lambda: json_value([])),
            "/setMaxSessions": self._set_max_sessions,
            "/setLogLevel": self._set_log_level,
        }

    async def _status(self, _: Request) -> Response:
        config = self._config
        remote = config.transcoders or []
        prices = {}
        if config.role is Role.ORCHESTRATOR and config.price is not None:
            prices = {"default": records.rational(config.price)}
        return json_value(
            {
                "Manifests": {},
                "InternalManifests": {},
                "StreamInfo": {},
                "OrchestratorPool": [],
                "OrchestratorPoolInfos": None,
                "Version": config.version,
                "GolangRuntimeVersion": "go1.25.0",
                "GOArch": "amd64",
                "GOOS": "linux",
                "RegisteredTranscodersNumber": len(remote),
                "RegisteredTranscoders": [
                    {"Address": t.address, "Capacity": t.capacity} for t in remote
                ],
                "LocalTranscoding": config.transcoders is None,
                "BroadcasterPrices": prices,
            }
        )

    async def _current_block(self, _: Request) -> Response:
        # From the node's own database: an RPC node that is gone leaves the last block it saw.
        if self._config.watched_block is not None:
            self._last_block = self._config.watched_block
        elif self._net is not None:
            with contextlib.suppress(RpcError, httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(_WATCHER_PATIENCE_S):
                    self._last_block = int(await self._net.rpc.call("eth_blockNumber"), 16)
        length = (self._last_block.bit_length() + 7) // 8
        return Response(200, self._last_block.to_bytes(length, "big"), "application/octet-stream")

    async def _metrics_page(self, _: Request) -> Response:
        self._refresh_metrics()
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(200, self._metrics.render().encode(), kind)

    def _refresh_metrics(self) -> None:
        config, metrics = self._config, self._metrics
        remote = config.transcoders or []
        metrics.gauge(
            "versions",
            1,
            compiler="gc",
            goarch="amd64",
            goos="linux",
            goversion="go1.25.0",
            livepeerversion=config.version,
        )
        metrics.gauge("max_sessions_total", config.max_sessions)
        # On a transcoder of its own process the gauge never moves.
        moving = config.role is not Role.TRANSCODER
        metrics.gauge("current_sessions_total", config.sessions if moving else 0)
        metrics.gauge("transcoders_number", len(remote))
        metrics.gauge("transcoders_capacity", sum(t.capacity for t in remote))
        metrics.gauge("transcoders_load", 0)
        metrics.count("winning_tickets_recv", 0)
        metrics.count("value_redeemed", 0)
        if self._net is not None:
            metrics.gauge("min_gas_price", config.min_gas_price / GWEI)
        if config.max_gas_price is None:
            metrics.drop_gauge("max_gas_price")
        else:
            metrics.gauge("max_gas_price", config.max_gas_price / GWEI)

    async def _set_max_sessions(self, request: Request) -> Response:
        wanted = request.params.get("maxSessions", "")
        if wanted == "auto":
            if self._config.transcoders is None:
                # The node's handler ends in a nil pointer.
                raise ConnectionDroppedError
            self._config.max_sessions = sum(t.capacity for t in self._config.transcoders)
            return text("Max sessions set to auto\n")
        try:
            number = int(wanted)
        except ValueError:
            return error(400, f'strconv.Atoi: parsing "{wanted}": invalid syntax')
        if number <= 0:
            return error(400, "Max Sessions must be 'auto' or greater than zero")
        self._config.max_sessions = number
        return text(f"Max sessions set to {number}\n")

    async def _set_log_level(self, request: Request) -> Response:
        wanted = request.params.get("loglevel", "")
        if wanted not in tuple("0123456"):
            return error(400, "log level must be an integer between 0 and 6")
        self._config.log_level = int(wanted)
        return Response()
