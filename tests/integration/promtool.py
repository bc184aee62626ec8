"""Prometheus's own promtool on a page that lptui wrote."""

from __future__ import annotations

import shutil
import subprocess

from lptui.checks import run_checks
from lptui.fleet.snapshot import Snapshot
from lptui.report import render_check

PROMTOOL = shutil.which("promtool")


def lint(snapshot: Snapshot) -> None:
    """Fails with promtool's words when it finds anything to say."""
    assert PROMTOOL is not None, "promtool is required but not installed"
    page = render_check(snapshot, run_checks(snapshot), "prometheus", took_s=1.5)
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=page.encode(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
