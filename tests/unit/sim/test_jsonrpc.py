"""The simulated execution clients speak JSON-RPC as the real ones do."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.probes.chain.redemption_logs import RedemptionQuery
from lptui.sim.serve.contracts import Contracts
from lptui.sim.serve.http import HttpReply, HttpRequest
from lptui.sim.serve.jsonrpc import IpcService, JsonRpcApi
from lptui.sim.world.build import REGISTERED, build_world, registered
from lptui.sim.world.ledger import REWARD, demo_address, word
from lptui.sim.world.services import FACE
from lptui.sim.world.world import World
from tests.unit.sim.recorder import Recorder


@pytest.fixture
def world() -> World:
    return build_world(FrozenClock(), hosts=None, seed=1)


def api(world: World, name: str = "nitro-1") -> JsonRpcApi:
    return JsonRpcApi(world, world.rpcs[name], Contracts(world.ledger, world.say))


def call(world: World, method: str, *params: object, rpc: str = "nitro-1") -> dict[str, Any]:
    asked = {"jsonrpc": "2.0", "id": 9, "method": method, "params": list(params)}
    answer = json.loads(api(world, rpc).answer(json.dumps(asked).encode()))
    assert answer["id"] == 9
    assert isinstance(answer, dict)
    return answer


def eth_call(world: World, to: str, data: str, tag: str = "latest", **more: str) -> dict[str, Any]:
    return call(world, "eth_call", {"to": to, "data": data, **more}, tag)


def test_a_batch_has_an_answer_or_an_error_for_each_call(world: World) -> None:
    names = ("eth_chainId", "net_peerCount", "eth_blockNumber")
    asked = [{"jsonrpc": "2.0", "id": n, "method": name} for n, name in enumerate(names)]
    answers = json.loads(api(world).answer(json.dumps(asked).encode()))
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    assert answers[0]["result"] == "0xa4b1"
    assert answers[1]["error"]["code"] == -32601
    assert int(answers[2]["result"], 16) == world.l2_block


def test_peers_and_pool_are_the_l1_clients_alone(world: World) -> None:
    assert call(world, "net_peerCount", rpc="geth-1")["result"] == "0x34"
    assert "pending" in call(world, "txpool_status", rpc="geth-1")["result"]
    assert "error" in call(world, "txpool_status")


def test_blocks_carry_the_l1_height_and_their_time(world: World) -> None:
    block = call(world, "eth_getBlockByNumber", "latest", False)["result"]
    assert int(block["l1BlockNumber"], 16) < int(block["number"], 16) // 10
    assert abs(int(block["timestamp"], 16) - world.clock.now()) <= 1
    assert (
        "l1BlockNumber"
        not in call(world, "eth_getBlockByNumber", "latest", False, rpc="geth-1")["result"]
    )


def test_clients_agree_on_hashes(world: World) -> None:
    height = hex(world.l2_block - 20)
    one, two = (
        call(world, "eth_getBlockByNumber", height, False, rpc=name)["result"]
        for name in ("nitro-1", "nitro-2")
    )
    assert one == two


def test_the_round_and_the_record_are_encoded(world: World) -> None:
    at = world.ledger.contracts
    number = world.ledger.round_at(world.l2_block)
    assert int(eth_call(world, at.rounds, "0x8a19c8bc")["result"], 16) == number
    assert int(eth_call(world, at.rounds, "0x219bc76c")["result"], 16) == 1
    record = eth_call(world, at.bonding, "0x5dce9948" + word(REGISTERED))["result"][2:]
    values = [int(record[start : start + 64], 16) for start in range(0, 640, 64)]
    assert values[0] == number
    assert values[1:3] == [100_000, 950_000]
    assert values[5] == 2**256 - 1


def test_the_controller_names_the_contracts(world: World) -> None:
    key = "2517d59a36a86548e38734e8ab416f42afff4bca78706a66ad65750dae7f9e37"
    found = eth_call(world, world.ledger.contracts.controller, "0xe16c7d98" + key)["result"]
    assert "0x" + found[-40:] == world.ledger.contracts.bonding


def test_strings_are_encoded_with_offset_length_and_padding(world: World) -> None:
    raw = eth_call(world, world.ledger.contracts.registry, "0x214c2a4b" + word(REGISTERED))
    data = bytes.fromhex(raw["result"][2:])
    assert int.from_bytes(data[:32], "big") == 32
    length = int.from_bytes(data[32:64], "big")
    assert data[64 : 64 + length].decode() == registered(world).service_uri
    assert len(data) % 32 == 0


def test_a_revert_is_code_3_with_its_reason_as_data(world: World) -> None:
    bonding = world.ledger.contracts.bonding
    error = eth_call(world, bonding, "0x228cb733", **{"from": REGISTERED})["error"]
    reason = "caller has already called reward for the current round"
    assert error["code"] == 3
    assert error["message"] == f"execution reverted: {reason}"
    assert bytes.fromhex(error["data"][10:])[64:].rstrip(b"\0").decode() == reason
    del registered(world).rewards[-1]
    assert eth_call(world, bonding, "0x228cb733", **{"from": REGISTERED})["result"] == "0x"


def test_addresses_without_code_answer_nothing(world: World) -> None:
    assert eth_call(world, demo_address("nobody"), "0x228cb733")["result"] == "0x"
    assert call(world, "eth_getCode", demo_address("nobody"), "latest")["result"] == "0x"


def test_a_client_that_stands_still_shows_the_past(world: World) -> None:
    record = registered(world)
    block, number = record.rewards[-1]
    world.rpcs["nitro-1"].stuck_at = block - 1
    data = "0x5dce9948" + word(REGISTERED)
    result = eth_call(world, world.ledger.contracts.bonding, data)["result"]
    assert int(result[2:66], 16) == number - 1
    assert call(world, "eth_syncing")["result"] is False


def test_logs_are_filtered_by_address_topics_and_range(world: World) -> None:
    head = world.l2_block
    query = {
        "address": world.ledger.contracts.bonding,
        "topics": [REWARD, "0x" + word(REGISTERED)],
        "fromBlock": hex(head - 20_000),
        "toBlock": "latest",
    }
    logs = call(world, "eth_getLogs", query)["result"]
    assert len(logs) == 4
    assert {log["topics"][0] for log in logs} == {REWARD}
    assert all(int(log["blockNumber"], 16) >= head - 20_000 for log in logs)
    receipt = call(world, "eth_getTransactionReceipt", logs[-1]["transactionHash"])["result"]
    assert receipt["status"] == "0x1"
    assert logs[-1] in receipt["logs"]
    sender = call(world, "eth_getTransactionByHash", logs[-1]["transactionHash"])["result"]["from"]
    assert sender == REGISTERED
    wide = {**query, "fromBlock": "0x0"}
    assert call(world, "eth_getLogs", wide)["error"]["code"] == -32005


def test_stuck_transactions_show_in_the_pending_nonce_alone(world: World) -> None:
    world.ledger.accounts[REGISTERED].stuck = 2
    latest, pending = (
        int(call(world, "eth_getTransactionCount", REGISTERED, tag)["result"], 16)
        for tag in ("latest", "pending")
    )
    assert pending - latest == 2


@pytest.mark.parametrize(
    ("fault", "status"), [("html", 504), ("rate", 429), ("truncated", 200), ("odd", 200)]
)
def test_faults(world: World, fault: str, status: int) -> None:
    world.rpcs["nitro-1"].fault = fault
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
    served = api(world)
    reply: HttpReply = served.handle(HttpRequest("POST", "/", "", {}, body, {}))
    assert reply.status == status
    with pytest.raises(ValueError, match=r".*"):
        json.loads(reply.body)
    if fault == "odd":
        second = served.handle(HttpRequest("POST", "/", "", {}, body, {}))
        assert json.loads(second.body)["result"] == "0xa4b1"


def test_ipc_answers_line_by_line_and_unterminated_texts(world: World) -> None:
    link = Recorder()
    service = IpcService(link, api(world, "geth-1"))
    service.received(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}\n{"jsonrpc":"2.0","id":2,')
    assert json.loads(link.sent) == {"jsonrpc": "2.0", "id": 1, "result": "0x1"}
    service.received(b'"method":"eth_chainId"}')
    assert json.loads(link.sent.splitlines()[1])["id"] == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
METHODS = st.sampled_from(
    ["eth_call", "eth_getLogs", "eth_getBlockByNumber", "eth_feeHistory", "eth_getBalance", "x"]
)


@settings(max_examples=120, deadline=None)
@given(METHODS, JSON)
@example("eth_feeHistory", [-(2**63) - 1])
def test_no_parameters_raise(method: str, params: object) -> None:
    world = build_world(FrozenClock(), hosts=12, seed=1)
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = json.loads(api(world).answer(json.dumps(asked).encode()))
    assert ("result" in answer) != ("error" in answer)


def test_redeemed_tickets_are_logged_as_the_ticket_broker_does(world: World) -> None:
    head = world.l2_block
    query = RedemptionQuery(world.ledger.contracts.broker, (REGISTERED,))
    asked = query.call(head - 1_000_000, head)
    found = query.parse(call(world, asked.method, *asked.params)["result"])
    rounds = Counter(world.ledger.round_at(log.block) for log in found)
    assert len(rounds) == 4
    assert {log.value for log in found} == {FACE}
    kept = world.nodes["redeemer"].queue.tickets
    assert Counter(ticket.round for ticket in kept if ticket.redeemed) == rounds
