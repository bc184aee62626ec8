"""A host's log looked through by the real commands, in a folder and by a clock of the test's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lptui.fleet.facts.logs import LogErrors
from lptui.probes.host.log_errors import added, usable
from lptui.probes.logs.file_reader import FilesLog
from lptui.probes.logs.reader import LogReader
from lptui.transport.protocols import Command, Output

NOW = 1_795_800_000.0
"""2026-11-27T17:20:00Z"""

ZONES = {0: "+0000", 3600: "+0100", 7200: "+0200", 19_800: "+0530"}


@dataclass
class LocalShell:
    """Runs commands here, those of `bin` first; keeps what was asked and how much came back."""

    folder: Path
    commands: list[Command] = field(default_factory=list)
    received: int = 0

    async def run(self, commands: Sequence[Command], deadline_s: float) -> list[Output]:
        self.commands += commands
        outputs = []
        for command in commands:
            done = subprocess.run(
                command.argv,
                env={"PATH": f"{self.folder}/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                capture_output=True,
                check=False,
                timeout=30,
            )
            self.received += len(done.stdout)
            outputs.append(Output(done.stdout, done.returncode))
        return outputs

    def program(self, name: str, script: str) -> None:
        """A command of the host's own."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@dataclass
class FilesHost:
    """A host whose node writes `log`, in a zone that need not be the host's."""

    folder: Path
    now: float = NOW
    zone_s: int = 0
    zone_before_s: int = 0
    writes_s: int = 0
    ahead_s: float = 0.0
    """What the host's clock is ahead of the console's."""
    shell: LocalShell = field(init=False)

    def __post_init__(self) -> None:
        self.shell = LocalShell(self.folder)

    @property
    def log(self) -> Path:
        return self.folder / "node.log"

    def stamp(self, at: float) -> str:
        written = datetime.fromtimestamp(at + self.ahead_s, UTC) + timedelta(seconds=self.writes_s)
        return f"{written:%m%d %H:%M:%S.%f}"

    def line(self, at: float, text: str) -> str:
        return f"E{self.stamp(at)}       1 x.go:1] {text}\n"

    def say(self, at: float, text: str, to: Path | None = None) -> None:
        """The node writes a line, at its time."""
        self.write(at, self.line(at, text), to)

    def write(self, at: float, text: str | bytes, to: Path | None = None) -> None:
        """Something is written as it is."""
        path = to or self.log
        with path.open("ab") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        os.utime(path, (at + self.ahead_s, at + self.ahead_s))

    def reader(self, *patterns: str) -> LogReader:
        zones = [ZONES[zone] for zone in (self.zone_s, self.zone_before_s)]
        now = int(self.now + self.ahead_s)
        said = f"+%s) echo {now};; +%z) echo {zones[0]};; *) echo {zones[1]};;"
        self.shell.program("date", f'case "$*" in {said} esac')
        return FilesLog(self.shell, patterns or (str(self.log),), self.now, lambda: 8.0)

    async def look(self, before: LogErrors | None = None, *patterns: str) -> LogErrors:
        """One reading more."""
        before = usable(before, self.now)
        return added(before, await self.reader(*patterns).new(before), self.now)


def by_kind(value: LogErrors) -> dict[str, int]:
    return {one.kind: one.count for one in value.counts}
