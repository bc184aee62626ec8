"""The chain probe against a real chain with the protocol's interface on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import (
    ChainRound,
    GasPrices,
    OrchestratorRecord,
    SenderDeposit,
    SignerAccount,
)
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.facts.stake import TranscoderPool
from lptui.fleet.topology import Endpoint, Node, Role
from lptui.probes.chain.probe import ChainProbe
from lptui.probes.livepeer.probes import NodeIdentityProbe
from tests.devnet.chain import ETH, LPT, Devnet
from tests.devnet.deploy import Protocol, running_devnet
from tests.devnet.fixtures import anvil, call_log, devnet, livepeer_node, require_anvil
from tests.integration.cycles import NETWORK, Cycles, cycles, devnet_fleet, lower
from tests.integration.rpc_proxy import RpcProxy, error, running_proxy

__all__ = ["anvil", "call_log", "devnet", "livepeer_node"]

PROBE = ChainProbe()


@asynccontextmanager
async def behind_proxy(net: Devnet, **fields: Any) -> AsyncIterator[tuple[Cycles, RpcProxy]]:
    """A fleet that asks through a proxy."""
    async with running_proxy(net.url) as proxy:
        fields.setdefault("orchestrators", {"orch": net.accounts[1]})
        async with cycles(devnet_fleet(net, rpcs={"own": proxy.url}, **fields)) as asked:
            yield asked, proxy


class TestRound:
    async def test_progress_is_in_l1_blocks_though_the_chain_counts_others(
        self, devnet: Devnet
    ) -> None:
        async with cycles(devnet_fleet(devnet)) as asked:
            await asked.ask(PROBE)
            clock = asked.value(ChainRound)
            assert clock.round == 4200
            assert clock.initialized
            assert clock.block == 25_000_000
            assert clock.blocks_into == 1000
            assert clock.blocks_left == 5377
            assert clock.length == 6377
            assert clock.lock_blocks == 637
            assert clock.head is not None
            assert clock.head >= 460_000_000
            assert not clock.paused
            assert not clock.locked
            assert clock.mintable is not None
            assert clock.pool_max == 100
            assert clock.rpc == "own"
            assert clock.contracts.bonding_manager == lower(devnet.bonding.address)
            assert clock.contracts.ticket_broker == lower(devnet.broker.address)

    async def test_a_round_that_nobody_initialised(self, devnet: Devnet) -> None:
        await devnet.next_round(initialize=False, blocks_into=6000)
        async with cycles(devnet_fleet(devnet)) as asked:
            await asked.ask(PROBE)
            clock = asked.value(ChainRound)
            assert clock.round == 4201
            assert not clock.initialized
            assert clock.last_initialized == 4200
            assert clock.locked
            assert clock.blocks_left == 377

    async def test_paused(self, devnet: Devnet) -> None:
        await devnet.pause()
        async with cycles(devnet_fleet(devnet)) as asked:
            await asked.ask(PROBE)
            assert asked.value(ChainRound).paused

    async def test_prices(self, devnet: Devnet) -> None:
        await devnet.set_base_fee(10_500_000)
        async with cycles(devnet_fleet(devnet)) as asked:
            await asked.ask(PROBE)
            prices = asked.value(GasPrices)
            assert prices.gas_price == await devnet.gas_price()
            assert prices.base_fee == 10_500_000


class TestOrchestrator:
    async def test_before_and_after_its_reward(self, devnet: Devnet) -> None:
        who = devnet.accounts[1]
        await devnet.bond(who, 1000 * LPT)
        await devnet.send(
            devnet.registry, "setServiceURI", "https://orch.example.com:8935", sender=who
        )
        async with cycles(devnet_fleet(devnet, orchestrators={"orch": who})) as asked:
            await asked.ask(PROBE)
            before = asked.value(OrchestratorRecord, "orch")
            assert before.active
            assert before.registered
            assert before.last_reward_round < 4200
            assert before.deactivation_round is None
            assert before.stake == 1000 * LPT
            assert before.service_uri == "https://orch.example.com:8935"
            assert before.has_reward_caller is True
            assert before.reward_caller is None
            await devnet.reward(who)
            await asked.ask(PROBE)
            assert asked.value(OrchestratorRecord, "orch").last_reward_round == 4200

    async def test_one_that_never_registered(self, devnet: Devnet) -> None:
        who = devnet.accounts[2]
        async with cycles(devnet_fleet(devnet, orchestrators={"orch": who})) as asked:
            await asked.ask(PROBE)
            record = asked.value(OrchestratorRecord, "orch")
            assert not record.active
            assert not record.registered
            assert record.service_uri == ""

    async def test_its_reward_caller_is_watched_from_the_first_cycle(self, devnet: Devnet) -> None:
        who, caller = devnet.accounts[1], devnet.accounts[2]
        await devnet.bond(who)
        await devnet.set_reward_caller(who, caller)
        async with behind_proxy(devnet) as (asked, proxy):
            await asked.ask(PROBE)
            assert asked.value(OrchestratorRecord, "orch").reward_caller == lower(caller)
            assert asked.value(SignerAccount, lower(caller)).balance > 0
            proxy.requests.clear()
            await asked.ask(PROBE)
            assert len(proxy.requests) == 1
            assert asked.value(SignerAccount, lower(caller)).balance > 0

    async def test_a_protocol_without_reward_callers(self) -> None:
        require_anvil()
        async with running_devnet(protocol=Protocol(lip118=False)) as net:
            who = net.accounts[1]
            async with cycles(devnet_fleet(net, orchestrators={"orch": who})) as asked:
                await asked.ask(PROBE)
                record = asked.value(OrchestratorRecord, "orch")
                assert record.has_reward_caller is False
                assert record.reward_caller is None

    async def test_an_endpoint_that_fails_says_nothing_of_reward_callers(
        self, devnet: Devnet
    ) -> None:
        async with behind_proxy(devnet) as (asked, proxy):
            proxy.fault = lambda call: (
                error(-32005, "limit exceeded") if "0x47621410" in str(call) else None
            )
            await asked.ask(PROBE)
            assert asked.value(OrchestratorRecord, "orch").has_reward_caller is None


class TestAccounts:
    async def test_every_account_of_the_fleet_is_watched(
        self, devnet: Devnet, livepeer_node: Any
    ) -> None:
        orch, own, pinned, signer = devnet.accounts[1:5]
        node = await livepeer_node(devnet, name="redeemer", account=own)
        described = (
            Node("pinned", "h", frozenset({Role.REWARD}), account=lower(pinned)),
            Node("found", "h", frozenset({Role.REDEEMER}), cli=Endpoint(node.url, None)),
        )
        fleet = devnet_fleet(
            devnet, orchestrators={"orch": orch}, signers={"s": signer}, nodes=described
        )
        await devnet.set_balance(own, 3 * ETH + 7)
        async with cycles(fleet) as asked:
            await asked.ask(NodeIdentityProbe(), PROBE)
            assert asked.value(NodeIdentity, "found").account == lower(own)
            for who in (orch, own, pinned, signer):
                assert asked.value(SignerAccount, lower(who)).balance == await devnet.balance(who)
            assert asked.value(SignerAccount, lower(own)).balance == 3 * ETH + 7
            # Those that were found are no part of what is promised beforehand.
            promised = {key.target for key in PROBE.keys(fleet, NETWORK)}
            assert lower(own) not in promised
            assert {lower(orch), lower(pinned), lower(signer)} <= promised

    async def test_a_stuck_transaction_keeps_its_first_time(self, devnet: Devnet) -> None:
        who = lower(devnet.accounts[3])
        async with cycles(devnet_fleet(devnet, signers={"s": who})) as asked:
            await asked.ask(PROBE)
            assert asked.value(SignerAccount, who).pending == 0
            await devnet.stuck_transaction(devnet.accounts[3])
            await asked.ask(PROBE)
            first = asked.value(SignerAccount, who)
            assert first.pending == 1
            assert first.pending_since is not None
            asked.clock.ahead += 100
            await asked.ask(PROBE)
            assert asked.value(SignerAccount, who).pending_since == first.pending_since
            await devnet.resume()
            await asked.ask(PROBE)
            mined = asked.value(SignerAccount, who)
            assert mined.pending == 0
            assert mined.nonce == first.nonce + 1
            assert mined.pending_since is None

    async def test_a_transaction_that_the_client_loses_is_missed(self, devnet: Devnet) -> None:
        who = lower(devnet.accounts[3])
        async with cycles(devnet_fleet(devnet, signers={"s": who})) as asked:
            lost = await devnet.stuck_transaction(devnet.accounts[3])
            await asked.ask(PROBE)
            first = asked.value(SignerAccount, who)
            assert first.pending == 1
            await devnet.rpc.call("anvil_dropTransaction", lost)
            asked.clock.ahead += 100
            await asked.ask(PROBE)
            gone = asked.value(SignerAccount, who)
            assert (gone.pending, gone.nonce) == (0, first.nonce)
            assert gone.pending_since == first.pending_since

    async def test_an_endpoint_without_pending_counts(self, devnet: Devnet) -> None:
        async with behind_proxy(devnet, signers={"s": devnet.accounts[3]}) as (asked, proxy):
            proxy.fault = lambda call: (
                error(-32602, "pending state is not available")
                if call["params"][-1:] == ["pending"]
                else None
            )
            await asked.ask(PROBE)
            account = asked.value(SignerAccount, lower(devnet.accounts[3]))
            assert not account.pending_known
            assert account.pending == 0

    async def test_a_gateways_deposit(self, devnet: Devnet) -> None:
        payer = devnet.accounts[5]
        await devnet.send(
            devnet.broker, "fundDepositAndReserve", 2 * ETH, ETH, sender=payer, value=3 * ETH
        )
        gateway = Node("gw", "h", frozenset({Role.GATEWAY}), account=lower(payer))
        async with cycles(devnet_fleet(devnet, nodes=(gateway,))) as asked:
            await asked.ask(PROBE)
            deposit = asked.value(SenderDeposit, lower(payer))
            assert (deposit.deposit, deposit.reserve) == (2 * ETH, ETH)


class TestRequests:
    async def test_first_contact_is_two_and_every_further_cycle_one(self, devnet: Devnet) -> None:
        async with behind_proxy(devnet, signers={"s": devnet.accounts[3]}) as (asked, proxy):
            await asked.ask(PROBE)
            assert [len(batch) for batch in proxy.methods] == [6, 35]
            proxy.requests.clear()
            await asked.ask(PROBE)
            await asked.ask(PROBE)
            assert [len(batch) for batch in proxy.methods] == [31, 31]

    async def test_the_controller_is_asked_again_at_the_slow_pace(self, devnet: Devnet) -> None:
        async with behind_proxy(devnet) as (asked, proxy):
            await asked.ask(PROBE)
            proxy.requests.clear()
            asked.clock.ahead += 61
            await asked.ask(PROBE)
            assert [len(batch) for batch in proxy.methods] == [33]
            # The registry is replaced: the next cycle at that pace follows it at once.
            other = devnet.rounds.address
            from eth_utils.crypto import keccak

            await devnet.send(
                devnet.controller,
                "setContractInfo",
                keccak(text="ServiceRegistry"),
                other,
                bytes(20),
            )
            await asked.ask(PROBE)
            contracts = asked.value(ChainRound).contracts
            assert contracts.service_registry == lower(devnet.registry.address)
            asked.clock.ahead += 61
            await asked.ask(PROBE)
            assert asked.value(ChainRound).contracts.service_registry == lower(other)

    async def test_nothing_ever_changes_the_chain(self, devnet: Devnet) -> None:
        async with behind_proxy(devnet) as (asked, proxy):
            await asked.ask(PROBE)
            await asked.ask(PROBE)
            methods = {method for batch in proxy.methods for method in batch}
            assert methods == {
                "eth_chainId",
                "eth_call",
                "eth_getBlockByNumber",
                "eth_gasPrice",
                "eth_feeHistory",
                "eth_getBalance",
                "eth_getTransactionCount",
                "txpool_contentFrom",
            }


class TestPool:
    """Who is in the pool, walked by the endpoint itself in one call of the cycle's batch."""

    async def test_members_come_in_the_order_of_their_stakes(self, devnet: Devnet) -> None:
        stakes = [900, 2500, 1700, 40]
        for account, stake in zip(devnet.accounts[1:5], stakes, strict=True):
            await devnet.bond(account, stake * LPT)
        async with cycles(devnet_fleet(devnet, orchestrators={"o": devnet.accounts[1]})) as asked:
            await asked.ask(PROBE)
            pool = asked.value(TranscoderPool)
            assert [one.stake // LPT for one in pool.members] == sorted(stakes, reverse=True)
            assert pool.members[0].address == lower(devnet.accounts[2])
            assert pool.place(lower(devnet.accounts[1])) == 3
            assert pool.most == 100
            assert not pool.is_full

    async def test_a_full_pool_of_a_hundred(self, devnet: Devnet) -> None:
        for number in range(100):
            await devnet.bond(f"0x{number + 1:040x}", (1000 + number) * LPT, active=False)
        async with cycles(devnet_fleet(devnet, orchestrators={"o": devnet.accounts[1]})) as asked:
            await asked.ask(PROBE)
            pool = asked.value(TranscoderPool)
            assert [one.stake // LPT for one in pool.members] == list(range(1099, 999, -1))
            assert pool.is_full

    async def test_an_empty_pool(self, devnet: Devnet) -> None:
        async with cycles(devnet_fleet(devnet, orchestrators={"o": devnet.accounts[1]})) as asked:
            await asked.ask(PROBE)
            assert asked.value(TranscoderPool).members == ()

    async def test_it_is_read_at_a_slow_pace_and_never_in_a_request_of_its_own(
        self, devnet: Devnet
    ) -> None:
        await devnet.bond(devnet.accounts[1])
        async with behind_proxy(devnet) as (asked, proxy):
            await asked.ask(PROBE)
            first = asked.value(TranscoderPool)
            proxy.requests.clear()
            await devnet.bond(devnet.accounts[2])
            await asked.ask(PROBE)
            assert asked.value(TranscoderPool) == first
            asked.clock.ahead += 601
            await asked.ask(PROBE)
            assert len(asked.value(TranscoderPool).members) == 2
            walks = [
                sum("to" not in call["params"][0] for call in batch if call["method"] == "eth_call")
                for batch in proxy.requests
            ]
            assert walks == [0, 1]

    async def test_an_endpoint_that_runs_no_programs(self, devnet: Devnet) -> None:
        await devnet.bond(devnet.accounts[1])
        async with behind_proxy(devnet) as (asked, proxy):
            proxy.fault = lambda call: (
                error(-32602, "missing to")
                if call["method"] == "eth_call" and "to" not in call["params"][0]
                else None
            )
            snapshot = await asked.ask(PROBE)
            reading = snapshot.reading(TranscoderPool, NETWORK)
            assert reading.problem is not None
            assert "missing to" in reading.problem.why
            assert asked.value(OrchestratorRecord, "orch").registered


class TestFailures:
    async def test_a_wrong_chain_is_said_of_every_reading(self, devnet: Devnet) -> None:
        fleet = devnet_fleet(devnet, orchestrators={"orch": devnet.accounts[1]}, chain_id=1)
        async with cycles(fleet) as asked:
            snapshot = await asked.ask(PROBE)
            assert snapshot.readings
            for reading in snapshot.readings.values():
                assert reading.problem is not None
                assert reading.problem.kind is ProblemKind.WRONG_CHAIN
                assert "serves chain 42161, not 1" in reading.problem.why

    async def test_a_wrong_chain_is_passed_over_for_the_next_endpoint(self, devnet: Devnet) -> None:
        async with running_proxy(devnet.url) as wrong:
            wrong.fault = lambda call: (
                {"result": "0x1"} if call["method"] == "eth_chainId" else None
            )
            urls = {"own": wrong.url, "other": devnet.url}
            async with cycles(devnet_fleet(devnet, rpcs=urls)) as asked:
                await asked.ask(PROBE)
                assert asked.value(ChainRound).rpc == "other"
            # It is told before an endpoint that is only down.
            urls = {"down": "http://127.0.0.1:9/", "own": wrong.url}
            async with cycles(devnet_fleet(devnet, rpcs=urls)) as asked:
                snapshot = await asked.ask(PROBE)
                problem = snapshot.reading(ChainRound, NETWORK).problem
                assert problem is not None
                assert problem.kind is ProblemKind.WRONG_CHAIN
                assert "rpc own" in problem.what

    async def test_an_endpoint_that_stands_still_is_passed_over_for_one_that_moves(
        self, devnet: Devnet
    ) -> None:
        def stuck(call: dict[str, Any]) -> dict[str, Any] | None:
            if call["method"] != "eth_getBlockByNumber":
                return None
            return {"result": {"number": "0x1", "timestamp": hex(int(asked.clock.now()) - 600)}}

        async with running_proxy(devnet.url) as proxy:
            proxy.fault = stuck
            urls = {"stuck": proxy.url, "other": devnet.url}
            async with cycles(devnet_fleet(devnet, rpcs=urls)) as asked:
                await asked.ask(PROBE)
                assert asked.value(ChainRound).rpc == "other"
            # Where no other answers, what is known is told, and how old it is.
            urls = {"stuck": proxy.url, "other": "http://127.0.0.1:9/"}
            async with cycles(devnet_fleet(devnet, rpcs=urls)) as asked:
                await asked.ask(PROBE)
                clock = asked.value(ChainRound)
                assert clock.rpc == "stuck"
                assert clock.head_time is not None
                assert asked.clock.now() - clock.head_time >= 600

    async def test_an_endpoint_that_changes_its_chain(self, devnet: Devnet) -> None:
        async with behind_proxy(devnet) as (asked, proxy):
            await asked.ask(PROBE)
            proxy.fault = lambda call: (
                {"result": "0x1"} if call["method"] == "eth_chainId" else None
            )
            snapshot = await asked.ask(PROBE)
            reading = snapshot.reading(ChainRound, NETWORK)
            assert reading.problem is not None
            assert reading.problem.kind is ProblemKind.WRONG_CHAIN
            assert reading.last_good is not None

    @pytest.mark.parametrize("controller", ["0x" + "11" * 20, "rounds"])
    async def test_an_address_that_is_no_controller(self, devnet: Devnet, controller: str) -> None:
        where = devnet.rounds.address if controller == "rounds" else controller
        async with cycles(devnet_fleet(devnet, controller=where)) as asked:
            snapshot = await asked.ask(PROBE)
            problem = snapshot.reading(ChainRound, NETWORK).problem
            assert problem is not None
            assert "Controller" in problem.what
            assert "chain.controller" in problem.remedy

    async def test_a_controller_that_knows_no_bonding_manager(self, devnet: Devnet) -> None:
        from eth_utils.crypto import keccak

        nobody = "0x" + "0" * 40
        await devnet.send(
            devnet.controller, "setContractInfo", keccak(text="BondingManager"), nobody, bytes(20)
        )
        async with cycles(devnet_fleet(devnet)) as asked:
            snapshot = await asked.ask(PROBE)
            problem = snapshot.reading(ChainRound, NETWORK).problem
            assert problem is not None
            assert "knows no BondingManager" in problem.why

    async def test_one_failing_item_leaves_the_others_standing(self, devnet: Devnet) -> None:
        who = devnet.accounts[1]
        async with behind_proxy(devnet) as (asked, proxy):
            proxy.fault = lambda call: (
                error(-32000, "out of gas") if "0x5dce9948" in str(call) else None
            )
            snapshot = await asked.ask(PROBE)
            problem = snapshot.reading(OrchestratorRecord, "orch").problem
            assert problem is not None
            assert problem.why == "out of gas"
            assert asked.value(ChainRound).round == 4200
            assert asked.value(SignerAccount, lower(who)).balance > 0

    async def test_the_next_endpoint_is_asked_and_named(self, devnet: Devnet) -> None:
        async with running_proxy(devnet.url) as broken:
            broken.status = 429
            urls = {"own": broken.url, "other": devnet.url}
            async with cycles(devnet_fleet(devnet, rpcs=urls)) as asked:
                await asked.ask(PROBE)
                assert asked.value(ChainRound).rpc == "other"
                broken.status = 200
                await asked.ask(PROBE)
                assert asked.value(ChainRound).rpc == "own"

    async def test_an_endpoint_that_hangs_leaves_time_for_the_next(self, devnet: Devnet) -> None:
        require_anvil()
        async with running_devnet() as frozen:
            frozen.anvil.freeze()
            urls = {"own": frozen.url, "other": devnet.url}
            async with cycles(devnet_fleet(devnet, rpcs=urls)) as asked:
                await asked.ask(PROBE, deadline_s=1.5)
                assert asked.value(ChainRound).rpc == "other"

    async def test_no_endpoint_answers(self, devnet: Devnet) -> None:
        async with running_proxy(devnet.url) as broken:
            broken.status = 429
            urls = {"own": broken.url, "other": "http://127.0.0.1:9"}
            async with cycles(devnet_fleet(devnet, rpcs=urls)) as asked:
                snapshot = await asked.ask(PROBE)
                problem = snapshot.reading(ChainRound, NETWORK).problem
                assert problem is not None
                assert problem.kind is ProblemKind.RATE_LIMITED
                assert "127.0.0.1:9" in problem.why
