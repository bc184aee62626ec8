"""A node's acceptance: what each line rests on, and what the list comes to."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lptui.checks import CHECKS, run_checks
from lptui.errors import ProblemKind
from lptui.fleet.facts.host import HostClock, HostProcesses
from lptui.fleet.facts.livepeer import NodeIdentity, NodeStatus
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Service, SupervisorKind
from lptui.present.acceptance import TOPICS, USER, Acceptance, Line, Verdict, acceptance
from lptui.report.acceptance import render
from tests.snapshots import FleetBuilder


def of(fleet: FleetBuilder | Snapshot, name: str = "orch-1") -> Acceptance:
    snapshot = fleet.snapshot() if isinstance(fleet, FleetBuilder) else fleet
    return acceptance(snapshot, snapshot.fleet.nodes[name], run_checks(snapshot))


def line(found: Acceptance, topic: str) -> Line:
    return next(one for one in found.lines if one.topic == topic)


def test_each_topic_is_made_of_checks_that_there_are_and_each_check_is_in_one() -> None:
    named = [check for _, checks in TOPICS for check in checks]
    assert set(named) <= {check.id for check in CHECKS}
    assert len(named) == len(set(named))


@pytest.mark.parametrize("name", ["orch-1", "trans-1", "redeemer", "reward", "nitro-1"])
def test_a_node_that_is_well_is_accepted(name: str) -> None:
    found = of(FleetBuilder(), name)
    assert [one for one in found.lines if one.verdict in (Verdict.NOT, Verdict.UNKNOWN)] == []
    assert (found.verdict, found.verdict.exit_code) == (Verdict.OK, 0)
    assert found.count(Verdict.OK) > 10


def test_of_another_node_nothing_counts() -> None:
    fleet = FleetBuilder().fail(NodeStatus, "orch-2", kind=ProblemKind.REFUSED)
    fleet.change(HostClock, "edge-2", offset_s=20.0)
    assert line(of(fleet, "orch-2"), "clock").verdict is Verdict.NOT
    assert line(of(fleet, "orch-2"), "answers").verdict is Verdict.NOT
    assert line(of(fleet), "clock").verdict is Verdict.OK
    assert line(of(fleet), "answers").verdict is Verdict.OK


def test_what_is_wrong_has_evidence_and_what_to_do() -> None:
    found = of(FleetBuilder().change(HostClock, "edge-1", offset_s=20.0))
    told = line(found, "clock")
    assert (found.verdict, found.verdict.exit_code) == (Verdict.NOT, 1)
    assert told.findings == ("clock@edge-1",)
    assert told.evidence
    assert told.remedy


def test_another_version_than_the_others_names_both() -> None:
    told = line(of(FleetBuilder().change(NodeStatus, "orch-1", version="0.0.1")), "version")
    assert told.verdict is Verdict.NOT
    assert "0.0.1" in told.words


def test_another_account_than_configured_is_not_accepted() -> None:
    fleet = FleetBuilder().change(NodeIdentity, "redeemer", account="0x" + "77" * 20)
    assert line(of(fleet, "redeemer"), "account").verdict is Verdict.NOT


def test_a_host_that_cannot_be_reached_is_not_accepted_and_nothing_of_it_is_ok() -> None:
    found = of(FleetBuilder().lose_host("edge-1"))
    assert found.verdict is Verdict.NOT
    assert line(found, "host reached").verdict is Verdict.NOT
    for topic in ("clock", "disks", "service runs", "answers", USER):
        assert line(found, topic).verdict is Verdict.UNKNOWN, topic


def test_with_nothing_read_nothing_is_accepted() -> None:
    found = of(FleetBuilder().empty())
    assert found.verdict is Verdict.UNKNOWN
    assert found.verdict.exit_code == 3
    assert found.count(Verdict.OK) == 0


def test_a_reading_that_failed_leaves_its_line_unknown() -> None:
    found = of(FleetBuilder().fail(HostClock, "edge-1", kind=ProblemKind.TIMEOUT))
    assert (found.verdict, line(found, "clock").verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)


def as_user(user: str) -> FleetBuilder:
    fleet = FleetBuilder()
    [process] = fleet.value(HostProcesses, "edge-1").livepeer
    return fleet.change(HostProcesses, "edge-1", livepeer=(replace(process, user=user),))


def test_a_process_of_root_is_not_accepted() -> None:
    told = line(of(as_user("root")), USER)
    assert (told.verdict, told.words) == (Verdict.NOT, "runs as root")
    assert "User=" in told.remedy
    assert line(of(as_user("livepeer")), USER).verdict is Verdict.OK
    assert line(of(as_user("")), USER).verdict is Verdict.UNKNOWN


def test_root_within_a_container_is_not_the_hosts() -> None:
    fleet = as_user("root")
    boxed = Service(SupervisorKind.CONTAINER, "livepeer")
    fleet.configure_node("orch-1", service=boxed)
    assert line(of(fleet), USER).verdict is Verdict.NONE


def test_the_text_says_what_it_comes_to_first_and_json_says_the_same() -> None:
    snapshot = FleetBuilder().change(HostClock, "edge-1", offset_s=20.0).snapshot()
    found = of(snapshot)
    text = render(snapshot, found, "text")
    assert text.startswith("orch-1: NOT ACCEPTED (")
    assert "  NOT  clock" in text
    document = json.loads(render(snapshot, found, "json"))
    assert (document["verdict"], document["exit_code"]) == ("not", 1)
    assert [one["topic"] for one in document["lines"]] == [topic for topic, _ in TOPICS]
    [clock] = [one for one in document["lines"] if one["topic"] == "clock"]
    assert clock["verdict"] == "not"
