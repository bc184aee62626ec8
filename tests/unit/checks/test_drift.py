"""Nodes of one role that are set up apart, and processes that are not what is written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lptui.checks import run_checks
from lptui.fleet.facts.host import HostProcesses, HostUnits, LivepeerProcess, Origin, Unit, UnitLoad
from lptui.fleet.facts.upkeep import (
    Change,
    ContainerImage,
    HostImages,
    HostUnitTexts,
    UnitFile,
)
from lptui.fleet.topology import Service, SupervisorKind
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import OK, UNKNOWN, WARNING, by_id, finding

ORCHESTRATORS = "settings-drift@role:orchestrator"
STALE = "unit-stale@orch-1"
OLD, NEW = "1a" * 32, "2b" * 32


def given(fleet: FleetBuilder, host: str, *flags: tuple[str, str], **changes: Any) -> FleetBuilder:
    """The first process of a host has these flags besides."""
    processes: HostProcesses = fleet.value(HostProcesses, host)
    first, *rest = processes.livepeer
    changed = replace(first, flags=(*first.flags, *flags), **changes)
    return fleet.change(HostProcesses, host, livepeer=(changed, *rest))


def unit_text(fleet: FleetBuilder, host: str, **changes: Any) -> FleetBuilder:
    texts: HostUnitTexts = fleet.value(HostUnitTexts, host)
    first, *rest = texts.units
    return fleet.change(HostUnitTexts, host, units=(replace(first, **changes), *rest))


def both(*flags: tuple[str, str]) -> FleetBuilder:
    fleet = given(FleetBuilder(), "edge-1", *flags)
    return given(fleet, "edge-2", *flags)


def test_a_flag_that_one_of_two_has_differently_is_told_with_both_values() -> None:
    fleet = given(FleetBuilder(), "edge-1", ("maxGasPrice", "5"))
    fleet = given(fleet, "edge-2", ("maxGasPrice", "50"))
    found = finding(fleet, ORCHESTRATORS)
    assert found.severity is WARNING
    assert found.summary == "-maxGasPrice: 5 on orch-1; 50 on orch-2"
    assert "may_differ" in found.remedy


def test_a_flag_that_one_of_two_lacks_is_told() -> None:
    fleet = given(FleetBuilder(), "edge-2", ("monitor", "false"), ("ticketEV", "9"))
    assert finding(fleet, ORCHESTRATORS).summary == "-ticketEV: 9 on orch-2; not given on orch-1"


@pytest.mark.parametrize(
    "flag",
    [
        ("serviceAddr", "192.0.2.7:8935"),
        ("dataDir", "/data/2"),
        ("ethKeystorePath", "/k"),
        ("maxSessions", "4"),
        ("nvidia", "0,1"),
        ("pricePerUnit", "7"),
        ("reward", "false"),
        ("v", "6"),
    ],
)
def test_what_is_each_nodes_own_is_not_compared(flag: tuple[str, str]) -> None:
    assert finding(given(FleetBuilder(), "edge-2", flag), ORCHESTRATORS).severity is OK


@pytest.mark.parametrize("name", ["ethPassword", "orchSecret", "someApiKey"])
def test_of_a_secret_it_is_compared_whether_it_is_given_and_not_what_it_is(name: str) -> None:
    fleet = given(FleetBuilder(), "edge-1", (name, "<file>"))
    assert finding(fleet, ORCHESTRATORS).summary == f"-{name}: given on orch-1; not given on orch-2"
    assert finding(given(fleet, "edge-2", (name, "hunter2")), ORCHESTRATORS).severity is OK
    assert "hunter2" not in repr(run_checks(fleet.snapshot()))


@pytest.mark.parametrize("name", ["maxgasprice", "MaxGasPrice"])
def test_what_the_operator_lets_differ_may(name: str) -> None:
    fleet = given(FleetBuilder(), "edge-2", ("maxGasPrice", "50"))
    fleet.fleet = replace(fleet.fleet, may_differ=frozenset({name.lower()}))
    assert finding(fleet, ORCHESTRATORS).severity is OK


@pytest.mark.parametrize(
    "changes",
    [
        {"unread": (Origin.ENVIRONMENT,)},
        {"unread": ()},
        {"config_file": "/etc/livepeer.conf"},
    ],
)
def test_a_flag_that_may_be_where_nobody_can_look_is_not_missing(changes: dict[str, Any]) -> None:
    fleet = given(FleetBuilder(), "edge-1", ("ticketEV", "9"))
    fleet = unit_text(given(fleet, "edge-2", **changes), "edge-2", environment=True)
    assert finding(fleet, ORCHESTRATORS).severity is OK


def test_variables_that_cannot_be_read_do_not_matter_where_the_unit_gives_none() -> None:
    fleet = given(FleetBuilder(), "edge-1", ("ticketEV", "9"))
    fleet = given(fleet, "edge-2", unread=(Origin.ENVIRONMENT,))
    assert finding(fleet, ORCHESTRATORS).severity is WARNING


def test_a_units_property_that_differs_is_told() -> None:
    settings = (("LimitNOFILE", "1024"), ("Restart", "always"), ("User", "livepeer"))
    fleet = unit_text(FleetBuilder(), "edge-2", settings=settings)
    assert finding(fleet, ORCHESTRATORS).summary == "LimitNOFILE: 1024 on orch-2; 65536 on orch-1"


def test_three_settings_are_one_finding_with_a_line_each() -> None:
    fleet = given(FleetBuilder(), "edge-2", ("ticketEV", "9"), ("maxFaceValue", "8"))
    found = finding(fleet, ORCHESTRATORS)
    assert found.summary == "2 settings differ: -maxFaceValue, -ticketEV"
    assert found.evidence[:2] == (
        "-maxFaceValue: 8 on orch-2; not given on orch-1",
        "-ticketEV: 9 on orch-2; not given on orch-1",
    )


def test_hosts_that_cannot_be_asked_are_not_alike() -> None:
    fleet = FleetBuilder().lose_host("edge-1").lose_host("edge-2")
    assert finding(fleet, ORCHESTRATORS).severity is UNKNOWN


def test_a_unit_that_was_changed_and_not_read_again_is_told() -> None:
    fleet = FleetBuilder()
    units: HostUnits = fleet.value(HostUnits, "edge-1")
    [unit] = units.units
    fleet.change(HostUnits, "edge-1", units=(replace(unit, needs_reload=True),))
    found = finding(fleet, "unit-stale@orch-1")
    assert found.severity is WARNING
    assert "daemon-reload" in found.remedy


def test_a_process_that_is_as_its_unit_says_is_well() -> None:
    assert finding(FleetBuilder(), "unit-stale@orch-1").summary == "runs as its unit says"


def test_a_process_that_was_not_restarted_since_its_unit_changed_is_told() -> None:
    texts: HostUnitTexts = FleetBuilder().value(HostUnitTexts, "edge-1")
    [text] = texts.units
    flags = (*text.flags, ("maxGasPrice", "9"))
    found = finding(unit_text(FleetBuilder(), "edge-1", flags=flags), "unit-stale@orch-1")
    assert found.severity is WARNING
    assert "runs without -maxGasPrice, its unit says -maxGasPrice 9" in found.summary
    assert "restart" in found.remedy


ENV = "/etc/livepeer/o.env"


def test_a_file_that_was_written_to_since_the_start_is_told_with_its_time() -> None:
    file = UnitFile(ENV, Change.WRITTEN, 1763660000.0)
    found = finding(unit_text(FleetBuilder(), "edge-1", files=(file,)), "unit-stale@orch-1")
    assert found.severity is WARNING
    assert found.summary == (
        "livepeer-orchestrator.service: /etc/livepeer/o.env was written to since it was started,"
        " at 2025-11-20T17:33:20.000Z"
    )
    assert found.remedy == "restart it in a quiet hour, or take the change back"


def test_a_file_that_the_next_start_would_miss_is_told() -> None:
    fleet = unit_text(FleetBuilder(), "edge-1", files=(UnitFile(ENV, Change.GONE),))
    assert f"{ENV} is gone, which its next start reads" in finding(fleet, STALE).summary


def test_files_that_are_as_they_were_or_are_not_seen_are_no_trouble() -> None:
    files = (UnitFile("/a", Change.NONE, 1.0), UnitFile("/b", Change.UNKNOWN))
    found = finding(unit_text(FleetBuilder(), "edge-1", files=files), STALE)
    assert found.severity is OK
    assert found.evidence[-1] == "whether /b was written to since it was started is not known"
    assert not any("/a" in line for line in found.evidence)


def test_files_that_were_looked_at_before_the_start_tell_nothing_of_it() -> None:
    fleet = unit_text(FleetBuilder(), "edge-1", files=(UnitFile(ENV, Change.WRITTEN, 1.0),))
    fleet.change_unit("edge-1", "livepeer-orchestrator.service", since_s=30.0)
    assert finding(fleet, STALE).severity is OK


@pytest.mark.parametrize(
    "changes",
    [
        {"plain": False},
        {"program": "/usr/local/bin/start-livepeer-node.sh"[:20]},
        {"program": ""},
        {"program": "/usr/bin/env"},
    ],
)
def test_a_wrapper_or_variables_in_a_unit_are_no_change(changes: dict[str, Any]) -> None:
    fleet = unit_text(FleetBuilder(), "edge-1", flags=(("maxGasPrice", "9"),), **changes)
    found = finding(fleet, "unit-stale@orch-1")
    assert found.severity is OK
    assert "cannot be told" in found.summary


def test_readings_from_before_a_restart_accuse_nobody() -> None:
    fleet = unit_text(FleetBuilder(), "edge-1", flags=(("maxGasPrice", "9"),))
    units: HostUnits = fleet.value(HostUnits, "edge-1")
    [unit] = units.units
    fleet.change(HostUnits, "edge-1", units=(replace(unit, since_s=30.0),))
    assert finding(fleet, "unit-stale@orch-1").severity is OK


def contained(*images: ContainerImage) -> FleetBuilder:
    """Both orchestrators are containers."""
    fleet = FleetBuilder()
    nodes = dict(fleet.fleet.nodes)
    for number, image in enumerate(images, 1):
        name, host = f"orch-{number}", f"edge-{number}"
        service = Service(SupervisorKind.CONTAINER, "livepeer")
        nodes[name] = replace(nodes[name], service=service)
        box = Unit("livepeer", UnitLoad.LOADED, "active", "running", main_pid=1000, container="x")
        fleet.put(HostUnits((box,), failed=()), host)
        fleet.put(HostImages((image,)), host)
        fleet.change(HostProcesses, host, livepeer=(_of(fleet, host),))
    fleet.fleet = replace(fleet.fleet, nodes=nodes)
    return fleet


def _of(fleet: FleetBuilder, host: str) -> LivepeerProcess:
    processes: HostProcesses = fleet.value(HostProcesses, host)
    return replace(processes.livepeer[0], unit="")


def image(
    running: str, current: str, *digests: str, name: str = "livepeer/go-livepeer:0.8.9"
) -> Any:
    return ContainerImage("livepeer", name, running, current, digests)


def test_a_container_of_the_image_that_its_name_means_is_well() -> None:
    assert (
        finding(contained(image(NEW, NEW), image(NEW, NEW)), "container-stale@orch-1").severity
        is OK
    )


def test_a_container_of_an_older_image_is_told() -> None:
    found = finding(contained(image(OLD, NEW)), "container-stale@orch-1")
    assert found.severity is WARNING
    assert "pulled, but not made anew" in found.summary
    assert OLD[:12] in found.evidence[0]


def test_a_name_that_is_gone_is_unknown_unless_it_means_one_image_for_ever() -> None:
    assert finding(contained(image(OLD, "")), "container-stale@orch-1").severity is UNKNOWN
    fixed = image(OLD, "", name=f"livepeer/go-livepeer@sha256:{NEW}")
    assert finding(contained(fixed), "container-stale@orch-1").severity is OK


def test_one_role_on_two_images_is_drift() -> None:
    assert finding(contained(image(OLD, OLD), image(NEW, NEW)), ORCHESTRATORS).severity is WARNING
    assert finding(contained(image(NEW, NEW), image(NEW, NEW)), ORCHESTRATORS).severity is OK
    many = (image(OLD, OLD, f"sha256:{NEW}"), image(NEW, NEW, f"sha256:{NEW}"))
    assert finding(contained(*many), ORCHESTRATORS).severity is OK, "one image for two machines"


def test_a_fleet_without_containers_says_nothing_of_them() -> None:
    assert not any(key.startswith("container-stale") for key in by_id(FleetBuilder()))
