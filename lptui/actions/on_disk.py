"""The state folder's files: writes beside the loop, since a write waits for the disk and the loop
must not, and what to do about one that cannot be used.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from lptui.errors import UnusableError

P = ParamSpec("P")
T = TypeVar("T")

LAST_WRITE_S: Final = 10.0
"""How long a write is waited for when its run is cancelled: twice what a busy journal takes."""


WRITABLE: Final = "make the state folder readable and writable"


def remedy_for(error: OSError) -> str:
    """What to do about a file of the state folder that could not be read or written."""
    if isinstance(error, UnusableError):
        return error.remedy
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room on the state folder's disk"
    return WRITABLE


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
