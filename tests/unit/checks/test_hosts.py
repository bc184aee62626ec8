"""Hosts, disks, services, exposure, and the console's own sources, at their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.errors import ProblemKind
from lptui.fleet.facts.host import (
    HostClock,
    HostDisks,
    HostListeners,
    HostProcesses,
    HostSystem,
    HostUnits,
    HostVitals,
    Listener,
    LivepeerProcess,
    Mount,
    UnitLoad,
)
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.finding import Severity
from lptui.fleet.units import Percent
from tests.snapshots import FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding, severity

UNIT = "livepeer-orchestrator.service"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ProblemKind.UNREACHABLE, CRITICAL),
        (ProblemKind.TIMEOUT, CRITICAL),
        (ProblemKind.DISCONNECTED, CRITICAL),
        (ProblemKind.HOST_KEY_CHANGED, CRITICAL),
        (ProblemKind.AUTHENTICATION, CRITICAL),
        (ProblemKind.NO_SHELL, UNKNOWN),
        (ProblemKind.SSH_CONFIG, UNKNOWN),
        (ProblemKind.BAD_ANSWER, UNKNOWN),
    ],
)
def test_host_up(kind: ProblemKind, expected: Severity) -> None:
    found = finding(FleetBuilder().fail(HostVitals, "edge-1", kind), "host-up@edge-1")
    assert found.severity is expected
    assert found.remedy


def test_a_host_that_was_lost_stays_critical_while_attempts_grow_rare() -> None:
    fleet = FleetBuilder().lose_host("edge-1").age(HostVitals, "edge-1", 300.0)
    found = finding(fleet, "host-up@edge-1")
    assert found.severity is CRITICAL
    assert any("5 min ago" in line for line in found.evidence)


def test_a_connection_that_drops_is_a_warning_and_explains_what_was_not_read() -> None:
    fleet = FleetBuilder().fail(HostDisks, "edge-1", ProblemKind.DISCONNECTED)
    fleet.fail(HostClock, "edge-1", ProblemKind.DISCONNECTED)
    found = by_id(fleet)
    assert found["host-up@edge-1"].severity is WARNING
    assert found["disk@edge-1"].severity is UNKNOWN
    assert found["disk@edge-1"].cause == "host-up@edge-1"
    assert found["clock@edge-1"].cause == "host-up@edge-1"
    # What the host itself answered meanwhile is not explained by it.
    refused = by_id(fleet.fail(NodeStatus, "orch-1", ProblemKind.REFUSED))
    assert refused["node-up@orch-1"].severity is CRITICAL
    assert refused["node-up@orch-1"].cause == ""
    assert found["memory@edge-1"].severity is OK


@pytest.mark.parametrize(
    ("available", "expected"),
    [(0.0801, OK), (0.08, WARNING), (0.0301, WARNING), (0.03, CRITICAL), (0.0, CRITICAL)],
)
def test_memory(available: float, expected: Severity) -> None:
    fleet = FleetBuilder().change(
        HostVitals, "edge-1", memory_total=10_000, memory_available=round(10_000 * available)
    )
    assert severity(fleet, "memory@edge-1") is expected


def test_memory_of_no_size_is_unknown() -> None:
    fleet = FleetBuilder().change(HostVitals, "edge-1", memory_total=0, memory_available=0)
    assert severity(fleet, "memory@edge-1") is UNKNOWN


@pytest.mark.parametrize(("load", "expected"), [(31.9, OK), (32.0, WARNING), (500.0, WARNING)])
def test_load_for_each_cpu(load: float, expected: Severity) -> None:
    assert (
        severity(FleetBuilder().change(HostVitals, "edge-1", load_5m=load), "load@edge-1")
        is expected
    )


@pytest.mark.parametrize("cpus", [0, None])
def test_load_without_a_number_of_cpus_is_unknown(cpus: int | None) -> None:
    fleet = FleetBuilder()
    if cpus is None:
        fleet.fail(HostSystem, "edge-1")
    else:
        fleet.change(HostSystem, "edge-1", cpus=cpus)
    assert severity(fleet, "load@edge-1") is UNKNOWN


@pytest.mark.parametrize(
    ("opened", "most", "expected"),
    [
        (699, 1000, OK),
        (700, 1000, WARNING),
        (900, 1000, CRITICAL),
        (5, 0, UNKNOWN),
        (None, 9, UNKNOWN),
    ],
)
def test_files_of_the_whole_host(opened: int | None, most: int, expected: Severity) -> None:
    fleet = FleetBuilder().change(HostSystem, "edge-1", files_open=opened, files_max=most)
    assert severity(fleet, "host-fd@edge-1") is expected


@pytest.mark.parametrize(
    ("used", "limit", "expected"),
    [(699, 1000, OK), (700, 1000, WARNING), (899, 1000, WARNING), (900, 1000, CRITICAL)],
)
def test_files_of_a_service(used: int, limit: int, expected: Severity) -> None:
    fleet = FleetBuilder().change_unit("edge-1", UNIT, fd_used=used, fd_limit=limit)
    assert severity(fleet, "fd@orch-1") is expected


def test_files_that_are_not_told_are_left_out_and_those_of_a_dead_service_unknown() -> None:
    assert "fd@orch-1" not in by_id(FleetBuilder().change_unit("edge-1", UNIT, fd_used=None))
    dead = FleetBuilder().change_unit("edge-1", UNIT, active="failed", sub="failed")
    found = finding(dead, "fd@orch-1")
    assert found.severity is UNKNOWN
    assert found.cause == "unit-state@orch-1"


@pytest.mark.parametrize(
    ("offset", "uncertainty", "synchronised", "expected"),
    [
        (0.5, 0.0, True, WARNING),
        (0.499, 0.0, True, OK),
        (-0.5, 0.0, True, WARNING),
        (0.55, 0.1, True, OK),
        (2.0, 0.0, True, CRITICAL),
        (-2.1, 0.05, None, CRITICAL),
        (0.0, 0.01, False, WARNING),
        (3.0, 0.01, False, CRITICAL),
        (0.1, 2.5, True, UNKNOWN),
        (0.1, 0.01, None, OK),
    ],
)
def test_clock_beyond_what_the_round_trip_hides(
    offset: float, uncertainty: float, synchronised: bool | None, expected: Severity
) -> None:
    fleet = FleetBuilder().put(HostClock(offset, uncertainty, synchronised), "edge-1")
    assert severity(fleet, "clock@edge-1") is expected


def test_a_clock_that_is_behind_is_within_its_limits_on_both_sides() -> None:
    found = finding(FleetBuilder().change(HostClock, "edge-1", offset_s=-0.01), "clock@edge-1")
    assert (found.metrics[0].warn, found.metrics[0].critical) == ("-0.5:0.5", "-2:2")


@pytest.mark.parametrize(("kills", "expected"), [(0, OK), (1, WARNING)])
def test_killed_for_memory(kills: int, expected: Severity) -> None:
    assert (
        severity(FleetBuilder().change(HostSystem, "edge-1", oom_kills=kills), "oom@edge-1")
        is expected
    )


def test_reboot_required_names_the_packages() -> None:
    fleet = FleetBuilder().change(
        HostSystem, "edge-1", reboot_required=True, reboot_packages=("linux-image-amd64",)
    )
    found = finding(fleet, "reboot-required@edge-1")
    assert found.severity is WARNING
    assert "linux-image-amd64" in found.summary
    fleet.change(HostSystem, "edge-1", reboot_packages=(), newer_kernel="6.1.0-21-amd64")
    assert "kernel 6.1.0-21-amd64" in finding(fleet, "reboot-required@edge-1").summary


def disk(*mounts: Mount, missing: tuple[str, ...] = ()) -> FleetBuilder:
    return FleetBuilder().put(HostDisks(mounts, missing), "edge-1", age=20.0)


@pytest.mark.parametrize(
    ("used", "expected"),
    [(849, OK), (850, WARNING), (949, WARNING), (950, CRITICAL), (1000, CRITICAL)],
)
def test_disk_space(used: int, expected: Severity) -> None:
    fleet = disk(Mount("/", "/dev/sda1", "ext4", 1100, used, 1000 - used))
    assert severity(fleet, "disk@edge-1") is expected


@pytest.mark.parametrize(("inodes", "expected"), [(84.9, OK), (85.0, WARNING), (95.0, CRITICAL)])
def test_disk_inodes(inodes: float, expected: Severity) -> None:
    mount = Mount("/", "/dev/sda1", "ext4", 100, 1, 99, inodes_used=Percent(inodes))
    assert severity(disk(mount), "disk@edge-1") is expected


def test_a_mount_whose_size_is_not_told_is_never_well() -> None:
    root = Mount("/", "/dev/sda1", "ext4", 100, 1, 99)
    silent = HostDisks((root,), silent=("/data",))
    found = finding(FleetBuilder().put(silent, "edge-1", age=20.0), "disk@edge-1")
    assert found.severity is UNKNOWN
    assert "/data does not tell its size" in found.summary
    hung = FleetBuilder().put(HostDisks((root,), incomplete=True), "edge-1", age=20.0)
    assert severity(hung, "disk@edge-1") is UNKNOWN
    full = HostDisks((replace(root, used=99, available=1),), incomplete=True)
    assert severity(FleetBuilder().put(full, "edge-1", age=20.0), "disk@edge-1") is CRITICAL


def test_read_only_and_missing_mounts() -> None:
    root = Mount("/", "/dev/sda1", "ext4", 100, 1, 99)
    data = Mount("/data", "/dev/sdb1", "ext4", 100, 1, 99, read_only=True)
    image = Mount("/snap/x", "/dev/loop1", "squashfs", 100, 100, 0, read_only=True)
    assert severity(disk(root, image), "disk@edge-1") is OK
    assert severity(disk(root, data), "disk@edge-1") is CRITICAL
    assert severity(disk(root, replace(data, path="/mnt/cd")), "disk@edge-1") is OK
    assert severity(disk(replace(root, read_only=True)), "disk@edge-1") is CRITICAL
    immutable = replace(root, fs_type="erofs", read_only=True, available=0)
    assert severity(disk(immutable, data), "disk@edge-1") is CRITICAL, "for /data"
    assert "/ is" not in finding(disk(immutable, data), "disk@edge-1").summary
    found = finding(disk(root, missing=("/data",)), "disk@edge-1")
    assert found.severity is CRITICAL
    assert "/data is not mounted" in found.summary
    assert "mount it" in found.remedy
    assert severity(disk(), "disk@edge-1") is UNKNOWN


@pytest.mark.parametrize(
    ("change", "expected", "words"),
    [
        ({}, OK, "runs for 4 d 15 h"),
        ({"load": UnitLoad.NOT_FOUND, "active": "inactive", "sub": "dead"}, CRITICAL, "not exist"),
        ({"load": UnitLoad.MASKED, "active": "inactive", "sub": "dead"}, CRITICAL, "masked"),
        ({"active": "failed", "sub": "failed", "result": "oom-kill"}, CRITICAL, "(oom-kill)"),
        ({"active": "activating", "sub": "auto-restart", "restarts": 9}, CRITICAL, "9 restarts"),
        ({"active": "activating", "sub": "start"}, WARNING, "activating"),
        ({"active": "deactivating", "sub": "stop-sigterm"}, WARNING, "deactivating"),
        ({"active": "inactive", "sub": "dead"}, CRITICAL, "inactive"),
        ({"active": "active", "sub": "dead"}, CRITICAL, "dead"),
        ({"active": "reloading", "sub": "reload"}, OK, "runs"),
        ({"active": "active", "sub": "exited"}, OK, "runs"),
        ({"active": "", "sub": ""}, CRITICAL, "unknown state"),
        ({"restarts": 2}, OK, "runs"),
        ({"restarts": 3}, WARNING, "3 times"),
        ({"restarts": None}, OK, "runs"),
        ({"active": "inactive", "sub": "paused"}, CRITICAL, "paused"),
        ({"load": UnitLoad.MASKED}, WARNING, "not start again"),
        ({"load": UnitLoad.OTHER}, WARNING, "not start again"),
        ({"load": UnitLoad.OTHER, "active": "inactive", "sub": "dead"}, CRITICAL, "cannot load"),
        ({"result": "unhealthy"}, WARNING, "health check"),
        ({"needs_reload": True}, OK, "daemon-reload"),
    ],
)
def test_unit_state(change: dict[str, object], expected: Severity, words: str) -> None:
    found = finding(FleetBuilder().change_unit("edge-1", UNIT, **change), "unit-state@orch-1")
    assert found.severity is expected
    assert words in found.summary


def test_only_a_unit_that_exists_offers_a_restart() -> None:
    failed = FleetBuilder().change_unit("edge-1", UNIT, active="failed", sub="failed")
    assert finding(failed, "unit-state@orch-1").action == "restart"
    lost = FleetBuilder().change_unit("edge-1", UNIT, load=UnitLoad.NOT_FOUND, active="inactive")
    assert finding(lost, "unit-state@orch-1").action == ""


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("always", OK),
        ("unless-stopped", OK),
        ("on-failure", WARNING),
        ("on-abnormal", WARNING),
        ("no", WARNING),
    ],
)
def test_a_policy_that_takes_a_fatal_error_for_success(policy: str, expected: Severity) -> None:
    fleet = FleetBuilder().change_unit("edge-1", UNIT, restart_policy=policy)
    found = finding(fleet, "restart-policy@orch-1")
    assert found.severity is expected
    assert policy in found.summary


def test_a_policy_that_is_not_told_is_not_judged() -> None:
    fleet = FleetBuilder().change_unit("edge-1", UNIT, restart_policy="")
    assert "restart-policy@orch-1" not in by_id(fleet)


def test_a_unit_of_which_the_host_says_nothing_is_unknown() -> None:
    fleet = FleetBuilder().change(HostUnits, "edge-1", units=(), problems=("no systemd",))
    found = finding(fleet, "unit-state@orch-1")
    assert found.severity is UNKNOWN
    assert "no systemd" in found.evidence
    files = finding(fleet, "fd@orch-1")
    assert (files.severity, files.cause) == (UNKNOWN, "unit-state@orch-1")
    assert "not told of" in files.summary


def test_failed_units_that_are_not_told_are_not_taken_for_none() -> None:
    fleet = FleetBuilder().change(HostUnits, "edge-1", failed=None, problems=("it hangs",))
    found = finding(fleet, "units-failed@edge-1")
    assert found.severity is UNKNOWN
    assert "it hangs" in found.summary
    without_systemd = FleetBuilder().change(HostUnits, "edge-1", failed=None)
    assert "units-failed@edge-1" not in by_id(without_systemd)


def test_failed_units_of_others_are_a_warning_and_the_fleets_own_are_not_told_twice() -> None:
    fleet = FleetBuilder().change(HostUnits, "edge-1", failed=("backup.service", UNIT))
    found = finding(fleet, "units-failed@edge-1")
    assert found.severity is WARNING
    assert "backup.service" in found.summary
    assert UNIT not in found.summary


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        ("127.0.0.1", 7935, OK),
        ("[::1]", 7935, OK),
        ("127.0.0.53%lo", 7935, OK),
        ("0.0.0.0", 7935, CRITICAL),
        ("*", 7935, CRITICAL),
        ("[::]", 7935, CRITICAL),
        ("10.0.0.4", 7935, CRITICAL),
        ("0.0.0.0", 6935, CRITICAL),
        ("0.0.0.0", 8935, OK),
        ("0.0.0.0", 80, OK),
    ],
)
def test_cli_api_beyond_loopback(address: str, port: int, expected: Severity) -> None:
    fleet = FleetBuilder().put(HostListeners((Listener(address, port),)), "edge-1", age=20.0)
    assert severity(fleet, "cli-exposed@edge-1") is expected


def port_80(*processes: LivepeerProcess) -> FleetBuilder:
    """Port 80 listens everywhere on the host of redeemer and reward node."""
    fleet = FleetBuilder().put(HostListeners((Listener("*", 80),)), "core-1", age=20.0)
    return fleet.put(HostProcesses(processes), "core-1", age=20.0)


def test_the_redeemer_and_reward_node_that_bind_port_80() -> None:
    bare = LivepeerProcess(1, "root", (("redeemer", "true"), ("ethUrl", "http://127.0.0.1:8547")))
    assert severity(port_80(bare), "cli-exposed@core-1") is CRITICAL
    reward = LivepeerProcess(1, "root", (("reward", "true"),))
    assert severity(port_80(reward), "cli-exposed@core-1") is CRITICAL
    told = LivepeerProcess(1, "root", (("redeemer", ""), ("cliAddr", "127.0.0.1:7936")))
    assert severity(port_80(told), "cli-exposed@core-1") is OK
    orchestrator = LivepeerProcess(1, "root", (("orchestrator", ""), ("reward", "true")))
    assert severity(port_80(orchestrator), "cli-exposed@core-1") is OK


def test_port_80_is_a_suspicion_when_the_processes_are_not_known() -> None:
    fleet = port_80().fail(HostProcesses, "core-1")
    assert severity(fleet, "cli-exposed@core-1") is WARNING
    # Where a balancer lives, port 80 is the balancer's.
    fleet.configure_balancer("front", host="core-1")
    assert severity(fleet, "cli-exposed@core-1") is OK


def test_a_password_on_the_command_line() -> None:
    fleet = FleetBuilder()
    (process,) = fleet.value(HostProcesses, "edge-1").livepeer
    fleet.change(HostProcesses, "edge-1", livepeer=(replace(process, literal_password=True),))
    found = finding(fleet, "password-visible@edge-1")
    assert found.severity is WARNING
    assert UNIT in found.summary


def test_hosts_without_livepeer_have_no_cli_api() -> None:
    assert "cli-exposed@lb-1" not in by_id(FleetBuilder())


def test_sources_that_stopped_are_named_and_failing_ones_left_to_their_checks() -> None:
    fleet = FleetBuilder().age(NodeStatus, "orch-1", 100.0).fail(HostDisks, "edge-1")
    found = finding(fleet, "source-stale@example")
    assert found.severity is UNKNOWN
    asked = len(fleet.readings)
    assert found.summary.startswith(f"1 of {asked} readings too old: NodeStatus@orch-1")
    assert any("100 s ago" in line for line in found.evidence)


def test_staleness_counts_in_intervals() -> None:
    at_limit = FleetBuilder().age(NodeStatus, "orch-1", 15.05)
    assert severity(at_limit, "source-stale@example") is OK
    beyond = FleetBuilder().age(NodeStatus, "orch-1", 15.2)
    assert severity(beyond, "source-stale@example") is UNKNOWN
    assert severity(beyond, "node-up@orch-1") is UNKNOWN
    assert severity(beyond.limit(stale_intervals=10.0), "node-up@orch-1") is OK
