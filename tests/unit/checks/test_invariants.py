"""What must hold of the fleet as a whole."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import AdminState
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.facts.host import HostProcesses, Origin
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.topology import Role
from tests.snapshots import DELEGATE, REDEEMER, FleetBuilder
from tests.unit.checks.test_nodes import flags
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity


def silent(fleet: FleetBuilder, node: str) -> FleetBuilder:
    fleet.fail(NodeStatus, node, ProblemKind.REFUSED, "connection refused")
    return fleet.fail(NodeIdentity, node, ProblemKind.REFUSED, "connection refused")


def test_one_redeemer_serves() -> None:
    found = finding(FleetBuilder(), "redeemer-serving@main")
    assert (found.severity, found.summary) == (OK, "redeemer redeems the winning tickets")


def test_the_redeemer_is_gone() -> None:
    found = finding(silent(FleetBuilder(), "redeemer"), "redeemer-serving@main")
    assert found.severity is CRITICAL
    assert "no redeemer serves: redeemer is down (connection refused)" in found.summary
    assert found.cause == "node-up@redeemer"


def test_what_answers_in_the_redeemers_place_is_none() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "redeemer", is_redeemer=False)
    fleet = flags(fleet, "core-1", redeemer=None)
    found = finding(fleet, "redeemer-serving@main")
    assert found.severity is CRITICAL
    assert "runs, but is no redeemer" in found.summary
    assert found.cause == "role-mismatch@redeemer"
    assert severity(fleet, "role-mismatch@redeemer") is CRITICAL


def test_a_redeemer_on_a_lost_host_is_unknown() -> None:
    found = finding(FleetBuilder().lose_host("core-1"), "redeemer-serving@main")
    assert (found.severity, found.cause) == (UNKNOWN, "host-up@core-1")


def test_two_redeemers() -> None:
    fleet = FleetBuilder().configure_node(
        "orch-2", roles=frozenset({Role.REDEEMER}), account=REDEEMER
    )
    fleet = flags(fleet, "edge-2", orchestrator=None, redeemer="")
    fleet.change(NodeIdentity, "orch-2", is_orchestrator=False, is_redeemer=True)
    found = finding(fleet, "redeemer-serving@main")
    assert found.severity is WARNING
    assert "2 redeemers serve: redeemer, orch-2" in found.summary


def test_a_redeemer_that_only_the_orchestrators_know() -> None:
    fleet = FleetBuilder().configure_node("redeemer", roles=frozenset({Role.GATEWAY}))
    assert "redeemer-serving@main" not in by_id(fleet), "each orchestrator redeems its own"
    fleet = flags(fleet, "edge-1", redeemerAddr="192.0.2.5:8935")
    found = finding(fleet, "redeemer-serving@main")
    assert found.severity is WARNING
    assert "orch-1 name a redeemer" in found.summary
    assert "orch-1 has -redeemerAddr 192.0.2.5:8935" in found.evidence


def test_orchestrators_enough() -> None:
    assert severity(FleetBuilder(), "orchestrators-serving@example") is OK
    one = silent(FleetBuilder(), "orch-1")
    assert severity(one, "orchestrators-serving@example") is OK
    two = finding(one.limit(min_orchestrators=2), "orchestrators-serving@example")
    assert two.severity is CRITICAL
    assert two.summary == "1 of 2 orchestrators take work, at least 2 are to"
    assert two.cause == "node-up@orch-1"


def test_no_orchestrator_takes_work_when_its_balancer_gives_it_none() -> None:
    fleet = FleetBuilder()
    for name in ("o1", "o2"):
        fleet.change_server("front", name, admin=AdminState.MAINT)
    found = finding(fleet, "orchestrators-serving@example")
    assert found.severity is CRITICAL
    assert "no traffic from front" in found.evidence[0]


def test_orchestrators_that_cannot_be_asked_may_be_enough() -> None:
    fleet = FleetBuilder().lose_host("edge-1").lose_host("edge-2")
    assert severity(fleet, "orchestrators-serving@example") is UNKNOWN


def test_orchestrators_work_for_the_fleets_own() -> None:
    assert severity(FleetBuilder(), "recipients-agree@example") is OK
    fleet = flags(FleetBuilder(), "edge-2", ethOrchAddr=DELEGATE)
    found = finding(fleet, "recipients-agree@example")
    assert found.severity is CRITICAL
    assert "orch-2 works for 0xdddd" in found.summary
    own = flags(FleetBuilder(), "edge-2", ethOrchAddr=None)
    assert severity(own, "recipients-agree@example") is CRITICAL, "its own key is not registered"


def test_orchestrators_that_work_for_one_who_is_not_registered() -> None:
    fleet = FleetBuilder().change(OrchestratorRecord, "main", registered=False)
    found = finding(fleet, "recipients-agree@example")
    assert found.severity is CRITICAL
    assert "not registered on chain" in found.summary


def test_recipients_are_not_judged_where_no_process_tells_them() -> None:
    fleet = FleetBuilder().change(HostProcesses, "edge-1", livepeer=())
    assert "1 node for main" in finding(fleet, "recipients-agree@example").summary
    fleet.change(HostProcesses, "edge-2", livepeer=())
    assert "recipients-agree@example" not in by_id(fleet)


def test_a_recipient_that_an_unread_environment_may_name_is_not_known() -> None:
    fleet = flags(FleetBuilder(), "edge-2", ethOrchAddr=None)
    [process] = fleet.value(HostProcesses, "edge-2").livepeer
    hidden = replace(process, unread=(Origin.ENVIRONMENT,))
    fleet.change(HostProcesses, "edge-2", livepeer=(hidden,))
    assert severity(fleet, "recipients-agree@example") is OK
    found = finding(fleet, "recipient-expected@orch-2")
    assert found.severity is UNKNOWN
    assert "its environment could not be read" in found.summary


def asks(fleet: FleetBuilder, node: str, price: str) -> FleetBuilder:
    return fleet.change(NodeStatus, node, prices=(("default", Fraction(price)),))


def test_prices_that_differ_and_one_that_the_next_restart_takes_back() -> None:
    assert severity(FleetBuilder(), "prices-agree@main") is OK
    assert severity(FleetBuilder(), "price-drift@orch-2") is OK
    fleet = asks(FleetBuilder(orchestrators=3), "orch-2", "900")
    found = finding(fleet, "prices-agree@main")
    assert found.severity is WARNING
    assert found.summary == ("prices differ: orch-1, orch-3 1200 wei/pixel, orch-2 900 wei/pixel")
    assert found.cause == "price-drift@orch-2", "it is that node's price that differs"
    drift = finding(fleet, "price-drift@orch-2")
    assert drift.severity is WARNING
    assert drift.summary == "asks 900 wei/pixel, but starts with 1200 wei/pixel"
    assert severity(fleet, "price-drift@orch-1") is OK


def test_a_price_is_of_a_pixel_however_it_is_written() -> None:
    fleet = asks(FleetBuilder(), "orch-1", "5/2")
    fleet = flags(fleet, "edge-1", pricePerUnit="2500", pixelsPerUnit="1000")
    assert finding(fleet, "price-drift@orch-1").summary == "asks 2.5 wei/pixel, as it starts with"
    for written in ("0.5USD", "", "1/0", "x" * 50):
        odd = flags(FleetBuilder(), "edge-1", pricePerUnit=written)
        assert "price-drift@orch-1" not in by_id(odd), written
