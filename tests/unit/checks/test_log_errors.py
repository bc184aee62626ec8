"""More errors in a log than usual, against what the endpoint says from here."""

from __future__ import annotations

from dataclasses import replace

from lptui.errors import ProblemKind
from lptui.fleet.facts.logs import LogCount, LogErrors, LogPart
from lptui.fleet.facts.rpc import RpcUsage, RpcWay
from lptui.fleet.topology import LogKind, LogSource, Node
from tests.snapshots import NOW, FleetBuilder
from tests.unit.checks.verdicts import OK, UNKNOWN, WARNING, by_id, finding


def node(fleet: FleetBuilder) -> Node:
    return next(one for one in fleet.fleet.nodes.values() if one.rpc and one.is_livepeer)


def logging(**counts: int) -> FleetBuilder:
    """The healthy fleet with these errors in the first node's log."""
    fleet = FleetBuilder()
    found = tuple(
        LogCount(kind.replace("_", "-"), count, NOW - 9, f"a line of {kind}")
        for kind, count in counts.items()
    )
    fleet.put(LogErrors(NOW - 3600, NOW, parts=(LogPart(NOW, found),)), node(fleet).name)
    return fleet


def test_some_errors_are_nothing_to_be_told_of() -> None:
    fleet = logging(eof=299)
    found = finding(fleet.snapshot(), f"log-errors@{node(fleet).name}")
    assert (found.severity, found.summary) == (
        OK,
        "299 errors in its log in the last hour: eof 299",
    )


def test_many_are_set_against_the_endpoint() -> None:
    fleet = logging(eof=290, refused=10)
    name, rpc = node(fleet).name, node(fleet).rpc
    assert rpc is not None
    found = finding(fleet.snapshot(), f"log-errors@{name}")
    assert found.severity is WARNING
    assert f"RPC {rpc} answers well from here" in found.summary
    assert "eof, newest: a line of eof" in found.evidence
    fleet.put(RpcUsage((RpcWay(recent=100, recent_failed=12),)), rpc)
    found = finding(fleet.snapshot(), f"log-errors@{name}")
    assert f"RPC {rpc} fails from here too (12 of 100 requests failed)" in found.summary


def test_a_node_that_is_full_is_no_error_of_its_log() -> None:
    fleet = logging(capped=5000, busy=5000, reward_failed=5000)
    assert finding(fleet.snapshot(), f"log-errors@{node(fleet).name}").severity is OK


def test_the_limit_is_the_operators() -> None:
    fleet = logging(eof=4)
    limits = replace(fleet.fleet.thresholds, log_errors_warn=4)
    fleet.fleet = replace(fleet.fleet, thresholds=limits)
    assert finding(fleet.snapshot(), f"log-errors@{node(fleet).name}").severity is WARNING


def test_how_long_a_log_goes_back_and_how_its_times_were_taken_is_told() -> None:
    fleet = FleetBuilder()
    name = node(fleet).name
    fleet.put(LogErrors(NOW - 600, NOW, zone_s=-12_600), name)
    found = finding(fleet.snapshot(), f"log-errors@{name}")
    assert found.summary == "0 errors in its log in the last 10 min"
    assert "its lines' times were taken as UTC-03:30" in found.evidence


def test_a_declared_log_that_may_not_be_read_is_unknown() -> None:
    fleet = FleetBuilder()
    name = node(fleet).name
    declared = replace(node(fleet), logs=(LogSource(LogKind.FILE, "/var/log/livepeer.log"),))
    fleet.fleet = replace(fleet.fleet, nodes={**fleet.fleet.nodes, name: declared})
    fleet.fail(LogErrors, name, ProblemKind.FORBIDDEN, "the login may not read it")
    found = finding(fleet.snapshot(), f"log-errors@{name}")
    assert (found.severity, found.summary.partition(": ")[0]) == (UNKNOWN, "not known")


def test_a_log_that_may_not_be_read_is_nobodys_alarm() -> None:
    fleet = FleetBuilder()
    name = node(fleet).name
    fleet.fail(LogErrors, name, ProblemKind.FORBIDDEN, "the login sees nothing of it")
    assert f"log-errors@{name}" not in by_id(fleet.snapshot())
