"""Prometheus's own promtool reads what lptui writes."""

from __future__ import annotations

import os

import pytest

from tests.integration.promtool import PROMTOOL, lint
from tests.snapshots import FleetBuilder
from tests.unit.report.hostile import TEXTS, hostile

if PROMTOOL is None and os.environ.get("LPTUI_REQUIRE_REAL") != "1":
    pytest.skip("promtool (Debian: prometheus) is not installed", allow_module_level=True)


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
