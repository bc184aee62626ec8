"""The rpc probe against a real anvil, and one with faults in front of it."""

from __future__ import annotations

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.topology import Fleet, Rpc
from lptui.probes.rpc.probe import RpcProbe
from tests.devnet.anvil import Anvil
from tests.devnet.chain import Devnet
from tests.devnet.fixtures import anvil, devnet
from tests.integration.cycles import cycles
from tests.integration.rpc_proxy import error, running_proxy

__all__ = ["anvil", "devnet"]

PROBE = RpcProbe()


def fleet(**urls: str) -> Fleet:
    return Fleet("test", rpcs={name: Rpc(name, url, None) for name, url in urls.items()})


async def test_reads_a_real_client(devnet: Devnet) -> None:
    async with cycles(fleet(own=devnet.url)) as asked:
        await asked.ask(PROBE)
        head = asked.value(RpcHead, "own")
        assert (head.client, head.version[:2]) == ("anvil", "1.")
        assert head.chain_id == 42161
        assert head.head >= 460_000_000
        assert head.peers is None
        assert head.syncing is None
        assert (head.pool_pending, head.pool_queued) == (0, 0)
        assert head.gas_price == await devnet.gas_price()
        # With Arbitrum's chain id anvil gives the field, and its own height in it.
        assert head.l1_block == int(head.head)
        assert head.latency_s > 0
        assert [method for method, _ in head.errors] == ["net_peerCount"]


async def test_one_request_a_cycle(devnet: Devnet) -> None:
    async with running_proxy(devnet.url) as proxy, cycles(fleet(own=proxy.url)) as asked:
        for _ in range(3):
            await asked.ask(PROBE)
        assert len(proxy.requests) == 3
        assert proxy.methods[0] == [
            "eth_chainId",
            "eth_getBlockByNumber",
            "eth_syncing",
            "web3_clientVersion",
            "net_peerCount",
            "eth_gasPrice",
            "txpool_status",
            "eth_getLogs",
            "eth_getBalance",
        ]
        assert proxy.methods[1][-1] == "txpool_status"


async def test_a_head_that_stalls_and_goes_on(devnet: Devnet) -> None:
    async with cycles(fleet(own=devnet.url)) as asked:
        await asked.ask(PROBE)
        await devnet.mine()
        await asked.ask(PROBE)
        moved = asked.value(RpcHead, "own").advanced_at
        assert moved is not None
        await devnet.stuck_transaction(devnet.accounts[2])
        asked.clock.ahead += 100
        await asked.ask(PROBE)
        stalled = asked.value(RpcHead, "own")
        assert stalled.advanced_at == moved
        assert stalled.pool_pending == 1
        await devnet.resume()
        await asked.ask(PROBE)
        assert (asked.value(RpcHead, "own").advanced_at or 0) > moved


async def test_a_head_from_the_future_is_kept(devnet: Devnet) -> None:
    await devnet.pass_time(100_000)
    async with cycles(fleet(own=devnet.url)) as asked:
        await asked.ask(PROBE)
        assert asked.value(RpcHead, "own").head_time > asked.clock.now() + 90_000


async def test_endpoints_that_disagree_show_it(devnet: Devnet) -> None:
    await devnet.mine(200)
    async with running_proxy(devnet.url) as forked:
        forked.fault = lambda call: (
            {"result": {"number": call["params"][0], "hash": "0x" + "ee" * 32}}
            if call["method"] == "eth_getBlockByNumber" and call["params"][0] != "latest"
            else None
        )
        async with cycles(fleet(own=devnet.url, other=forked.url)) as asked:
            await asked.ask(PROBE)
            await asked.ask(PROBE)
            own, other = asked.value(RpcHead, "own"), asked.value(RpcHead, "other")
            assert own.anchor is not None
            assert own.anchor == other.anchor
            assert own.anchor_hash.startswith("0x")
            assert own.anchor_hash != other.anchor_hash


async def test_a_dead_endpoint_does_not_hold_back_the_comparison_for_ever(anvil: Anvil) -> None:
    async with cycles(fleet(own=anvil.url, dead="http://127.0.0.1:9")) as asked:
        await asked.ask(PROBE)
        snapshot = await asked.ask(PROBE)
        assert asked.value(RpcHead, "own").head > 0
        problem = snapshot.reading(RpcHead, "dead").problem
        assert problem is not None
        assert problem.kind is ProblemKind.REFUSED


async def test_a_rate_limit_says_so(devnet: Devnet) -> None:
    async with running_proxy(devnet.url) as proxy, cycles(fleet(own=proxy.url)) as asked:
        proxy.status = 429
        snapshot = await asked.ask(PROBE)
        problem = snapshot.reading(RpcHead, "own").problem
        assert problem is not None
        assert problem.kind is ProblemKind.RATE_LIMITED
        proxy.status = 200
        proxy.fault = lambda call: error(-32005, "daily request count exceeded")
        snapshot = await asked.ask(PROBE)
        problem = snapshot.reading(RpcHead, "own").problem
        assert problem is not None
        assert problem.kind is ProblemKind.RATE_LIMITED


@pytest.mark.parametrize("result", [None, "<html>", 7, {}, []])
async def test_garbage_instead_of_a_block(devnet: Devnet, result: object) -> None:
    async with running_proxy(devnet.url) as proxy, cycles(fleet(own=proxy.url)) as asked:
        proxy.fault = lambda call: (
            {"result": result} if call["method"] == "eth_getBlockByNumber" else None
        )
        snapshot = await asked.ask(PROBE)
        problem = snapshot.reading(RpcHead, "own").problem
        assert problem is not None
        assert problem.kind is ProblemKind.BAD_ANSWER
        assert problem.what.startswith("own ")


async def test_a_frozen_endpoint_is_a_timeout(anvil: Anvil) -> None:
    anvil.freeze()
    async with cycles(fleet(own=anvil.url)) as asked:
        snapshot = await asked.ask(PROBE, deadline_s=0.3)
        problem = snapshot.reading(RpcHead, "own").problem
        assert problem is not None
        assert problem.kind is ProblemKind.TIMEOUT
