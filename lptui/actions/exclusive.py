"""Never two at once: locks that all consoles of one operator's machine respect."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lptui.clock import Clock, iso
from lptui.errors import RefusedError
from lptui.text import clean


@contextmanager
def exclusive(folder: Path, name: str, purpose: str, clock: Clock) -> Iterator[None]:
    """Holds the lock of that name; raises RefusedError naming who holds it, else OSError.

    The lock is the kernel's (flock): it ends with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(_file(folder, name), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _take(descriptor)
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
            # The note is for people; the lock ends with the descriptor.
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(folder: Path, name: str) -> int | None:
    """The process that holds the lock of that name, 0 when it left no note; None: nobody does."""
    try:
        descriptor = os.open(_file(folder, name), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with suppress(ValueError, KeyError, TypeError):
            return int(json.loads(os.pread(descriptor, 4096, 0))["pid"])
        return 0
    else:
        return None
    finally:
        os.close(descriptor)


def _file(folder: Path, name: str) -> Path:
    return folder / (re.sub(r"[^A-Za-z0-9._-]", "_", name)[:200] + ".lock")


def _take(descriptor: int) -> None:
    """Raises BlockingIOError when somebody holds it; who only looks does so for a moment."""
    for pause in (0.002, 0.002, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not pause:
                raise
            time.sleep(pause)
        else:
            return


def _holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return clean(f"{note['purpose']}, process {note['pid']}, since {note['since']}")
    except (ValueError, KeyError, TypeError):
        return "its holder left no note"
