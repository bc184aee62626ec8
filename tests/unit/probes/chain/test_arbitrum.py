"""The interface is that of the contracts on Arbitrum One: signatures, types and their order as the
deployments record them, and call data, answers and logs in their encoding.

`samples/arbitrum_recorded.json` is recorded, `samples/arbitrum_composed.json` is composed from the
published ABI; each says so itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from lptui.fleet.facts.chain import Contracts
from lptui.fleet.topology import Orchestrator
from lptui.fleet.units import Address, Round
from lptui.probes.chain import abi, codec
from lptui.probes.chain.logs import Query
from lptui.probes.chain.reads import parse_deposit, parse_orchestrator
from lptui.transport.protocols import Call

SAMPLES = Path(__file__).parent / "samples"
RECORDED: dict[str, Any] = json.loads((SAMPLES / "arbitrum_recorded.json").read_text())
COMPOSED: dict[str, Any] = json.loads((SAMPLES / "arbitrum_composed.json").read_text())
FUNCTIONS = {
    signature: found
    for contract in RECORDED["interface"].values()
    for signature, found in contract["functions"].items()
}
EVENTS = {
    signature: found["arguments"]
    for contract in RECORDED["interface"].values()
    for signature, found in contract["events"].items()
}
LIP_118 = {
    "transcoderToRewardCaller(address)",
    "rewardForTranscoder(address)",
    "setRewardCaller(address)",
    "RewardCallerSet(address,address)",
}
"""Not among the recorded deployments: known by the proposal's text alone."""

BY_SIGNATURE = {function.signature: function for function in abi.FUNCTIONS}
ORCHESTRATOR = Address("0x" + "11" * 20)
GATEWAY = Address("0x" + "22" * 20)
AT = {name: Address(found["address"].lower()) for name, found in RECORDED["deployed"].items()}
CONTRACTS = Contracts(
    AT["Controller"],
    AT["RoundsManager"],
    AT["BondingManager"],
    AT["ServiceRegistry"],
    AT["TicketBroker"],
    AT["Minter"],
)


@pytest.mark.parametrize("function", abi.FUNCTIONS, ids=lambda function: function.name)
def test_functions_return_what_the_deployed_contracts_do(function: abi.Function) -> None:
    if function.signature in LIP_118:
        assert function.signature not in FUNCTIONS
        return
    returns = FUNCTIONS[function.signature]["returns"]
    # A string is read as the bytes that it is: nobody promises that they are text.
    assert list(function.returns) == [kind.replace("string", "bytes") for kind in returns]


@pytest.mark.parametrize("event", abi.EVENTS, ids=lambda event: event.signature)
def test_events_carry_what_the_deployed_contracts_emit(event: abi.Event) -> None:
    if event.signature in LIP_118:
        assert event.signature not in EVENTS
        return
    arguments = EVENTS[event.signature]
    assert arguments[0]["indexed"]
    assert [item["type"] for item in arguments if not item["indexed"]] == list(event.data)


def test_tuples_are_in_the_order_that_is_relied_on() -> None:
    assert FUNCTIONS["getTranscoder(address)"]["names"] == [
        *("lastRewardRound", "rewardCut", "feeShare", "lastActiveStakeUpdateRound"),
        *("activationRound", "deactivationRound", "activeCumulativeRewards"),
        *("cumulativeRewards", "cumulativeFees", "lastFeeRound"),
    ]
    sender, reserve = FUNCTIONS["getSenderInfo(address)"]["components"]
    assert sender == ["deposit", "withdrawRound"]
    assert reserve == ["fundsRemaining", "claimedInCurrentRound"]
    bond = EVENTS["Bond(address,address,address,uint256,uint256)"]
    assert [item["name"] for item in bond] == [
        *("newDelegate", "oldDelegate", "delegator", "additionalAmount", "bondedAmount")
    ]


def test_proxies_ask_the_controller_by_the_hash_of_a_name() -> None:
    for name in ("RoundsManager", "BondingManager", "ServiceRegistry", "TicketBroker"):
        controller, target = RECORDED["deployed"][name]["args"]
        assert controller == RECORDED["deployed"]["Controller"]["address"]
        assert target == "0x" + keccak(text=f"{name}Target").hex()


def number(value: Any) -> Any:
    """Numbers beyond 2^53 are text in the samples."""
    if isinstance(value, list):
        return tuple(number(item) for item in value)
    return int(value) if isinstance(value, str) and value.isdigit() else value


