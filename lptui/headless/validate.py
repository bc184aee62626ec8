"""`lptui --headless validate`: the mistakes of the configuration, or of the demo's."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from lptui.clock import SystemClock
from lptui.config import Mistake, find_mistakes, find_mistakes_in, load_fleet
from lptui.errors import LptuiError
from lptui.paths import find_config
from lptui.report.mistakes import refuse_mistake_format, render_mistakes
from lptui.text import clean


def validate(arguments: argparse.Namespace) -> int:
    """Prints the mistakes; 1 when there are any."""
    if len(arguments.words) > 1:
        path = arguments.words[1]
        raise LptuiError("validate", f"takes no target: {path}", f"did you mean --config {path}?")
    refuse_mistake_format(arguments.format)
    name, mistakes = _of_demo(arguments) if arguments.demo else _of_file(arguments)
    told = render_mistakes(name, mistakes, arguments.format, SystemClock().now())
    sys.stdout.write(f"{told}\n")
    return 1 if mistakes else 0


def _of_file(arguments: argparse.Namespace) -> tuple[str, tuple[Mistake, ...]]:
    path = find_config(arguments.config)
    name = clean(str(path).encode("utf-8", "surrogatepass"))
    mistakes = find_mistakes(path)
    return name, mistakes or _unknown_checks(path, name)


def _unknown_checks(path: Path, name: str) -> tuple[Mistake, ...]:
    """What a configuration without mistakes of its own says of checks that there are not."""
    fleet = load_fleet(path)
    if fleet.paging is None:
        return ()
    from lptui.checks import CHECKS
    from lptui.checks.paging import refuse_unknown

    try:
        refuse_unknown(fleet.paging, [check.id for check in CHECKS])
    except LptuiError as error:
        return (Mistake(name, 0, 0, f"{error.what}: {error.why}; {error.remedy}"),)
    return ()


def _of_demo(arguments: argparse.Namespace) -> tuple[str, tuple[Mistake, ...]]:
    """Of the configuration with which the demo's fleet could be had from outside."""
    from lptui.sim import start

    async def text() -> str:
        with tempfile.TemporaryDirectory() as folder:
            simulation = await start(
                arguments.scenario or "healthy",
                hosts=arguments.demo_hosts,
                directory=Path(folder),
            )
            try:
                return simulation.config_text
            finally:
                await simulation.close()

    return "demo", find_mistakes_in(asyncio.run(text()), "demo")
