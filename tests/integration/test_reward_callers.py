"""Who may call, as `check` and `reward` find it on a real chain: two keys, two nodes, no money."""

from __future__ import annotations

from typing import Any

from tests.chain_bench import Bench, bench
from tests.devnet.call_log import CallLog
from tests.devnet.livepeer import NodeFactory
from tests.devnet.node.config import Role
from tests.waiting import until

__all__ = ["bench"]

pytest_plugins = ("tests.devnet.fixtures",)


async def findings(bench: Bench) -> dict[str, Any]:
    done = await bench.lptui("check", "--format", "json")
    return {f"{one['check']}@{one['target']}": one for one in done.json["findings"]}


async def test_two_nodes_with_the_registered_key_are_told_and_one_call_is_made(
    bench: Bench, livepeer_node: NodeFactory, call_log: CallLog
) -> None:
    """Both call by themselves: the chain takes one, and the other one's is refused."""
    nodes = [bench.node]
    nodes.append(await livepeer_node(bench.net, account=bench.account, name="twin"))
    # The configuration may not say so of two; found out it is all the same.
    bench.add_node(nodes[1], account=None)
    found = await findings(bench)
    twice = found["registered-key-once@main"]
    assert twice["severity"] == "CRITICAL"
    assert "reward and twin" in twice["summary"] or "reward, twin" in twice["summary"]
    done = await bench.lptui("reward", "--yes", "--format", "json")
    assert done.code == 0, done.out
    assert "2 nodes hold the registered key: reward, twin" in done.json["plan"]["warnings"]
    assert call_log.count("/reward") == 1
    # In the next round each makes its own try, as go-livepeer does.
    for node in nodes:
        node.config.automatic_reward = True
        await node.restart()
    number = await bench.net.next_round(blocks_into=20)
    await until(lambda: all(node.said for node in nodes), 60, "each node's own try")
    assert [f"Called reward for round {number}"] in [node.said for node in nodes]
    again = await bench.lptui("reward", "--yes")
    assert (again.code, call_log.count("/reward")) == (0, 1)


async def test_a_delegate_beside_the_registered_key_is_a_second_caller(
    bench: Bench, livepeer_node: NodeFactory
) -> None:
    hot = bench.net.accounts[2]
    node = await livepeer_node(
        bench.net,
        name="hot",
        role=Role.REWARD,
        account=hot,
        recipient=bench.account,
        delegated_rewards=True,
    )
    bench.add_node(node)
    revoked = (await findings(bench))["reward-delegate@main"]
    assert revoked["severity"] == "WARNING"
    assert "hot cannot call: the contract names nobody" in revoked["summary"]
    assert "reward can call" in revoked["summary"]
    await bench.net.set_reward_caller(bench.account, hot)
    found = await findings(bench)
    assert found["reward-delegate@main"]["severity"] == "OK"
    both = found["reward-called-once@main"]
    # Without units their flags are not seen: it is not claimed that both call.
    assert both["severity"] == "UNKNOWN"
    assert "reward (registered key)" in both["summary"]
    assert "hot (delegated key)" in both["summary"]


async def test_a_delegate_without_funds_is_told_and_not_asked(
    bench: Bench, livepeer_node: NodeFactory, call_log: CallLog
) -> None:
    cold, hot = bench.net.accounts[3], bench.net.accounts[4]
    await bench.net.bond(cold)
    await bench.net.set_reward_caller(cold, hot)
    await bench.net.set_balance(hot, 10**9)
    node = await livepeer_node(
        bench.net,
        name="hot",
        role=Role.REWARD,
        account=hot,
        recipient=cold,
        delegated_rewards=True,
    )
    bench.add_node(node)

    def cold_alone(document: Any) -> None:
        document["chain"]["orchestrators"] = {"main": {"address": cold, "reward_caller": "hot"}}

    bench.edit(cold_alone)
    found = (await findings(bench))["reward-caller-funds@main"]
    assert found["severity"] == "CRITICAL"
    assert found["remedy"] == f"send ETH to {hot.lower()}"
    done = await bench.lptui("reward", "--yes")
    assert done.code == 1
    assert "balance covers the highest cost" in done.out
    assert call_log.count("/reward") == 0
