"""Runs the console on a fleet; the error that ended it is told once the screen is restored."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from lptui.errors import LptuiError
from lptui.live import LiveSession
from lptui.tui.running import run_app

DUMB: Final = ("dumb", "unknown")
"""Terminals that print what they get, line after line."""


def run_console(
    *,
    config: Path | None,
    scenario: str | None,
    demo_hosts: int | None,
    read_only: bool,
    interval_s: float | None,
    theme: str | None,
) -> int:
    """Shows the console until it is quit; the result is the exit code.

    Raises the LptuiError that ended it: a terminal that cannot show it, mistakes in the
    configuration, a demo that cannot start.
    """
    if os.environ.get("TERM") in DUMB:
        raise LptuiError(
            "the console needs a terminal with a cursor",
            f"TERM is {os.environ['TERM']}",
            "for scripts: lptui --headless check",
        )
    session = LiveSession(
        config=config,
        scenario=scenario,
        demo_hosts=demo_hosts,
        read_only=read_only,
        interval_s=interval_s,
    )
    return run_app(session, theme=theme, interval_s=interval_s)
