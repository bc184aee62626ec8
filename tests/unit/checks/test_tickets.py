"""Winning tickets that wait, expire, or are given up."""

from __future__ import annotations

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.chain import ChainRound, GasPrices
from lptui.fleet.facts.livepeer import NodeMetrics, NodeStatus
from lptui.fleet.facts.tickets import TicketQueue, TicketsOfRound
from lptui.fleet.finding import Severity
from lptui.fleet.topology import NO_DATABASE
from lptui.fleet.units import L1Block, Round, Wei
from tests.snapshots import NETWORK, ROUND, ROUND_LENGTH, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

FACE = 10**16


def waiting(*parts: tuple[int, int]) -> FleetBuilder:
    """(rounds ago, tickets) that are not redeemed."""
    queue = tuple(
        TicketsOfRound(Round(ROUND - behind), count, Wei(count * FACE)) for behind, count in parts
    )
    return FleetBuilder().change(TicketQueue, "redeemer", waiting=queue)


def with_left(fleet: FleetBuilder, blocks: int) -> FleetBuilder:
    """So many L1 blocks are left of the round."""
    clock = fleet.value(ChainRound, NETWORK)
    block = L1Block(clock.start_block + ROUND_LENGTH - blocks)
    return fleet.change(ChainRound, NETWORK, block=block)


@pytest.mark.parametrize(
    ("left", "expected"),
    [(ROUND_LENGTH // 2 + 1, OK), (ROUND_LENGTH // 2, WARNING), (600, WARNING), (599, CRITICAL)],
)
def test_tickets_of_the_last_round_are_lost_with_this_one(left: int, expected: Severity) -> None:
    found = finding(with_left(waiting((0, 2), (1, 3)), left), "tickets-expiring@redeemer")
    assert found.severity is expected
    assert "3 winning tickets to redeem, worth 0.030000 ETH" in found.summary
    values = {metric.label: metric.value for metric in found.metrics}
    assert values["tickets_waiting"] == 5
    assert values["value_expiring_wei"] == 3 * FACE


def test_a_gas_cap_that_keeps_them_from_being_redeemed_is_named() -> None:
    fleet = with_left(waiting((1, 3)), 100)
    assert "see the redeemer's balance" in finding(fleet, "tickets-expiring@redeemer").remedy
    fleet.change(GasPrices, NETWORK, gas_price=Wei(2_000_000_000))
    found = finding(fleet, "tickets-expiring@redeemer")
    assert found.remedy.startswith(
        "gas at 2.0000 gwei is above its cap of 1.0000 gwei: raise the cap"
    )
    assert (found.severity, found.action) == (CRITICAL, "set-max-gas-price")


def test_tickets_of_this_round_have_time() -> None:
    assert severity(with_left(waiting((0, 50)), 1), "tickets-expiring@redeemer") is OK


@pytest.mark.parametrize(("behind", "expected"), [(2, WARNING), (3, WARNING), (4, OK), (30, OK)])
def test_lost_tickets_are_told_for_two_rounds(behind: int, expected: Severity) -> None:
    found = finding(waiting((behind, 4)), "tickets-expiring@redeemer")
    assert found.severity is expected
    assert ("4 winning tickets expired" in found.summary) == bool(expected)


def test_a_ticket_worth_less_than_its_redemption_is_told_as_such() -> None:
    fleet = with_left(waiting((1, 1)), 100)
    # 1.2 million gas on Arbitrum.
    fleet.change(GasPrices, NETWORK, gas_price=Wei(FACE // 1_200_000 + 1))
    assert any(
        "more than it is worth" in line
        for line in finding(fleet, "tickets-expiring@redeemer").evidence
    )


def test_a_queue_that_is_not_read_whole_is_not_well() -> None:
    fleet = FleetBuilder().change(TicketQueue, "redeemer", complete=False)
    assert severity(fleet, "tickets-expiring@redeemer") is UNKNOWN


def test_a_database_that_its_process_does_not_name_is_explained_by_the_process() -> None:
    fleet = FleetBuilder().fail(TicketQueue, "redeemer", ProblemKind.NOT_CONFIGURED)
    fleet.fail(NodeStatus, "redeemer", ProblemKind.REFUSED)
    found = finding(fleet, "tickets-expiring@redeemer")
    assert (found.severity, found.cause) == (UNKNOWN, "node-up@redeemer")
    fleet.configure_node("redeemer", database="/srv/lpdb.sqlite3")
    assert finding(fleet, "tickets-expiring@redeemer").cause == ""


def test_without_sqlite3_nothing_is_claimed() -> None:
    why = "sqlite3 is not installed there"
    fleet = FleetBuilder().fail(TicketQueue, "redeemer", ProblemKind.COMMAND_NOT_FOUND, why)
    found = finding(fleet, "tickets-expiring@redeemer")
    assert found.severity is UNKNOWN
    assert why in found.summary
    fleet.change(NodeMetrics, "redeemer", redemption_errors=0)
    errors = finding(fleet, "redemption-errors@redeemer")
    assert errors.severity is OK
    assert any(why in line for line in errors.evidence)


def test_without_the_round_nothing_is_claimed() -> None:
    fleet = FleetBuilder().fail(ChainRound, NETWORK)
    assert severity(fleet, "tickets-expiring@redeemer") is UNKNOWN


def test_a_lost_host_explains_it() -> None:
    found = by_id(FleetBuilder().lose_host("core-1"))
    assert found["tickets-expiring@redeemer"].severity is UNKNOWN
    assert found["tickets-expiring@redeemer"].cause == "host-up@core-1"


def test_a_queue_may_be_left_out() -> None:
    fleet = FleetBuilder().configure_node("redeemer", database=NO_DATABASE)
    assert not {"tickets-expiring@redeemer", "redemption-errors@redeemer"} & set(by_id(fleet))


def test_an_orchestrator_with_a_database_of_its_own_is_looked_at() -> None:
    fleet = FleetBuilder().configure_node("orch-1", database="/srv/lpdb.sqlite3")
    assert severity(fleet, "tickets-expiring@orch-1") is UNKNOWN
    assert "tickets-expiring@orch-2" not in by_id(fleet)


@pytest.mark.parametrize(("behind", "expected"), [(0, WARNING), (1, WARNING), (2, OK)])
def test_tickets_given_up(behind: int, expected: Severity) -> None:
    lost = (TicketsOfRound(Round(ROUND - behind), 2, Wei(2 * FACE)),)
    fleet = FleetBuilder().change(TicketQueue, "redeemer", given_up=lost)
    assert severity(fleet, "redemption-errors@redeemer") is expected


@pytest.mark.parametrize(("errors", "expected"), [(0, OK), (1, WARNING)])
def test_metrics_stand_in_for_the_database(errors: int, expected: Severity) -> None:
    fleet = FleetBuilder().change(NodeMetrics, "redeemer", redemption_errors=errors)
    assert severity(fleet, "redemption-errors@redeemer") is OK, "the database knows better"
    fleet.fail(TicketQueue, "redeemer")
    assert severity(fleet, "redemption-errors@redeemer") is expected
    fleet.change(NodeMetrics, "redeemer", monitored=False)
    found = finding(fleet, "redemption-errors@redeemer")
    assert found.severity is UNKNOWN
    assert found.cause == "tickets-expiring@redeemer"
