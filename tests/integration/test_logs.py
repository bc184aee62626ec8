"""Logs followed on a real host: at once, across interruptions, floods, and a killed console."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest

from lptui.clock import SystemClock
from lptui.collector.follow import Follower, Phase, State
from lptui.errors import ProblemKind
from lptui.fleet.facts.logs import LogErrors
from lptui.fleet.logs import LogLine, Stream
from lptui.fleet.topology import Fleet, LogKind, LogSource
from lptui.probes.host.log_errors import added
from lptui.probes.logs.reader import StampedLog
from lptui.transport.reach import FleetReach
from tests.systemd_hosts import LOGIN, HostFactory, SystemdHost, systemd_hosts
from tests.waiting import until

__all__ = ["systemd_hosts"]

UNIT = "livepeer-talk.service"
GROUP = "systemd-journal"
FIFO, FILES = "/opt/says", "/var/log/talk"
FLOOD = 30_000
"""Lines; journald takes some more of a unit at once before it drops any."""


class Heard:
    """A sink that keeps all."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.states: list[State] = []

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    def add(self, read: Iterable[tuple[Stream, LogLine]]) -> None:
        self.lines += [line for _, line in read]

    def restart(self, stream: Stream) -> None:
        self.lines = []

    def state(self, stream: Stream, state: State) -> None:
        self.states.append(state)


@pytest.fixture(scope="module")
def talking(systemd_hosts: HostFactory) -> Iterator[SystemdHost]:
    """A host whose unit logs what is written to a pipe, without journald's limit of rate."""
    (host,) = systemd_hosts(1)
    host.run("rm", "-rf", FIFO, FILES)
    host.run("mkfifo", FIFO)
    host.run("mkdir", FILES)
    script = f"while :; do cat {FIFO}; done"
    host.unit(UNIT, f"[Service]\nLogRateLimitIntervalSec=0\nExecStart=/bin/sh -c '{script}'\n")
    host.run("systemctl", "start", UNIT)
    try:
        yield host
    finally:
        host.run("gpasswd", "-d", LOGIN, GROUP, check=False)
        host.remove_unit(UNIT)


def say(host: SystemdHost, script: str, to: str = FIFO) -> None:
    """Writes what a script prints to the unit's log, or to a file."""
    host.run("sh", "-c", f"{{ {script}; }} >> {to}")


def readers(host: SystemdHost) -> str:
    """What still reads logs for the login there."""
    return host.run("pgrep", "-u", LOGIN, "-a", "journalctl|tail", check=False)


@contextlib.asynccontextmanager
async def following(host: SystemdHost, kind: LogKind, name: str) -> AsyncIterator[Heard]:
    """A log that is followed, until the end of the block."""
    reach, heard = FleetReach(Fleet("test", {host.name: host.host()})), Heard()
    streams = [Stream("talk", host.name, LogSource(kind, name))]
    follower = Follower(reach, SystemClock(), streams, heard, lines=100)
    follower.start()
    try:
        yield heard
    finally:
        await follower.close()
        await reach.close()


async def test_a_login_that_may_not_read_the_journal_is_told_why(talking: SystemdHost) -> None:
    talking.run("gpasswd", "-d", LOGIN, GROUP, check=False)
    async with following(talking, LogKind.JOURNAL, UNIT) as heard:
        await until(lambda: any(one.problem for one in heard.states))
    problem = next(one.problem for one in heard.states if one.problem)
    assert problem.kind is ProblemKind.FORBIDDEN
    assert "systemd-journal" in problem.remedy


async def test_a_journal_is_followed_across_a_lost_connection_and_a_flood(
    talking: SystemdHost,
) -> None:
    talking.run("gpasswd", "-a", LOGIN, GROUP)
    await asyncio.to_thread(say, talking, "echo before")
    async with following(talking, LogKind.JOURNAL, UNIT) as heard:
        await until(lambda: "before" in heard.texts)
        began = time.monotonic()
        await asyncio.to_thread(say, talking, r"printf 'E1127 \033[31m\377 at once\n'")
        await until(lambda: any("at once" in text for text in heard.texts))
        assert time.monotonic() - began < 5.0, "on a busy machine; a moment on any other"
        assert all(text.isprintable() for text in heard.texts)

        await asyncio.to_thread(talking.run, "pkill", "-KILL", "-u", LOGIN, "sshd")
        await asyncio.to_thread(say, talking, "echo meanwhile")
        await until(lambda: "meanwhile" in heard.texts, 20.0)
        assert any(one.phase is Phase.LOST for one in heard.states)
        for text in ("before", "meanwhile"):
            assert heard.texts.count(text) == 1

        gaps = [0.0]

        async def tick() -> None:
            while True:
                before = time.monotonic()
                await asyncio.sleep(0.005)
                gaps.append(time.monotonic() - before)

        ticking = asyncio.create_task(tick())
        await asyncio.to_thread(say, talking, f"seq -f 'flood %.0f' {FLOOD}; echo the end")
        await until(lambda: heard.lines[-1].text == "the end", 60.0)
        ticking.cancel()
        assert len(gaps) > 100, "others had their turns"
        assert max(gaps) < 1.0, f"the loop stood still for {max(gaps):.2f} s"
    await until(lambda: not readers(talking), what="nothing is left there")


