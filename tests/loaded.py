"""All that consoles without a screen load, for processes that fork them."""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re
import time
from pathlib import Path

import lptui
from lptui.headless import watchdog

_INNER = re.compile(r"^ +(?:from ([\w.]+) import|import ([\w.]+))", re.MULTILINE)
_NOT_THEIRS = ("lptui.tui", "lptui.__main__", "textual")


def load_all() -> None:
    """Loads every module of lptui but the screen's, and what they import only when they need it."""
    names = [
        one.name
        for one in pkgutil.walk_packages(lptui.__path__, "lptui.")
        if not one.name.startswith(_NOT_THEIRS)
    ]
    inner: set[str] = set()
    for name in names:
        file = importlib.import_module(name).__file__
        assert file is not None
        found = _INNER.findall(Path(file).read_text(encoding="utf-8"))
        inner |= {words[0] or words[1] for words in found}
    for name in sorted(inner):
        if not name.startswith(_NOT_THEIRS):
            importlib.import_module(name)
    # What is never collected stays shared between the processes.
    gc.collect()
    gc.freeze()


def begin_anew() -> None:
    """In a process just forked: what a module has noted of the process at its import."""
    vars(watchdog)["_IMPORTED"] = time.monotonic()
