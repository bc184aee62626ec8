"""Load balancers: HAProxy and nginx in one shape."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import (
    AdminState,
    BalancerState,
    Health,
    NginxConfig,
    Proxy,
    Server,
)
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.finding import Severity
from lptui.fleet.topology import Endpoint
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

BACKEND = "lb-backend@front/orchestrators"
FIRST = "lb-server@front/orchestrators/o1"


@pytest.mark.parametrize(
    ("change", "server", "backend"),
    [
        ({}, OK, OK),
        ({"health": Health.NO_CHECK}, OK, OK),
        ({"health": Health.STARTING}, OK, OK),
        ({"health": Health.GOING_DOWN}, WARNING, OK),
        ({"health": Health.DOWN}, CRITICAL, WARNING),
        ({"health": Health.GOING_UP}, WARNING, WARNING),
        ({"health": Health.UNRESOLVED}, CRITICAL, WARNING),
        ({"health": Health.UNUSED}, OK, OK),
        ({"health": Health.UNKNOWN}, UNKNOWN, WARNING),
        ({"admin": AdminState.UNKNOWN}, UNKNOWN, WARNING),
        ({"admin": AdminState.DRAIN}, WARNING, WARNING),
        ({"admin": AdminState.MAINT}, WARNING, WARNING),
        ({"admin": AdminState.DOWN}, WARNING, WARNING),
        ({"admin": AdminState.DRAIN, "health": Health.DOWN}, WARNING, WARNING),
        ({"weight": 0}, WARNING, WARNING),
    ],
)
def test_one_server_of_two(change: dict[str, object], server: Severity, backend: Severity) -> None:
    found = by_id(FleetBuilder().change_server("front", "o1", **change))
    assert found[FIRST].severity is server
    assert found[BACKEND].severity is backend


def test_a_server_in_trouble_names_its_node_and_since_when() -> None:
    fleet = FleetBuilder().change_server("front", "o1", health=Health.DOWN, changed_s=90.0)
    found = finding(fleet, FIRST)
    assert "90 s" in found.summary
    assert "orch-1" in found.summary
    assert found.action == "restart"
    drained = FleetBuilder().change_server("front", "o1", admin=AdminState.DRAIN)
    assert finding(drained, FIRST).action == "undrain"


def test_a_backend_that_lacks_a_server_and_a_server_whose_node_is_down_are_explained() -> None:
    fleet = FleetBuilder().change_server("front", "o1", health=Health.DOWN)
    found = by_id(fleet)
    assert found[BACKEND].cause == FIRST
    assert found[FIRST].cause == ""
    fleet.fail(NodeStatus, "orch-1", ProblemKind.REFUSED)
    found = by_id(fleet)
    assert found[FIRST].severity is CRITICAL
    assert found[FIRST].cause == "node-up@orch-1"
    assert found[BACKEND].cause == "node-up@orch-1"


def test_what_an_agent_did_is_not_laid_to_somebody() -> None:
    """To undrain would not last: the agent says it again."""
    fleet = FleetBuilder().change_server(
        "front", "o1", admin=AdminState.DRAIN, health_source="agent"
    )
    found = finding(fleet, FIRST)
    assert (found.severity, found.action) == (WARNING, "")
    assert "agent" in found.summary
    fleet = FleetBuilder().change_server("front", "o1", health=Health.DOWN, health_source="agent")
    assert finding(fleet, FIRST).severity is CRITICAL
    assert "health check" not in finding(fleet, FIRST).summary


@pytest.mark.parametrize(("status", "expected"), [("PAUSED", CRITICAL), ("OPEN", OK), ("", OK)])
def test_a_frontend_that_takes_no_connections(status: str, expected: Severity) -> None:
    fleet = FleetBuilder()
    public = Proxy("public", "frontend", status)
    fleet.change(
        BalancerState, "front", proxies=(*fleet.value(BalancerState, "front").proxies, public)
    )
    found = finding(fleet, "lb-up@front")
    assert found.severity is expected
    assert ("public" in found.summary) is (expected is CRITICAL)


def nginx_with(**config: object) -> FleetBuilder:
    return FleetBuilder().put(NginxConfig((), **config), "ws")  # type: ignore[arg-type]


def test_an_nginx_that_would_not_start_again_is_not_well() -> None:
    """It still serves by what it has loaded; the next reload or reboot would end that."""
    assert severity(nginx_with(), "lb-up@ws") is OK
    found = finding(nginx_with(refused="host not found", edited=True), "lb-up@ws")
    assert found.severity is CRITICAL
    assert "host not found" in found.summary
    assert "nginx -t" in found.remedy
    fleet = nginx_with()
    fleet.fail(NginxConfig, "ws", ProblemKind.BAD_ANSWER)
    assert severity(fleet, "lb-up@ws") is CRITICAL


@pytest.mark.parametrize(
    ("status", "connections", "expected"),
    [("OPEN", 3, OK), ("OPEN", None, WARNING), ("SILENT", None, CRITICAL), ("", None, CRITICAL)],
)
def test_nginx_is_heard_by_its_status_page(
    status: str, connections: int | None, expected: Severity
) -> None:
    fleet = nginx_with().configure_balancer(
        "ws", stub_status=Endpoint("http://127.0.0.1/s", "lb-1")
    )
    fleet.change(
        BalancerState,
        "ws",
        proxies=(Proxy("nginx", "frontend", status),),
        connections=connections,
        notes=() if connections else ("stub_status: no answer",),
    )
    found = finding(fleet, "lb-up@ws")
    assert found.severity is expected
    assert ("answers" in found.summary) is (expected is OK), "nobody says so who has not heard it"


def test_drained_and_down_tells_both() -> None:
    fleet = FleetBuilder().change_server("front", "o1", admin=AdminState.DRAIN, health=Health.DOWN)
    assert "down too" in finding(fleet, FIRST).summary


def both(**change: object) -> FleetBuilder:
    return (
        FleetBuilder().change_server("front", "o1", **change).change_server("front", "o2", **change)
    )


def test_nothing_left_to_serve() -> None:
    assert severity(both(health=Health.DOWN), BACKEND) is CRITICAL
    assert severity(both(admin=AdminState.MAINT), BACKEND) is CRITICAL
    assert severity(both(weight=0), BACKEND) is CRITICAL
    assert severity(both(health=Health.UNKNOWN), BACKEND) is UNKNOWN


def test_running_on_the_backup_alone() -> None:
    fleet = both(health=Health.DOWN)
    state = fleet.value(BalancerState, "front")
    spare = Server("orchestrators", "spare", "192.0.2.99:8935", AdminState.READY, Health.UP, True)
    fleet.change(BalancerState, "front", servers=(*state.servers, spare))
    found = finding(fleet, BACKEND)
    assert found.severity is WARNING
    assert "backup" in found.summary


def test_a_backup_that_is_down_is_a_warning() -> None:
    fleet = FleetBuilder().change_server("front", "o1", backup=True, health=Health.DOWN)
    assert severity(fleet, FIRST) is WARNING


@pytest.mark.parametrize(
    ("status", "expected"), [("UP", OK), ("DOWN", CRITICAL), ("STOP", CRITICAL), ("", OK)]
)
def test_the_backends_own_verdict_counts(status: str, expected: Severity) -> None:
    fleet = FleetBuilder()
    proxies = tuple(
        replace(p, status=status) if p.kind == "backend" else p
        for p in fleet.value(BalancerState, "front").proxies
    )
    assert severity(fleet.change(BalancerState, "front", proxies=proxies), BACKEND) is expected


def test_a_backend_that_is_not_there_and_one_without_servers() -> None:
    fleet = FleetBuilder().change(BalancerState, "front", proxies=(), servers=())
    assert severity(fleet, BACKEND) is CRITICAL
    assert "`backends`" in finding(fleet, BACKEND).remedy
    empty = Proxy("orchestrators", "backend", "UP")
    assert severity(fleet.change(BalancerState, "front", proxies=(empty,)), BACKEND) is OK


def test_only_backends_of_interest_are_judged() -> None:
    fleet = FleetBuilder()
    state = fleet.value(BalancerState, "front")
    other = Server("stats", "x", "192.0.2.77:1", AdminState.READY, Health.DOWN)
    fleet.change(BalancerState, "front", servers=(*state.servers, other))
    assert "lb-server@front/stats/x" not in by_id(fleet)
    fleet.configure_balancer("front", backends=())
    assert severity(fleet, "lb-server@front/stats/x") is CRITICAL


def test_a_stranger_in_the_balancer_and_a_node_that_is_not_in_it() -> None:
    fleet = FleetBuilder()
    state = fleet.value(BalancerState, "front")
    renamed = (state.servers[0], replace(state.servers[1], name="o9"))
    found = finding(fleet.change(BalancerState, "front", servers=renamed), "lb-membership@front")
    assert found.severity is WARNING
    assert "orch-2 (o2)" in found.summary
    assert "orchestrators/o9" in found.summary


def test_without_named_servers_membership_is_not_judged() -> None:
    assert "lb-membership@ws" not in by_id(FleetBuilder())


def test_spare_slots_and_twins_are_no_strangers() -> None:
    fleet = FleetBuilder()
    state = fleet.value(BalancerState, "front")
    first = state.servers[0]
    spare = replace(first, name="o9", address="", health=Health.UNUSED)
    assert (
        severity(
            fleet.change(BalancerState, "front", servers=(*state.servers, spare)),
            "lb-membership@front",
        )
        is OK
    )
    fleet.configure_balancer("front", servers={one.address: "orch-1" for one in state.servers})
    twin = replace(first, name=f"{first.address} #2")
    fleet.change(BalancerState, "front", servers=(*state.servers, twin))
    assert severity(fleet, "lb-membership@front") is OK


def test_servers_may_be_named_with_their_backend() -> None:
    fleet = FleetBuilder().configure_balancer(
        "front", servers={"orchestrators/o1": "orch-1", "orchestrators/o2": "orch-2"}
    )
    assert severity(fleet, "lb-membership@front") is OK


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ProblemKind.REFUSED, CRITICAL),
        (ProblemKind.TIMEOUT, CRITICAL),
        (ProblemKind.FORBIDDEN, UNKNOWN),
        (ProblemKind.COMMAND_FAILED, UNKNOWN),
        (ProblemKind.NOT_READ, UNKNOWN),
    ],
)
def test_a_silent_balancer(kind: ProblemKind, expected: Severity) -> None:
    found = by_id(FleetBuilder().fail(BalancerState, "front", kind))
    assert found["lb-up@front"].severity is expected
    assert found["lb-backend@front"].severity is UNKNOWN
    assert found["lb-backend@front"].cause == "lb-up@front"


def test_a_balancer_read_over_http_depends_on_the_host_in_between() -> None:
    fleet = FleetBuilder().configure_balancer(
        "front", host=None, socket=None, stats=Endpoint("http://127.0.0.1:9000/stats", "edge-1")
    )
    fleet.lose_host("edge-1").fail(BalancerState, "front", ProblemKind.UNREACHABLE)
    found = finding(fleet, "lb-up@front")
    assert found.severity is UNKNOWN
    assert found.cause == "host-up@edge-1"


def test_a_configuration_newer_than_the_running_one() -> None:
    fleet = FleetBuilder().change(BalancerState, "ws", edited=True)
    assert severity(fleet, "lb-up@ws") is WARNING
