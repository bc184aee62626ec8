"""Writes of the record beside the loop: a write waits for the disk, and the loop must not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LAST_WRITE_S: Final = 10.0
"""How long a write is waited for when its run is cancelled: twice what a busy journal takes."""


async def on_disk(write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the write returns or raises, once it has ended.

    Cancelled, it first lets the write end: a thread cannot be called back, and whoever reads the
    record next must find all that this run has written.
    """
    writing = asyncio.ensure_future(asyncio.to_thread(write, *args, **kwargs))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing], timeout=LAST_WRITE_S)
        raise
