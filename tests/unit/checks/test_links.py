"""Ways: to the redeemer, from clients to the fleet, and back to the orchestrator they had."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.facts.host import HostProcesses, LivepeerProcess
from lptui.fleet.facts.links import Attempt, Place, PublicAddresses, RedeemerLink
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.finding import Severity
from tests.snapshots import REGISTERED, SERVICE_URI, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding

REDEEMER = "192.0.2.40:8945"
NOBODY = "no -redeemerAddr in its command line"


def refused(address: str, kind: ProblemKind = ProblemKind.REFUSED) -> Attempt:
    return Attempt(address, problem=Problem(kind, address, "connection refused", "look at it"))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ProblemKind.REFUSED, CRITICAL),
        (ProblemKind.TIMEOUT, CRITICAL),
        (ProblemKind.UNREACHABLE, CRITICAL),
        (ProblemKind.TLS, CRITICAL),
        (ProblemKind.FORBIDDEN, UNKNOWN),
        (ProblemKind.DISCONNECTED, UNKNOWN),
    ],
)
def test_an_orchestrator_that_does_not_reach_its_redeemer(
    kind: ProblemKind, expected: Severity
) -> None:
    fleet = FleetBuilder().put(RedeemerLink("configured", refused(REDEEMER, kind)), "orch-1")
    found = by_id(fleet)
    assert found["redeemer-link@orch-1"].severity is expected
    assert found["redeemer-link@orch-2"].severity is OK
    told = found["redeemer-link@orch-1"].summary
    assert told.startswith("does not reach") is (expected is CRITICAL)
    assert found["redeemer-link@orch-1"].cause == ""


def test_a_redeemer_that_is_down_explains_why_it_is_not_reached() -> None:
    fleet = FleetBuilder().fail(NodeStatus, "redeemer", ProblemKind.REFUSED)
    fleet.put(RedeemerLink("configured", refused(REDEEMER)), "orch-1")
    assert finding(fleet, "redeemer-link@orch-1").cause == "node-up@redeemer"


def test_an_orchestrator_beside_a_redeemer_that_it_does_not_name_pays_itself() -> None:
    fleet = FleetBuilder().put(RedeemerLink(NOBODY), "orch-1")
    found = finding(fleet, "redeemer-link@orch-1")
    assert found.severity is WARNING
    assert "redeemer" in found.summary
    other = fleet.configure_node("redeemer", recipient="0x" + "99" * 20)
    assert finding(other, "redeemer-link@orch-1").severity is OK


def test_where_nobody_tells_the_redeemer_nothing_is_claimed() -> None:
    fleet = FleetBuilder().put(RedeemerLink(""), "orch-1")
    assert "redeemer-link@orch-1" not in by_id(fleet)


def test_a_lost_host_explains_what_is_not_known_of_its_way() -> None:
    found = finding(FleetBuilder().lose_host("edge-1"), "redeemer-link@orch-1")
    assert (found.severity, found.cause) == (UNKNOWN, "host-up@edge-1")


def public(*attempts: Attempt, problem: Problem | None = None) -> FleetBuilder:
    users = (("orchestrator", "main"), ("node", "orch-1"))
    one = Place(SERVICE_URI, users, attempts, problem)
    return FleetBuilder().put(PublicAddresses((one,)), "example")


def test_one_dead_address_of_a_name_is_critical_though_the_others_answer() -> None:
    well = Attempt("192.0.2.10:8935", 0.02)
    found = finding(public(well, refused("192.0.2.11:8935")), "public-address@main")
    assert found.severity is CRITICAL
    assert "1 of 2 addresses" in found.summary
    assert "192.0.2.11:8935 (connection refused)" in found.summary
    assert finding(public(well), "public-address@main").severity is OK


def test_a_kind_of_address_that_this_machine_has_no_way_to_is_not_called_dead() -> None:
    no_way = Problem(ProblemKind.UNREACHABLE, "x", "network is unreachable")
    blind = Attempt("[2001:db8::1]:8935", problem=no_way)
    well = Attempt("192.0.2.10:8935", 0.02)
    assert finding(public(well, blind), "public-address@main").severity is OK
    assert finding(public(blind), "public-address@main").severity is UNKNOWN


def test_dns_that_answers_another_address_than_pinned_is_critical_though_it_answers() -> None:
    two = public(Attempt("192.0.2.10:8935", 0.02), Attempt("[2001:db8::1]:8935", 0.02))
    assert finding(two, "public-address@main").severity is OK
    pins = frozenset({"192.0.2.10", "2001:db8::1"})
    assert finding(two.configure(pinned_addresses=pins), "public-address@main").severity is OK
    found = finding(
        two.configure(pinned_addresses=frozenset({"192.0.2.10"})), "public-address@main"
    )
    assert found.severity is CRITICAL
    told = "DNS answers 2001:db8::1 for stream.example.org, pinned: 192.0.2.10"
    assert found.summary == told
    assert found.remedy


def test_an_address_that_is_written_out_is_no_answer_of_dns() -> None:
    one = Place(
        "https://192.0.2.77:8935", (("node", "orch-1"),), (Attempt("192.0.2.77:8935", 0.1),)
    )
    fleet = FleetBuilder().put(PublicAddresses((one,)), "example")
    fleet.configure(pinned_addresses=frozenset({"192.0.2.10"}))
    assert finding(fleet, "public-address@orch-1").severity is OK


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(ProblemKind.UNREACHABLE, CRITICAL), (ProblemKind.TIMEOUT, UNKNOWN)],
)
def test_a_name_without_addresses(kind: ProblemKind, expected: Severity) -> None:
    problem = Problem(kind, "stream.example.org", "the name cannot be resolved")
    assert finding(public(problem=problem), "public-address@main").severity is expected


def sharing(**state: object) -> FleetBuilder:
    """The reference fleet's pool, whose orchestrators share one address, balanced some way."""
    fleet = FleetBuilder()
    proxies = fleet.value(BalancerState, "front").proxies
    algorithm = str(state.pop("algorithm", "leastconn"))
    cookie = str(state.pop("cookie", ""))
    changed = tuple(
        replace(proxy, algorithm=algorithm, cookie=cookie) if proxy.kind == "backend" else proxy
        for proxy in proxies
    )
    return fleet.change(BalancerState, "front", proxies=changed, **state)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"algorithm": "leastconn", "tables": ()}, WARNING),
        ({"algorithm": "leastconn", "tables": ("elsewhere",)}, OK),
        ({"algorithm": "leastconn", "tables": None}, OK),
        ({"algorithm": "", "tables": ()}, OK),
        ({"algorithm": "source", "tables": ()}, OK),
        ({"algorithm": "hdr(host)", "tables": ()}, OK),
        ({"algorithm": "leastconn", "cookie": "SRV", "tables": ()}, OK),
        ({"algorithm": "round robin", "kind": "nginx"}, WARNING),
        ({"algorithm": "ip_hash", "kind": "nginx"}, OK),
        ({"algorithm": "hash $remote_addr consistent", "kind": "nginx"}, OK),
    ],
)
def test_a_balancer_before_one_address_must_know_clients_again(
    state: dict[str, object], expected: Severity
) -> None:
    assert finding(sharing(**state), "balancer-sticky@front").severity is expected


def test_what_the_balancer_does_not_tell_is_not_called_well() -> None:
    found = finding(sharing(algorithm="leastconn", tables=None), "balancer-sticky@front")
    assert "not told" in found.summary


def test_orchestrators_that_advertise_nothing_share_no_address() -> None:
    fleet = sharing(tables=())
    flags = (("orchestrator", ""), ("serviceAddr", "none"))
    for host in ("edge-1", "edge-2"):
        process = LivepeerProcess(812, "livepeer", flags, unit="livepeer-orchestrator.service")
        fleet.put(HostProcesses((process,)), host)
    assert "balancer-sticky@front" not in by_id(fleet)


def test_orchestrators_with_addresses_of_their_own_need_no_memory() -> None:
    fleet = sharing(tables=())
    process = LivepeerProcess(
        812,
        "livepeer",
        (("orchestrator", ""), ("serviceAddr", "192.0.2.21:8935"), ("ethOrchAddr", REGISTERED)),
        unit="livepeer-orchestrator.service",
    )
    fleet.put(HostProcesses((process,)), "edge-1")
    assert "balancer-sticky@front" not in by_id(fleet)
