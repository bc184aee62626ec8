"""Which of the fleet's transactions are followed, and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.actions.sent import sent as recorded
from lptui.errors import RpcError
from lptui.fleet.facts.chain import PooledTransaction, SignerAccount
from lptui.fleet.facts.rpc import (
    RpcHead,
    SeenTransaction,
    SentTransaction,
    SentTransactions,
    TransactionState,
)
from lptui.fleet.units import L2Block, Wei
from lptui.probes.chain.reads import parse_account
from lptui.probes.chain.sent import LONGEST_S, followed
from tests.snapshots import NOW, REDEEMER, FleetBuilder

TX = "0x" + "ab" * 32
NOTHING = SentTransactions()


def pooled(nonce_ahead: int = 0) -> FleetBuilder:
    fleet = FleetBuilder()
    account = fleet.value(SignerAccount, REDEEMER)
    item = PooledTransaction(TX, account.nonce + nonce_ahead)
    return fleet.put(replace(account, pool=(item,)), REDEEMER)


def known(fleet: FleetBuilder, state: TransactionState) -> FleetBuilder:
    block = L2Block(7) if state is TransactionState.MINED else None
    return fleet.change(RpcHead, "nitro", transactions=(SeenTransaction(TX, state, block),))


def test_what_is_in_a_pool_is_followed() -> None:
    fleet = pooled()
    (item,) = followed(fleet.snapshot(), NOTHING, NOW).sent
    assert item == SentTransaction(
        TX, NOW, "the pool of nitro", REDEEMER, fleet.value(SignerAccount, REDEEMER).nonce, NOW
    )


def test_it_is_followed_when_it_is_gone_from_the_pool() -> None:
    before = followed(pooled().snapshot(), NOTHING, NOW)
    gone = known(FleetBuilder(), TransactionState.UNKNOWN)
    (item,) = followed(gone.snapshot(), before, NOW + 60).sent
    assert (item.seen_at, item.pooled_at) == (NOW, NOW)
    waits = known(FleetBuilder(), TransactionState.PENDING)
    (item,) = followed(waits.snapshot(), before, NOW + 60).sent
    assert item.pooled_at == NOW + 60


def test_it_is_settled_once_it_is_mined_or_its_nonce_is_used() -> None:
    before = followed(pooled().snapshot(), NOTHING, NOW)
    mined = known(FleetBuilder(), TransactionState.MINED)
    assert followed(mined.snapshot(), before, NOW) == SentTransactions((), (TX,))
    used = FleetBuilder()
    account = used.value(SignerAccount, REDEEMER)
    used.put(replace(account, nonce=account.nonce + 1, pending_nonce=account.nonce + 1), REDEEMER)
    assert followed(used.snapshot(), before, NOW) == SentTransactions((), (TX,))


def test_what_is_settled_is_not_taken_up_again() -> None:
    told = SentTransactions((SentTransaction(TX, NOW, "the reply to reward", REDEEMER),), (TX,))
    assert followed(FleetBuilder().snapshot(), told, NOW).sent == ()


def test_a_hash_alone_is_settled_by_a_later_nonce() -> None:
    told = SentTransactions((SentTransaction(TX, NOW, "the reply to reward", REDEEMER),))
    fleet = FleetBuilder()
    account = fleet.value(SignerAccount, REDEEMER)
    before = followed(fleet.snapshot(), told, NOW)
    assert before.sent[0].looked_nonce == account.nonce
    used = FleetBuilder().put(replace(account, nonce=account.nonce + 1), REDEEMER)
    assert followed(used.snapshot(), before, NOW) == SentTransactions((), (TX,))


def test_after_a_day_it_is_given_up() -> None:
    before = followed(pooled().snapshot(), NOTHING, NOW)
    gone = known(FleetBuilder(), TransactionState.UNKNOWN).snapshot()
    assert followed(gone, before, NOW + LONGEST_S - 1).sent
    assert not followed(gone, before, NOW + LONGEST_S).sent


CONTENT = {
    "pending": {
        "7": {"hash": TX, "nonce": "0x7", "maxFeePerGas": "0x3b9aca00", "gasPrice": "0x1"},
    },
    "queued": {"9": {"hash": "0x" + "CD" * 32, "nonce": "0x9", "gasPrice": "0x2"}},
}


def account(content: object) -> SignerAccount:
    results: dict[tuple[str, ...], object] = {
        ("balance", REDEEMER): "0x1",
        ("nonce", REDEEMER): "0x7",
        ("pending", REDEEMER): "0x8",
        ("pool", REDEEMER): content,
    }
    return parse_account(results, REDEEMER, None, NOW)


def test_the_pool_of_geth_is_read() -> None:
    assert account(CONTENT).pool == (
        PooledTransaction(TX, 7, False, Wei(1_000_000_000)),
        PooledTransaction("0x" + "cd" * 32, 9, True, Wei(2)),
    )
    assert account({"pending": {}, "queued": {}}).pool == ()


@pytest.mark.parametrize(
    "content",
    [
        RpcError("x", "the method txpool_contentFrom does not exist", code=-32601),
        None,
        [],
        "<html>",
        {"pending": [1]},
        {"pending": {"7": {"hash": "0x12", "nonce": "0x7"}}},
        {"pending": {"7": {"hash": TX, "nonce": 7}}},
    ],
)
def test_a_pool_that_cannot_be_read_is_not_known(content: object) -> None:
    read = account(content)
    assert read.pool is None
    assert read.pending == 1


def ended(summary: str, **changes: object) -> dict[str, object]:
    line: dict[str, object] = {
        "event": "ended",
        "at": "2027-01-15T08:00:00Z",
        "action": "reward",
        "outcome": "unknown",
        "facts": {"account": REDEEMER},
        "summary": summary,
    }
    return line | changes


TOLD = f"Error calling reward: timed out waiting for transaction receipt txHash={TX}"


def test_what_a_node_names_in_its_reply_is_followed() -> None:
    (item,) = recorded([ended(TOLD)], NOW - 86_400)
    assert (item.hash, item.sender, item.known_to) == (TX, REDEEMER, "the reply to reward")


@pytest.mark.parametrize(
    "line",
    [
        ended(TOLD, outcome="done"),
        ended(TOLD, at="2020-01-15T08:00:00Z"),
        ended(TOLD, at="yesterday"),
        ended(f"the proof is {TX}"),
        ended("txHash=0x12"),
        ended(TOLD, event="step"),
        {},
    ],
)
def test_what_is_done_or_old_or_no_hash_is_not(line: dict[str, object]) -> None:
    assert recorded([line], NOW - 86_400) == ()
