"""Balances, runway, stuck nonces and gas caps, at their limits."""

from __future__ import annotations

import pytest

from lptui.fleet.facts.chain import (
    GasPrices,
    OrchestratorRecord,
    PooledTransaction,
    SignerAccount,
)
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.finding import Severity
from lptui.fleet.topology import Signer
from lptui.fleet.units import Wei
from tests.snapshots import DELEGATE, NETWORK, NOW, REDEEMER, REGISTERED, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

WARN = 50_000_000_000_000_000
CRIT = 10_000_000_000_000_000


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        (WARN, OK),
        (WARN - 1, WARNING),
        (CRIT, WARNING),
        (CRIT - 1, CRITICAL),
        (0, CRITICAL),
        (2**255, OK),
    ],
)
def test_balance(balance: int, expected: Severity) -> None:
    fleet = FleetBuilder().change(SignerAccount, REDEEMER, balance=Wei(balance))
    found = finding(fleet, "balance@redeemer")
    assert found.severity is expected
    assert found.metrics[0].value == balance
    assert (REDEEMER in found.remedy) == bool(expected)


def test_a_signer_may_have_limits_of_its_own() -> None:
    signer = Signer("redeemer", REDEEMER, "redeemer", Wei(3 * 10**17), Wei(2 * 10**17))
    fleet = FleetBuilder().configure(signers=(signer,))
    assert severity(fleet, "balance@redeemer") is WARNING
    zero = Signer("redeemer", REDEEMER, "redeemer", Wei(0), Wei(0))
    assert severity(fleet.configure(signers=(zero,)), "balance@redeemer") is OK


@pytest.mark.parametrize(
    ("cap", "expected"),
    [(6 * 10**11, OK), (6 * 10**11 + 1, WARNING), (None, OK), (0, OK)],
)
def test_the_balance_must_cover_a_call_at_the_nodes_gas_cap(
    cap: int | None, expected: Severity
) -> None:
    # 0.3 ETH over 500,000 gas.
    fleet = FleetBuilder().change(NodeIdentity, "reward", max_gas_price=cap)
    assert severity(fleet, "balance@registered") is expected
    assert severity(fleet, "balance@redeemer") is OK


@pytest.mark.parametrize(
    ("price", "cap", "expected"),
    [
        # 0.3 ETH over 500,000 gas is 600 gwei; the bid is twice the price, at most the cap.
        (3 * 10**11, 10**12, WARNING),
        (3 * 10**11 + 1, 10**12, CRITICAL),
        (3 * 10**11 + 1, 6 * 10**11, OK),
    ],
)
def test_a_balance_below_what_the_node_bids_now_is_critical(
    price: int, cap: int, expected: Severity
) -> None:
    fleet = FleetBuilder().change(NodeIdentity, "reward", max_gas_price=cap)
    fleet.change(GasPrices, NETWORK, gas_price=Wei(price))
    assert severity(fleet, "balance@registered") is expected


def test_a_delegated_caller_must_cover_its_cap_too() -> None:
    fleet = FleetBuilder()
    fleet.configure(signers=(Signer("caller", DELEGATE, "reward"),))
    fleet.change(OrchestratorRecord, "main", reward_caller=DELEGATE)
    fleet.change(NodeIdentity, "reward", account=DELEGATE, max_gas_price=Wei(10**12))
    fleet.put(SignerAccount(Wei(4 * 10**17), 1, 1), DELEGATE)
    assert severity(fleet, "balance@caller") is WARNING


@pytest.mark.parametrize(
    ("rounds", "expected"), [(30, OK), (29, WARNING), (7, WARNING), (6, CRITICAL), (0, CRITICAL)]
)
def test_runway(rounds: int, expected: Severity) -> None:
    price = Wei(10**11)
    fleet = FleetBuilder().change(GasPrices, NETWORK, gas_price=price)
    fleet.change(SignerAccount, REDEEMER, balance=Wei(price * 500_000 * (rounds + 1) - 1))
    found = finding(fleet, "runway@redeemer")
    assert found.severity is expected
    assert found.metrics[0].value == rounds


def test_free_gas_lasts_for_ever_and_is_no_division() -> None:
    found = finding(FleetBuilder().change(GasPrices, NETWORK, gas_price=Wei(0)), "runway@redeemer")
    assert found.severity is OK
    assert found.metrics[0].value is None


def test_without_a_gas_price_the_runway_is_unknown_but_not_the_balance() -> None:
    found = by_id(FleetBuilder().fail(GasPrices, NETWORK))
    assert found["runway@redeemer"].severity is UNKNOWN
    assert found["gas-cap@redeemer"].severity is UNKNOWN
    assert found["balance@redeemer"].severity is OK


@pytest.mark.parametrize(
    ("pending", "since", "expected"),
    [
        (0, None, OK),
        # One that is gone is no longer in the way.
        (0, NOW - 300.1, OK),
        (1, None, OK),
        (1, NOW - 300.0, OK),
        (1, NOW - 300.1, WARNING),
        (1, NOW + 50.0, OK),
    ],
)
def test_nonce_stuck(pending: int, since: float | None, expected: Severity) -> None:
    fleet = FleetBuilder().change(
        SignerAccount, REGISTERED, pending_nonce=4000 + pending, pending_since=since
    )
    assert severity(fleet, "nonce-stuck@registered") is expected


@pytest.mark.parametrize(("price", "expected"), [(10**9, OK), (10**9 + 1, WARNING)])
def test_gas_above_a_nodes_cap(price: int, expected: Severity) -> None:
    fleet = FleetBuilder().change(GasPrices, NETWORK, gas_price=Wei(price))
    assert severity(fleet, "gas-cap@reward") is expected
    fleet.change(NodeIdentity, "reward", max_gas_price=None, has_gas_cap=False)
    assert "gas-cap@reward" not in by_id(fleet)


def test_money_is_unknown_without_the_chain() -> None:
    fleet = FleetBuilder().fail(SignerAccount, REGISTERED)
    for check in ("balance", "runway", "nonce-stuck"):
        assert severity(fleet, f"{check}@registered") is UNKNOWN


def test_a_stuck_transaction_is_named_with_what_it_bids_where_the_pool_shows_it() -> None:
    tx = "0x" + "ab" * 32
    fleet = FleetBuilder().change(
        SignerAccount,
        REGISTERED,
        pending_nonce=4001,
        pending_since=NOW - 400.0,
        pool=(PooledTransaction(tx, 4000, max_fee=Wei(10_000_000)),),
    )
    found = next(f for f in by_id(fleet).values() if f.check == "nonce-stuck" and f.severity)
    assert found.severity is WARNING
    assert found.evidence[1] == f"{tx}, nonce 4000, bids 0.0100 gwei: waits to be mined"
