"""Quitting always works; a failure leaves one line and a report without values."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lptui.errors import ConfigError, LptuiError
from lptui.fleet.snapshot import Snapshot
from lptui.tui import running as ending
from lptui.tui.app import LptuiApp
from lptui.tui.main import run_console
from tests.snapshots import FleetBuilder
from tests.tui.conftest import running
from tests.tui.scripted import ScriptedSession
from tests.waiting import on_this_machine

ROOT = Path(__file__).parents[2]

HANGING = """
import asyncio, sys, threading, time
sys.path.insert(0, {root!r})
from lptui.tui.running import run_app

class Hangs:
    title, read_only, demo = "example", False, False
    async def start(self):
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
        await asyncio.Event().wait()
    def subscribe(self, callback): return lambda: None
    async def close(self): await asyncio.Event().wait()

run_app(Hangs())
"""


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_quit_ends_the_app(key: str) -> None:
    async with running(FleetBuilder()) as console:
        await console.pilot.press(key)
        await console.until(lambda: not console.app.is_running, "the end")
        assert console.app.return_code == 0


async def test_quit_works_over_a_question() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("r")
        await console.until(lambda: console.app.screen is not console.app.overview, "question")
        await console.pilot.press("q")
        await console.until(lambda: not console.app.is_running, "the end")


async def test_a_session_that_hangs_is_waited_for_only_so_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ending, "CLOSE_S", 0.05)
    session = ScriptedSession()
    session.hangs = True
    async with asyncio.timeout(20):
        await ending.close(session)
    assert session.calls == ["close"]


def test_the_process_ends_though_session_and_threads_hang(tmp_path: Path) -> None:
    script = tmp_path / "hangs.py"
    script.write_text(HANGING.format(root=str(ROOT)))
    main, terminal = pty.openpty()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm-256color", "LPTUI_STATE": str(tmp_path)},
        start_new_session=True,
    )
    os.close(terminal)
    try:
        seen = b""
        while b"Load balancers" not in seen and time.monotonic() - started < 60:
            if select.select([main], [], [], 0.2)[0]:
                seen += os.read(main, 65536)
        assert b"Load balancers" in seen
        os.write(main, b"q")
        pressed = time.monotonic()
        while process.poll() is None and time.monotonic() - pressed < 60:
            if select.select([main], [], [], 0.05)[0]:
                try:
                    os.read(main, 65536)
                except OSError:
                    break
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - pressed < on_this_machine(8)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(main)


def test_a_terminal_without_a_cursor_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with pytest.raises(LptuiError, match="TERM is dumb") as caught:
        run_console(
            config=None,
            scenario="healthy",
            demo_hosts=None,
            read_only=True,
            interval_s=None,
            theme=None,
        )
    assert "--headless" in str(caught.value.remedy)


async def test_a_session_that_cannot_start_ends_the_console_with_its_error() -> None:
    session = ScriptedSession()
    session.failure = ConfigError("lptui.yaml", "unknown role 'orchestator'", "did you mean …")
    app = LptuiApp(session)
    async with app.run_test() as pilot:
        for _ in range(500):
            if not app.is_running:
                break
            await pilot.pause(0.01)
    assert app.failure is session.failure
    assert app.return_code == 1


async def test_a_fault_shows_no_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "hunter2-in-a-local"

    def checks(snapshot: Snapshot) -> list[object]:
        return []

    session = ScriptedSession(FleetBuilder().snapshot())
    app = LptuiApp(session, checks=checks)  # type: ignore[arg-type]

    async def fails(passphrase: str) -> None:
        raise RuntimeError(passphrase)

    async def run() -> None:
        async with app.run_test() as pilot:
            app.keep(fails(secret))
            for _ in range(200):
                await pilot.pause(0.01)

    with pytest.raises(RuntimeError, match=secret):
        await run()
    shown = capsys.readouterr()
    assert secret not in shown.out + shown.err
    assert app.failure is not None
    assert secret not in str(app.failure)
    report = next((tmp_path / "state").glob("crash-*.txt")).read_text()
    assert "RuntimeError" in report
    assert "test_ending.py" in report
    assert secret not in report


async def test_a_check_that_fails_ends_nothing() -> None:
    def checks(snapshot: Snapshot) -> list[object]:
        raise ValueError("a fault")

    session = ScriptedSession(FleetBuilder().snapshot())
    app = LptuiApp(session, checks=checks)  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(300):
            if app.feed is not None and len(app.feed.events):
                break
            await pilot.pause(0.01)
        assert app.feed is not None
        assert next(event.text for event in app.feed.events) == "a check failed: ValueError"
        assert app.is_running


def test_the_first_frame_needs_none_of_the_heavy_libraries() -> None:
    code = (
        "import json, sys; import lptui.tui.running; "
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules} | "
        "{name for name in sys.modules if name.startswith('lptui.')})))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    loaded = set(json.loads(output))
    heavy = {"pydantic", "yaml", "asyncssh", "httpx", "web3", "plotext", "crossplane"}
    assert not heavy & loaded
    assert not {name for name in loaded if name.startswith(("lptui.fleet", "lptui.config"))}
