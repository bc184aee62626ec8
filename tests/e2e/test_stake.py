"""Place, slashing and lost stake on a real chain, as cron sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.devnet.anvil import AnvilOptions
from tests.devnet.chain import LPT, Devnet
from tests.devnet.deploy import running_devnet
from tests.devnet.fixtures import require_anvil
from tests.e2e.command import Operator
from tests.e2e.stage import Stage


@dataclass(frozen=True, slots=True)
class Chained:
    """A chain, and a configuration that knows of nothing else."""

    net: Devnet
    stage: Stage
    operator: Operator
    config: Path

    @property
    def own(self) -> str:
        return self.net.accounts[1]

    def run(self, *words: str) -> Any:
        return self.operator.run("--config", str(self.config), "--headless", *words)

    def finding(self, check: str) -> dict[str, Any]:
        found: dict[str, Any] = self.run("check", "--format", "json").finding(f"{check}@main")
        return found

    def send(self, name: str, *arguments: Any, sender: str = "") -> None:
        self.stage.do(self.net.send(self.net.bonding, name, *arguments, sender=sender))


@pytest.fixture
def chained(stage: Stage, operator: Operator, tmp_path: Path) -> Iterator[Chained]:
    """The fleet's orchestrator has 1,000 LPT and is the third of four in a pool for four."""
    require_anvil()
    with stage.holding(running_devnet(AnvilOptions(block_time_s=1))) as net:
        stage.do(net.send(net.bonding, "setNumActiveTranscoders", 4))
        for account, lpt in zip(net.accounts[1:5], (1000, 3000, 2000, 900), strict=True):
            stage.do(net.bond(account, lpt * LPT))
        chain = {
            "network": "devnet",
            "controller": net.controller.address,
            "chain_id": net.chain_id,
            "rpcs": ["own"],
            "orchestrators": {"main": {"address": net.accounts[1]}},
        }
        config = tmp_path / "lptui.yaml"
        document = {
            "name": "stake",
            "intervals": {"timeout": "30s"},  # however busy the machine is
            "rpcs": {"own": {"url": net.url}},
            "chain": chain,
        }
        config.write_text(yaml.safe_dump(document))
        yield Chained(net, stage, operator, config)


def test_the_place_and_what_can_be_lost_before_the_last_one(chained: Chained) -> None:
    found = chained.finding("stake-margin")
    assert found["severity"] == "OK"
    assert found["summary"] == "place 3 of 4, 100.00 LPT (10.0 %) above the last"
    assert [one["value"] for one in found["metrics"]] == [3, str(100 * LPT)]
    rates = next(line for line in found["evidence"] if "reward cut" in line)
    assert "until this round's reward is called" in rates


def test_others_come_near_and_take_the_place(chained: Chained) -> None:
    chained.send("bond", 80 * LPT, chained.net.accounts[4], sender=chained.net.accounts[5])
    near = chained.finding("stake-margin")
    assert near["severity"] == "WARNING"
    assert "place 3 of 4, 20.00 LPT (2.0 %) above the last" in near["summary"]
    chained.send("bond", 21 * LPT, chained.net.accounts[4], sender=chained.net.accounts[5])
    last = chained.finding("stake-margin")
    assert "the last: whoever bonds more than 1000.00 LPT takes it" in last["summary"]
    chained.send("setStake", chained.net.accounts[6], 1500 * LPT)
    out = chained.finding("stake-margin")
    assert out["severity"] == "CRITICAL"
    assert "in no place of the pool of 4: it lacks 1.00 LPT" in out["summary"]
    assert out["cause"] == "orchestrator-active@main"
    # It is still active in this round, and leaves with the next.
    assert "leaves the active set" in chained.finding("orchestrator-active")["summary"]


def test_a_slashing_is_told_with_its_transaction_and_remembered_by_cron(chained: Chained) -> None:
    first = chained.finding("slashed")
    assert first["severity"] == "OK", first
    net = chained.net
    receipt = chained.stage.do(
        net.send(net.bonding, "slash", chained.own, 400 * LPT, net.accounts[7])
    )
    for _ in range(2):
        found = chained.finding("slashed")
        assert found["severity"] == "CRITICAL"
        assert "slashed in round 4200: 400.00 LPT lost" in found["summary"]
        assert any(receipt["transactionHash"] in line for line in found["evidence"])
        chained.stage.do(net.mine(200))
    dropped = chained.finding("stake-dropped")
    assert "400.00 LPT (40.0 %) lost" in dropped["summary"]
    assert dropped["cause"] == "slashed@main"


def test_stake_that_left_is_told_with_who_unbonded_it(chained: Chained) -> None:
    net, delegator = chained.net, chained.net.accounts[5]
    chained.send("bond", 500 * LPT, chained.own, sender=delegator)
    chained.stage.do(net.next_round())
    chained.stage.do(net.next_round())
    chained.send("unbond", 450 * LPT, sender=delegator)
    found = chained.finding("stake-dropped")
    assert found["severity"] == "WARNING"
    assert "450.00 LPT (30.0 %) lost since round 4201: 450.00 LPT unbonded" in found["summary"]
    assert any(delegator[:6].lower() in line for line in found["evidence"])


def test_stake_that_moved_to_another_leaves_no_log_and_is_seen_all_the_same(
    chained: Chained,
) -> None:
    delegator = chained.net.accounts[5]
    chained.send("bond", 500 * LPT, chained.own, sender=delegator)
    assert chained.finding("stake-dropped")["severity"] == "OK"
    chained.send("bond", 1, chained.net.accounts[2], sender=delegator)
    found = chained.finding("stake-dropped")
    assert found["severity"] == "WARNING"
    assert "500.00 LPT moved to others" in found["summary"]


def test_rates_cannot_be_changed_while_the_round_is_locked(chained: Chained) -> None:
    chained.stage.do(chained.net.reward(chained.own))
    chained.stage.do(chained.net.set_blocks_into_round(6000))
    evidence = chained.finding("stake-margin")["evidence"]
    assert any("changes are refused while the round is locked" in line for line in evidence)
