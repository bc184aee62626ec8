"""A newcomer's copy of the sources: a space in its folder's name, and nothing made in it yet but
what the type checker has found out here, which takes it a minute.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
MADE_HERE = (
    *(".git", ".venv", ".devtools", ".hypothesis", "__pycache__", "results"),
    *(".pytest_cache", ".ruff_cache", ".import_linter_cache"),
)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what was seen of it."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """A copy of the sources in which README's commands are typed."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The shell's, without what an outer `make` or `pytest` adds; this Python is `python3`."""
        outer = ("MAKE", "MFLAGS", "PYTEST_", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
        python = str(getattr(sys, "_base_executable", sys.executable))
        state = str(self.folder.parent / "state")
        return kept | {"PYTHON": python, "LPTUI_STATE": state, "TERM": "xterm-256color"}

    def run(self, command: str, timeout_s: float) -> Done:
        """Runs a shell's line without a terminal."""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def run_in_terminal(self, command: str, until: str, key: str, timeout_s: float) -> Done:
        """Runs a shell's line in a terminal; presses a key as soon as a text is on the screen."""
        main, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process = subprocess.Popen(
            command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        os.close(terminal)
        seen, pressed = b"", False
        ends = time.monotonic() + timeout_s
        try:
            while process.poll() is None:
                assert time.monotonic() < ends, seen[-2000:].decode(errors="replace")
                with contextlib.suppress(OSError):  # the last reader's terminal is gone
                    if select.select([main], [], [], 0.2)[0]:
                        seen += os.read(main, 65536)
                if not pressed and until.encode() in seen:
                    pressed = True
                    os.write(main, key.encode())
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            os.close(main)
        return Done(process.returncode, seen.decode(errors="replace"))


def copy_sources(parent: Path) -> Fresh:
    """Copies what is in the repository, and nothing that was made by running it."""
    folder = parent / "a copy"
    shutil.copytree(REPOSITORY, folder, ignore=shutil.ignore_patterns(*MADE_HERE))
    return Fresh(folder)


def index_in_reach() -> bool:
    """Whether packages can be installed at all (pip's own settings name the index)."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    done = subprocess.run(
        [*pip, "--no-deps", "--retries", "1", "--timeout", "10", "h11"],
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode == 0
