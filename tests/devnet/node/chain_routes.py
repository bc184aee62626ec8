"""Routes that ask the chain each time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from eth_utils.address import to_checksum_address

from tests.devnet.chain import Devnet
from tests.devnet.httpd import Request, Response
from tests.devnet.node import records
from tests.devnet.node.answers import boolean, error, json_value, text
from tests.devnet.node.config import NodeConfig, Role
from tests.devnet.node.wallet import ZERO_ADDRESS


class ChainRoutes:
    """What a node reads from the chain, mostly about its own account."""

    def __init__(self, config: NodeConfig, net: Devnet, account: str) -> None:
        self._config = config
        self._net = net
        self._account = account

    async def eth_balance(self, _: Request) -> Response:
        """The account's ether, in wei."""
        return text(await self._net.balance(self._account))

    async def current_round(self, _: Request) -> Response:
        """The running round."""
        return text(await self._net.current_round())

    async def round_initialized(self, _: Request) -> Response:
        """Whether somebody initialised it."""
        return boolean(await self._net.rounds.call("currentRoundInitialized"))

    async def orchestrator_info(self, _: Request) -> Response:
        """The node's own account, registered or not."""
        config = self._config
        address = config.recipient if config.is_delegated else config.account
        assert address is not None
        price = config.price if config.role is Role.ORCHESTRATOR else None
        return json_value(
            {
                "Transcoder": await records.transcoder(self._net, address),
                "PriceInfo": records.rational(price),
            }
        )

    async def delegator_info(self, _: Request) -> Response:
        """The bond of the node's own account."""
        return json_value(await records.delegator(self._net, self._account))

    async def earnings_pool(self, request: Request) -> Response:
        """The account's stake in one round."""
        number = request.params.get("round", "")
        if not number.isdigit():
            return error(400, f"failed to parse {number}")
        return json_value(await records.earnings_pool(self._net, self._account, int(number)))

    async def registered_orchestrators(self, _: Request) -> Response:
        """The whole pool: many calls."""
        return json_value(await records.transcoder_pool(self._net))

    async def protocol_parameters(self, _: Request) -> Response:
        """The protocol's settings."""
        return json_value(await records.protocol_parameters(self._net))

    async def sender_info(self, _: Request) -> Response:
        """The account as a payer."""
        return json_value(await records.sender(self._net, self._account))

    async def ticket_broker_params(self, _: Request) -> Response:
        """How long a payer waits for its money."""
        return json_value({"UnlockPeriod": await self._net.broker.call("unlockPeriod")})

    async def reward_caller(self, _: Request) -> Response:
        """The key that may call reward for this address, or nothing."""
        caller = await self._net.bonding.call("transcoderToRewardCaller", self._config.orchestrator)
        return Response() if caller == ZERO_ADDRESS else text(caller)

    async def max_gas_price(self, _: Request) -> Response:
        """The cap in wei, or nothing at all."""
        cap = self._config.max_gas_price
        return Response() if cap is None else text(cap)

    async def min_gas_price(self, _: Request) -> Response:
        """The least it offers, in wei."""
        return text(self._config.min_gas_price)

    async def eth_addr(self, _: Request) -> Response:
        """The account, with its checksum."""
        return text(to_checksum_address(self._account))

    async def token_balance(self, _: Request) -> Response:
        """The account's LPT, in wei."""
        return text(self._config.token_balance)

    async def contract_addresses(self, _: Request) -> Response:
        """The contracts the node knows."""
        return json_value(records.contract_addresses(self._net))


CHAIN_ROUTES: Final[Mapping[str, Callable[[ChainRoutes, Request], Awaitable[Response]]]] = (
    MappingProxyType(
        {
            "/contractAddresses": ChainRoutes.contract_addresses,
            "/currentRound": ChainRoutes.current_round,
            "/delegatorInfo": ChainRoutes.delegator_info,
            "/ethAddr": ChainRoutes.eth_addr,
            "/ethBalance": ChainRoutes.eth_balance,
            "/maxGasPrice": ChainRoutes.max_gas_price,
            "/minGasPrice": ChainRoutes.min_gas_price,
            "/orchestratorEarningPoolsForRound": ChainRoutes.earnings_pool,
            "/orchestratorInfo": ChainRoutes.orchestrator_info,
            "/protocolParameters": ChainRoutes.protocol_parameters,
            "/registeredOrchestrators": ChainRoutes.registered_orchestrators,
            "/rewardCaller": ChainRoutes.reward_caller,
            "/roundInitialized": ChainRoutes.round_initialized,
            "/senderInfo": ChainRoutes.sender_info,
            "/ticketBrokerParams": ChainRoutes.ticket_broker_params,
            "/tokenBalance": ChainRoutes.token_balance,
        }
    )
)
