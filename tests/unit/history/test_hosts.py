"""What is kept of machines between runs; a damaged file is as good as none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given

from lptui.fleet.facts.upkeep import BackupState, HostBackups, HostGrowth
from lptui.fleet.reading import Key
from lptui.history import hosts
from tests.snapshots import NOW, FleetBuilder
from tests.unit.probes.hostile import HOSTILE, JSON

STATE = BackupState("keys", "/b/keys.gz", "", NOW - 60.0, 60.0, 4096, whole=True)


def last_good(found: hosts.Readings, topic: type, name: str) -> Any:
    reading = found[Key(topic, name)]
    assert reading.value is None
    assert reading.last_good is not None
    return reading.last_good.value


def test_what_one_run_knows_the_next_one_does(tmp_path: Path) -> None:
    fleet = FleetBuilder().put(HostBackups((STATE,)), "core-1")
    path = tmp_path / "hosts.json"
    hosts.save(fleet.snapshot(), path)
    found = hosts.remembered(fleet.fleet, path)
    assert last_good(found, HostGrowth, "core-1") == fleet.value(HostGrowth, "core-1")
    [kept] = last_good(found, HostBackups, "core-1").backups
    assert (kept.file, kept.modified_at, kept.size, kept.whole) == (
        STATE.file,
        STATE.modified_at,
        4096,
        True,
    )


def test_a_host_that_could_not_be_read_keeps_what_was_known(tmp_path: Path) -> None:
    path = tmp_path / "hosts.json"
    hosts.save(FleetBuilder().snapshot(), path)
    hosts.save(FleetBuilder().lose_host("core-1").snapshot(), path)
    found = hosts.remembered(FleetBuilder().fleet, path)
    assert last_good(found, HostGrowth, "core-1") is not None


def test_no_file_and_a_folder_in_its_place_are_nothing_known(tmp_path: Path) -> None:
    fleet = FleetBuilder()
    assert hosts.remembered(fleet.fleet, tmp_path / "none.json") == {}
    assert hosts.remembered(fleet.fleet, tmp_path) == {}
    hosts.save(fleet.snapshot(), tmp_path)


@given(JSON, JSON)
@HOSTILE
def test_any_other_content_is_as_good_as_none(tmp_path_factory: Any, one: Any, other: Any) -> None:
    path = tmp_path_factory.mktemp("state") / "hosts.json"
    fleet = FleetBuilder().fleet
    for entry in (one, {"at": 5.0, "HostGrowth": one, "HostBackups": [other]}):
        path.write_text(json.dumps({"version": 1, "hosts": {"core-1.example.org:": entry}}))
        for reading in hosts.remembered(fleet, path).values():
            assert reading.last_good is not None
    path.write_text(json.dumps(other))
    assert hosts.remembered(fleet, path) == {}
