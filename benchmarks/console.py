"""The screen: time to the first frame, CPU and memory on 200 nodes, key to frame."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import cpu
from benchmarks.lab import Lab
from benchmarks.table import Results, median, p95
from benchmarks.terminal import Terminal

SIZE = (200, 60)
RUNS = 7
NODES = 200
WARM_S = 25.0
MEASURE_S = 30.0
PRESSES = 60

MINIMAL = """
from textual.app import App, ComposeResult
from textual.widgets import Static

class Minimal(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("first frame")

Minimal().run()
"""


def start(lab: Lab, results: Results) -> None:
    """From the start of the interpreter to the first frame, in turn with a minimal Textual app."""
    minimal = lab.folder / "minimal.py"
    minimal.write_text(MINIMAL)
    config = str(lab.lptui_config(0))
    env = {"LPTUI_STATE": str(lab.folder / "state")}
    ours, least = [], []
    for _ in range(RUNS):
        with Terminal([sys.executable, str(minimal)], *SIZE, env) as terminal:
            least.append(terminal.until(b"first frame", 20))
        argv = [sys.executable, "-m", "lptui", "--config", config]
        with Terminal(argv, *SIZE, env) as terminal:
            ours.append(terminal.until(b"Hosts", 20))
    wall, base = median(ours), median(least)
    results.add("start: minimal Textual app, first frame", base * 1e3, "ms")
    results.add("start: lptui, first frame", wall * 1e3, "ms")
    results.add("start: lptui / minimal", wall / base, "x", at_most=1.6)


def screen(results: Results) -> None:
    """The console on a simulated fleet of 200 nodes in another process, every two seconds."""
    with tempfile.TemporaryDirectory(prefix="lptui-bench-") as name:
        folder = Path(name)
        with _simulation(folder) as config:
            argv = [sys.executable, "-m", "lptui", "--config", config, "--interval", "2"]
            env = {"LPTUI_STATE": str(folder / "state")}
            with Terminal(argv, *SIZE, env) as terminal:
                terminal.until(b"Hosts", 20)
                terminal.settle(WARM_S)
                before, started = cpu.seconds([terminal.pid]), time.perf_counter()
                terminal.settle(MEASURE_S)
                used = cpu.seconds([terminal.pid]) - before
                share = 100 * used / (time.perf_counter() - started)
                opens = _presses(terminal)
                memory = cpu.peak_memory(terminal.pid)
    results.add(f"screen: {NODES} nodes, share of one core", share, "%", at_most=25)
    results.add("screen: key to frame, median", median(opens) * 1e3, "ms")
    results.add("screen: key to frame, p95", p95(opens) * 1e3, "ms", at_most=60)
    results.add("screen: peak memory", memory / 1e6, "MB", at_most=200)


def _presses(terminal: Terminal) -> list[float]:
    """Focuses one pane after the other: its heavy border can come from the key alone."""
    times = []
    for press in range(PRESSES):
        pane = str(press % 6 + 1).encode()
        times.append(terminal.key(pane, "━ ".encode() + pane))
        terminal.settle(0.13)
    return times


@contextmanager
def _simulation(folder: Path) -> Iterator[str]:
    argv = [sys.executable, "-m", "lptui.sim", "--hosts", str(NODES), "--directory", str(folder)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        ready: dict[str, str] = json.loads(process.stdout.readline())
        yield ready["config"]
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(10)
