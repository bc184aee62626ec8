"""Markdown, and the status as text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lptui.checks import run_checks
from lptui.fleet.facts.livepeer import NodeMetrics, NodeStatus
from lptui.report import render_check, render_status
from lptui.report.markdown import escape
from tests.snapshots import FleetBuilder
from tests.unit.report.hostile import TEXTS, hostile


def markdown(fleet: FleetBuilder) -> str:
    snapshot = fleet.snapshot()
    return render_check(snapshot, run_checks(snapshot), "markdown")


def status(fleet: FleetBuilder) -> str:
    snapshot = fleet.snapshot()
    return render_status(snapshot, run_checks(snapshot), "text")


def test_well() -> None:
    text = markdown(FleetBuilder())
    checked = len(run_checks(FleetBuilder().snapshot()))
    head = f"# OK: example\n\n0 of {checked} checks failing, collected at 2027-01-15T"
    assert text.startswith(head)
    assert "- Reward of the round: 1" in text


def test_failing_checks_in_a_table_and_what_follows_folded() -> None:
    text = markdown(FleetBuilder().lose_host("edge-1"))
    rows = [line for line in text.splitlines() if line.startswith("| CRITICAL")]
    assert len(rows) == 1
    assert "| host-up | edge-1 |" in rows[0]
    findings = run_checks(FleetBuilder().lose_host("edge-1").snapshot())
    follow = sum(found.cause == "host-up@edge-1" for found in findings)
    assert f"- host-up@edge-1 ({follow}): " in text


def test_table_rows_keep_their_cells_whatever_the_text() -> None:
    for raw in TEXTS:
        snapshot = hostile(raw, 0.0, 0, failing=True)
        text = render_check(snapshot, run_checks(snapshot), "markdown")
        for line in text.splitlines():
            if line.startswith("| "):
                assert len(re.findall(r"(?<!\\)\|", line)) == 6, line
        assert "<b>" not in text
        assert "\x1b" not in text


@given(st.text())
def test_escaped_text_is_one_line_without_live_signs(raw: str) -> None:
    text = escape(raw)
    assert "\n" not in text
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>|~$&#]", text)


def test_status_text_has_the_panes_with_ages() -> None:
    text = status(FleetBuilder())
    for title in ("Round & reward", "ETH balances", "Transcoders & GPUs", "Load balancers",
                  "Ethereum sync", "Hosts"):  # fmt: skip
        assert f"\n{title}\n" in text
    assert "round 4121 initialised, 3189 blocks left of 6377" in text
    assert "20 s ago" in text


def test_status_text_says_unknown_stale_and_unmonitored() -> None:
    fleet = FleetBuilder().fail(NodeStatus, "orch-1").age(NodeStatus, "orch-2", 500.0)
    fleet.put(NodeMetrics(monitored=False), "orch-1")
    fleet.change_gpu("gpu-1", 0, temperature_c=None, problem="")
    text = status(fleet)
    assert "orch-1: unknown: " in text
    assert "8 min ago, STALE" in text
    assert "no metrics: it runs without -monitor" in text
    assert "unknown C" in text


def test_reports_import_no_screen_no_network_no_chain_library() -> None:
    code = (
        "import json, sys\n"
        "from lptui.checks import run_checks\n"
        "from lptui.fleet.snapshot import Snapshot\n"
        "from lptui.fleet.topology import Fleet\n"
        "from lptui.report import *\n"
        "from lptui import report\n"
        "s = Snapshot(Fleet('x'), taken_at=1.8e9)\n"
        "f = run_checks(s)\n"
        "for form in report.CHECK_FORMATS: report.render_check(s, f, form)\n"
        "for form in report.STATUS_FORMATS: report.render_status(s, f, form)\n"
        "print(json.dumps([m for m in ('textual', 'web3', 'httpx', 'asyncssh', 'rich') "
        "if m in sys.modules]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(out.stdout) == []
