"""Logs in files: silent where none is declared, judged by size and by logrotate."""

from __future__ import annotations

from lptui.checks import run_checks
from lptui.fleet.facts.logs import HostLogs, LogFiles
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.topology import LogKind, LogSource
from tests.snapshots import NOW, FleetBuilder

LOG = "/var/log/livepeer/*.log"
GB = 10**9


def judged(size: int, rotated_age_s: float | None, *, passed_s: float = 0.0) -> Finding:
    fleet = FleetBuilder().configure_node("reward", logs=(LogSource(LogKind.FILE, LOG),))
    host = fleet.fleet.nodes["reward"].host
    first = LogFiles(LOG, 2, size, size // 2, NOW - 20.0 - passed_s)
    fleet.put(HostLogs(NOW - 20.0, None, rotated_age_s, (first,)), host, age=20.0)
    [found] = [one for one in run_checks(fleet.snapshot()) if one.check == "log-files"]
    return found


def test_small_ones_that_are_rotated_are_well() -> None:
    found = judged(3 * GB, 40_000.0)
    assert (found.severity, found.summary) == (Severity.OK, "3.0 GB of logs in files")


def test_a_large_one_is_named_with_its_growth() -> None:
    found = judged(12 * GB, 40_000.0, passed_s=86_400.0)
    assert (found.severity, found.summary) == (Severity.WARNING, f"{LOG} has 12.0 GB")
    assert f"{LOG}: 2 files, 12.0 GB, grows by 6.0 GB a day" in found.evidence
    assert "rotated" in found.remedy


def test_a_logrotate_that_rests_is_named_unless_there_is_nothing_to_rotate() -> None:
    found = judged(GB, 9 * 86_400.0)
    assert (found.severity, found.summary) == (
        Severity.WARNING,
        "logrotate has not run for 9 d 0 h",
    )
    assert judged(0, 9 * 86_400.0).severity is Severity.OK
    assert judged(GB, None).severity is Severity.OK


def test_what_was_not_read_is_unknown() -> None:
    fleet = FleetBuilder().configure_node("reward", logs=(LogSource(LogKind.FILE, LOG),))
    fleet.fail(HostLogs, fleet.fleet.nodes["reward"].host)
    [found] = [one for one in run_checks(fleet.snapshot()) if one.check == "log-files"]
    assert found.severity is Severity.UNKNOWN
