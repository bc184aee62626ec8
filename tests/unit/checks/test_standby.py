"""Stand-bys: silent as they should be, alone at work after a failover, never beside another."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from lptui.checks import failing, run_checks
from lptui.errors import ProblemKind
from lptui.fleet.duty import with_rest
from lptui.fleet.facts.balancer import Health
from lptui.fleet.facts.host import HostProcesses, HostUnits, Trigger, UnitLoad
from lptui.fleet.facts.keystore import KeyAtStart, KeyFile, NamedFile, Use
from lptui.fleet.facts.livepeer import NodeBlock, NodeIdentity, NodeMetrics, NodeStatus
from lptui.fleet.reading import Key
from lptui.fleet.topology import Node
from lptui.present.hosts import present as hosts_pane
from lptui.present.sync import present as sync_pane
from lptui.present.view import Findings, View
from lptui.report import json_report, status_text
from tests.snapshots import NOW, REGISTERED, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding

UNIT = "livepeer-reward.service"
OF_NODE = (NodeStatus, NodeIdentity, NodeMetrics, NodeBlock)


def fleet_with_standby(*, active: bool, standby: bool, since_s: float = 600.0) -> FleetBuilder:
    """The reference fleet; `spare` on lb-1 stands by for `reward` on core-1."""
    fleet = FleetBuilder()
    reward = fleet.fleet.nodes["reward"]
    assert reward.cli is not None
    spare = replace(
        reward,
        name="spare",
        host="lb-1",
        cli=replace(reward.cli, via="lb-1"),
        standby_for="reward",
        keystore_check=False,
    )
    nodes: dict[str, Node] = {**fleet.fleet.nodes, "spare": spare}
    fleet.configure(nodes=nodes)
    for topic in OF_NODE:
        fleet.put(fleet.value(topic, "reward"), "spare")
    unit = next(u for u in fleet.value(HostUnits, "core-1").units if u.name == UNIT)
    fleet.change(
        HostUnits, "lb-1", units=(*fleet.value(HostUnits, "lb-1").units, replace(unit, name=UNIT))
    )
    fleet.change_unit("lb-1", UNIT, since_s=since_s)
    for host, node, runs in (("core-1", "reward", active), ("lb-1", "spare", standby)):
        if not runs:
            stop(fleet, host, node)
    return fleet


def stop(fleet: FleetBuilder, host: str, node: str, **changes: Any) -> None:
    """What is read of a node whose unit is stopped."""
    stopped: dict[str, Any] = {"active": "inactive", "sub": "dead", "since_s": None}
    fleet.change_unit(host, UNIT, **{**stopped, "main_pid": None, "enabled": "disabled", **changes})
    for topic in OF_NODE:
        fleet.fail(topic, node, ProblemKind.REFUSED, "connection refused")


def test_a_stopped_standby_is_well_and_nothing_is_missed_of_it() -> None:
    fleet = fleet_with_standby(active=True, standby=False)
    found = run_checks(fleet.snapshot())
    assert [f.id for f in found if f.severity] == []
    told = by_id(fleet)
    assert told["standby@spare"].summary == "stopped, stands by for reward"
    assert told["unit-state@spare"].summary == f"{UNIT} stands by for reward"
    assert "node-up@spare" not in told
    assert told["registered-key-once@main"].summary == "reward alone acts as it"


def test_a_standby_that_could_not_take_over_is_a_warning_before_it_must() -> None:
    fleet = fleet_with_standby(active=True, standby=False)
    found = KeyAtStart("livepeer", "/srv/lp/keystore", there=False)
    told = finding(fleet.put(found, "spare"), "standby@spare")
    assert told.severity is WARNING
    assert told.summary == (
        "stopped, and could not take over for reward: /srv/lp/keystore is not there"
    )
    assert "copy the key file" in told.remedy
    lost = NamedFile("/etc/lp.env", Use.VARIABLES, there=False)
    key = KeyFile("UTC--x--a", REGISTERED)
    fleet.put(replace(found, there=True, keys=(key,), files=(lost,)), "spare")
    assert "/etc/lp.env (environment file) is not there" in finding(fleet, "standby@spare").summary


@pytest.mark.parametrize("unknown", ["permission denied", "it runs in a container"])
def test_a_key_that_is_not_seen_is_no_trouble_of_a_standby_yet(unknown: str) -> None:
    fleet = fleet_with_standby(active=True, standby=False)
    fleet.put(KeyAtStart(unknown=unknown), "spare")
    assert finding(fleet, "standby@spare").severity is OK


def test_both_running_is_critical_and_both_are_named() -> None:
    fleet = fleet_with_standby(active=True, standby=True)
    found = finding(fleet, "standby@spare")
    assert found.severity is CRITICAL
    assert found.summary == "runs while reward runs too: 2 holders of 0xaaaa…aaaa"
    assert len(found.evidence) == 2
    assert "lb-1" in found.evidence[0]
    assert "core-1" in found.evidence[1]
    twice = finding(fleet, "registered-key-once@main")
    assert twice.severity is CRITICAL
    assert twice.cause == "standby@spare", "one trouble is told once"


def test_both_running_shows_without_a_word_from_their_apis() -> None:
    fleet = fleet_with_standby(active=True, standby=True)
    for topic in OF_NODE:
        fleet.fail(topic, "spare", ProblemKind.REFUSED)
    assert finding(fleet, "standby@spare").severity is CRITICAL
    assert finding(fleet, "node-up@spare").severity is CRITICAL


def test_a_process_that_was_started_by_hand_counts() -> None:
    fleet = fleet_with_standby(active=True, standby=True)
    fleet.change_unit("lb-1", UNIT, active="inactive", sub="dead", since_s=None)
    fleet.age(HostUnits, "lb-1", 4.0)
    found = finding(fleet, "standby@spare")
    assert found.severity is CRITICAL
    assert "spare answers" in found.evidence[0]


def test_failed_over_is_a_warning_and_the_first_one_is_at_rest() -> None:
    fleet = fleet_with_standby(active=False, standby=True)
    found = by_id(fleet)
    assert found["standby@spare"].severity is WARNING
    assert found["standby@spare"].summary == (
        "failed over: spare is the active one, reward is stopped"
    )
    assert found["standby@spare"].action == "failover"
    assert found["unit-state@reward"].severity is OK
    assert found["unit-state@reward"].summary == f"{UNIT} stopped, spare runs in its place"
    assert found["reward-caller@main"].summary == "spare holds the registered key"
    assert found["registered-key-once@main"].summary == "spare alone acts as it"
    assert {f.id for f in failing(found.values())} == {"standby@spare"}


def test_a_process_with_the_key_that_is_seen_after_the_stop_counts() -> None:
    fleet = fleet_with_standby(active=False, standby=True)
    fleet.age(HostUnits, "core-1", 3.0).age(HostProcesses, "core-1", 1.0)
    found = finding(fleet, "registered-key-once@main")
    assert found.severity is CRITICAL
    assert "spare, process" in found.summary


def test_what_was_read_before_a_failover_is_no_second_holder() -> None:
    fleet = fleet_with_standby(active=True, standby=True, since_s=2.0)
    fleet.age(HostUnits, "core-1", 8.0)
    for topic in OF_NODE:
        fleet.fail(topic, "reward", ProblemKind.REFUSED)
    found = finding(fleet, "standby@spare")
    assert found.severity is UNKNOWN
    assert found.summary == "runs; not known whether reward is stopped"


def test_a_standby_at_work_beside_a_lost_host_is_not_known_to_be_alone() -> None:
    fleet = fleet_with_standby(active=False, standby=True)
    fleet.lose_host("core-1")
    found = finding(fleet, "standby@spare")
    assert found.severity is UNKNOWN
    assert found.cause == "host-up@core-1"


def test_neither_running_is_the_first_ones_trouble() -> None:
    found = by_id(fleet_with_standby(active=False, standby=False))
    assert found["standby@spare"].severity is OK
    assert found["unit-state@reward"].severity is CRITICAL
    assert found["reward-caller@main"].severity is not OK


@pytest.mark.parametrize(
    ("active", "sub"),
    [
        ("activating", "auto-restart"),
        ("activating", "auto-restart-queued"),
        ("failed", "failed-before-auto-restart"),
    ],
)
def test_a_first_one_that_keeps_restarting_is_not_stopped(active: str, sub: str) -> None:
    fleet = fleet_with_standby(active=False, standby=True)
    fleet.change_unit("core-1", UNIT, active=active, sub=sub)
    assert finding(fleet, "standby@spare").severity is CRITICAL
    assert finding(fleet, "unit-state@reward").severity is CRITICAL


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"enabled": "enabled"}, "starts at the host's next boot, beside reward"),
        ({"load": UnitLoad.MASKED}, "is masked: it cannot be started"),
        ({"load": UnitLoad.NOT_FOUND}, "does not exist"),
        ({"active": "failed"}, "has failed: it may not be able to take over"),
        (
            {"triggers": (Trigger("again.timer", "active", "enabled"),)},
            "again.timer would start it, beside reward",
        ),
    ],
)
def test_a_standby_must_be_able_to_start_but_not_by_itself(
    changes: dict[str, Any], words: str
) -> None:
    fleet = fleet_with_standby(active=True, standby=False)
    fleet.change_unit("lb-1", UNIT, **changes)
    found = finding(fleet, "unit-state@spare")
    assert found.severity is WARNING
    assert words in found.summary


def test_a_standby_that_cannot_be_seen_is_unknown() -> None:
    fleet = fleet_with_standby(active=True, standby=False)
    fleet.lose_host("lb-1")
    found = finding(fleet, "standby@spare")
    assert found.severity is UNKNOWN
    assert found.cause == "host-up@lb-1"


def test_a_server_of_a_node_at_rest_is_down_as_it_should_be() -> None:
    fleet = fleet_with_standby(active=True, standby=False)
    fleet.configure_balancer("front", servers={"o1": "orch-1", "o2": "spare"})
    fleet.change_server("front", "o2", health=Health.DOWN)
    found = by_id(fleet)
    server = found["lb-server@front/orchestrators/o2"]
    assert server.severity is OK
    assert server.summary.startswith("stands by for reward")
    assert found["lb-backend@front/orchestrators"].severity is OK


class TestReadings:
    """What every output shows of a node at rest."""

    def test_silence_is_told_as_standing_by(self) -> None:
        snapshot = fleet_with_standby(active=True, standby=False).snapshot()
        for topic in OF_NODE:
            reading = snapshot.readings[Key(topic, "spare")]
            assert reading.problem is not None
            assert reading.problem.kind is ProblemKind.STANDBY
            assert reading.problem.why == "stands by for reward"
            assert reading.last_good is None

    def test_an_account_that_was_read_before_it_was_stopped_is_not_held(self) -> None:
        fleet = fleet_with_standby(active=True, standby=False)
        fleet.put(FleetBuilder().value(NodeIdentity, "reward"), "spare", age=200.0)
        found = finding(fleet, "registered-key-once@main")
        assert found.severity is OK
        assert fleet.snapshot().value(NodeIdentity, "spare") is None

    def test_in_json(self) -> None:
        snapshot = fleet_with_standby(active=True, standby=False).snapshot()
        document: Any = json_report.status_document(snapshot, run_checks(snapshot))
        (reading,) = [
            it
            for it in document["readings"]
            if (it["topic"], it["target"]) == ("NodeStatus", "spare")
        ]
        assert reading["error"]["kind"] == "standby"
        assert reading["error"]["why"] == "stands by for reward"
        (node,) = [it for it in document["topology"]["nodes"] if it["name"] == "spare"]
        assert node["standby_for"] == "reward"

    def test_in_text(self) -> None:
        snapshot = fleet_with_standby(active=True, standby=False).snapshot()
        lines = [
            line
            for line in status_text.render(snapshot, run_checks(snapshot)).splitlines()
            if line.startswith("  spare:")
        ]
        assert len(lines) == 4
        assert all(line.startswith("  spare: stands by for reward (") for line in lines)

    def test_of_a_node_that_has_never_answered(self) -> None:
        snapshot = fleet_with_standby(active=True, standby=False).snapshot()
        block = Key(NodeBlock, "spare")
        readings = {key: told for key, told in snapshot.readings.items() if key != block}
        silent = replace(snapshot, readings=MappingProxyType(readings))
        told = with_rest(silent, silent).reading(NodeBlock, "spare")
        assert told.problem is not None
        assert told.problem.why == "stands by for reward"

    def test_it_is_as_old_as_what_its_host_said_however_seldom_it_is_asked_itself(self) -> None:
        snapshot = fleet_with_standby(active=True, standby=False).snapshot()
        block = Key(NodeBlock, "spare")
        long_ago = replace(snapshot.readings[block], taken_at=NOW - 300.0, interval_s=2.0)
        silent = replace(
            snapshot, readings=MappingProxyType({**snapshot.readings, block: long_ago})
        )
        told = with_rest(silent, silent).reading(NodeBlock, "spare")
        units = snapshot.reading(HostUnits, snapshot.fleet.nodes["spare"].host)
        assert (told.source, told.taken_at, told.interval_s) == (
            units.source,
            units.taken_at,
            units.interval_s,
        )

    def test_in_panes(self) -> None:
        snapshot = fleet_with_standby(active=True, standby=False).snapshot()
        view = a_view(snapshot)
        rows = {
            row.key: row
            for pane in (hosts_pane(view), sync_pane(view))
            for part in pane.sections
            for row in part.rows
        }
        for key in ("watcher:spare", "unit:spare"):
            texts = [cell.text for cell in rows[key].cells]
            assert "stands by for reward" in texts
            assert "?" not in texts
            assert rows[key].state.word == "ok"
            assert rows[key].problem == ""
            assert rows[key].taken_at == pytest.approx(snapshot.taken_at, abs=60)


def a_view(snapshot: Any) -> View:
    from lptui.history.series import History

    return View(snapshot, snapshot.taken_at, Findings(run_checks(snapshot)), History())


def test_the_key_is_the_one_of_the_reference_fleet() -> None:
    assert fleet_with_standby(active=True, standby=True).fleet.nodes["spare"].account == REGISTERED
