"""Ends the process at its deadline, whatever hangs or still computes by then."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_IMPORTED: Final = time.monotonic()
_STARTED_FIELD: Final = 19
"""Of /proc/self/stat behind the command's name: clock ticks from boot to start (proc(5), 22)."""

_LONGEST_START_S: Final = 20.0
"""An older process than this at import is not believed: some sandboxes count from elsewhere."""


def process_age() -> float:
    """Seconds since the process was started; where that is not told, since this was imported."""
    known = time.monotonic() - _IMPORTED
    try:
        words = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks = int(words[_STARTED_FIELD])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return known
    return age if known <= age <= known + _LONGEST_START_S else known


class Watchdog:
    """A deadline that holds in the face of blocked threads and long computations.

    What it interrupts closes nothing by itself.

    Args:
        timeout_s: seconds from the start of the process.
        last_words: called when the deadline comes before `settle`; must not block.
            What is left behind is its to remove.
        code: the exit code then.
    """

    def __init__(self, timeout_s: float, last_words: Callable[[], None], code: int) -> None:
        self._end = time.monotonic() + timeout_s - process_age()
        self._last_words: Callable[[], None] | None = last_words
        self._code = code
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Begins to watch."""
        self._watch(self.left)

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 when it has passed."""
        return max(0.0, self._end - time.monotonic())

    def suspend(self) -> None:
        """Stops watching, for good if the deadline is just being carried out."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def settle(self, code: int, least_s: float) -> None:
        """The result is out: watches on, silently, and leaves `least_s` at least for closing."""
        self._code, self._last_words = code, None
        self._watch(max(self.left, least_s))

    def _watch(self, seconds: float) -> None:
        self.suspend()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def _expire(self) -> None:
        with self._lock:
            if self._timer is not threading.current_thread():
                return
            try:
                if self._last_words is not None:
                    self._last_words()
            finally:
                os._exit(self._code)
