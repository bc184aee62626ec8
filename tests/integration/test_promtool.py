"""Prometheus's own promtool reads what lptui writes."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from lptui.checks import run_checks
from lptui.fleet.snapshot import Snapshot
from lptui.report import render_check
from tests.snapshots import FleetBuilder
from tests.unit.report.hostile import TEXTS, hostile

PROMTOOL = shutil.which("promtool")

if PROMTOOL is None and os.environ.get("LPTUI_REQUIRE_REAL") != "1":
    pytest.skip("promtool (Debian: prometheus) is not installed", allow_module_level=True)


def lint(snapshot: Snapshot) -> None:
    """Fails with promtool's words when it finds anything to say."""
    assert PROMTOOL is not None, "promtool is required but not installed"
    page = render_check(snapshot, run_checks(snapshot), "prometheus", took_s=1.5)
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=page.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_healthy_fleet() -> None:
    lint(FleetBuilder().snapshot())


def test_broken_and_empty_fleets() -> None:
    lint(FleetBuilder().lose_host("core-1").lose_host("gpu-1").snapshot())
    lint(FleetBuilder().empty())
    lint(FleetBuilder().configure(chain=None).snapshot())


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_fleet(text: str) -> None:
    lint(hostile(text, float("nan"), 2**256 - 1))
    lint(hostile(text, -1.0, -1, failing=True))


def test_large_fleet() -> None:
    lint(FleetBuilder(orchestrators=50, transcoders=50).snapshot())
