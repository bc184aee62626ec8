"""Logs, old state and receipts: what each client's answer means."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.clock import FrozenClock
from lptui.errors import ProblemKind, RpcError
from lptui.fleet.facts.chain import RewardEvent, RewardHistory
from lptui.fleet.facts.rpc import (
    RpcAbilities,
    RpcHead,
    SeenTransaction,
    SentTransaction,
    SentTransactions,
    TransactionState,
)
from lptui.fleet.reading import Key
from lptui.fleet.topology import Chain, Fleet, Orchestrator, Rpc
from lptui.fleet.units import Address, L2Block, Lptu
from lptui.probes.rpc import abilities
from lptui.probes.rpc.abilities import LOGS, RECEIPT, STATE
from lptui.probes.rpc.parse import parse_transaction
from lptui.probes.rpc.probe import RpcProbe
from lptui.transport.jsonrpc import rpc_error
from lptui.transport.protocols import Call
from tests.unit.probes.hostile import HOSTILE, JSON
from tests.unit.probes.rpc.scripted import NO_METHOD, ScriptedRpc, asking
from tests.unit.probes.rpc.test_head import RESULTS

TX = "0x" + "ab" * 32
WHO = Address("0x" + "12" * 20)
CONTROLLER = Address("0x" + "c0" * 20)
RPC = Rpc("own", "http://192.0.2.1:8547", None, chain_id=42161)
FLEET = Fleet(
    "f",
    rpcs={"own": RPC},
    chain=Chain("net", 42161, CONTROLLER, ("own",), (Orchestrator("main", WHO),)),
)


def error(code: int, message: str) -> RpcError:
    return rpc_error("own", {"code": code, "message": message})


def read(**results: Any) -> RpcAbilities:
    table = {LOGS: [], STATE: "0x0", **results}
    found = abilities.parse(table, TX if RECEIPT in table else "", 5.0)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("answer", "archive"),
    [
        ("0x0", True),
        ("0xde0b6b3a7640000", True),
        # geth and Nitro with hash-keyed state, geth with path-keyed state
        (
            error(-32000, f"missing trie node {'ab' * 32} (path ) state 0x01 is not available"),
            False,
        ),
        (error(-32000, "historical state 0x01 is not available"), False),
        # Nethermind
        (error(-32002, "No state available for block 1"), False),
        # Erigon
        (error(-32000, "old data not available due to pruning"), False),
        # Besu
        (None, False),
        # Reth
        (error(-32603, "State at block #1 is pruned"), False),
        # no block of that height, a method that is not there, too many requests
        (error(-32602, "BlockOutOfRangeError: block height is 9 but requested was 1"), None),
        (NO_METHOD, None),
        (error(-32005, "archive requests are rate limited"), None),
        ("<html>", None),
    ],
)
def test_whether_old_state_is_kept(answer: object, archive: bool | None) -> None:
    found = read(**{STATE: answer})
    assert found.archive is archive
    assert bool(found.archive_error) is (archive is None)


@pytest.mark.parametrize(
    ("answer", "logs"),
    [
        ([], ""),
        ([{"address": CONTROLLER}], ""),
        (error(-32601, "the method eth_getLogs does not exist"), "the method eth_getLogs does not"),
        (error(-32005, "too many requests"), None),
        (None, "not a list: null"),
        ({}, "not a list: an object of 0"),
    ],
)
def test_whether_logs_are_given(answer: object, logs: str | None) -> None:
    found = read(**{LOGS: answer}).logs
    assert found == logs or (logs and found and found.startswith(logs))


@pytest.mark.parametrize(
    ("answer", "known"),
    [({"status": "0x1"}, True), (None, False), (NO_METHOD, None), ("<html>", None)],
)
def test_whether_a_mined_transactions_receipt_is_known(answer: object, known: bool | None) -> None:
    found = read(**{RECEIPT: answer})
    assert (found.receipt_of, found.receipt) == (TX, known)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (None, SeenTransaction(TX, TransactionState.UNKNOWN)),
        ({"blockNumber": None}, SeenTransaction(TX, TransactionState.PENDING)),
        ({}, SeenTransaction(TX, TransactionState.PENDING)),
        (
            {"blockNumber": "0x10"},
            SeenTransaction(TX, TransactionState.MINED, L2Block(16)),
        ),
        ({"blockNumber": "latest"}, None),
        (NO_METHOD, None),
        ("<html>", None),
    ],
)
def test_what_an_endpoint_knows_of_a_transaction(
    answer: object, seen: SeenTransaction | None
) -> None:
    assert parse_transaction(TX, answer) == seen


@HOSTILE
@given(JSON, JSON, JSON)
def test_no_json_does_any_harm(logs: Any, state: Any, receipt: Any) -> None:
    found = read(**{LOGS: logs, STATE: state, RECEIPT: receipt})
    assert (found.logs or "").isprintable()
    assert found.archive_error.isprintable()
    with contextlib.suppress(ValueError):
        parse_transaction(TX, receipt)


@HOSTILE
@given(st.text())
def test_no_errors_text_does_any_harm(text: str) -> None:
    found = read(**{LOGS: error(-32000, text), STATE: error(-32000, text)})
    assert (found.logs or "").isprintable()


async def cycle(
    known: dict[Key, Any], clock: FrozenClock, fleet: Fleet = FLEET
) -> tuple[RpcHead, list[Call]]:
    table = {
        **RESULTS,
        "eth_getLogs": [],
        "eth_getBalance": "0x1",
        "eth_getTransactionReceipt": {"status": "0x1"},
        "eth_getTransactionByHash": None,
    }
    own = ScriptedRpc(lambda call: table[call.method])
    (answer,) = await RpcProbe().ask(asking(fleet, [own], known, clock), "own")
    (batch,) = own.batches
    return answer.value, batch


def methods(batch: list[Call]) -> list[str]:
    return [call.method for call in batch if call.method not in RESULTS]


async def test_they_go_along_with_the_head_and_only_now_and_then() -> None:
    clock = FrozenClock()
    first, batch = await cycle({}, clock)
    assert methods(batch) == ["eth_getLogs", "eth_getBalance"]
    assert batch[-2].params[0]["address"] == CONTROLLER
    # Before Nitro the chain was another client's: its first block is that after the genesis.
    assert batch[-1].params == (CONTROLLER, hex(22_207_818))
    known = {Key(RpcHead, "own"): first}
    clock.advance(FLEET.intervals.slow - 1)
    later, batch = await cycle(known, clock)
    assert methods(batch) == []
    assert later.abilities == first.abilities
    clock.advance(1)
    again, batch = await cycle(known, clock)
    assert methods(batch) == ["eth_getLogs", "eth_getBalance"]
    assert again.abilities == replace(first.abilities, read_at=clock.now())  # type: ignore[type-var]


async def test_the_newest_reward_is_the_canary() -> None:
    event = RewardEvent(None, L2Block(7), TX, Lptu(1))
    history = RewardHistory((), (event,), L2Block(0), L2Block(9))
    found, batch = await cycle({Key(RewardHistory, "main"): history}, FrozenClock())
    assert batch[-1] == Call("eth_getTransactionReceipt", (TX,))
    assert found.abilities is not None
    assert (found.abilities.receipt_of, found.abilities.receipt) == (TX, True)


async def test_an_endpoint_of_another_chain_is_not_said_to_miss_what_it_was_not_asked_for() -> None:
    history = RewardHistory(
        (), (RewardEvent(None, L2Block(7), TX, Lptu(1)),), L2Block(0), L2Block(9)
    )
    other = replace(FLEET, chain=replace(FLEET.chain, rpcs=()))  # type: ignore[type-var]
    found, batch = await cycle({Key(RewardHistory, "main"): history}, FrozenClock(), other)
    assert methods(batch) == ["eth_getLogs", "eth_getBalance"]
    assert found.abilities is not None
    assert (found.abilities.receipt_of, found.abilities.receipt) == ("", None)


async def test_unsettled_transactions_are_asked_for_each_time() -> None:
    clock = FrozenClock()
    first, _ = await cycle({}, clock)
    sent = SentTransactions((SentTransaction(TX, clock.now(), "a pool", WHO, 3),))
    found, batch = await cycle(
        {Key(RpcHead, "own"): first, Key(SentTransactions, "net"): sent}, clock
    )
    assert methods(batch) == ["eth_getTransactionByHash"]
    assert found.transactions == (SeenTransaction(TX, TransactionState.UNKNOWN),)


def test_a_rate_limit_is_told_from_state_that_is_gone() -> None:
    assert error(-32005, "archive requests are rate limited").kind is ProblemKind.RATE_LIMITED
