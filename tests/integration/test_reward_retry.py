"""`reward --if-due` from the command line on a real chain: when it may, and never too often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from lptui.fleet.units import format_units
from tests.chain_bench import Bench, Done, bench, finished
from tests.devnet.call_log import CallLog
from tests.devnet.chain import LPT
from tests.devnet.livepeer import NodeFactory
from tests.devnet.node.config import Role, TxFault
from tests.waiting import until

__all__ = ["bench"]

pytest_plugins = ("tests.devnet.fixtures",)

POLICY = {"tries": 2, "spacing": "1s", "after": "0s", "last_blocks": 5}


def allow(bench: Bench, **more: Any) -> None:
    """What the operator writes into the configuration."""
    bench.edit(lambda document: document["chain"].update(reward_retry={**POLICY, **more}))


async def if_due(bench: Bench, *words: str) -> Done:
    return await bench.lptui("reward", "--if-due", "--format", "json", *words)


def decision(done: Done) -> Any:
    [run] = done.json["runs"]
    return run["decision"]


async def once_spaced(bench: Bench) -> Done:
    """What cron has of the first run that comes long enough after the last try."""
    async with asyncio.timeout(60):
        while decision(done := await if_due(bench))["standing"] == "waiting":
            pass
    return done


@pytest.fixture
async def failed(bench: Bench) -> Bench:
    """The node's own only try of the round has failed."""
    config = bench.node.config
    config.automatic_reward = True
    config.tx_fault, config.tx_fault_cause = TxFault.FAIL, "EOF"
    await bench.node.restart()
    number = await bench.net.next_round(blocks_into=20)
    await until(lambda: len(bench.node.said) > 0, 60, "the node's own try")
    assert bench.node.said == [f"Error trying to call reward for round {number} err=EOF"]
    config.tx_fault = TxFault.NONE
    allow(bench)
    return bench


async def test_a_first_call_that_failed_is_made_again_by_itself(
    failed: Bench, call_log: CallLog
) -> None:
    done = await if_due(failed)
    assert done.code == 0, done.out + done.err
    assert decision(done)["standing"] == "due"
    assert done.json["runs"][0]["result"]["outcome"] == "done"
    assert await failed.net.last_reward_round(failed.account) == await failed.net.current_round()
    assert all(line["who"].startswith("automatic, for ") for line in failed.audit())
    # What cron runs next finds nothing to do, says so, and fails nobody.
    again = await if_due(failed)
    assert (again.code, decision(again)["standing"], again.err) == (0, "idle", "")
    assert call_log.count("/reward") == 1