def argument(kind: str, word: str) -> object:
    """What an argument's word stands for."""
    if kind == "bytes32":
        return bytes.fromhex(word)
    return f"0x{word[-40:]}" if kind == "address" else int(word, 16)


@pytest.mark.parametrize("sample", COMPOSED["calls"], ids=lambda sample: sample["function"])
def test_calls_and_answers_are_encoded_so(sample: dict[str, Any]) -> None:
    function = BY_SIGNATURE[sample["function"]]
    arguments = [
        argument(kind, word)
        for kind, word in zip(function.arguments, sample["data"][1:], strict=True)
    ]
    call = codec.view(Address(sample["to"]), function, *arguments)
    assert call == Call(
        "eth_call", ({"to": sample["to"], "data": "0x" + "".join(sample["data"])}, "latest")
    )
    if not function.returns:
        return
    decoded = codec.decode(function, "0x" + "".join(sample["answer"]))
    found = tuple(item.decode() if isinstance(item, bytes) else item for item in decoded)
    assert found == number(sample["means"])


def answer(signature: str) -> str:
    (sample,) = [one for one in COMPOSED["calls"] if one["function"] == signature]
    return "0x" + "".join(sample["answer"])


def test_an_orchestrators_record_is_read_from_such_answers() -> None:
    registered = Orchestrator("main", ORCHESTRATOR)
    signatures = {
        function.name: function.signature
        for function in abi.FUNCTIONS
        if any(one["function"] == function.signature for one in COMPOSED["calls"])
    }
    names = ("getTranscoder", "transcoderTotalStake", "pendingFees", "getServiceURI")
    results: dict[tuple[str, ...], Any] = {
        ("orchestrator", "main", name): answer(signatures[name]) for name in names
    }
    one = "0x" + f"{1:064x}"
    results |= {
        ("orchestrator", "main", abi.IS_ACTIVE.name): one,
        ("orchestrator", "main", abi.IS_REGISTERED.name): one,
        ("orchestrator", "main", abi.REWARD_CALLER.name): answer(abi.REWARD_CALLER.signature),
    }
    record = parse_orchestrator(results, registered)
    assert (record.last_reward_round, record.activation_round) == (4122, 2466)
    assert (record.reward_cut, record.fee_share) == (100_000, 950_000)
    assert record.deactivation_round is None
    assert record.stake == 123_456_789_012_345_678_901_234
    assert record.pending_fees == 42 * 10**16
    assert record.service_uri == "https://livepeer.example.org:8935"
    assert record.reward_caller == "0x" + "44" * 20
    assert record.has_reward_caller is True


def test_a_gateways_deposit_is_read_from_such_an_answer() -> None:
    deposit = parse_deposit({("deposit", GATEWAY): answer(abi.SENDER_INFO.signature)}, GATEWAY)
    assert (deposit.deposit, deposit.reserve, deposit.withdraw_round) == (
        3 * 10**17,
        36 * 10**16,
        0,
    )


QUERY = Query(CONTRACTS, (ORCHESTRATOR,), (Round(4123),))


@pytest.mark.parametrize(
    "sample", COMPOSED["logs"], ids=lambda sample: f"{sample['name']}-{sample['log']['logIndex']}"
)
def test_logs_are_read_so(sample: dict[str, Any]) -> None:
    found = QUERY.parse([sample["log"]])
    read: list[Any] = [*found.rewards, *found.rounds, *found.stakes]
    (log,) = read
    assert {name: getattr(log, name) for name in sample["means"]} == {
        name: number(value) for name, value in sample["means"].items()
    }
    assert log.block == int(sample["log"]["blockNumber"], 16)
    if not found.rounds:
        assert log.tx == sample["log"]["transactionHash"]


def test_a_recorded_log_of_another_contract_is_passed_over() -> None:
    log = RECORDED["log"]
    hexadecimal = {**log, "blockNumber": hex(log["blockNumber"]), "logIndex": hex(log["logIndex"])}
    assert QUERY.parse([hexadecimal]) == QUERY.parse([])


@pytest.mark.parametrize("sample", COMPOSED["sent"], ids=lambda sample: sample["signature"])
def test_transactions_that_nodes_send_begin_with_their_selector(sample: dict[str, Any]) -> None:
    selector = keccak(text=sample["signature"])[:4].hex()
    assert sample["data"][0] == selector
    arguments = sample["signature"].partition("(")[2].rstrip(")")
    assert len(sample["data"]) - 1 == (len(arguments.split(",")) if arguments else 0)
