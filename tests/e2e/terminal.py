"""A person at a real terminal: tmux types the keys and tells what is on the screen."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.command import Operator, listeners, unsafe
from tests.sshd import descendants, need

PROMPT = "ready>"
_SETTINGS = """\
set -g status off
set -g default-terminal xterm-256color
set -sg escape-time 0
set -g remain-on-exit on
"""


@dataclass
class Terminal:
    """A terminal with a shell in it."""

    socket: str
    environment: dict[str, str]
    folder: Path

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.socket, "-f", str(self.folder / "tmux.conf"), *words],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=30,
            check=True,
        )
        return done.stdout

    def keys(self, *names: str) -> None:
        """Presses keys, one after the other."""
        self.tmux("send-keys", "-t", "0", *names)

    def type(self, text: str) -> None:
        """Types letters as they are."""
        self.tmux("send-keys", "-t", "0", "-l", text)

    @property
    def screen(self) -> str:
        """What can be seen, as plain text."""
        return self.tmux("capture-pane", "-p", "-t", "0")

    @property
    def modes(self) -> str:
        """Alternate screen, cursor, mouse reporting, keypad: what a program may leave behind."""
        flags = ("alternate_on", "cursor_flag", "mouse_any_flag", "keypad_flag", "pane_dead")
        wanted = " ".join(f"{flag}=#{{{flag}}}" for flag in flags)
        return self.tmux("display-message", "-p", "-t", "0", wanted).strip()

    def until(self, condition: Callable[[str], object], what: str, deadline_s: float = 30.0) -> str:
        """Waits for the screen to show something; its text."""
        ends = time.monotonic() + deadline_s
        while True:
            text = self.screen
            if condition(text):
                return text
            assert time.monotonic() < ends, f"not within {deadline_s} s: {what}\n{text}"
            time.sleep(0.03)

    def until_text(self, *texts: str, deadline_s: float = 30.0) -> str:
        """Waits for all of some texts."""
        what = " and ".join(texts)
        return self.until(lambda seen: all(text in seen for text in texts), what, deadline_s)

    def until_gone(self, text: str, deadline_s: float = 30.0) -> str:
        """Waits for a text to go away."""
        return self.until(lambda seen: text not in seen, f"{text} goes away", deadline_s)

    def lptui(self, *words: str) -> None:
        """Starts the console from the shell."""
        command = [sys.executable, "-m", "lptui", *words]
        self.type(f"clear; {shlex.join(command)}; echo code=$?")
        self.keys("Enter")

    @property
    def shell(self) -> int:
        return int(self.tmux("display-message", "-p", "-t", "0", "#{pane_pid}"))

    def listening(self) -> set[str]:
        """TCP addresses that the console listens on."""
        found: set[str] = set()
        for pid in descendants(self.shell):
            found |= listeners(pid)
        return found

    def assert_restored(self, before: str) -> None:
        """The shell is back, and the terminal is as it was."""
        assert self.modes == before
        assert not unsafe(self.screen)
        self.type("clear; stty -a | tr -s ' \\n' '  ' | cksum")
        self.keys("Enter")


@contextlib.contextmanager
def running_terminal(operator: Operator, columns: int, lines: int) -> Iterator[Terminal]:
    """A terminal of this size for the length of a block."""
    tmux = need(shutil.which("tmux"), "tmux")
    folder = operator.home
    (folder / "tmux.conf").write_text(_SETTINGS)
    environment = {
        **operator.environment(),
        "PATH": os.environ["PATH"],
        "TMUX_TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
    one = Terminal(f"lptui-{uuid.uuid4().hex[:8]}", environment, folder)
    del tmux
    size = ("-x", str(columns), "-y", str(lines))
    one.tmux("new-session", "-d", *size, "-c", str(folder), "exec /bin/sh")
    try:
        # Typed, because a shell of root's has a prompt of its own.
        one.type(f"PS1='{PROMPT} '; clear")
        one.keys("Enter")
        one.until(lambda seen: seen.startswith(PROMPT), "a prompt")
        yield one
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            one.tmux("kill-server")
