"""The actions through the command line, on a real chain: sent once, proved, recorded."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace

import pytest

from lptui.probes.chain.abi import REWARD_EVENT
from tests.chain_bench import Bench, bench, finished
from tests.devnet.call_log import CallLog
from tests.devnet.chain import ETH, LPT
from tests.devnet.node.config import TxFault
from tests.waiting import until

__all__ = ["bench"]

pytest_plugins = ("tests.devnet.fixtures",)


async def test_reward_is_called_once_and_proved_by_its_event(
    bench: Bench, call_log: CallLog
) -> None:
    done = await bench.lptui("reward", "main", "--yes", "--format", "json")
    assert done.code == 0, done.err + done.out
    assert await bench.net.last_reward_round(bench.account) == await bench.net.current_round()
    assert done.json["result"]["outcome"] == "done"
    proof = done.json["result"]["proof"]
    receipt = await bench.net.receipt(proof["tx"], 30)
    assert int(receipt["status"], 16) == 1
    assert proof["amount"].endswith(" LPT")
    amounts = [log["data"] for log in receipt["logs"] if log["topics"][0] == REWARD_EVENT.topic]
    assert [int(amount, 16) for amount in amounts] == [int(proof["amount_lptu"])]
    assert call_log.count("/reward") == 1


async def test_the_record_has_a_line_before_and_a_line_after_and_is_private(bench: Bench) -> None:
    await bench.lptui("reward", "--yes")
    started, call, verify, ended = bench.audit()
    events = [line["event"] for line in (started, call, verify, ended)]
    assert events == ["started", "step", "step", "ended"]
    assert call["step"]["call"] == f"POST {bench.node.url}/reward"
    assert started["plan"] == ended["plan"]
    assert ended["outcome"] == "done"
    assert ended["proof"]["tx"].startswith("0x")
    assert (bench.state / "audit.jsonl").stat().st_mode & 0o777 == 0o600


async def test_already_called_is_success_and_sends_nothing(bench: Bench, call_log: CallLog) -> None:
    await bench.net.reward(bench.account)
    done = await bench.lptui("reward", "--yes", "--format", "json")
    assert done.code == 0
    assert "already called" in done.json["result"]["summary"]
    assert call_log.count("/reward") == 0


async def test_a_dry_run_prints_the_plan_and_changes_nothing(
    bench: Bench, call_log: CallLog
) -> None:
    done = await bench.lptui("reward", "--dry-run", "--format", "json")
    assert done.code == 0, done.err
    assert len(done.json["plan"]["hash"]) == 16
    assert [step["title"] for step in done.json["plan"]["steps"]] == [
        "call reward",
        "verify on the chain",
    ]
    assert done.json["result"] is None
    gas = done.json["plan"]["gas"]
    for cost, price in (("cost_wei", "gas_price_wei"), ("cost_at_most_wei", "gas_cap_wei")):
        assert int(done.json["plan"][cost]) == gas * int(done.json["plan"][price])
    assert call_log.count("/reward") == 0
    assert not (bench.state / "audit.jsonl").exists()


async def test_without_yes_and_without_a_terminal_it_refuses(
    bench: Bench, call_log: CallLog
) -> None:
    done = await bench.lptui("reward")
    assert done.code == 1
    assert "--yes" in done.err
    assert call_log.count("/reward") == 0
    assert [(line["event"], line["outcome"]) for line in bench.audit()] == [("ended", "refused")]


async def test_on_a_terminal_the_plan_is_shown_and_only_yes_is_one(
    bench: Bench, call_log: CallLog
) -> None:
    no = await bench.asked("reward", "--format", "json", answer=b"y\n")
    assert (no.code, no.json["result"]["outcome"]) == (1, "refused")
    assert "at most" in no.err
    stopped = await bench.asked("reward", "--format", "json", number=signal.SIGINT)
    assert (stopped.code, stopped.json["result"]["outcome"]) == (1, "refused")
    assert call_log.count("/reward") == 0
    yes = await bench.asked("reward", "--format", "json", answer=b"yes\n")
    assert (yes.code, yes.json["result"]["outcome"]) == (0, "done")
    assert call_log.count("/reward") == 1


async def test_read_only_refuses(bench: Bench, call_log: CallLog) -> None:
    done = await bench.lptui("reward", "--yes", "--read-only")
    assert done.code == 1
    assert "read-only" in done.out
    assert call_log.count("/reward") == 0


async def test_a_gated_node_is_refused_before_anything_is_sent(
    bench: Bench, call_log: CallLog
) -> None:
    bench.node.config.cli_tx_routes = False
    done = await bench.lptui("reward", "--yes")
    assert done.code == 1
    assert "-enableCliTxRoutes" in done.out
    assert call_log.count("/reward") == 0


async def test_a_gas_cap_under_the_price_is_refused_with_both_numbers(
    bench: Bench, call_log: CallLog
) -> None:
    bench.node.config.max_gas_price = 1
    done = await bench.lptui("reward", "--yes")
    assert done.code == 1
    assert "gas price under the node's cap" in done.out
    assert call_log.count("/reward") == 0


async def test_an_empty_account_is_refused_with_its_address(bench: Bench) -> None:
    await bench.net.set_balance(bench.account, 10**9)
    done = await bench.lptui("reward", "--yes")
    assert done.code == 1
    assert bench.account.lower() in done.out.lower()
    await bench.net.set_balance(bench.account, ETH)


async def test_a_round_is_initialised_and_then_reward_can_be_called(
    bench: Bench, call_log: CallLog
) -> None:
    await bench.net.next_round(initialize=False)
    refused = await bench.lptui("reward", "--yes")
    assert refused.code == 1
    assert "initialise the round first" in refused.out
    done = await bench.lptui("initialize-round", "--yes", "--format", "json")
    assert done.code == 0, done.out + done.err
    assert call_log.count("/initializeRound") == 1
    assert (await bench.lptui("initialize-round", "--yes")).code == 0
    assert call_log.count("/initializeRound") == 1
    assert (await bench.lptui("reward", "--yes")).code == 0


async def test_a_node_that_lies_about_success_is_not_believed(bench: Bench) -> None:
    bench.node.config.tx_fault = TxFault.LIE
    done = await bench.lptui("reward", "--yes", "--timeout", "8", "--format", "json")
    assert done.code == 3
    assert done.json["result"]["outcome"] == "unknown"
    assert "still watching" in done.json["result"]["remedy"]
    assert bench.audit()[-1]["outcome"] == "unknown"


async def test_a_lost_reply_is_no_failure_when_the_chain_shows_the_reward(bench: Bench) -> None:
    bench.node.config.tx_fault = TxFault.DROP_AFTER
    done = await bench.lptui("reward", "--yes", "--format", "json")
    assert done.code == 0, done.out + done.err
    assert done.json["result"]["proof"]["tx"]


async def test_a_refusal_by_the_node_is_a_failure_with_its_cause(bench: Bench) -> None:
    bench.node.config.tx_fault = TxFault.FAIL
    bench.node.config.tx_fault_cause = "insufficient funds for gas * price + value"
    done = await bench.lptui("reward", "--yes", "--format", "json")
    assert done.code == 2
    assert "insufficient funds" in done.json["result"]["summary"]


async def test_two_at_once_send_one_transaction(bench: Bench, call_log: CallLog) -> None:
    bench.node.config.tx_fault = TxFault.HANG
    first = await bench.start("reward", "--yes")
    await until(lambda: call_log.running("/reward") == 1, 60, "the call")
    refused = await bench.lptui("reward", "--yes")
    assert refused.code == 1
    assert "another action is under way" in refused.out
    assert call_log.count("/reward") == 1
    first.terminate()
    await finished(first)


async def test_a_console_killed_during_the_call_leaves_no_second_call(
    bench: Bench, call_log: CallLog
) -> None:
    bench.node.config.tx_fault = TxFault.HANG
    process = await bench.start("reward", "--yes")
    await until(lambda: call_log.running("/reward") == 1, 60, "the call")
    await asyncio.to_thread(process.kill)
    assert [line["event"] for line in bench.audit()] == ["started", "step"]
    # The node may still be at it.
    bench.node.config.tx_fault = TxFault.NONE
    again = await bench.lptui("reward", "--yes")
    assert again.code == 1
    assert "the node may still be at it" in again.out
    assert call_log.count("/reward") == 1
    # The chain settles it.
    await bench.net.reward(bench.account)
    assert (await bench.lptui("reward", "--yes")).code == 0
    assert call_log.count("/reward") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_during_the_call_is_told_and_recorded(
    bench: Bench, call_log: CallLog, number: signal.Signals
) -> None:
    bench.node.config.tx_fault = TxFault.HANG
    process = await bench.start("reward", "--yes", "--format", "json")
    await until(lambda: call_log.running("/reward") == 1, 60, "the call")
    process.send_signal(number)
    done = await finished(process)
    assert done.code == 3, done.err
    assert done.json["result"]["outcome"] == "unknown"
    assert done.json["plan"]["steps"][0]["outcome"] == "unknown"
    assert bench.audit()[-1]["outcome"] == "unknown"


async def test_two_operators_send_one_transaction(bench: Bench, call_log: CallLog) -> None:
    """Each has a state folder of their own; the lock is where both see it."""
    bench.node.config.tx_fault = TxFault.HANG
    first = await bench.start("reward", "--yes")
    await until(lambda: call_log.running("/reward") == 1, 60, "the call")
    other = replace(bench, state=bench.state / "other")
    refused = await other.lptui("reward", "--yes")
    assert refused.code == 1
    assert "another operator's action is under way: reward for main" in refused.out
    # The node may still be at it.
    first.terminate()
    assert (await finished(first)).code == 3
    assert (await other.lptui("reward", "--yes")).code == 1
    assert call_log.count("/reward") == 1


async def test_somebody_else_was_faster_and_the_own_transaction_reverts(
    bench: Bench, call_log: CallLog
) -> None:
    """Without gas estimation the node pays for a call that comes second."""
    bench.node.config.gas_limit = 500_000
    bench.node.config.tx_delay_s = 2.0
    process = await bench.start("reward", "--yes", "--format", "json")
    await until(lambda: call_log.running("/reward") == 1, 60, "the call")
    first = await bench.net.reward(bench.account)
    done = await finished(process)
    assert done.code == 0, done.out + done.err
    assert done.json["result"]["proof"]["tx"] == first["transactionHash"]


async def test_a_transaction_that_stays_pending_is_unknown_and_holds_up_the_next(
    bench: Bench, call_log: CallLog
) -> None:
    bench.node.config.transaction_timeout_s = 0.5
    await bench.net.stall()
    done = await bench.lptui("reward", "--yes", "--timeout", "12", "--format", "json")
    assert done.code == 3, done.out + done.err
    assert "timed out waiting for transaction receipt" in done.json["result"]["summary"]
    again = await bench.lptui("reward", "--yes")
    assert again.code == 1
    assert "no transaction of this account pending" in again.out
    await bench.net.resume()
    assert (await bench.lptui("reward", "--yes")).code == 0
    assert call_log.count("/reward") == 1


async def test_several_targets_each_have_their_outcome(bench: Bench, call_log: CallLog) -> None:
    other = bench.net.accounts[2]
    await bench.net.bond(other, 1000 * LPT)
    bench.config.write_text(bench.config.read_text() + f'    other: {{address: "{other}"}}\n')
    await bench.net.reward(bench.account)
    asked = await bench.lptui("reward", "all", "main", "--format", "json")
    assert asked.code == 1
    runs = {run["plan"]["target"]: run["result"]["outcome"] for run in asked.json["runs"]}
    assert runs == {"main": "done", "other": "refused"}
    assert call_log.count("/reward") == 0
    choice = await bench.lptui("reward", "--yes")
    assert choice.code == 1
    assert "main, other, all" in choice.err
