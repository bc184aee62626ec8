"""Disks that fill up, backups that must be there, versions that may not run any more."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from lptui.fleet.backups import Backup
from lptui.fleet.facts.livepeer import NodeStatus
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.facts.upkeep import BackupState, HostBackups, HostGrowth, MountGrowth
from lptui.fleet.growth import SPAN_S, with_trend
from tests.snapshots import NOW, FleetBuilder
from tests.unit.checks.verdicts import CRITICAL, OK, UNKNOWN, WARNING, by_id, finding

GIB = 1024**3
KEYS = Backup("keys", "/srv/backup/keys-*.gz", max_age_s=86_400.0, min_size=1000, checksum=True)
WELL = BackupState("keys", "/srv/backup/keys-1.gz", "", NOW - 3600, 3600.0, 4096, whole=True)


def growing(days: float, spans: int = 30) -> HostGrowth:
    """A file system with 100 GiB free, which last so long."""
    a_span = 100 * GIB / days * SPAN_S / 86_400
    now = int(NOW // SPAN_S)
    samples = tuple((now - ago, int(100 * GIB + ago * a_span)) for ago in range(spans, -1, -1))
    it = MountGrowth("/data", "/dev/sdb1", 900 * GIB, 100 * GIB, samples)
    return HostGrowth((with_trend(it),))


@pytest.mark.parametrize(
    ("days", "expected"), [(30.0, OK), (6.5, WARNING), (1.9, CRITICAL), (0.1, CRITICAL)]
)
def test_a_disk_that_fills_up_is_told_in_time(days: float, expected: Any) -> None:
    found = finding(FleetBuilder().put(growing(days), "core-1"), "disk-filling@core-1")
    assert found.severity is expected
    assert f"{days:.1f} days" in found.summary
    assert bool(found.remedy) is bool(expected)


def test_a_disk_of_which_too_little_was_read_is_no_alarm_and_no_promise() -> None:
    found = finding(FleetBuilder().put(growing(0.5, spans=2), "core-1"), "disk-filling@core-1")
    assert found.severity is OK
    assert "not known yet" in found.summary
    assert found.metrics == ()


def test_disks_that_cannot_be_read_are_unknown_because_of_that() -> None:
    fleet = FleetBuilder().lose_host("core-1")
    found = finding(fleet, "disk-filling@core-1")
    assert (found.severity, found.cause) == (UNKNOWN, "host-up@core-1")


def backed_up(state: BackupState | None, backup: Backup = KEYS) -> FleetBuilder:
    fleet = FleetBuilder()
    host = replace(fleet.fleet.hosts["core-1"], backups=(backup,))
    hosts = MappingProxyType({**fleet.fleet.hosts, "core-1": host})
    fleet.fleet = replace(fleet.fleet, hosts=hosts)
    if state is not None:
        fleet.put(HostBackups((state,)), "core-1", interval=300.0)
    return fleet


def verdicts(fleet: FleetBuilder) -> dict[str, Any]:
    return {
        key.partition("@")[0]: found.severity
        for key, found in by_id(fleet).items()
        if key.startswith("backup-")
    }


def test_a_backup_that_is_young_large_and_whole_is_well() -> None:
    assert verdicts(backed_up(WELL)) == {
        "backup-old": OK,
        "backup-small": OK,
        "backup-damaged": OK,
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"age_s": 90_000.0}, {"backup-old": WARNING}),
        ({"size": 0}, {"backup-small": WARNING}),
        ({"whole": False}, {"backup-damaged": CRITICAL}),
        ({"whole": None, "unread": "no time was left"}, {"backup-damaged": UNKNOWN}),
    ],
)
def test_what_is_wrong_with_a_backup_is_told_apart(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = verdicts(backed_up(replace(WELL, **changes)))
    well = dict.fromkeys(("backup-old", "backup-small", "backup-damaged"), OK)
    assert found == well | expected


def test_a_backup_that_is_not_there_is_critical_and_neither_small_nor_damaged() -> None:
    assert verdicts(backed_up(BackupState("keys"))) == {"backup-old": CRITICAL}


def test_a_backup_in_a_closed_folder_is_unknown_and_says_how_to_open_it() -> None:
    fleet = backed_up(BackupState("keys", closed="/srv/backup"))
    found = finding(fleet, "backup-old@core-1")
    assert found.severity is UNKNOWN
    assert "/srv/backup is closed" in found.summary
    assert "setfacl" in found.remedy


def test_without_a_checksum_asked_for_nothing_is_said_of_one() -> None:
    fleet = backed_up(replace(WELL, whole=None), replace(KEYS, checksum=False))
    assert "backup-damaged" not in verdicts(fleet)


def test_backups_that_were_not_read_are_unknown() -> None:
    assert set(verdicts(backed_up(None)).values()) == {UNKNOWN}


def least(fleet: FleetBuilder, **versions: str) -> FleetBuilder:
    fleet.fleet = replace(fleet.fleet, minimum_versions=MappingProxyType(versions))
    return fleet


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("0.8.8", WARNING),
        ("0.8.9-1a2b3c4d", OK),
        ("0.8.10-dirty", OK),
        ("0.8.9-rc.1", WARNING),
        ("0.10.0", OK),
        ("undefined", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_node_older_than_the_least_version_is_told(told: str, expected: Any) -> None:
    fleet = least(FleetBuilder().change(NodeStatus, "orch-1", version=told), livepeer="0.8.9")
    assert finding(fleet, "version-old@orch-1").severity is expected


def test_ethereum_clients_are_known_by_their_names() -> None:
    fleet = FleetBuilder().change(RpcHead, "nitro", client="Geth", version="v1.13.2-stable-abc")
    found = finding(least(fleet, geth="1.14"), "version-old@nitro")
    assert (found.severity, found.summary) == (WARNING, "runs v1.13.2-stable-abc, older than 1.14")
    assert "version-old@nitro" not in by_id(least(fleet, nethermind="1.30"))
    assert not any(key.startswith("version-old@orch") for key in by_id(least(fleet, geth="1.14")))


def test_a_node_that_is_silent_has_no_known_version_and_that_is_explained() -> None:
    fleet = least(FleetBuilder().fail(NodeStatus, "orch-1"), livepeer="0.8.9")
    found = finding(fleet, "version-old@orch-1")
    assert (found.severity, found.cause) == (UNKNOWN, "node-up@orch-1")