async def test_the_plan_says_what_the_event_then_shows(failed: Bench) -> None:
    failed.edit(lambda document: document["chain"].update(lpt_price="0.002 ETH"))
    run = (await if_due(failed)).json["runs"][0]
    amount = int(run["result"]["proof"]["amount_lptu"])
    assert f"about {format_units(amount, 4)} LPT" in run["plan"]["effect"]
    worth = format_units(amount * 2 // 1000, 6)
    assert f"({worth} ETH at the configured price)" in run["plan"]["effect"]


async def test_without_a_word_in_the_configuration_it_refuses(
    bench: Bench, call_log: CallLog
) -> None:
    done = await if_due(bench)
    assert done.code == 1
    assert "set chain.reward_retry" in done.err
    assert call_log.count("/reward") == 0


async def test_a_dry_run_and_a_read_only_console_call_nothing(
    failed: Bench, call_log: CallLog
) -> None:
    dry = await if_due(failed, "--dry-run")
    assert (dry.code, decision(dry)["standing"]) == (0, "due")
    reading = await if_due(failed, "--read-only")
    assert (reading.code, decision(reading)["why"]) == (1, "this console is read-only")
    assert "is due" in reading.err
    assert call_log.count("/reward") == 0


async def test_tries_are_spaced_and_counted_whoever_makes_them(
    failed: Bench, call_log: CallLog
) -> None:
    config = failed.node.config
    config.tx_fault, config.tx_fault_cause = TxFault.FAIL, "insufficient funds for gas"
    by_hand = await failed.lptui("reward", "--yes")
    assert by_hand.code == 2
    allow(failed, spacing="10m")
    soon = await if_due(failed)
    assert (soon.code, decision(soon)["standing"], decision(soon)["tries"]) == (0, "waiting", 1)
    assert decision(soon)["next_try_at"] is not None
    allow(failed, spacing="1s")
    second = await once_spaced(failed)
    assert second.code == 2
    assert "insufficient funds" in second.err
    third = await if_due(failed)
    assert (third.code, decision(third)["standing"]) == (1, "hindered")
    assert "all 2 tries of this round are made" in third.err
    assert call_log.count("/reward") == 2
    # A new round has tries of its own.
    config.tx_fault = TxFault.NONE
    config.automatic_reward = False
    await failed.node.restart()
    await failed.net.next_round(blocks_into=20)
    assert (await if_due(failed)).code == 0
    assert await failed.net.last_reward_round(failed.account) == await failed.net.current_round()


async def test_it_waits_for_the_nodes_own_try_and_gives_up_when_it_is_too_late(
    failed: Bench, call_log: CallLog
) -> None:
    length = await failed.net.rounds.call("roundLength")
    allow(failed, after="5m")
    early = await if_due(failed)
    assert (early.code, decision(early)["standing"]) == (0, "waiting")
    await failed.net.set_blocks_into_round(length - 3)
    allow(failed)
    late = await if_due(failed)
    assert late.code == 1
    assert "too late: 3 blocks left" in late.err
    assert call_log.count("/reward") == 0


async def test_nothing_is_called_above_the_ceiling_or_beside_a_pending_transaction(
    failed: Bench, call_log: CallLog
) -> None:
    allow(failed, max_gas_price="1 wei")
    dear = await if_due(failed)
    assert (dear.code, decision(dear)["standing"]) == (1, "hindered")
    assert "allowed" in dear.err
    allow(failed)
    await failed.net.stuck_transaction(failed.account)
    pending = await if_due(failed)
    assert pending.code == 1
    assert "no transaction of this account pending" in pending.err
    assert call_log.count("/reward") == 0
    await failed.net.resume()
    assert (await if_due(failed)).code == 0


async def test_two_consoles_at_once_call_once(failed: Bench, call_log: CallLog) -> None:
    failed.node.config.tx_fault = TxFault.HANG
    first = await failed.start("reward", "--if-due")
    await until(lambda: call_log.running("/reward") == 1, 60, "the call")
    other = replace(failed, state=failed.state / "other")
    second, third = await asyncio.gather(once_spaced(failed), once_spaced(other))
    assert second.code == 1
    assert "another action is under way" in second.err
    assert third.code == 1
    assert "another operator's action is under way: reward for main, by automatic" in third.err
    assert call_log.count("/reward") == 1
    first.terminate()
    assert (await finished(first)).code == 3


async def test_a_console_killed_during_its_call_makes_no_second_one(
    failed: Bench, call_log: CallLog
) -> None:
    failed.node.config.tx_fault = TxFault.HANG
    process = await failed.start("reward", "--if-due")
    await until(lambda: call_log.running("/reward") == 1, 60, "the call")
    await asyncio.to_thread(process.kill)
    failed.node.config.tx_fault = TxFault.NONE
    again = await once_spaced(failed)  # the node's time for a call is not over
    assert again.code == 1
    assert "the node may still be at it" in again.err
    assert call_log.count("/reward") == 1


async def test_the_delegated_callers_node_is_the_one_that_calls(
    bench: Bench, livepeer_node: NodeFactory, call_log: CallLog
) -> None:
    """The registered key is kept off line: no node has it."""
    cold, hot = bench.net.accounts[3], bench.net.accounts[4]
    await bench.net.bond(cold, 1000 * LPT)
    await bench.net.set_reward_caller(cold, hot)
    node = await livepeer_node(
        bench.net,
        name="hot",
        role=Role.REWARD,
        account=hot,
        recipient=cold,
        delegated_rewards=True,
        posts_only=True,
    )
    bench.add_node(node)

    def cold_alone(document: Any) -> None:
        document["chain"]["orchestrators"] = {"main": {"address": cold, "reward_caller": "hot"}}
        document["chain"]["reward_retry"] = POLICY
        del document["nodes"]["reward"]

    bench.edit(cold_alone)
    await bench.net.next_round(blocks_into=20)
    done = await if_due(bench)
    assert done.code == 0, done.out + done.err
    run = done.json["runs"][0]
    assert (run["plan"]["facts"]["node"], run["plan"]["facts"]["account"]) == ("hot", hot.lower())
    assert run["result"]["proof"]["caller"] == hot.lower()
    assert await bench.net.last_reward_round(cold) == await bench.net.current_round()
    # Revoked, it is not asked: the contract would refuse it.
    await bench.net.set_reward_caller(cold, "0x" + "0" * 40)
    await bench.net.next_round(blocks_into=20)
    revoked = await if_due(bench)
    assert revoked.code == 1
    assert "no node acts with" in revoked.err
    checked = await bench.lptui("check", "--format", "json")
    found = {one["check"]: one for one in checked.json["findings"]}
    assert found["reward-delegate"]["severity"] == "CRITICAL"
    assert "set-reward-caller main --caller hot" in found["reward-delegate"]["remedy"]
    assert call_log.count("/reward") == 1
