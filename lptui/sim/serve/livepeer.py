"""The CLI API of a simulated go-livepeer node, with its quirks (go-livepeer server/webserver.go,
server/handlers.go): any method acts, errors are plain text, gated routes answer 404.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, Final

from lptui.fleet.topology import Role
from lptui.fleet.units import Address
from lptui.sim.serve.contracts import ZERO
from lptui.sim.serve.http import HttpReply, HttpRequest, Later, text
from lptui.sim.serve.metrics import metrics_page
from lptui.sim.world.ledger import Account, RevertError, Transaction
from lptui.sim.world.livepeer import LivepeerProcess
from lptui.sim.world.services import send_caller, send_initialise, send_reward
from lptui.sim.world.watch import block_of
from lptui.sim.world.world import World

NO_ROUTE: Final = "404 page not found\n"
ADDRESS: Final = re.compile("0x[0-9a-fA-F]{40}")
NO_CLIENT: Final = "missing ETH client\n"
GATED: Final[dict[str, str]] = {
    "/reward": "",
    "/initializeRound": "",
    "/activateOrchestrator": "blockRewardCut",
    "/setOrchestratorConfig": "",
    "/bond": "amount",
    "/rebond": "unbondingLockId",
    "/unbond": "amount",
    "/withdrawStake": "unbondingLockId",
    "/withdrawFees": "amount",
    "/claimEarnings": "",
    "/setRewardCaller": "",
    "/transferTokens": "to",
    "/requestTokens": "",
    "/signMessage": "message",
    "/vote": "poll",
    "/voteOnProposal": "proposalID",
    "/setMaxGasPrice": "amount",
    "/setMinGasPrice": "minGasPrice",
    "/fundDepositAndReserve": "depositAmount",
    "/fundDeposit": "amount",
    "/unlock": "",
    "/cancelUnlock": "",
    "/withdraw": "",
}
"""Routes registered only with `-enableCliTxRoutes`, and the parameter that each asks for."""
TRANSACTION_DEADLINE: Final = 600.0


class LivepeerApi:
    """Answers one node's CLI API."""

    def __init__(self, world: World, node: LivepeerProcess) -> None:
        self._world = world
        self._node = node
        self._routes: dict[str, Callable[[HttpRequest], HttpReply | Later]] = {
            "/status": lambda _: json_reply(self._status()),
            "/IsOrchestrator": lambda _: text(_bool(Role.ORCHESTRATOR in node.roles)),
            "/IsRedeemer": lambda _: text(_bool(Role.REDEEMER in node.roles)),
            "/EthChainID": lambda _: text(str(world.ledger.chain_id if node.has_chain else 0)),
            "/currentBlock": lambda _: self._current_block(),
            "/metrics": lambda _: self._metrics(),
            "/getLogLevel": lambda _: text(str(node.log_level)),
            "/localStreams": lambda _: json_reply([]),
            "/setMaxSessions": self._set_max_sessions,
            "/setLogLevel": self._set_log_level,
            "/ethAddr": self._chained(lambda: text(str(node.account))),
            "/ethBalance": self._chained(lambda: text(str(self._account().balance))),
            "/tokenBalance": self._chained(lambda: text("0")),
            "/currentRound": self._chained(lambda: text(str(self._round()))),
            "/roundInitialized": self._chained(lambda: text(_bool(self._initialised()))),
            "/orchestratorInfo": self._chained(self._orchestrator_info),
            "/contractAddresses": self._chained(self._contracts),
            "/protocolParameters": self._chained(self._parameters),
            "/senderInfo": self._chained(self._sender_info),
            "/maxGasPrice": self._chained(lambda: text(str(node.max_gas_price or ""))),
            "/minGasPrice": self._chained(lambda: text(str(node.min_gas_price))),
            "/rewardCaller": self._chained(self._reward_caller),
            "/reward": self._reward,
            "/initializeRound": self._initialise,
            "/setRewardCaller": self._set_reward_caller,
            "/setMaxGasPrice": self._set_max_gas_price,
        }

    def __call__(self, request: HttpRequest) -> HttpReply | Later:
        node = self._node
        if node.cli == "hang":
            return _never
        if node.cli == "drop":
            return HttpReply(drop=True)
        if node.cli == "html":
            return HttpReply(b"<html><body>502 Bad Gateway</body></html>", 502, "text/html")
        gate = GATED.get(request.path)
        if gate is not None:
            if not node.tx_routes:
                return text(NO_ROUTE, 404)
            if not node.has_chain:
                return text(NO_CLIENT, 500)
            if gate and not request.form.get(gate):
                return text(f"missing form param: {gate}\n", 400)
        route = self._routes.get(request.path)
        if route is None:
            if gate is None:
                return text(NO_ROUTE, 404)
            return text("not simulated: nothing was sent\n", 500)
        return route(request)

    def _chained(self, reply: Callable[[], HttpReply]) -> Callable[[HttpRequest], HttpReply]:
        """A route that needs the node's Ethereum client."""

        def answer(_: HttpRequest) -> HttpReply:
            return reply() if self._node.has_chain else text(NO_CLIENT, 500)

        return answer

    def _account(self) -> Account:
        account = self._node.account
        assert account is not None  # noqa: S101
        return self._world.ledger.accounts[account]

    def _round(self) -> int:
        return self._world.ledger.round_at(self._world.l2_block)

    def _initialised(self) -> bool:
        return self._world.ledger.last_initialised(self._world.l2_block) == self._round()

    def _status(self) -> dict[str, Any]:
        node, say = self._node, self._world.say
        return {
            "Manifests": {},
            "InternalManifests": {},
            "StreamInfo": {},
            "OrchestratorPool": [],
            "OrchestratorPoolInfos": None,
            "Version": say(node.version),
            "GolangRuntimeVersion": say("go1.23.2"),
            "GOArch": "amd64",
            "GOOS": "linux",
            "RegisteredTranscodersNumber": len(node.links),
            "RegisteredTranscoders": [
                {"Address": say(f"{link.address}:{link.port}"), "Capacity": link.capacity}
                for link in node.links
            ],
            "LocalTranscoding": Role.ORCHESTRATOR not in node.roles,
            "BroadcasterPrices": (
                {"default": node.price} if Role.ORCHESTRATOR in node.roles else {}
            ),
        }

    def _current_block(self) -> HttpReply:
        node, world = self._node, self._world
        if not node.has_chain:
            return text("", 200)
        head = block_of(world, node)
        raw = head.to_bytes((head.bit_length() + 7) // 8, "big")
        return HttpReply(raw, 200, "application/octet-stream")

    def _metrics(self) -> HttpReply:
        if not self._node.monitor:
            return text(NO_ROUTE, 404)
        return text(metrics_page(self._world, self._node))

    def _orchestrator_info(self) -> HttpReply:
        """The node's own account: "Not Registered" wherever another address is registered."""
        world, node = self._world, self._node
        record = world.ledger.registered.get(self._account().address)
        block = world.l2_block
        number = world.ledger.round_at(block)
        if record is None:
            facts: dict[str, Any] = {"ServiceURI": "", "LastRewardRound": 0, "RewardCut": 0}
            facts |= {"FeeShare": 0, "DelegatedStake": 0, "ActivationRound": 0}
            facts |= {"DeactivationRound": 0, "Active": False, "Status": "Not Registered"}
        else:
            facts = {
                "ServiceURI": world.say(record.service_uri),
                "LastRewardRound": number if node.claims_reward else record.last_reward(block),
                "RewardCut": record.reward_cut,
                "FeeShare": record.fee_share,
                "DelegatedStake": record.stake,
                "ActivationRound": record.activation_round,
                "DeactivationRound": record.deactivation_round,
                "Active": record.is_active(number),
                "Status": "Registered",
            }
        facts |= {"Address": node.account, "LastActiveStakeUpdateRound": number}
        facts |= {"PricePerPixel": None}
        return json_reply({"Transcoder": facts, "PriceInfo": node.price})

    def _contracts(self) -> HttpReply:
        set_ = self._world.ledger.contracts
        return json_reply(
            {
                "Controller": set_.controller,
                "LivepeerToken": set_.token,
                "LivepeerTokenFaucet": "0x" + "0" * 40,
                "TicketBroker": set_.broker,
                "RoundsManager": set_.rounds,
                "BondingManager": set_.bonding,
                "Minter": set_.minter,
            }
        )

    def _parameters(self) -> HttpReply:
        ledger = self._world.ledger
        return json_reply(
            {
                "NumActiveTranscoders": 100,
                "RoundLength": ledger.rounds.length,
                "RoundLockAmount": ledger.rounds.lock_ppm,
                "UnbondingPeriod": 7,
                "Inflation": 221_500,
                "InflationChange": 500,
                "TargetBondingRate": 500_000_000,
                "TotalBonded": ledger.total_stake,
                "TotalSupply": ledger.total_stake * 2,
                "Paused": ledger.paused,
                "VerificationRate": 0,
                "VerificationCodeHash": "",
            }
        )

    def _sender_info(self) -> HttpReply:
        deposit, reserve = self._world.ledger.deposits.get(self._account().address, (0, 0))
        return json_reply(
            {
                "Deposit": deposit,
                "WithdrawRound": 0,
                "Reserve": {"FundsRemaining": reserve, "ClaimedInCurrentRound": 0},
            }
        )

    def _reward_caller(self) -> HttpReply:
        recipient = self._node.recipient or self._account().address
        record = self._world.ledger.registered.get(recipient)
        return text(str(record.reward_caller or "") if record else "")

    def _reward(self, _: HttpRequest) -> HttpReply | Later:
        node = self._node
        try:
            tx = send_reward(self._world, node, fault=node.call_fault, seconds=node.reward_seconds)
        except RevertError as error:
            return text(f"Error calling reward: {self._world.say(str(error))}\n", 500)
        return lambda: self._mined(tx, "Error calling reward")

    def _initialise(self, _: HttpRequest) -> HttpReply | Later:
        try:
            tx = send_initialise(self._world, self._node)
        except RevertError as error:
            return text(f"could not initialize round: {self._world.say(str(error))}\n", 500)
        return lambda: self._mined(tx, "could not initialize round")

    def _set_reward_caller(self, request: HttpRequest) -> HttpReply | Later:
        node, caller = self._node, request.form.get("rewardCaller", "") or ZERO
        if node.recipient not in (None, node.account) or not ADDRESS.fullmatch(caller):
            return text("the node's own account is not the orchestrator's, or no address\n", 400)
        try:
            tx = send_caller(self._world, node, None if caller == ZERO else Address(caller.lower()))
        except RevertError as error:
            return text(f"{self._world.say(str(error))}\n", 500)
        return lambda: self._mined(tx, "could not set the reward caller")

    async def _mined(self, tx: Transaction, prefix: str) -> HttpReply:
        """Blocks until the transaction is mined, as the node does; empty body on success."""
        until = self._world.clock.monotonic() + TRANSACTION_DEADLINE
        while tx.block is None:
            if self._world.clock.monotonic() > until:
                why = f"timed out waiting for transaction receipt txHash={tx.hash}"
                return text(f"{prefix}: {why}\n", 500)
            await asyncio.sleep(0.1)
        if not tx.ok:
            return text(f"{prefix}: transaction failed txHash={tx.hash}\n", 500)
        return HttpReply()

    def _set_max_sessions(self, request: HttpRequest) -> HttpReply:
        wanted = request.form.get("maxSessions", "")
        if wanted == "auto":
            if Role.ORCHESTRATOR not in self._node.roles:
                return HttpReply(drop=True)
            self._node.cap = sum(link.capacity for link in self._node.links)
        elif wanted.isdecimal() and int(wanted) >= 1:
            self._node.cap = int(wanted)
        elif not wanted:
            return text("missing form param: maxSessions\n", 400)
        else:
            return text("max sessions must be > 0\n", 400)
        return text(f"Max sessions set to {wanted}\n")

    def _set_log_level(self, request: HttpRequest) -> HttpReply:
        wanted = request.form.get("loglevel", "")
        if not wanted.isdecimal() or int(wanted) > 6:
            return text("log level must be 0 to 6\n", 400)
        self._node.log_level = int(wanted)
        return HttpReply()

    def _set_max_gas_price(self, request: HttpRequest) -> HttpReply:
        amount = request.form.get("amount", "")
        if not amount.isdecimal():
            return text("invalid amount\n", 400)
        if int(amount) == 0 and self._node.monitor:
            self._node.max_gas_price = None
            return HttpReply(drop=True)
        self._node.max_gas_price = int(amount) or None
        return HttpReply()


def json_reply(value: object) -> HttpReply:
    return HttpReply(json.dumps(value, ensure_ascii=False).encode(), 200, "application/json")


def _bool(value: bool) -> str:
    return "true" if value else "false"


async def _never() -> HttpReply:
    await asyncio.Event().wait()
    return HttpReply(drop=True)
