"""Waiting for conditions: what tests do instead of sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    """Returns as soon as a condition holds; raises TimeoutError when it does not in time."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (any condition, not only what has an event)
            await asyncio.sleep(0.005)
