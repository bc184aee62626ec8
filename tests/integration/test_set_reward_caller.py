"""`set-reward-caller` from the command line on a real chain: set, used, taken back, never twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lptui.probes.chain.abi import REWARD_CALLER_SET
from tests.chain_bench import Bench, Done, a_bench, bench, finished
from tests.devnet.call_log import CallLog
from tests.devnet.chain import LPT
from tests.devnet.deploy import Protocol, running_devnet
from tests.devnet.fixtures import require_anvil
from tests.devnet.livepeer import LivepeerNode, NodeFactory
from tests.devnet.node.config import Role, TxFault
from tests.waiting import until

__all__ = ["bench"]

pytest_plugins = ("tests.devnet.fixtures",)

ZERO = "0x" + "0" * 40
ROUTE = "/setRewardCaller"


@dataclass
class Pair:
    """The node with the registered key, and one with a key of its own that works for it."""

    bench: Bench
    hot: LivepeerNode
    account: str

    async def set(self, who: str, *words: str) -> Done:
        return await self.bench.lptui("set-reward-caller", "main", "--caller", who, *words)

    async def on_chain(self) -> str:
        caller: str = await self.bench.net.bonding.call(
            "transcoderToRewardCaller", self.bench.account
        )
        return caller


@pytest.fixture
async def pair(bench: Bench, livepeer_node: NodeFactory) -> Pair:
    """Both are of the newest build: it knows of callers, and takes POSTs alone."""
    account = bench.net.accounts[2]
    bench.node.config.delegated_rewards = bench.node.config.posts_only = True
    hot = await livepeer_node(
        bench.net,
        name="hot",
        role=Role.REWARD,
        account=account,
        recipient=bench.account,
        delegated_rewards=True,
        posts_only=True,
    )
    bench.add_node(hot)
    return Pair(bench, hot, account)


async def test_a_caller_is_set_proved_used_and_taken_back(pair: Pair, call_log: CallLog) -> None:
    done = await pair.set("hot", "--yes", "--format", "json")
    assert done.code == 0, done.out + done.err
    assert await pair.on_chain() == pair.account
    proof = done.json["result"]["proof"]
    receipt = await pair.bench.net.receipt(proof["tx"], 30)
    assert receipt["logs"][0]["topics"][0] == REWARD_CALLER_SET.topic
    assert int(receipt["gasUsed"], 16) < done.json["plan"]["gas"]
    back = done.json["result"]["remedy"].partition("lptui --headless ")[2]
    assert back == "set-reward-caller main --caller none"

    # The new caller's node can call now, where the other one's key is spent for nothing.
    pair.bench.node.config.max_gas_price = 1
    called = await pair.bench.lptui("reward", "--yes", "--format", "json")
    assert called.code == 0, called.out
    assert called.json["plan"]["facts"]["node"] == "hot"
    assert called.json["result"]["proof"]["caller"] == pair.account.lower()
    pair.bench.node.config.max_gas_price = None

    undone = await pair.bench.lptui(*back.split(), "--yes", "--format", "json")
    assert undone.code == 0, undone.out
    assert await pair.on_chain() == ZERO
    assert call_log.count(ROUTE) == 2
    assert [call.method for call in call_log.calls if call.path == ROUTE] == ["POST", "POST"]


async def test_a_dry_run_and_what_is_so_already_send_nothing(pair: Pair, call_log: CallLog) -> None:
    dry = await pair.set("hot", "--dry-run", "--format", "json")
    assert dry.code == 0, dry.out
    assert dry.json["plan"]["may_run"] is True
    same = await pair.set("none", "--yes", "--format", "json")
    assert same.code == 0
    assert "names nobody already" in same.json["result"]["summary"]
    assert call_log.count(ROUTE) == 0


async def test_a_contract_without_callers_is_refused(
    livepeer_node: NodeFactory, call_log: CallLog, tmp_path: Path
) -> None:
    require_anvil()
    async with running_devnet(protocol=Protocol(lip118=False)) as net:
        bench = await a_bench(net, livepeer_node, tmp_path)
        bench.node.config.delegated_rewards = True
        caller = net.accounts[2]
        refused = await bench.lptui("set-reward-caller", "main", "--caller", caller, "--yes")
    assert refused.code == 1
    assert "LIP-118 is not deployed there" in refused.out
    assert call_log.count(ROUTE) == 0


async def test_a_node_without_callers_is_refused(bench: Bench, call_log: CallLog) -> None:
    account = bench.net.accounts[3]
    refused = await bench.lptui("set-reward-caller", "main", "--caller", account, "--yes")
    assert refused.code == 1
    assert "its /rewardCaller answers 404" in refused.out
    assert call_log.count(ROUTE) == 0


async def test_a_node_that_lies_about_success_is_not_believed(pair: Pair) -> None:
    pair.bench.node.config.tx_fault = TxFault.LIE
    done = await pair.set("hot", "--yes", "--timeout", "8")
    assert done.code == 3
    assert await pair.on_chain() == ZERO


async def test_a_console_killed_during_the_call_leaves_no_second_one(
    pair: Pair, call_log: CallLog
) -> None:
    bench = pair.bench
    bench.node.config.tx_fault = TxFault.HANG
    process = await bench.start("set-reward-caller", "main", "--caller", "hot", "--yes")
    await until(lambda: call_log.running(ROUTE) == 1, 60, "the call")
    await asyncio.to_thread(process.kill)
    assert [line["event"] for line in bench.audit()] == ["started", "step"]
    bench.node.config.tx_fault = TxFault.NONE
    again = await pair.set("hot", "--yes")
    assert again.code == 1
    assert "the node may still be at it" in again.out
    # One key, one call: the reward through the same account waits as well.
    await bench.net.bond(bench.account, 1000 * LPT)
    reward = await bench.lptui("reward", "--yes")
    assert reward.code == 1
    assert "the node may still be at it" in reward.out
    assert call_log.count(ROUTE) == 1
    # The chain settles it.
    await bench.net.set_reward_caller(bench.account, pair.account)
    settled = await pair.set("hot", "--yes")
    assert (settled.code, call_log.count(ROUTE)) == (0, 1)


async def test_two_operators_send_one_transaction(pair: Pair, call_log: CallLog) -> None:
    bench = pair.bench
    bench.node.config.tx_fault = TxFault.HANG
    first = await bench.start("set-reward-caller", "main", "--caller", "hot", "--yes")
    await until(lambda: call_log.running(ROUTE) == 1, 60, "the call")
    other = replace(pair, bench=replace(bench, state=bench.state / "other"))
    refused = await other.set("hot", "--yes")
    assert refused.code == 1
    assert "another operator's action is under way: set-reward-caller for main" in refused.out
    first.terminate()
    assert (await finished(first)).code == 3
    assert call_log.count(ROUTE) == 1
