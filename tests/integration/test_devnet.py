"""The stand-in chain and nodes are what the protocol and go-livepeer are described to be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import httpx
import pytest
from eth_utils.address import is_checksum_address
from eth_utils.crypto import keccak
from prometheus_client.parser import text_string_to_metric_families

from tests.devnet.anvil import Anvil, AnvilOptions, find_anvil, running_anvil
from tests.devnet.call_log import CallLog
from tests.devnet.chain import ETH, GWEI, LPT, Devnet, Receipt
from tests.devnet.compiler import compile_contract
from tests.devnet.contract import canonical_type
from tests.devnet.deploy import Protocol, deploy
from tests.devnet.facts import CONTRACT_IDS, EVENTS, NEVER, SELECTORS, Revert
from tests.devnet.livepeer import (
    ConnectedTranscoder,
    LivepeerNode,
    NodeFactory,
    Role,
    TxFault,
)
from tests.devnet.node.metrics import go_float
from tests.devnet.rpc import Rpc, RpcError
from tests.devnet.waiting import eventually

pytest_plugins = ("tests.devnet.fixtures",)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10, verify=False, trust_env=False) as client:
        yield client


async def refusal(net: Devnet, contract: Any, name: str, *arguments: Any, sender: str) -> str:
    """The reason a call is refused for, and that asking for gas gives the same."""
    with pytest.raises(RpcError) as asked:
        await contract.call(name, *arguments, sender=sender)
    with pytest.raises(RpcError) as estimated:
        await net.submit(contract, name, *arguments, sender=sender)
    assert asked.value.code == estimated.value.code == 3
    assert asked.value.message == estimated.value.message
    return asked.value.message.removeprefix("execution reverted: ")


def events(receipt: Receipt, signature: str, contract: str = "BondingManager") -> list[Any]:
    topic = EVENTS[contract][signature]
    return [log for log in receipt["logs"] if log["topics"][0] == topic]


# The interface of the contracts


@pytest.mark.parametrize("contract", SELECTORS)
def test_selectors_are_the_protocols(contract: str) -> None:
    compiled = compile_contract(contract).selectors
    for signature, selector in SELECTORS[contract].items():
        assert "0x" + keccak(text=signature)[:4].hex() == selector
        assert int(compiled[signature], 16) == int(selector, 16)


@pytest.mark.parametrize("contract", EVENTS)
def test_events_are_the_protocols(contract: str) -> None:
    declared = {
        entry["name"]: ",".join(
            ("*" if part["indexed"] else "") + canonical_type(part) for part in entry["inputs"]
        )
        for entry in compile_contract(contract).abi
        if entry["type"] == "event"
    }
    for signature, topic in EVENTS[contract].items():
        assert "0x" + keccak(text=signature.replace("*", "")).hex() == topic
        name, _, types = signature.removesuffix(")").partition("(")
        assert declared[name] == types


def test_contract_ids_are_hashes_of_their_names() -> None:
    assert {name: "0x" + keccak(text=name).hex() for name in CONTRACT_IDS} == CONTRACT_IDS


def test_tuples_have_the_protocols_members() -> None:
    outputs = {
        (name, entry["name"]): [canonical_type(part) for part in entry["outputs"]]
        for name in ("BondingManager", "TicketBroker")
        for entry in compile_contract(name).abi
        if entry["type"] == "function"
    }
    assert outputs["BondingManager", "getTranscoder"] == ["uint256"] * 10
    assert outputs["BondingManager", "getDelegator"] == [
        *["uint256", "uint256", "address"],
        *["uint256"] * 4,
    ]
    assert outputs["BondingManager", "transcoderStatus"] == ["uint8"]
    assert outputs["TicketBroker", "getSenderInfo"] == ["(uint256,uint256)"] * 2


async def test_controller_knows_every_contract(devnet: Devnet) -> None:
    for name, address in devnet.addresses.items():
        if name != "Controller":
            asked = bytes.fromhex(CONTRACT_IDS[name][2:])
            assert await devnet.controller.call("getContract", asked) == address
    unknown = await devnet.controller.call("getContract", keccak(text="LivepeerToken"))
    assert int(unknown, 16) == 0


# Anvil


async def test_anvil_is_real_and_stops(anvil: Anvil) -> None:
    options = AnvilOptions(chain_id=31337, block_time_s=1, first_block=7)
    async with running_anvil(options) as own, Rpc(own.url) as rpc:
        assert await rpc.call("eth_chainId") == "0x7a69"
        assert (await rpc.call("web3_clientVersion")).startswith("anvil/")
        assert int(await rpc.call("eth_blockNumber"), 16) >= 7
        with pytest.raises(RpcError) as missing:
            await rpc.call("net_peerCount")
        assert missing.value.code == -32601
    assert own.process.returncode is not None
    assert anvil.process.returncode is None


async def test_two_chains_have_ports_of_their_own(anvil: Anvil) -> None:
    async with running_anvil() as other:
        assert other.port != anvil.port


async def test_frozen_chain_accepts_and_never_answers(anvil: Anvil) -> None:
    async with Rpc(anvil.url, timeout_s=0.2) as rpc:
        anvil.freeze()
        with pytest.raises(httpx.ReadTimeout):
            await rpc.call("eth_chainId")
        anvil.thaw()
        assert await rpc.call("eth_chainId") == "0xa4b1"
        await anvil.kill()
        with pytest.raises(httpx.ConnectError):
            await rpc.call("eth_chainId")


def test_anvil_is_found_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LPTUI_ANVIL", "/nowhere/anvil")
    assert find_anvil() is None


# Rounds


async def test_round_clock_is_not_the_block_number(devnet: Devnet) -> None:
    height = int(await devnet.rpc.call("eth_blockNumber"), 16)
    assert height >= 460_000_000
    assert await devnet.clock() == 25_000_000
    await devnet.mine(3)
    assert await devnet.clock() == 25_000_000
    await devnet.advance_clock(12)
    assert await devnet.clock() == 25_000_012


async def test_round_arithmetic(devnet: Devnet) -> None:
    rounds = devnet.rounds
    length, start = await rounds.call("roundLength"), await rounds.call("currentRoundStartBlock")
    assert (length, start) == (6377, 24_999_000)
    await devnet.set_clock(start + length - 1)
    assert await devnet.current_round() == 4200
    await devnet.advance_clock(1)
    assert await devnet.current_round() == 4201
    assert await rounds.call("currentRoundStartBlock") == start + length


async def test_round_locks_in_its_last_tenth(devnet: Devnet) -> None:
    lock_start = 6377 - 6377 * 100_000 // 1_000_000
    await devnet.set_blocks_into_round(lock_start - 1)
    assert not await devnet.rounds.call("currentRoundLocked")
    await devnet.advance_clock(1)
    assert await devnet.rounds.call("currentRoundLocked")


async def test_clock_can_run_with_time(devnet: Devnet) -> None:
    await devnet.set_clock_rate(1 / 12)
    before = await devnet.clock()
    await devnet.pass_time(1200)
    assert await devnet.clock() - before in (99, 100)


async def test_initialising_a_round(devnet: Devnet) -> None:
    rounds, anyone = devnet.rounds, devnet.accounts[5]
    assert await rounds.call("currentRoundInitialized")
    assert (
        await refusal(devnet, rounds, "initializeRound", sender=anyone)
        == Revert.ALREADY_INITIALIZED
    )
    await devnet.next_round(initialize=False)
    assert await devnet.current_round() == 4201
    assert await rounds.call("lastInitializedRound") == 4200
    assert not await rounds.call("currentRoundInitialized")
    assert await rounds.call("blockHashForRound", 4201) == bytes(32)
    receipt = await devnet.initialize_round(anyone)
    (started,) = events(receipt, "NewRound(*uint256,bytes32)", "RoundsManager")
    assert int(started["topics"][1], 16) == 4201
    assert bytes.fromhex(started["data"][2:]) == await rounds.call("blockHashForRound", 4201)


async def test_skipped_rounds_stay_uninitialised(devnet: Devnet) -> None:
    await devnet.advance_clock(3 * 6377)
    await devnet.initialize_round()
    assert await devnet.rounds.call("lastInitializedRound") == 4203
    assert await devnet.rounds.call("blockHashForRound", 4202) == bytes(32)


async def test_pause_comes_before_every_other_reason(devnet: Devnet) -> None:
    orchestrator = devnet.accounts[1]
    await devnet.bond(orchestrator)
    await devnet.next_round(initialize=False)
    await devnet.pause()
    assert await devnet.controller.call("paused")
    for contract, name in ((devnet.bonding, "reward"), (devnet.rounds, "initializeRound")):
        assert await refusal(devnet, contract, name, sender=orchestrator) == Revert.PAUSED
    await devnet.unpause()
    await devnet.initialize_round()
    await devnet.reward(orchestrator)


# The active set and rewards


async def test_a_new_orchestrator_is_active_from_the_next_round(devnet: Devnet) -> None:
    one, bonding = devnet.accounts[1], devnet.bonding
    assert await bonding.call("transcoderStatus", one) == 0
    receipt = await devnet.send(bonding, "bond", 500 * LPT, one, sender=one)
    (activated,) = events(receipt, "TranscoderActivated(*address,uint256)")
    assert int(activated["data"], 16) == 4201
    assert await bonding.call("isRegisteredTranscoder", one)
    assert not await bonding.call("isActiveTranscoder", one)
    assert await refusal(devnet, bonding, "reward", sender=one) == Revert.NOT_ACTIVE
    record = await bonding.call("getTranscoder", one)
    assert (record[4], record[5]) == (4201, NEVER)

    await devnet.next_round(initialize=False)
    # Active by the clock alone, and yet not due.
    assert await bonding.call("isActiveTranscoder", one)
    assert await refusal(devnet, bonding, "reward", sender=one) == Revert.NOT_INITIALIZED
    await devnet.initialize_round()
    await devnet.reward(one)
    assert await devnet.last_reward_round(one) == 4201


async def test_reward_mints_once_a_round(devnet: Devnet) -> None:
    one, two = devnet.accounts[1:3]
    await devnet.bond(one, 300 * LPT)
    await devnet.bond(two, 100 * LPT)
    mintable = await devnet.minter.call("currentMintableTokens")
    receipt = await devnet.reward(one)
    (rewarded,) = events(receipt, "Reward(*address,uint256)")
    (treasury,) = events(receipt, "TreasuryReward(*address,address,uint256)")
    assert rewarded["address"] == devnet.bonding.address.lower()
    assert int(rewarded["topics"][1], 16) == int(one, 16)
    share = mintable * 3 // 4
    assert int(rewarded["data"], 16) == share - share // 10
    assert int(treasury["data"][66:], 16) == share // 10
    assert await devnet.bonding.call("transcoderTotalStake", one) == 300 * LPT + share * 9 // 10

    assert await refusal(devnet, devnet.bonding, "reward", sender=one) == Revert.ALREADY_REWARDED
    forced = await devnet.reward(one, gas=400_000)
    assert forced["status"] == "0x0"
    assert forced["logs"] == []
    assert int(forced["gasUsed"], 16) > 21_000


async def test_a_missed_reward_leaves_no_trace(devnet: Devnet) -> None:
    one = devnet.accounts[1]
    await devnet.bond(one)
    await devnet.next_round()
    await devnet.next_round()
    await devnet.reward(one)
    logs = await devnet.rpc.call(
        "eth_getLogs",
        {
            "address": devnet.bonding.address,
            "fromBlock": hex(devnet.first_block),
            "topics": [EVENTS["BondingManager"]["Reward(*address,uint256)"]],
        },
    )
    assert len(logs) == 1


async def test_leaving_takes_effect_in_the_next_round(devnet: Devnet) -> None:
    one, bonding = devnet.accounts[1], devnet.bonding
    await devnet.bond(one, 50 * LPT)
    await devnet.next_round()
    receipt = await devnet.send(bonding, "unbond", 50 * LPT, sender=one)
    assert events(receipt, "TranscoderDeactivated(*address,uint256)")
    assert not await bonding.call("isRegisteredTranscoder", one)
    assert await bonding.call("isActiveTranscoder", one)
    await devnet.reward(one)
    assert await refusal(devnet, bonding, "withdrawStake", 0, sender=one) == Revert.TOO_EARLY
    await devnet.next_round()
    assert not await bonding.call("isActiveTranscoder", one)


async def test_rates_are_refused_when_the_protocol_refuses_them(devnet: Devnet) -> None:
    one, bonding = devnet.accounts[1], devnet.bonding
    rates = ("transcoder", 100_000, 500_000)
    assert await refusal(devnet, bonding, *rates, sender=one) == Revert.NOT_REGISTERED
    assert await refusal(devnet, bonding, "bond", 0, one, sender=one) == Revert.NOTHING_BONDED
    await devnet.bond(one)
    assert await refusal(devnet, bonding, *rates, sender=one) == Revert.MUST_REWARD_FIRST
    await devnet.reward(one)
    receipt = await devnet.send(bonding, *rates, sender=one)
    assert events(receipt, "TranscoderUpdate(*address,uint256,uint256)")
    assert (await bonding.call("getTranscoder", one))[1:3] == (100_000, 500_000)
    await devnet.set_blocks_into_round(6000)
    assert await refusal(devnet, bonding, *rates, sender=one) == Revert.LOCKED


async def test_pool_is_walked_from_the_highest_stake(devnet: Devnet) -> None:
    one, two, three = devnet.accounts[1:4]
    for address, stake in ((one, 10), (two, 30), (three, 10)):
        await devnet.bond(address, stake * LPT)
    walked, at = [], await devnet.bonding.call("getFirstTranscoderInPool")
    while int(at, 16):
        walked.append(at)
        at = await devnet.bonding.call("getNextTranscoderInPool", at)
    assert walked == [two, one, three]
    assert await devnet.bonding.call("getTranscoderPoolSize") == 3
    assert await devnet.bonding.call("getTotalBonded") == 50 * LPT


async def test_a_full_pool_evicts_the_lowest(devnet: Devnet) -> None:
    one, two, three = devnet.accounts[1:4]
    await devnet.send(devnet.bonding, "setNumActiveTranscoders", 2)
    await devnet.bond(one, 10 * LPT)
    await devnet.bond(two, 20 * LPT)
    receipt = await devnet.send(devnet.bonding, "setStake", three, 15 * LPT)
    (evicted,) = events(receipt, "TranscoderDeactivated(*address,uint256)")
    assert int(evicted["topics"][1], 16) == int(one, 16)
    assert (await devnet.bonding.call("getTranscoder", one))[5] == 4201
    assert await devnet.bonding.call("isRegisteredTranscoder", one)


async def test_slashing(devnet: Devnet) -> None:
    one = devnet.accounts[1]
    await devnet.bond(one, 10 * LPT)
    receipt = await devnet.send(devnet.bonding, "slash", one, 4 * LPT, devnet.accounts[2])
    assert events(receipt, "TranscoderSlashed(*address,address,uint256,uint256)")
    assert await devnet.bonding.call("transcoderTotalStake", one) == 6 * LPT


async def test_reward_caller(devnet: Devnet) -> None:
    orchestrator, caller = devnet.accounts[1:3]
    await devnet.bond(orchestrator)
    bonding = devnet.bonding
    call = ("rewardForTranscoder", orchestrator)
    assert await refusal(devnet, bonding, *call, sender=caller) == Revert.NOT_REWARD_CALLER
    receipt = await devnet.set_reward_caller(orchestrator, caller)
    assert len(events(receipt, "RewardCallerSet(*address,*address)")[0]["topics"]) == 3
    assert await bonding.call("transcoderToRewardCaller", orchestrator) == caller
    rewarded = await devnet.reward_for(orchestrator, caller)
    (event,) = events(rewarded, "Reward(*address,uint256)")
    assert int(event["topics"][1], 16) == int(orchestrator, 16)


async def test_without_lip118_there_are_no_reward_callers(anvil: Anvil) -> None:
    net = await deploy(anvil, Protocol(lip118=False))
    with pytest.raises(RpcError) as refused:
        await net.bonding.call("transcoderToRewardCaller", net.accounts[1])
    assert refused.value.data in (None, "0x")
    await net.rpc.aclose()


# Other contracts


async def test_service_address(devnet: Devnet) -> None:
    one = devnet.accounts[1]
    assert await devnet.registry.call("getServiceURI", one) == ""
    receipt = await devnet.set_service_uri(one, "https://lb.example.com:8935")
    assert events(receipt, "ServiceURIUpdate(*address,string)", "ServiceRegistry")
    assert await devnet.registry.call("getServiceURI", one) == "https://lb.example.com:8935"


async def test_tickets_pay_fees_from_deposit_then_reserve(devnet: Devnet) -> None:
    payer, recipient = devnet.accounts[1:3]
    await devnet.bond(recipient)
    broker = devnet.broker
    with pytest.raises(RpcError, match=Revert.VALUE_MISMATCH):
        await devnet.send(broker, "fundDepositAndReserve", 2, 1, sender=payer, value=2)
    await devnet.fund_payer(payer, 3 * ETH, ETH)
    assert await broker.call("getSenderInfo", payer) == ((3 * ETH, 0), (ETH, 0))
    assert await broker.call("claimableReserve", payer, recipient) == ETH
    assert await broker.call("claimableReserve", payer, payer) == 0
    receipt = await devnet.redeem_ticket(payer, recipient, 7 * ETH // 2)
    signature = "WinningTicketRedeemed(*address,*address,uint256,uint256,uint256,uint256,bytes)"
    assert events(receipt, signature, "TicketBroker")
    assert await broker.call("getSenderInfo", payer) == ((0, 0), (ETH // 2, ETH // 2))
    assert await devnet.bonding.call("pendingFees", recipient, 0) == 7 * ETH // 2


async def test_stuck_transaction_and_recovery(devnet: Devnet) -> None:
    one = devnet.accounts[1]
    stuck = await devnet.stuck_transaction(one)
    assert await devnet.nonces(one) == (0, 1)
    with pytest.raises(TimeoutError):
        await devnet.receipt(stuck, 0.1)
    await devnet.resume()
    assert (await devnet.receipt(stuck))["status"] == "0x1"
    assert await devnet.nonces(one) == (1, 1)


# The node's HTTP interface


async def get(http: httpx.AsyncClient, node: LivepeerNode, path: str) -> httpx.Response:
    return await http.get(node.url + path)


async def test_numbers_and_texts(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    one = devnet.accounts[1]
    stake = 6_454_553_077_282_307_328_907
    await devnet.bond(one, stake)
    await devnet.set_service_uri(one, "https://orch.example.com:8935")
    node = await livepeer_node(devnet, account=one, price=Fraction(1, 3))
    block = await get(http, node, "/currentBlock")
    assert int.from_bytes(block.content, "big") == int(await devnet.rpc.call("eth_blockNumber"), 16)
    address = (await get(http, node, "/ethAddr")).text
    assert is_checksum_address(address)
    assert address == one
    assert (await get(http, node, "/EthChainID")).text == "42161"
    assert (await get(http, node, "/currentRound")).text == "4200"
    assert (await get(http, node, "/roundInitialized")).text == "true"
    assert int((await get(http, node, "/ethBalance")).text) > 9999 * ETH
    info = await get(http, node, "/orchestratorInfo")
    assert f'"DelegatedStake":{stake},' in info.text
    assert f'"DeactivationRound":{NEVER},' in info.text
    assert info.json()["PriceInfo"] == "1/3"
    record = info.json()["Transcoder"]
    assert record["Address"] == one.lower()
    assert (record["Status"], record["Active"]) == ("Registered", True)
    assert record["ServiceURI"] == "https://orch.example.com:8935"
    assert (await get(http, node, "/delegatorInfo")).json()["BondedAmount"] == stake
    assert (await get(http, node, "/protocolParameters")).json()["RoundLength"] == 6377
    addresses = (await get(http, node, "/contractAddresses")).json()
    assert addresses["BondingManager"] == devnet.bonding.address.lower()
    assert "ServiceRegistry" not in addresses
    assert (await get(http, node, "/senderInfo")).json()["Reserve"]["FundsRemaining"] == 0


async def test_status(livepeer_node: NodeFactory, http: httpx.AsyncClient) -> None:
    node = await livepeer_node(
        transcoders=[ConnectedTranscoder("10.0.0.7:41202", 8)], version="0.9.1"
    )
    status = await get(http, node, "/status")
    assert status.headers["content-type"] == "application/json"
    document = status.json()
    assert document["RegisteredTranscodersNumber"] == 1
    assert document["RegisteredTranscoders"] == [{"Address": "10.0.0.7:41202", "Capacity": 8}]
    assert document["LocalTranscoding"] is False
    assert document["BroadcasterPrices"] == {"default": "1200"}
    assert document["OrchestratorPoolInfos"] is None
    assert (await get(http, node, "/IsOrchestrator")).text == "true"
    assert (await get(http, node, "/IsRedeemer")).text == "false"


async def test_offchain_and_unknown_routes(
    livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    node = await livepeer_node(role=Role.TRANSCODER, monitor=False)
    refused = await get(http, node, "/ethAddr")
    assert (refused.status_code, refused.text) == (500, "missing ETH client\n")
    assert (await get(http, node, "/EthChainID")).text == "0"
    for path in ("/metrics", "/healthz", "/rewardCaller", "/nodeID"):
        missing = await get(http, node, path)
        assert (missing.status_code, missing.text) == (404, "404 page not found\n")


async def test_settings(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    node = await livepeer_node(devnet, account=devnet.accounts[1])
    zero = await http.post(node.url + "/setMaxSessions", data={"maxSessions": "0"})
    assert zero.status_code == 400
    # Any method will do.
    assert (await get(http, node, "/setMaxSessions?maxSessions=3")).status_code == 200
    assert node.config.max_sessions == 3
    with pytest.raises(httpx.RemoteProtocolError):
        await get(http, node, "/setMaxSessions?maxSessions=auto")

    uncapped = await get(http, node, "/maxGasPrice")
    assert (uncapped.content, uncapped.headers.get("content-type")) == (b"", None)
    missing = await http.post(node.url + "/setMaxGasPrice", data={"maxGasPrice": "5"})
    assert (missing.status_code, missing.text) == (400, "missing form param: amount\n")
    multipart = await http.post(node.url + "/setMaxGasPrice", files={"amount": (None, "5")})
    assert multipart.status_code == 400
    await http.post(node.url + "/setMaxGasPrice", data={"amount": str(2 * GWEI)})
    assert (await get(http, node, "/maxGasPrice")).text == "2000000000"
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(node.url + "/setMaxGasPrice", data={"amount": "0"})


async def test_signatures(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    node = await livepeer_node(devnet, account=devnet.accounts[1])
    assert (await get(http, node, "/signMessage")).text == "missing form param: message\n"
    assert len((await get(http, node, "/signMessage?message=hello")).content) == 65
    node.config.cli_tx_routes = False
    for path in ("/signMessage?message=hello", "/reward", "/initializeRound", "/setMaxGasPrice"):
        assert (await get(http, node, path)).status_code == 404
    assert (await get(http, node, "/status")).status_code == 200


async def test_metrics(devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient) -> None:
    one = devnet.accounts[1]
    node = await livepeer_node(devnet, account=one, name="orch-1", sessions=4)
    page = await get(http, node, "/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "reward_call_errors" not in page.text
    families = {f.name: f for f in text_string_to_metric_families(page.text)}
    (sample,) = families["livepeer_current_sessions_total"].samples
    assert sample.labels == {"node_id": f"{one}-orch-1", "node_type": "orch"}
    assert sample.value == 4
    node.metrics.count("ticket_value_recv", 12_345_678, sender="0xabc")
    node.metrics.observe("transcode_score", 1.4, profiles="P240p30fps16x9")
    page = await get(http, node, "/metrics")
    assert 'sender="0xabc"} 1.2345678e+07\n' in page.text
    assert "livepeer_transcode_score_bucket{" in page.text
    await node.restart()
    assert "ticket_value_recv" not in (await get(http, node, "/metrics")).text
    with pytest.raises(KeyError):
        node.metrics.count("no_such_series")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (10, "10"),
        (0.5, "0.5"),
        (123456, "123456"),
        (1_000_000, "1e+06"),
        (1795212256.25, "1.79521225625e+09"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers_in_metrics_look_like_gos(value: float, text: str) -> None:
    assert go_float(value) == text


async def test_reward_really_rewards(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    one = devnet.accounts[1]
    node = await livepeer_node(devnet, account=one)
    answer = await http.post(node.url + "/reward")
    assert answer.text == f"Error calling reward: execution reverted: {Revert.NOT_ACTIVE}\n"
    await devnet.bond(one)
    answer = await http.post(node.url + "/reward")
    assert (answer.status_code, answer.content) == (200, b"")
    assert await devnet.last_reward_round(one) == 4200
    latest = await devnet.rpc.call("eth_getBlockByNumber", "latest", True)
    assert latest["transactions"][0]["input"].startswith("0x81871056")
    answer = await http.get(node.url + "/reward")
    assert answer.status_code == 500
    assert Revert.ALREADY_REWARDED in answer.text
    await devnet.next_round(initialize=False)
    assert Revert.NOT_INITIALIZED in (await http.post(node.url + "/reward")).text
    assert (await http.post(node.url + "/initializeRound")).status_code == 200
    answer = await http.post(node.url + "/initializeRound")
    assert answer.text.startswith("could not initialize round: ")
    assert Revert.ALREADY_INITIALIZED in answer.text


async def test_delegated_reward(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    cold, hot = devnet.accounts[1:3]
    await devnet.bond(cold)
    node = await livepeer_node(
        devnet, role=Role.REWARD, account=hot, recipient=cold, delegated_rewards=True
    )
    assert Revert.NOT_REWARD_CALLER in (await http.post(node.url + "/reward")).text
    assert (await get(http, node, "/rewardCaller")).content == b""
    await devnet.set_reward_caller(cold, hot)
    assert (await get(http, node, "/rewardCaller")).text == hot
    assert (await http.post(node.url + "/reward")).status_code == 200
    latest = await devnet.rpc.call("eth_getBlockByNumber", "latest", True)
    assert latest["transactions"][0]["input"].startswith("0xb556966a")
    info = (await get(http, node, "/orchestratorInfo")).json()
    assert info["Transcoder"]["Address"] == cold.lower()


async def test_older_build_of_a_shared_recipient_shows_itself(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    recipient, own = devnet.accounts[1:3]
    await devnet.bond(recipient)
    node = await livepeer_node(devnet, account=own, recipient=recipient)
    info = (await get(http, node, "/orchestratorInfo")).json()
    assert info["Transcoder"]["Status"] == "Not Registered"
    assert Revert.NOT_ACTIVE in (await http.post(node.url + "/reward")).text


async def test_reward_under_a_gas_cap(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    one = devnet.accounts[1]
    await devnet.bond(one)
    node = await livepeer_node(devnet, account=one, max_gas_price=GWEI // 2)
    answer = (await http.post(node.url + "/reward")).text
    start = (
        "Error calling reward: current gas price exceeds maximum gas price max=0.5 GWei current="
    )
    assert answer.startswith(start)
    assert answer.endswith(" GWei\n")
    assert await devnet.nonces(one) == (0, 0)


async def test_reward_without_ether(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    one = devnet.accounts[1]
    await devnet.bond(one)
    await devnet.set_balance(one, 1000)
    node = await livepeer_node(devnet, account=one)
    assert "insufficient funds" in (await http.post(node.url + "/reward")).text


async def test_reward_with_a_fixed_gas_limit_pays_for_a_refusal(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    one = devnet.accounts[1]
    node = await livepeer_node(devnet, account=one, gas_limit=400_000)
    answer = (await http.post(node.url + "/reward")).text
    assert answer.startswith("Error calling reward: transaction failed txHash=0x")
    assert await devnet.nonces(one) == (1, 1)


async def test_reward_blocks_until_mined(
    devnet: Devnet,
    livepeer_node: NodeFactory,
    http: httpx.AsyncClient,
    call_log: CallLog,
) -> None:
    one = devnet.accounts[1]
    await devnet.bond(one)
    node = await livepeer_node(devnet, account=one, transaction_timeout_s=0.3)
    await devnet.stall()
    late = (await http.post(node.url + "/reward")).text
    assert late.startswith(
        "Error calling reward: timed out waiting for transaction receipt txHash="
    )
    await devnet.resume()
    # Reported as an error, and mined all the same.
    assert await devnet.last_reward_round(one) == 4200

    await devnet.next_round()
    node.config.tx_delay_s = 0.1
    answers = await asyncio.gather(*(http.post(node.url + "/reward") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 500]
    assert call_log.most_at_once("/reward") == 2
    assert call_log.count("/reward") == 3
    assert call_log.running("/reward") == 0


async def test_faults_of_a_transaction_route(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    one = devnet.accounts[1]
    await devnet.bond(one)
    node = await livepeer_node(devnet, account=one, tx_fault=TxFault.HANG)
    with pytest.raises(httpx.ReadTimeout):
        await http.post(node.url + "/reward", timeout=0.1)
    node.config.tx_fault = TxFault.FAIL
    node.config.tx_fault_cause = "nonce too low"
    answer = await http.post(node.url + "/reward")
    assert answer.text == "Error calling reward: nonce too low\n"
    node.config.tx_fault = TxFault.LIE
    assert (await http.post(node.url + "/reward")).status_code == 200
    node.config.tx_fault = TxFault.DROP
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(node.url + "/reward")
    assert await devnet.last_reward_round(one) == 0
    node.config.tx_fault = TxFault.DROP_AFTER
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(node.url + "/reward")
    assert await devnet.last_reward_round(one) == 4200


async def test_automatic_reward_tries_once(devnet: Devnet, livepeer_node: NodeFactory) -> None:
    one = devnet.accounts[1]
    await devnet.bond(one)
    node = await livepeer_node(devnet, account=one, automatic_reward=True)

    async def rewarded() -> bool:
        return await devnet.last_reward_round(one) == 4201

    async def spoke_twice() -> bool:
        return len(node.said) == 2

    await devnet.next_round()
    await eventually(rewarded)
    node.config.tx_fault = TxFault.FAIL
    await devnet.next_round()
    await eventually(spoke_twice)
    node.config.tx_fault = TxFault.NONE
    await asyncio.sleep(0.1)
    assert await rewarded()
    assert node.said[0] == "Called reward for round 4201"
    assert node.said[1].startswith("Error trying to call reward for round 4202")
    assert "livepeer_reward_call_errors" in node.metrics.render()


async def test_a_node_outlives_its_rpc_node(
    devnet: Devnet, livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    node = await livepeer_node(devnet, account=devnet.accounts[1])
    before = (await get(http, node, "/currentBlock")).content
    await devnet.anvil.kill()
    assert (await get(http, node, "/currentBlock")).content == before
    answer = await get(http, node, "/currentRound")
    assert answer.status_code == 500
    assert answer.text.endswith("connect: connection refused\n")
    assert (await get(http, node, "/status")).status_code == 200


async def test_frozen_and_overridden_nodes(
    livepeer_node: NodeFactory, http: httpx.AsyncClient
) -> None:
    node = await livepeer_node(name="o1")
    node.config.overrides["/status"] = (502, b"<html>bad gateway</html>")
    assert (await get(http, node, "/status")).status_code == 502
    node.config.frozen = True
    with pytest.raises(httpx.ReadTimeout):
        await http.get(node.url + "/status", timeout=0.1)
    port = node.port
    await node.stop()
    with pytest.raises(httpx.ConnectError):
        await get(http, node, "/status")
    node.config.frozen = False
    await node.start(port)
    assert json.loads((await get(http, node, "/getLogLevel")).text) == 3