async def test_errors_are_counted_once_by_a_real_journal(talking: SystemdHost) -> None:
    talking.run("gpasswd", "-a", LOGIN, GROUP)
    reach = FleetReach(Fleet("test", {talking.name: talking.host()}))

    async def count(before: LogErrors | None) -> LogErrors:
        now, source = time.time(), LogSource(LogKind.JOURNAL, UNIT)
        log = StampedLog(reach.shell(talking.name), source, now, lambda: 20.0)
        return added(before, await log.new(before), now)

    def refusals(value: LogErrors) -> int:
        return sum(one.count for one in value.counts if one.kind == "refused")

    try:
        await asyncio.to_thread(say, talking, "echo dial tcp: connection refused")
        await until_logged(talking, "connection refused", 1)
        first = await count(None)
        assert refusals(first) == 1
        assert refusals(await count(first)) == 1
        await asyncio.to_thread(say, talking, "echo connection refused; echo connection refused")
        await until_logged(talking, "connection refused", 3)
        assert refusals(await count(first)) == 3
    finally:
        await reach.close()


async def until_logged(host: SystemdHost, text: str, times: int) -> None:
    """Waits until the journal has a text so often."""

    def count() -> int:
        script = f"journalctl -q -o cat -u {UNIT} | grep -c '{text}'"
        return int(host.run("sh", "-c", script, check=False) or "0")

    async with asyncio.timeout(20.0):
        while await asyncio.to_thread(count) < times:
            pass


async def test_files_are_followed_across_their_rotation(talking: SystemdHost) -> None:
    say(talking, "echo first", f"{FILES}/a.log")
    async with following(talking, LogKind.FILE, f"{FILES}/*.log") as heard:
        await until(lambda: "first" in heard.texts)
        await asyncio.to_thread(talking.run, "mv", f"{FILES}/a.log", f"{FILES}/a.log.1")
        await asyncio.to_thread(say, talking, "echo second", f"{FILES}/a.log")
        await until(lambda: "second" in heard.texts)
        assert heard.texts == ["first", "second"]
    await until(lambda: not readers(talking), what="nothing is left there")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_a_console_that_ends_leaves_nothing_running_there(
    talking: SystemdHost, tmp_path: Path, number: signal.Signals
) -> None:
    """The log is quiet: nothing that is written could tell the host that nobody reads."""
    talking.run("gpasswd", "-a", LOGIN, GROUP)
    say(talking, "echo something")
    ssh = talking.ssh()
    fleet = {
        "name": "test",
        "ssh": {"known_hosts": ssh.known_hosts, "config": []},
        "hosts": {
            "h": {"address": ssh.address, "user": ssh.user, "identity": ssh.identities[0]},
        },
        "nodes": {"talk": {"host": "h", "role": "transcoder", "unit": UNIT, "cli": "none"}},
    }
    config = tmp_path / "fleet.yaml"
    config.write_text(json.dumps(fleet))
    words = ("--config", str(config), "--headless", "logs", "talk", "--follow")
    with subprocess.Popen(
        [sys.executable, "-m", "lptui", *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "LPTUI_STATE": str(tmp_path)},
    ) as console:
        assert console.stdout is not None
        assert any(line.endswith(" something\n") for line in console.stdout)
        assert "journalctl" in readers(talking)
        console.send_signal(number)
        assert console.wait(20) == (130 if number is signal.SIGTERM else -signal.SIGKILL)
    asyncio.run(until(lambda: not readers(talking), what="nothing is left there"))


def demo(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lptui", "--demo", "--headless", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "LPTUI_STATE": str(tmp_path)},
    )


def test_the_lines_of_several_nodes_are_one_stream_for_scripts(tmp_path: Path) -> None:
    words = ("logs", "role:orchestrator", "redeemer", "--lines", "3", "--format", "json")
    done = demo(tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    names = [line["node"] for line in lines]
    assert {name: names.count(name) for name in names} == {
        "orch-1": 3,
        "orch-2": 3,
        "orch-3": 3,
        "redeemer": 3,
    }
    assert lines[0].keys() == {"time", "time_is", "node", "host", "log", "level", "text"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("logs", "orchx"), "did you mean"),
        (("logs", "orch-1", "--since", "soon"), "is no time"),
        (("check", "--follow"), "check has no such option"),
    ],
    ids=["no such target", "no time", "not of check"],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = demo(tmp_path, *words)
    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr
