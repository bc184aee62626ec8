"""Money on a real chain, by the command line: burn over rounds, funds of a gateway, gas caps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.chain_bench import Bench, Done, a_bench, bench
from tests.devnet.anvil import Anvil
from tests.devnet.deploy import Protocol, deploy
from tests.devnet.livepeer import LivepeerNode, NodeFactory
from tests.devnet.node.config import Role

__all__ = ["bench"]

pytest_plugins = ("tests.devnet.fixtures",)

ETH = 10**18
GWEI = 10**9


async def check(bench: Bench) -> Any:
    done = await bench.lptui("check", "--format", "json")
    assert done.out, done.err
    return json.loads(done.out)


def finding(report: Any, identity: str) -> Any:
    return next(one for one in report["findings"] if one["id"] == identity)


def metric(report: Any, identity: str, label: str) -> Any:
    found = finding(report, identity)
    return next(one["value"] for one in found["metrics"] if one["label"] == label)


def reading(report: Any, topic: str, target: str) -> Any:
    return next(
        one for one in report["readings"] if (one["topic"], one["target"]) == (topic, target)
    )


@pytest.fixture
async def quick(anvil: Anvil, livepeer_node: NodeFactory, tmp_path: Path) -> AsyncIterator[Bench]:
    """On a chain whose rounds are shorter than the time between two runs."""
    net = await deploy(anvil, Protocol(round_length=20, blocks_into_round=2))
    yield await a_bench(net, livepeer_node, tmp_path)
    await net.rpc.aclose()


async def test_the_burn_of_a_key_is_measured_over_rounds_and_top_ups_hide_none_of_it(
    quick: Bench,
) -> None:
    """By runs of cron, one after the other."""
    bench = quick
    await bench.net.mine(200)  # so that what was learnt of rewards rests on a block
    bench.edit(lambda document: document["chain"].update(block_time="10ms"))
    first = await check(bench)
    assert "one reward call at" in finding(first, "runway@main")["summary"]
    costs = []
    for _ in range(4):
        before = await bench.net.balance(bench.account)
        await bench.net.reward(bench.account)
        costs.append(before - await bench.net.balance(bench.account))
        await check(bench)
        await bench.net.fund(bench.account, ETH)
        await bench.net.next_round()
        last = await check(bench)
    flow = reading(last, "AccountFlow", bench.account.lower())["value"]["balance"]
    spent = [int(one["down_wei"]) for one in flow["rounds"]]
    assert [amount for amount in spent if amount] == costs
    assert sum(int(one["up_wei"]) for one in flow["rounds"]) == 4 * ETH
    found = finding(last, "runway@main")
    assert "(p95)" in found["summary"]
    assert int(metric(last, "runway@main", "burn_wei")) == max(costs)
    balance = await bench.net.balance(bench.account)
    assert metric(last, "runway@main", "runway_rounds") == balance // max(costs)
    paid = reading(last, "PaidCall", "main")["value"]
    assert paid["gas"] * int(paid["price_wei"]) == costs[-1]
    await bench.net.fund(bench.net.faucet, 2 * ETH, sender=bench.account)
    await check(bench)
    await bench.net.next_round()
    last = await check(bench)
    flow = reading(last, "AccountFlow", bench.account.lower())["value"]["balance"]
    assert 2 * ETH < sum(int(one["moved_wei"]) for one in flow["rounds"]) < 2 * ETH + ETH // 100
    assert int(metric(last, "runway@main", "burn_wei")) == max(costs), "a transfer is no cost"


async def gateway(bench: Bench, livepeer_node: NodeFactory) -> LivepeerNode:
    node = await livepeer_node(
        bench.net, name="gateway", role=Role.GATEWAY, account=bench.net.accounts[3]
    )
    bench.add_node(node, role="gateway")
    return node


async def test_a_gateways_funds_are_held_against_their_limits(
    bench: Bench, livepeer_node: NodeFactory
) -> None:
    node = await gateway(bench, livepeer_node)
    account = node.config.account or ""
    empty = finding(await check(bench), "gateway-funds@gateway")
    assert empty["severity"] == "CRITICAL"
    assert "deposit 0.000000 ETH" in empty["summary"]
    await bench.net.fund_payer(account, ETH // 10, ETH // 50)
    low = finding(await check(bench), "gateway-funds@gateway")
    assert low["severity"] == "WARNING"
    assert low["summary"] == "reserve 0.020000 ETH, below 0.050000 ETH"
    bench.edit(lambda document: document.update(thresholds={"reserve_warn": "0.02 ETH"}))
    assert finding(await check(bench), "gateway-funds@gateway")["severity"] == "OK"
    await bench.net.send(bench.net.broker, "unlock", sender=account)
    unlocking = finding(await check(bench), "gateway-funds@gateway")
    assert unlocking["severity"] in ("WARNING", "CRITICAL")
    assert "being unlocked" in unlocking["summary"]


async def set_cap(bench: Bench, *words: str) -> Done:
    return await bench.lptui("set-max-gas-price", "reward", *words, "--yes", "--format", "json")


async def test_a_cap_below_the_price_is_found_raised_and_taken_back(bench: Bench) -> None:
    price = await bench.net.gas_price()
    bench.node.config.max_gas_price = price // 2
    found = finding(await check(bench), "gas-cap@reward")
    assert found["severity"] == "WARNING"
    assert found["action"] == "set-max-gas-price"
    command = found["remedy"].split("set-max-gas-price ")[1].split(";")[0]
    assert command.startswith("reward --price '")
    wanted = command.split("'")[1]

    done = await set_cap(bench, "--price", wanted)
    assert done.code == 0, done.out + done.err
    assert bench.node.config.max_gas_price is not None
    assert bench.node.config.max_gas_price >= 2 * price
    assert any("forgotten when the node restarts" in w for w in done.json["plan"]["warnings"])
    assert finding(await check(bench), "gas-cap@reward")["severity"] == "OK"

    run = (await bench.lptui("runs", "--format", "json")).json
    assert run["runs"][0]["action"] == "set-max-gas-price"
    undone = await bench.lptui("undo", run["runs"][0]["run"], "--yes")
    assert undone.code == 0, undone.out + undone.err
    assert bench.node.config.max_gas_price == price // 2


async def test_the_same_cap_is_nothing_to_do(bench: Bench) -> None:
    bench.node.config.max_gas_price = 3 * GWEI
    done = await set_cap(bench, "--price", "3 gwei")
    assert done.code == 0
    assert "already" in done.json["plan"]["done"]


async def test_a_cap_of_nothing_is_never_set(bench: Bench) -> None:
    bench.node.config.max_gas_price = 3 * GWEI
    for price in ("0", "0 gwei", "0.0000000001 gwei", "1e9 wei", "-1 gwei", "5"):
        done = await set_cap(bench, f"--price={price}")
        assert done.code == 1, done.out
    assert bench.node.config.max_gas_price == 3 * GWEI


async def test_a_node_without_a_cap_cannot_be_given_that_back(bench: Bench) -> None:
    bench.node.config.max_gas_price = None
    done = await set_cap(bench, "--price", "5 gwei")
    assert done.code == 0, done.out
    assert any("only a restart" in warning for warning in done.json["plan"]["warnings"])
    [step] = done.json["plan"]["steps"]
    assert "restart" in step["undo"]
    run = (await bench.lptui("runs", "--format", "json")).json["runs"][0]["run"]
    undone = await bench.lptui("undo", run, "--yes")
    assert undone.code in (2, 3), "it is not undone, and that is said"
    assert "no cap" in undone.out + undone.err
    assert bench.node.config.max_gas_price == 5 * GWEI


async def test_a_node_that_does_not_offer_the_route_is_refused(bench: Bench) -> None:
    bench.node.config.cli_tx_routes = False
    done = await set_cap(bench, "--price", "5 gwei")
    assert done.code == 1
    assert "-enableCliTxRoutes" in done.out


async def test_the_log_level_is_set_read_back_and_undone(bench: Bench, tmp_path: Path) -> None:
    before = bench.node.config.log_level
    done = await bench.lptui("set-log-level", "reward", "--level", "6", "--yes")
    assert done.code == 0, done.out + done.err
    assert bench.node.config.log_level == 6
    run = (await bench.lptui("runs", "--format", "json")).json["runs"][0]["run"]
    assert (await bench.lptui("undo", run, "--yes")).code == 0
    assert bench.node.config.log_level == before
    refused = await bench.lptui("set-log-level", "reward", "--level", "high", "--yes")
    assert refused.code == 1


async def test_the_session_cap_is_set_and_read_back(
    bench: Bench, livepeer_node: NodeFactory
) -> None:
    node = await livepeer_node(
        bench.net, name="orch", role=Role.ORCHESTRATOR, account=bench.net.accounts[4]
    )
    bench.add_node(node, role="orchestrator")
    done = await bench.lptui("set-max-sessions", "orch", "--sessions", "7", "--yes")
    assert done.code == 0, done.out + done.err
    assert node.config.max_sessions == 7
    assert (await bench.lptui("set-max-sessions", "orch", "--sessions", "0", "--yes")).code == 1
    assert node.config.max_sessions == 7
