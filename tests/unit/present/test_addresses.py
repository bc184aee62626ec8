"""The public addresses among the load balancers."""

from __future__ import annotations

from lptui.checks import run_checks
from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.links import Attempt, Place, PublicAddresses
from lptui.history.series import History
from lptui.present import balancers
from lptui.present.model import Row, State
from lptui.present.view import Findings, Memo, View
from tests.snapshots import NOW, SERVICE_URI, FleetBuilder

USERS = (("orchestrator", "main"), ("balancer", "front"))
REFUSED = Problem(ProblemKind.REFUSED, "192.0.2.11:8935", "connection refused")
NOWHERE = Problem(ProblemKind.UNREACHABLE, "x.example.org", "the name cannot be resolved")


def rows(fleet: FleetBuilder, *acknowledged: str) -> list[Row]:
    snapshot = fleet.snapshot()
    findings = Findings(run_checks(snapshot), frozenset(acknowledged))
    model = balancers.present(View(snapshot, NOW, findings, History(), Memo()))
    return list(next(one for one in model.sections if one.key == "addresses").rows)


def told(row: Row) -> list[str]:
    return [cell.text for cell in row.cells]


def half_dead() -> FleetBuilder:
    tries = (Attempt("192.0.2.10:8935", 0.02), Attempt("192.0.2.11:8935", problem=REFUSED))
    return FleetBuilder().put(PublicAddresses((Place(SERVICE_URI, USERS, tries),)), "example")


def test_each_address_has_a_row_with_its_answer_the_dead_first() -> None:
    dead, well = rows(half_dead())
    assert (dead.state, well.state) == (State.CRITICAL, State.OK)
    assert told(dead)[1:4] == [SERVICE_URI, "192.0.2.11:8935", "no"]
    assert "connection refused" in told(dead)
    assert told(well)[2:5] == ["192.0.2.10:8935", "20 ms", "main, front"]


def test_an_acknowledged_dead_address_is_quiet() -> None:
    found = rows(half_dead(), "public-address@main")
    assert all(row.acknowledged for row in found)


def test_a_name_without_addresses_has_a_row_too() -> None:
    fleet = FleetBuilder()
    fleet.put(PublicAddresses((Place("https://x.example.org", USERS, (), NOWHERE),)), "example")
    [row] = rows(fleet)
    assert row.state is State.CRITICAL
    assert "the name cannot be resolved" in told(row)


def test_what_is_too_old_is_not_shown_as_well() -> None:
    fleet = FleetBuilder().age(PublicAddresses, "example", 10_000.0)
    assert {row.state for row in rows(fleet)} == {State.UNKNOWN}
