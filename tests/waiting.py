"""Waiting for conditions in tests: never a plain sleep."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import asyncssh

import lptui

OURS = (Path(lptui.__file__).parent, Path(asyncssh.__file__).parent)
"""Not told by name alone: the folder in which all this lies may be called the same."""


async def until(condition: Callable[[], object], deadline_s: float = 30.0, what: str = "") -> None:
    """Waits until a condition holds; fails when it does not within the deadline."""
    ends = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < ends, f"not within {deadline_s} s: {what or condition}"
        await asyncio.sleep(0.01)


def on_this_machine(seconds: float) -> float:
    """What is promised of a machine that has nothing else to do, as it is on a busy one."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def tasks_of_lptui() -> set[str]:
    """Unfinished tasks that run code of lptui or asyncssh: there must be none after a close."""
    found = set()
    for task in asyncio.all_tasks():
        code = getattr(task.get_coro(), "cr_code", None)
        file = Path(code.co_filename if code is not None else "")
        if any(file.is_relative_to(folder) for folder in OURS):
            found.add(f"{task.get_name()} {code}")
    return found
