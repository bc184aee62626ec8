"""Deposits and reserves of gateways, at their limits, and while they are taken out."""

from __future__ import annotations

from typing import Any

import pytest

from lptui.fleet.facts.chain import SenderDeposit
from lptui.fleet.facts.livepeer import NodeIdentity
from lptui.fleet.finding import Severity
from lptui.fleet.topology import Endpoint, Node, Role
from lptui.fleet.units import Address, Round, Wei
from tests.snapshots import ROUND, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

PAYER = Address("0x" + "9a" * 20)
WARN = 5 * 10**16
CRIT = 10**16


def fleet(deposit: int = 10**18, reserve: int = 10**18, withdraw: int = 0) -> FleetBuilder:
    """The reference fleet and a gateway with these funds."""
    made = FleetBuilder()
    cli = Endpoint("http://127.0.0.1:5935", "core-1")
    gateway = Node("gateway", "core-1", frozenset({Role.GATEWAY}), cli=cli, account=PAYER)
    made.configure(nodes={**made.fleet.nodes, "gateway": gateway})
    return made.put(SenderDeposit(Wei(deposit), Wei(reserve), Round(withdraw)), PAYER)


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, OK, "deposit 1.000000 ETH, reserve 1.000000 ETH"),
        ({"deposit": WARN}, OK, ""),
        ({"deposit": WARN - 1}, WARNING, "deposit 0.049999 ETH, below 0.050000 ETH"),
        ({"deposit": CRIT - 1}, CRITICAL, "below 0.010000 ETH"),
        ({"reserve": WARN - 1}, WARNING, "reserve"),
        ({"reserve": 0}, CRITICAL, "reserve 0.000000 ETH"),
        ({"withdraw": ROUND + 2}, WARNING, f"from round {ROUND + 2} on: then orchestrators"),
        ({"withdraw": ROUND + 1}, CRITICAL, "orchestrators refuse it"),
        ({"withdraw": ROUND - 5}, CRITICAL, "orchestrators refuse it"),
    ],
)
def test_funds(changes: dict[str, Any], expected: Severity, words: str) -> None:
    found = finding(fleet(**changes), "gateway-funds@gateway")
    assert found.severity is expected
    assert words in found.summary
    assert bool(found.remedy) == bool(expected)


def test_limits_may_be_set() -> None:
    made = fleet(deposit=CRIT).limit(deposit_warn=Wei(0), deposit_critical=Wei(0))
    assert severity(made, "gateway-funds@gateway") is OK


def test_funds_that_could_not_be_read_are_not_well() -> None:
    assert severity(fleet().fail(SenderDeposit, PAYER), "gateway-funds@gateway") is UNKNOWN
    assert severity(fleet().drop(SenderDeposit, PAYER), "gateway-funds@gateway") is UNKNOWN


def test_a_gateway_off_chain_pays_nobody() -> None:
    made = fleet().drop(SenderDeposit, PAYER)
    made.put(NodeIdentity(None, False, False, None), "gateway")
    made.configure_node("gateway", account=None)
    assert "gateway-funds@gateway" not in by_id(made)
