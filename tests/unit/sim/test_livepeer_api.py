"""The CLI API of simulated nodes has the quirks of the real one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from lptui.clock import FrozenClock
from lptui.sim.serve.http import HttpReply, HttpRequest, Later
from lptui.sim.serve.livepeer import GATED, LivepeerApi
from lptui.sim.world.build import REGISTERED, build_world, registered
from lptui.sim.world.world import World


class Node:
    """A node's API, and the world's clock."""

    def __init__(self, name: str) -> None:
        self.clock = FrozenClock()
        self.world: World = build_world(self.clock, hosts=None, seed=1)
        self.process = self.world.nodes[name]

    def raw(self, path: str, **form: str) -> HttpReply | Later:
        api = LivepeerApi(self.world, self.process)
        return api(HttpRequest("GET", path, "", {}, b"", form))

    def get(self, path: str, **form: str) -> HttpReply:
        reply = self.raw(path, **form)
        assert isinstance(reply, HttpReply)
        return reply

    def json(self, path: str) -> Any:
        reply = self.get(path)
        assert reply.content_type == "application/json"
        return json.loads(reply.body)

    async def sent(self, path: str) -> HttpReply:
        """A transaction's answer, with the world moving on while it is waited for."""
        reply = self.raw(path)
        if isinstance(reply, HttpReply):
            return reply
        task = asyncio.ensure_future(reply())
        async with asyncio.timeout(20):
            while not task.done():
                self.clock.advance(1.0)
                self.world.advance()
                await asyncio.sleep(0.02)
        return task.result()


def test_current_block_is_raw_bytes() -> None:
    node = Node("orch-1")
    reply = node.get("/currentBlock")
    assert int.from_bytes(reply.body, "big") == node.world.l2_block
    assert reply.content_type == "application/octet-stream"


def test_a_stalled_watcher_stands_still() -> None:
    node = Node("orch-1")
    node.process.stalled_at = 17
    node.clock.advance(100)
    assert node.get("/currentBlock").body == b"\x11"


def test_big_numbers_are_bare_and_prices_are_rational_strings() -> None:
    info = Node("reward").json("/orchestratorInfo")
    assert info["Transcoder"]["DelegatedStake"] > 2**64
    assert info["Transcoder"]["DeactivationRound"] == 2**256 - 1
    assert isinstance(info["PriceInfo"], str)


def test_a_node_of_a_fleet_is_not_itself_registered() -> None:
    info = Node("orch-2").json("/orchestratorInfo")
    assert info["Transcoder"]["Status"] == "Not Registered"


def test_no_cap_is_an_empty_body() -> None:
    assert Node("orch-1").get("/maxGasPrice").body == b""
    assert Node("reward").get("/maxGasPrice").body == b"2000000000"


def test_a_transcoder_has_no_chain() -> None:
    node = Node("transcoder-1")
    reply = node.get("/ethAddr")
    assert (reply.status, reply.body) == (500, b"missing ETH client\n")
    assert node.get("/EthChainID").body == b"0"
    assert node.get("/signMessage").status == 404


@pytest.mark.parametrize("route", sorted(GATED))
def test_gated_routes_are_unknown_without_the_flag(route: str) -> None:
    node = Node("reward")
    node.process.tx_routes = False
    reply = node.get(route, message="x")
    assert (reply.status, reply.body) == (404, b"404 page not found\n")


def test_an_open_gate_shows_by_the_missing_parameter_alone() -> None:
    node = Node("reward")
    before = dict(node.world.ledger.transactions)
    assert node.get("/signMessage").status == 400
    assert node.world.ledger.transactions == before


def test_metrics_need_the_flag_and_lack_what_never_happened() -> None:
    node = Node("reward")
    page = node.get("/metrics").body.decode()
    assert "livepeer_max_gas_price{" in page
    assert "livepeer_reward_call_errors" not in page
    node.process.work.reward_errors = 2
    assert "livepeer_reward_call_errors{" in node.get("/metrics").body.decode()
    node.process.monitor = False
    assert node.get("/metrics").status == 404


async def test_reward_blocks_until_it_is_mined_and_changes_the_chain() -> None:
    node = Node("reward")
    record = registered(node.world)
    number, block = node.world.ledger.round_at(node.world.l2_block), node.world.l2_block
    del record.rewards[-1]
    assert record.last_reward(block) == number - 1
    before = node.world.ledger.accounts[REGISTERED]
    nonce, balance = before.nonce, before.balance
    reply = await node.sent("/reward")
    assert (reply.status, reply.body) == (200, b"")
    assert record.last_reward(node.world.l2_block) == number
    assert (before.nonce, before.balance < balance) == (nonce + 1, True)
    assert node.world.ledger.logs[-1].topics[1].endswith(REGISTERED[2:])
    again = await node.sent("/reward")
    assert again.status == 500
    assert b"caller has already called reward for the current round" in again.body


async def test_two_rewards_at_once_cost_the_second_its_gas() -> None:
    node = Node("reward")
    del registered(node.world).rewards[-1]
    replies = await asyncio.gather(node.sent("/reward"), node.sent("/reward"))
    assert sorted(reply.status for reply in replies) == [200, 500]
    failed = next(reply for reply in replies if reply.status == 500)
    assert b"transaction failed txHash=0x" in failed.body


@pytest.mark.parametrize(
    ("name", "prepare", "said"),
    [
        ("orch-1", "", b"caller must be an active transcoder"),
        ("reward", "cap", b"current gas price exceeds maximum gas price max=0.0050 GWei"),
        ("reward", "poor", b"insufficient funds"),
        ("reward", "round", b"current round is not initialized"),
    ],
)
async def test_reward_fails_in_the_nodes_own_words(name: str, prepare: str, said: bytes) -> None:
    node = Node(name)
    ledger = node.world.ledger
    del registered(node.world).rewards[-1]
    if prepare == "cap":
        node.process.max_gas_price = 5_000_000
    elif prepare == "poor":
        ledger.accounts[REGISTERED].balance = 1
    elif prepare == "round":
        ledger.initialised.pop()
    reply = await node.sent("/reward")
    assert reply.status == 500
    assert reply.body.startswith(b"Error calling reward: ")
    assert said in reply.body


async def test_a_round_is_initialised_once() -> None:
    node = Node("initialiser")
    node.process.initialises = node.world.others_initialise = False
    node.world.ledger.initialised.pop()
    assert (await node.sent("/initializeRound")).status == 200
    again = await node.sent("/initializeRound")
    assert (again.status, b"round already initialized" in again.body) == (500, True)


def test_a_cap_of_zero_with_monitoring_drops_the_connection() -> None:
    assert Node("reward").get("/setMaxGasPrice", amount="0").drop


@pytest.mark.parametrize(("value", "status"), [("0", 400), ("x", 400), ("12", 200), ("auto", 200)])
def test_max_sessions(value: str, status: int) -> None:
    assert Node("orch-1").get("/setMaxSessions", maxSessions=value).status == status
