"""Waiting for something to become true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(condition: Callable[[], Awaitable[bool]], deadline_s: float = 5.0) -> None:
    """Returns once the condition holds; raises TimeoutError when it does not in time."""
    async with asyncio.timeout(deadline_s):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)
