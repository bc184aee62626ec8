"""Never two at once: a lock that all consoles of one operator's machine respect."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lptui.clock import Clock, iso
from lptui.errors import RefusedError
from lptui.text import clean


@contextmanager
def exclusive(folder: Path, fleet: str, purpose: str, clock: Clock) -> Iterator[None]:
    """Holds the fleet's action lock; raises RefusedError naming who holds it.

    The lock is the kernel's (flock): it ends with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", fleet) or "fleet"
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                purpose,
                f"another action is under way: {_holder(descriptor)}",
                "wait until it has ended; two at once could send two transactions",
            ) from None
        note = {"purpose": purpose, "pid": os.getpid(), "since": iso(clock.now())}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return clean(f"{note['purpose']}, process {note['pid']}, since {note['since']}")
    except (ValueError, KeyError, TypeError):
        return "its holder left no note"
