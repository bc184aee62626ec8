"""Keeps one needless warning of the simulation's own thread off the operator's terminal."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_NOISE: Final = "socket.send() raised exception."


@contextmanager
def quiet_writes() -> Iterator[None]:
    """Drops asyncio's warning of writes to a connection that is gone, for this thread alone.

    When the console hangs up, asyncssh's server still answers each of its channels, and asyncio
    warns of every such answer beyond the fifth.
    """
    here = threading.get_ident()

    def wanted(record: logging.LogRecord) -> bool:
        return record.thread != here or record.msg != _NOISE

    logger = logging.getLogger("asyncio")
    logger.addFilter(wanted)
    try:
        yield
    finally:
        logger.removeFilter(wanted)
