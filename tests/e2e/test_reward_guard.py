"""What cron learns of rewards on a chain with short rounds, run by run, from its own command line.

A chain and a reward node of their own: rounds of fifty blocks, a host that is this machine.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.devnet.anvil import AnvilOptions
from tests.devnet.chain import GWEI, Devnet
from tests.devnet.deploy import Protocol, running_devnet
from tests.devnet.fixtures import require_anvil
from tests.devnet.livepeer import LivepeerNode, running_node
from tests.devnet.node.config import NodeConfig, Role
from tests.e2e.command import Operator, Outcome
from tests.e2e.stage import Stage
from tests.integration.rpc_proxy import RpcProxy, error, running_proxy
from tests.rawserver import http_server

ROUND = 4200
LENGTH = 50


@dataclass
class Guarded:
    """A fleet of one reward node, and the runs of `lptui` that look at it."""

    folder: Path
    stage: Stage
    operator: Operator
    net: Devnet
    node: LivepeerNode
    proxy: RpcProxy
    explorer: str = ""
    spare: str = ""

    @property
    def registered(self) -> str:
        return self.net.accounts[1]

    def next_round(self, *, initialize: bool = True, blocks_into: int = 30) -> int:
        number: int = self.stage.do(
            self.net.next_round(initialize=initialize, blocks_into=blocks_into)
        )
        return number

    def reward(self) -> None:
        self.stage.do(self.net.reward(self.registered))

    def run(self, verb: str = "check") -> Outcome:
        path = self.folder / "fleet.yaml"
        path.write_text(yaml.safe_dump(self._document()))
        outcome = self.operator.run(
            *("--config", str(path), "--headless", verb, "--format", "json", "--timeout", "20")
        )
        assert outcome.err == ""
        return outcome

    def history(self, outcome: Outcome) -> dict[int, str]:
        return dict(outcome.reading("RewardHistory", "main")["value"]["rounds"])

    def rewards(self) -> Any:
        """The section of `status` about the one orchestrator."""
        (found,) = self.run("status").json["rewards"]
        return found

    def _document(self) -> dict[str, Any]:
        chain: dict[str, Any] = {
            "network": "devnet",
            "controller": self.net.controller.address,
            "chain_id": self.net.chain_id,
            "orchestrators": {"main": {"address": self.registered, "reward_caller": "reward"}},
        }
        if self.explorer:
            chain["explorer"] = {"url": self.explorer}
        return {
            "hosts": {"here": {"local": True}},
            "nodes": {
                "reward": {
                    "host": "here",
                    "role": "reward",
                    "account": self.registered,
                    "cli": {"url": self.node.url, "via": "direct"},
                }
            },
            "rpcs": {"own": {"url": self.proxy.url}}
            | ({"spare": {"url": self.spare}} if self.spare else {}),
            "chain": chain,
        }


@pytest.fixture
def guarded(stage: Stage, operator: Operator, tmp_path: Path) -> Iterator[Guarded]:
    require_anvil()
    with contextlib.ExitStack() as stack:
        options = AnvilOptions(block_time_s=1, extra=("--mnemonic-random", "12"))
        protocol = Protocol(round_length=LENGTH, blocks_into_round=30)
        net = stack.enter_context(stage.holding(running_devnet(options, protocol)))
        config = NodeConfig(Role.REWARD, "reward", net.accounts[1])
        node = stack.enter_context(stage.holding(running_node(config, net)))
        proxy = stack.enter_context(stage.holding(running_proxy(net.url)))
        one = Guarded(tmp_path, stage, operator, net, node, proxy)
        stage.do(net.bond(one.registered))
        one.reward()
        yield one


def test_all_sources_agree_and_the_deadline_has_its_uncertainty(guarded: Guarded) -> None:
    found = guarded.rewards()
    assert found["state"] == "called"
    said = {one["kind"]: one["called"] for one in found["evidence"]}
    assert said == {"contract": True, "event": True, "node": True}
    assert found["contradictions"] == []
    deadline = found["deadline"]
    assert deadline["blocks_left"] == 20
    assert deadline["seconds_left"] == 20 * 12
    assert deadline["uncertainty_seconds"] > 0
    assert deadline["block_seconds_measured"] is False
    event = guarded.run().reading("RewardHistory", "main")["value"]["events"][0]
    assert event["caller"] == guarded.registered.lower()
    assert event["at"] is not None


def test_a_round_that_was_missed_while_inactive_is_no_miss(guarded: Guarded) -> None:
    number = guarded.next_round()
    guarded.stage.do(guarded.net.set_activation(guarded.registered, number + 1))
    inactive = guarded.run()
    assert inactive.finding("reward-due@main")["summary"].startswith("nothing to call")
    assert inactive.severity("reward-due@main") == "OK"
    assert inactive.severity("orchestrator-active@main") == "WARNING"
    guarded.next_round()
    guarded.reward()
    after = guarded.run()
    assert guarded.history(after)[number] == "inactive"
    found = after.finding("reward-missed@main")
    assert found["severity"] == "OK"
    assert (
        f"round {number} earned nothing: not active before round {number + 1}" in (found["summary"])
    )


def test_a_round_that_nobody_ever_initialised(guarded: Guarded) -> None:
    number = guarded.next_round(initialize=False)
    waiting = guarded.run()
    assert waiting.finding("reward-due@main")["summary"].startswith("nothing to call yet")
    assert waiting.severity("round-initialized@devnet") != "OK"
    guarded.next_round()
    guarded.reward()
    after = guarded.run()
    assert guarded.history(after)[number] == "not-initialized"
    assert after.severity("reward-missed@main") == "OK"
    assert "nobody ever initialised it" in after.finding("reward-missed@main")["summary"]
    found = after.finding("round-skipped@devnet")
    assert found["severity"] == "WARNING"
    assert str(number) in found["summary"]


def test_the_node_says_yes_and_the_chain_says_no(guarded: Guarded) -> None:
    number = guarded.next_round()
    claim = {
        "Transcoder": {
            "Address": guarded.registered.lower(),
            "LastRewardRound": number,
            "Active": True,
            "Status": "Registered",
        }
    }
    guarded.node.config.overrides["/orchestratorInfo"] = (200, json.dumps(claim).encode())
    outcome = guarded.run()
    found = outcome.finding("reward-disagrees@main")
    assert found["severity"] == "WARNING"
    assert "node reward says called" in found["summary"]
    assert f"contract at own says not (lastRewardRound {number - 1})" in found["summary"]
    # The chain decides: it is still to be called.
    due = outcome.finding("reward-due@main")
    assert due["action"] == "reward"
    guarded.reward()
    assert guarded.run().severity("reward-disagrees@main") == "OK"


def test_a_miss_is_explained_by_what_an_earlier_run_saw(guarded: Guarded) -> None:
    number = guarded.next_round()
    guarded.node.config.max_gas_price = 1
    guarded.stage.do(guarded.net.set_base_fee(2 * GWEI))
    seen = guarded.run()
    assert seen.severity("reward-due@main") != "OK" or seen.finding("reward-due@main")["action"]
    guarded.node.config.max_gas_price = None
    guarded.next_round()
    guarded.reward()
    found = guarded.run().finding("reward-missed@main")
    assert found["severity"] == "WARNING"
    assert f"the reward of round {number} was missed" in found["summary"]
    assert "was above reward's cap" in found["summary"]


def test_a_failed_try_of_the_nodes_own_explains_the_miss(guarded: Guarded) -> None:
    guarded.run()
    number = guarded.next_round()
    guarded.node.metrics.count("reward_call_errors")
    guarded.run()
    guarded.next_round()
    guarded.reward()
    summary = guarded.run().finding("reward-missed@main")["summary"]
    assert f"round {number} was missed" in summary
    assert "reward counted 1 failed call more" in summary


def test_a_miss_that_nobody_saw_has_no_explanation_made_up(guarded: Guarded) -> None:
    guarded.next_round()
    guarded.next_round()
    guarded.reward()
    assert (
        "no evidence why: nobody looked" in (guarded.run().finding("reward-missed@main")["summary"])
    )


def test_the_second_run_asks_only_for_new_logs(guarded: Guarded) -> None:
    def oldest() -> int:
        calls = [call for batch in guarded.proxy.requests for call in batch]
        logs = [call["params"][0] for call in calls if call["method"] == "eth_getLogs"]
        return min(int(q["fromBlock"], 16) for q in logs if q["fromBlock"].startswith("0x"))

    guarded.stage.do(guarded.net.mine(300))
    guarded.run()
    first = oldest()
    guarded.next_round()
    guarded.proxy.requests.clear()
    outcome = guarded.run()
    assert oldest() > first
    assert guarded.history(outcome)[ROUND] == "called"


@pytest.mark.parametrize("selector", ["0x5dce9948", "0x08802374"])
def test_a_record_that_reverts_leaves_the_word_to_the_logs(guarded: Guarded, selector: str) -> None:
    guarded.proxy.fault = lambda call: (
        error(3, "execution reverted: \x1b[31mno")
        if call["method"] == "eth_call" and call["params"][0]["data"].startswith(selector)
        else None
    )
    outcome = guarded.run()
    assert outcome.error("OrchestratorRecord", "main")["kind"] == "reverted"
    found = outcome.finding("reward-due@main")
    assert found["severity"] == "OK"
    assert "called in round 4200 by the word of Reward log alone" in found["summary"]
    assert any("contract at own: not known" in line for line in found["evidence"])


def test_without_record_and_logs_the_nodes_word_is_told_as_such(guarded: Guarded) -> None:
    guarded.proxy.fault = lambda call: (
        error(-32005, "limit exceeded")
        if call["method"] == "eth_getLogs"
        else error(3, "execution reverted")
        if call["method"] == "eth_call" and call["params"][0]["data"].startswith("0x5dce9948")
        else None
    )
    found = guarded.run().finding("reward-due@main")
    assert "by the word of node reward alone" in found["summary"]
    assert any(line.startswith("Reward log: not known") for line in found["evidence"])


def test_lists_of_logs_that_are_empty_are_not_taken_for_what_happened(guarded: Guarded) -> None:
    """Some endpoints give an empty list where they have pruned their logs, and no error."""
    guarded.next_round()
    guarded.reward()
    guarded.next_round()
    guarded.reward()
    guarded.proxy.fault = lambda call: {"result": []} if call["method"] == "eth_getLogs" else None
    outcome = guarded.run()
    for check in ("slashed@main", "reward-missed@main", "round-skipped@devnet"):
        assert outcome.severity(check) == "UNKNOWN", check
    assert "no logs up to L2 block" in outcome.finding("slashed@main")["summary"]
    due = outcome.finding("reward-due@main")
    assert due["severity"] == "OK"
    assert any(line.startswith("Reward log: none seen, but logs") for line in due["evidence"])
    # Another endpoint has them, and is asked; nor are they missing for good.
    guarded.spare = guarded.net.url
    assert guarded.run().severity("slashed@main") == "OK"
    guarded.spare = ""
    guarded.proxy.fault = lambda call: None
    assert guarded.history(guarded.run())[ROUND + 1] == "called"


def test_a_reward_that_a_reorganisation_took_back_is_due_again(guarded: Guarded) -> None:
    guarded.stage.do(guarded.net.mine(100))  # what is kept rests on an older block
    number = guarded.next_round()
    before = guarded.stage.do(guarded.net.rpc.call("evm_snapshot"))
    guarded.reward()
    assert guarded.history(guarded.run())[number] == "called"
    guarded.stage.do(guarded.net.rpc.call("evm_revert", before))
    guarded.stage.do(guarded.net.mine(5))
    after = guarded.run()
    assert after.finding("reward-due@main")["summary"].startswith(f"due in round {number}")
    assert after.severity("reward-disagrees@main") == "OK"
    # What it had added to the stake was never there, and so was not lost.
    assert after.severity("stake-dropped@main") == "OK"


def explorer_page(logs: list[dict[str, Any]]) -> bytes:
    """What Etherscan answers for some of a chain's logs."""
    result = [
        {
            "address": log["address"],
            "topics": log["topics"],
            "data": log["data"],
            "blockNumber": log["blockNumber"],
            "blockHash": log["blockHash"],
            "timeStamp": log.get("blockTimestamp", "0x68000000"),
            "gasPrice": "0x989680",
            "gasUsed": "0x5d3c1",
            "logIndex": log["logIndex"],
            "transactionHash": log["transactionHash"],
            "transactionIndex": log["transactionIndex"],
        }
        for log in logs
    ]
    body = json.dumps({"status": "1", "message": "OK", "result": result}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_an_explorer_is_one_more_witness(guarded: Guarded) -> None:
    topic = "0x619caafabdd75649b302ba8419e48cccf64f37f1983ac4727cfb38b57703ffc9"
    logs = guarded.stage.do(
        guarded.net.rpc.call(
            "eth_getLogs",
            {"fromBlock": hex(guarded.net.first_block), "toBlock": "latest", "topics": [topic]},
        )
    )
    with guarded.stage.holding(http_server(lambda _: explorer_page(logs))) as server:
        guarded.explorer = f"http://127.0.0.1:{server.port}/api"
        said = {one["kind"]: one for one in guarded.rewards()["evidence"]}
    assert said["explorer"]["called"] is True
    assert logs[0]["transactionHash"] in said["explorer"]["text"]


def test_an_explorer_that_refuses_is_told_with_its_reason(guarded: Guarded) -> None:
    body = b'{"status":"0","message":"NOTOK","result":"Max rate limit reached"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with guarded.stage.holding(http_server(lambda _: answer)) as server:
        guarded.explorer = f"http://127.0.0.1:{server.port}/api"
        outcome = guarded.run()
    assert outcome.error("ExplorerRewards", "main")["kind"] == "rate-limited"
    found = outcome.finding("reward-due@main")
    assert found["severity"] == "OK"
    assert any(
        "explorer" in line and "Max rate limit reached" in line for line in found["evidence"]
    )
