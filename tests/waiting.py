"""Waiting for conditions in tests: never a plain sleep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], object], deadline_s: float = 10.0, what: str = "") -> None:
    """Waits until a condition holds; fails when it does not within the deadline."""
    ends = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < ends, f"not within {deadline_s} s: {what or condition}"
        await asyncio.sleep(0.01)


def tasks_of_lptui() -> set[str]:
    """Names of unfinished tasks other than the caller's: there must be none after a close."""
    current = asyncio.current_task()
    return {
        task.get_name() + " " + str(task.get_coro())
        for task in asyncio.all_tasks()
        if task is not current and not task.done()
    }
