"""Whether a balancer should send clients to a node, and that a monitor takes away nobody's last."""

from __future__ import annotations

import json

import pytest

from lptui.checks import run_checks
from lptui.checks.fitness import KEPT, LESS, NEEDED, Fit, Fitness, fitness
from lptui.checks.registry import CHECKS
from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import AdminState, BalancerState, Health
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.report.health import FORMATS, agent, render
from tests.snapshots import FleetBuilder


def of(fleet: FleetBuilder | Snapshot, name: str = "orch-1") -> Fitness:
    snapshot = fleet.snapshot() if isinstance(fleet, FleetBuilder) else fleet
    return fitness(snapshot, snapshot.fleet.nodes[name], run_checks(snapshot))


def down(*names: str) -> FleetBuilder:
    fleet = FleetBuilder()
    for name in names:
        fleet.fail(NodeStatus, name, kind=ProblemKind.REFUSED)
    return fleet


def test_it_rests_on_checks_that_there_are() -> None:
    assert NEEDED < LESS <= {check.id for check in CHECKS}


def test_a_healthy_node_gets_all_of_its_weight() -> None:
    found = of(FleetBuilder())
    assert (found.fit, agent(found)) == (Fit.UP, "up 100%")


def test_a_node_that_does_not_answer_is_down_while_another_serves() -> None:
    found = of(down("orch-1"))
    assert found.fit is Fit.DOWN
    assert agent(found).startswith("down #node-up: ")
    assert of(down("orch-1"), "orch-2").fit is Fit.UP


def test_the_last_one_is_kept() -> None:
    both = down("orch-1", "orch-2")
    for name in ("orch-1", "orch-2"):
        found = of(both, name)
        assert (found.fit, found.kept, agent(found)) == (Fit.LESS, True, "up 50%")
        assert KEPT in found.why


@pytest.mark.parametrize(
    "changed", [{"admin": AdminState.DRAIN}, {"health": Health.DOWN}, {"weight": 0}]
)
def test_another_one_without_traffic_is_nobody_to_take_over(changed: dict[str, object]) -> None:
    fleet = down("orch-1")
    for balancer in ("front", "ws"):
        for server in fleet.value(BalancerState, balancer).servers:
            if server.name != "orch-1":
                fleet.change_server(balancer, server.name, **changed)
    assert of(fleet).kept


def test_pools_that_are_not_known_take_nobody_away() -> None:
    fleet = down("orch-1").fail(BalancerState, "front", kind=ProblemKind.TIMEOUT)
    assert of(fleet).kept
    assert of(down("orch-1").configure(balancers={})).kept


def test_what_is_not_known_says_nothing() -> None:
    lost = FleetBuilder().lose_host("edge-1")
    assert (of(lost).fit, agent(of(lost))) == (Fit.UNKNOWN, "")
    assert of(FleetBuilder().empty()).fit is Fit.UNKNOWN


def test_what_makes_a_node_serve_less_halves_its_weight() -> None:
    total = FleetBuilder().value(HostVitals, "edge-1").memory_total
    found = of(FleetBuilder().change(HostVitals, "edge-1", memory_available=total // 100))
    assert (found.fit, agent(found)) == (Fit.LESS, "up 50%")
    assert [reason.check for reason in found.reasons] == ["memory"]


@pytest.mark.parametrize(
    "fleet",
    [
        FleetBuilder(),
        down("orch-1"),
        down("orch-1", "orch-2"),
        FleetBuilder().lose_host("edge-1"),
    ],
    ids=["up", "down", "kept", "unknown"],
)
def test_every_format_says_the_same_and_the_agent_never_undoes_an_operators_word(
    fleet: FleetBuilder,
) -> None:
    snapshot = fleet.snapshot()
    found = of(snapshot)
    told = {form: render(snapshot, found, form) for form in FORMATS}
    document = json.loads(told["json"])
    assert (document["agent"] or "") == told["agent"].strip()
    assert document["fit"] == found.fit.name.lower()
    words = told["agent"].partition("#")[0].split()
    assert not {"ready", "drain", "maint", "stopped"} & set(words)
    assert told["agent"].count("\n") == 1
    assert len(told["agent"]) < 256
    assert told["http"].startswith(
        "HTTP/1.0 503 " if found.fit is Fit.DOWN else "HTTP/1.0 200 OK\r\n"
    )
    head, _, body = told["http"].partition("\r\n\r\n")
    assert f"Content-Length: {len(body)}" in head
    assert body == told["text"]
