"""Reward through real connections: what the chain shows counts, whatever becomes of the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.fleet import RealFleet
from tests.waiting import until


@pytest.fixture
def due(real_fleet: RealFleet) -> Iterator[RealFleet]:
    """The fleet in a new round; its reward takes the node a while."""
    stage, net = real_fleet.stage, real_fleet.net
    number = stage.do(net.next_round(blocks_into=1000))
    config = real_fleet.nodes["reward"].config
    config.tx_delay_s = 2.0
    try:
        yield real_fleet
    finally:
        config.tx_delay_s = 0.0
        if stage.do(net.last_reward_round(real_fleet.registered)) < number:
            stage.do(net.reward(real_fleet.registered))


@pytest.mark.slow
def test_a_connection_lost_during_the_call_is_no_failure(due: RealFleet) -> None:
    before = due.calls.count("/reward")
    with ThreadPoolExecutor(1) as pool:
        words = ("reward", "--yes", "--format", "json")
        run = pool.submit(due.run, *words, timeout_s=45.0)
        due.stage.do(until(lambda: due.calls.running("/reward") == 1, 60, "the call"))
        due.sshds["treasury"].cut()
        outcome = run.result()
    assert outcome.code == 0, outcome.out + outcome.err
    plan, result = outcome.json["plan"], outcome.json["result"]
    assert "the connection was lost" in plan["steps"][0]["detail"]
    assert result["proof"]["lastRewardRound"] == str(due.stage.do(due.net.current_round()))
    assert result["proof"]["tx"].startswith("0x")
    assert due.calls.count("/reward") == before + 1
