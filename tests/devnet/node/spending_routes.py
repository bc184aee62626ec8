"""Routes that spend, sign or change gas caps. Any of them may be asked for with a GET."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from eth_utils.address import is_address, to_checksum_address

from tests.devnet.httpd import Request, Response
from tests.devnet.node.answers import error
from tests.devnet.node.config import NodeConfig
from tests.devnet.node.wallet import (
    ZERO_ADDRESS,
    ConnectionDroppedError,
    TransactionError,
    Wallet,
)


class SpendingRoutes:
    """What a node does with its key."""

    def __init__(self, config: NodeConfig, wallet: Wallet) -> None:
        self._config = config
        self._wallet = wallet

    async def reward(self, _: Request) -> Response:
        """Calls reward and waits until it is mined."""
        try:
            await self._wallet.reward()
        except TransactionError as cause:
            return error(500, f"Error calling reward: {cause}")
        return Response()

    async def initialize_round(self, _: Request) -> Response:
        """Initialises the round and waits until it is mined."""
        try:
            await self._wallet.initialize_round()
        except TransactionError as cause:
            return error(500, f"could not initialize round: {cause}")
        return Response()

    async def set_orchestrator_config(self, request: Request) -> Response:
        """A new price, which a restart forgets, or a new address on chain."""
        if self._config.is_delegated:
            return error(400, "not available on a wallet that calls reward for another address")
        per_unit, pixels = (request.params.get(n) for n in ("pricePerUnit", "pixelsPerUnit"))
        if per_unit and pixels:
            try:
                self._config.price = Fraction(per_unit) / Fraction(pixels)
            except (ValueError, ZeroDivisionError):
                return error(400, "price could not be parsed")
        uri = request.params.get("serviceURI")
        if uri:
            try:
                await self._wallet.set_service_uri(uri)
            except TransactionError as cause:
                return error(500, str(cause))
        return Response()

    async def set_reward_caller(self, request: Request) -> Response:
        """Lets another key call reward."""
        caller = request.params.get("rewardCaller") or ZERO_ADDRESS
        if self._config.is_delegated or not is_address(caller):
            return error(400, "the reward caller can be set by the orchestrator's own key only")
        try:
            await self._wallet.set_reward_caller(to_checksum_address(caller))
        except TransactionError as cause:
            return error(500, str(cause))
        return Response()

    async def sign_message(self, request: Request) -> Response:
        """A signature, as raw bytes."""
        try:
            signature = await self._wallet.sign(request.params["message"].encode())
        except TransactionError as cause:
            return error(500, f'could not sign message - err="{cause}"')
        return Response(200, signature, "application/octet-stream")

    async def set_max_gas_price(self, request: Request) -> Response:
        """A new cap in wei; 0 is none."""
        amount = request.params["amount"]
        if not amount.isdigit():
            return error(400, f"Parsing failed for price: failed to parse {amount}")
        if int(amount) == 0:
            self._config.max_gas_price = None
            if self._config.monitor:
                # The metrics are given a cap that is not there.
                raise ConnectionDroppedError
            return Response()
        self._config.max_gas_price = int(amount)
        return Response()

    async def set_min_gas_price(self, request: Request) -> Response:
        """A new least price in wei."""
        amount = request.params["minGasPrice"]
        if not amount.isdigit():
            return error(400, f"invalid minGasPrice: failed to parse {amount}")
        self._config.min_gas_price = int(amount)
        return Response()


SPENDING_ROUTES: Final[Mapping[str, Callable[[SpendingRoutes, Request], Awaitable[Response]]]] = (
    MappingProxyType(
        {
            "/initializeRound": SpendingRoutes.initialize_round,
            "/reward": SpendingRoutes.reward,
            "/setMaxGasPrice": SpendingRoutes.set_max_gas_price,
            "/setMinGasPrice": SpendingRoutes.set_min_gas_price,
            "/setOrchestratorConfig": SpendingRoutes.set_orchestrator_config,
            "/setRewardCaller": SpendingRoutes.set_reward_caller,
            "/signMessage": SpendingRoutes.sign_message,
        }
    )
)
