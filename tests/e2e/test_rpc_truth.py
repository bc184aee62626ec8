"""Endpoints that lie, told through the command line: on anvil with the stand-in contracts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.devnet.chain import Devnet
from tests.devnet.deploy import running_devnet
from tests.devnet.fixtures import require_anvil
from tests.e2e.command import Operator, Outcome
from tests.e2e.stage import Stage
from tests.integration.rpc_proxy import RpcProxy, running_proxy

Answer = dict[str, Any]


@pytest.fixture
def net(stage: Stage) -> Iterator[Devnet]:
    require_anvil()
    with stage.holding(running_devnet()) as one:
        yield one


class Ask:
    """`lptui --headless` on two endpoints of one chain: anvil itself, and a proxy before it."""

    def __init__(self, operator: Operator, net: Devnet, proxy: RpcProxy, folder: Path) -> None:
        self.operator, self.net, self.proxy = operator, net, proxy
        self.signer = net.accounts[3]
        self.config = folder / "fleet.yaml"
        document = {
            "name": "truth",
            "rpcs": {"own": {"url": net.url}, "other": {"url": proxy.url}},
            "chain": {
                "network": "devnet",
                "controller": net.controller.address,
                "chain_id": net.chain_id,
                "rpcs": ["other", "own"],
                "orchestrators": {"main": {"address": net.accounts[1]}},
            },
            "signers": {"s": {"address": self.signer, "role": "redeemer"}},
            # Blocks come on demand here: only what tests say is old is old.
            "thresholds": {
                "pending_nonce": "1s",
                "head_age_warn": "10m",
                "head_age_critical": "20m",
            },
        }
        self.config.write_text(yaml.safe_dump(document))

    def __call__(self, *words: str) -> Outcome:
        return self.operator.run("--config", str(self.config), "--headless", *words)

    def check(self) -> Outcome:
        return self("check", "--format", "json")


@pytest.fixture
def ask(stage: Stage, net: Devnet, operator: Operator, tmp_path: Path) -> Iterator[Ask]:
    with stage.holding(running_proxy(net.url)) as proxy:
        yield Ask(operator, net, proxy, tmp_path)


def test_an_endpoint_50_blocks_behind_that_says_it_is_synchronised(stage: Stage, ask: Ask) -> None:
    stage.do(ask.net.mine(60))
    newest = int(stage.do(ask.net.rpc.call("eth_blockNumber")), 16)
    old = stage.do(ask.net.rpc.call("eth_getBlockByNumber", hex(newest - 50), False))

    def behind(call: Answer) -> Answer | None:
        latest = call["method"] == "eth_getBlockByNumber" and call["params"][0] == "latest"
        return {"result": old} if latest else None

    ask.proxy.fault = behind
    outcome = ask.check()
    found = outcome.finding("rpc-lagging@other")
    assert (found["severity"], found["summary"]) == ("WARNING", "50 blocks behind own")
    assert outcome.severity("rpc-syncing@other") == "OK"
    assert "eth_syncing false" in outcome.finding("rpc-syncing@other")["evidence"][0]
    # Its view of L1 is as old, which follows from it.
    assert outcome.finding("rpc-l1-view@other")["cause"] == "rpc-lagging@other"
    status = ask("status", "--format", "json").json
    verdicts = {one["rpc"]: one for one in status["rpc_verdicts"]}
    assert (verdicts["other"]["verdict"], verdicts["own"]["verdict"]) == ("behind", "well")
    assert verdicts["other"]["because"] == "rpc-lagging@other"
    assert verdicts["own"]["requests"] == 1
    text = ask("status").out
    assert "other: BEHIND: 50 blocks behind own (rpc-lagging@other)" in text
    assert "own: 1 request with" in text


def test_two_endpoints_that_disagree_are_both_named(stage: Stage, ask: Ask) -> None:
    stage.do(ask.net.mine(200))

    final = stage.do(ask.net.rpc.call("eth_getBlockByNumber", "finalized", False))

    def forked(call: Answer) -> Answer | None:
        other = {"result": {**final, "hash": "0x" + "ee" * 32}}
        return other if call["params"][:1] == ["finalized"] else None

    ask.proxy.fault = forked
    outcome = ask.check()
    for name, another in (("own", "other"), ("other", "own")):
        found = outcome.finding(f"rpc-disagree@{name}")
        assert found["severity"] == "CRITICAL"
        assert f"follows another chain than {another}" in found["summary"]
        assert "0x" + "ee" * 32 in found["evidence"][0]
        assert final["hash"] in found["evidence"][0]


def test_a_dropped_transaction_is_missed_by_the_next_run(stage: Stage, ask: Ask) -> None:
    lost = stage.do(ask.net.stuck_transaction(ask.signer))
    before = ask.check()
    assert before.reading("SignerAccount", ask.signer.lower())["value"]["pending_nonce"] == 1
    assert before.severity("transaction-lost@s") == "OK"
    stage.do(ask.net.rpc.call("anvil_dropTransaction", lost))
    later_by(ask, 60.0)
    found = ask.check().finding("transaction-lost@s")
    assert found["severity"] == "WARNING"
    assert "is gone and was not mined: nonce 0 is still unused" in found["summary"]
    assert found["remedy"]


def test_a_dropped_transaction_is_missed_by_its_hash_where_the_pool_told_it(
    stage: Stage, ask: Ask
) -> None:
    lost = stage.do(ask.net.stuck_transaction(ask.signer))
    waiting = {lost: {"hash": lost, "nonce": "0x0", "gasPrice": "0x1"}}

    def pool(call: Answer) -> Answer | None:
        if call["method"] != "txpool_contentFrom":
            return None
        is_own = call["params"][0] == ask.signer.lower()
        return {"result": {"pending": waiting if is_own else {}, "queued": {}}}

    ask.proxy.fault = pool
    assert ask.check().severity("transaction-lost@s") == "OK"
    known = ask.check().finding("transaction-lost@s")
    assert known["summary"] == f"{lost} is known and not mined yet"
    stage.do(ask.net.rpc.call("anvil_dropTransaction", lost))
    waiting.clear()
    later_by(ask, 60.0)
    found = ask.check().finding("transaction-lost@s")
    assert found["severity"] == "CRITICAL"
    assert f"{lost} is known to no endpoint" in found["summary"]
    assert "nonce 0 is unused" in found["summary"]
    assert "other: unknown, own: unknown" in found["evidence"][1]
    stage.do(ask.net.resume())
    # The next transaction takes the nonce: nothing is missing any more.
    stage.do(ask.net.rpc.call("eth_sendTransaction", {"from": ask.signer, "to": ask.signer}))
    settled = ask.check()
    assert settled.severity("transaction-lost@s") == "OK"
    assert settled.reading("SentTransactions", "devnet")["value"]["sent"] == []


def later_by(ask: Ask, seconds: float) -> None:
    """As if so much time had gone by since the last run: what it left is so much older."""
    now = time.time()

    def aged(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: aged(item) for key, item in value.items()}
        if isinstance(value, list):
            return [aged(item) for item in value]
        return value - seconds if isinstance(value, float) and value > now - 1000 else value

    for name in ("pending", "sent"):
        for path in ask.operator.state.glob(f"{name}-*.json"):
            path.write_text(json.dumps(aged(json.loads(path.read_text()))))
