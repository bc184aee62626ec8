"""Transactions that nobody knows of any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import PooledTransaction, SignerAccount
from lptui.fleet.facts.rpc import (
    RpcHead,
    SeenTransaction,
    SentTransaction,
    SentTransactions,
    TransactionState,
)
from lptui.fleet.finding import Severity
from tests.snapshots import NETWORK, NOW, REDEEMER, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding

TX = "0x" + "ab" * 32
ID = "transaction-lost@redeemer"


def sent(seconds: float = 400.0, **states: TransactionState) -> FleetBuilder:
    """A transaction of the redeemer, first seen so long ago, as each endpoint knows it."""
    fleet = FleetBuilder()
    nonce = fleet.value(SignerAccount, REDEEMER).nonce
    at = NOW - seconds
    item = SentTransaction(TX, at, "the pool of nitro", REDEEMER, nonce, pooled_at=at)
    fleet.put(SentTransactions((item,)), NETWORK)
    for name, state in states.items():
        fleet.change(RpcHead, name, transactions=(SeenTransaction(TX, state),))
    return fleet


GONE, WAITS = TransactionState.UNKNOWN, TransactionState.PENDING


@pytest.mark.parametrize(
    ("fleet", "expected"),
    [
        (sent(400.0, nitro=GONE, reference=GONE), CRITICAL),
        (sent(200.0, nitro=GONE, reference=GONE), WARNING),
        # On its way from one client to the next.
        (sent(20.0, nitro=GONE, reference=GONE), OK),
        # One endpoint that has it is enough: pools are their own.
        (sent(400.0, nitro=GONE, reference=WAITS), OK),
        (sent(400.0, nitro=GONE), CRITICAL),
        # Nobody was asked yet.
        (sent(400.0), OK),
    ],
)
def test_one_that_no_endpoint_knows_is_lost(fleet: FleetBuilder, expected: Severity) -> None:
    found = finding(fleet, ID)
    assert found.severity is expected
    if expected in (WARNING, CRITICAL):
        assert TX in found.summary
        assert "known to no endpoint" in found.summary
        assert "nitro: unknown" in found.evidence[1]


def test_an_endpoint_that_did_not_say_is_named() -> None:
    found = finding(sent(400.0, nitro=GONE), ID)
    assert "reference: did not say" in found.evidence[1]


@pytest.mark.parametrize(("ago", "expected"), [(300.0, OK), (300.1, WARNING)])
def test_without_a_hash_a_nonce_that_is_pending_no_more_tells_it(
    ago: float, expected: Severity
) -> None:
    fleet = FleetBuilder().change(SignerAccount, REDEEMER, pending_since=NOW - ago)
    found = by_id(fleet)
    assert found[ID].severity is expected
    assert found["nonce-stuck@redeemer"].severity is OK


def test_an_unread_account_is_unknown() -> None:
    fleet = FleetBuilder().fail(SignerAccount, REDEEMER, ProblemKind.TIMEOUT)
    assert finding(fleet, ID).severity is UNKNOWN


def test_later_transactions_that_wait_show_that_one_before_them_is_lost() -> None:
    fleet = FleetBuilder()
    account = fleet.value(SignerAccount, REDEEMER)
    later = tuple(PooledTransaction(TX, account.nonce + n, queued=True) for n in (1, 2))
    found = finding(fleet.put(replace(account, pool=later), REDEEMER), ID)
    assert found.severity is WARNING
    assert f"nonce {account.nonce} is missing: 2 transactions" in found.summary
    first = PooledTransaction(TX, account.nonce)
    fleet.put(replace(account, pool=(first, *later)), REDEEMER)
    assert finding(fleet, ID).severity is OK
