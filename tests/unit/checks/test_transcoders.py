"""Transcoders joined to their orchestrators' lists; those that run in vain."""

from __future__ import annotations

from lptui.fleet.facts.connections import Connection, HostConnections
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess
from lptui.fleet.facts.livepeer import ConnectedTranscoder, NodeMetrics, NodeStatus
from lptui.fleet.finding import Severity
from lptui.fleet.transcoders import Join, joined
from tests.snapshots import NOW, FleetBuilder
from tests.unit.checks.verdicts import by_id, finding, severity

REJECTED, EXPECTED = "transcoder-registered@trans-1", "transcoders-expected@orch-1"


def sockets(fleet: FleetBuilder, *pairs: tuple[str, str]) -> FleetBuilder:
    """The connections of the first transcoder's host."""
    return fleet.put(HostConnections(tuple(Connection(*pair) for pair in pairs), (8935,)), "gpu-1")


def alone(fleet: FleetBuilder | None = None) -> FleetBuilder:
    """The first transcoder has no connection, and one fewer is in the list of its orchestrator."""
    found = sockets(fleet or FleetBuilder())
    left = (ConnectedTranscoder("192.0.2.1:40000", 20),)
    for name in ("orch-1", "orch-2"):
        found.change(NodeStatus, name, transcoders=left, transcoders_number=1)
    return found


def test_a_socket_that_is_in_the_list_joins_them() -> None:
    found = finding(FleetBuilder(), REJECTED)
    assert found.severity is Severity.OK
    assert found.summary == "registered with orch-1, capacity 20"
    assert "192.0.2.0:40000 to 192.0.2.200:8935" in found.evidence[0]


def test_behind_nat_the_entry_cannot_be_told_and_that_is_said() -> None:
    fleet = sockets(FleetBuilder(), ("10.0.0.4:51000", "192.0.2.200:8935"))
    found = finding(fleet, REJECTED)
    assert found.severity is Severity.OK
    assert "cannot be told behind NAT" in found.summary


def test_one_that_runs_without_any_connection_was_rejected() -> None:
    found = finding(alone(), REJECTED)
    assert found.severity is Severity.WARNING
    assert "not in orch-1's list and has no connection to one: it was rejected" in found.summary
    # Its orchestrator's own finding follows from it, and names it.
    other = finding(alone(), EXPECTED)
    assert "1 of 2 transcoders connected; trans-1 not in its list" in other.summary
    assert other.cause == REJECTED


def test_after_its_own_restart_it_has_a_while_to_come_back() -> None:
    for up, expected in ((89.0, Severity.OK), (90.0, Severity.WARNING)):
        fleet = alone().change(NodeMetrics, "trans-1", started_at=NOW - up)
        assert severity(fleet, REJECTED) is expected
        assert severity(fleet, EXPECTED) is expected


def test_after_its_orchestrators_restart_too() -> None:
    for up, expected in ((89.0, Severity.OK), (90.0, Severity.WARNING)):
        fleet = alone().change(NodeMetrics, "orch-1", started_at=NOW - up)
        assert severity(fleet, REJECTED) is expected


def test_while_its_orchestrator_is_silent_that_is_the_cause() -> None:
    found = finding(alone().fail(NodeStatus, "orch-1"), REJECTED)
    assert found.cause == "node-up@orch-1"
    assert "orch-1 does not answer" in found.summary


def test_one_that_does_not_run_is_its_units_matter() -> None:
    fleet = alone().fail(NodeStatus, "trans-1")
    fleet.change_unit("gpu-1", "livepeer-transcoder.service", active="failed", sub="failed")
    assert REJECTED not in by_id(fleet)


def test_without_the_hosts_sockets_it_is_unknown() -> None:
    fleet = FleetBuilder().fail(HostConnections, "gpu-1")
    assert severity(fleet, REJECTED) is Severity.UNKNOWN
    lost = FleetBuilder().lose_host("gpu-1")
    assert finding(lost, REJECTED).cause == "host-up@gpu-1"


def test_a_transcoder_without_an_interface_is_known_by_its_process() -> None:
    fleet = alone().configure_node("trans-1", cli=None).drop(NodeStatus, "trans-1")
    assert severity(fleet, REJECTED) is Severity.WARNING
    fleet.put(HostProcesses(()), "gpu-1").fail(HostUnits, "gpu-1")
    assert severity(fleet, REJECTED) is Severity.UNKNOWN


def test_two_on_one_host_are_told_apart_by_the_port_of_their_orchestrator() -> None:
    fleet = FleetBuilder()
    fleet.configure_node("trans-2", host="gpu-1")
    first, second = fleet.fleet.nodes["trans-1"].service, "livepeer-second.service"
    assert first is not None
    fleet.configure_node("trans-2", service=type(first)(first.kind, second))
    processes = [
        LivepeerProcess(1, "livepeer", (("orchAddr", "edge-1.example.org:8935"),), unit=first.name),
        LivepeerProcess(2, "livepeer", (("orchAddr", "edge-2.example.org:9935"),), unit=second),
    ]
    fleet.put(HostProcesses(tuple(processes)), "gpu-1")
    sockets(fleet, ("192.0.2.0:40000", "192.0.2.200:8935"), ("192.0.2.0:41000", "192.0.2.201:9935"))
    fleet.change(NodeStatus, "orch-2", transcoders=(ConnectedTranscoder("192.0.2.0:41000", 8),))
    found = {one.node.name: one for one in joined(fleet.snapshot())}
    assert found["trans-1"].orchestrator == fleet.fleet.nodes["orch-1"]
    assert found["trans-2"].orchestrator == fleet.fleet.nodes["orch-2"]
    assert {one.join for one in found.values()} == {Join.LISTED}
