"""The chain of the record's lines: an edit, an insertion, a removal or a cut shows.

Each line has its number in `line`, and in `prev` the hash of the line before it. The newest line's
number and hash are kept in a second file, so that a cut of the end shows as well. That is written
last: after a crash between the two it lags behind, and the chain goes on from what it names.
Whoever can write both files can forge both; the chain is for what happens to one of them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LOCKED_S: Final = 5.0
"""How long another process's line is waited for."""

BLOCK: Final = 64 * 1024
"""Bytes that are read at once when the last line is looked for."""


@dataclass(frozen=True, slots=True)
class Link:
    """A line's place in the chain: its number, from 1, and the hash of its bytes.

    Number 0 stands before the first line.
    """

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was found. `content` None: it is no JSON object."""

    place: int
    raw: bytes
    content: Mapping[str, Any] | None

    @property
    def is_linked(self) -> bool:
        """It is of the chain; lines of older versions are not."""
        return self.content is not None and "prev" in self.content and "line" in self.content

    @property
    def link(self) -> Link:
        """Its number by its own word; where it says none, its place in the file."""
        number = self.content["line"] if self.content is not None and self.is_linked else None
        return Link(number if type(number) is int else self.place, digest(self.raw))


class Chain:
    """The file at `path`, and the newest line's number and hash beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.head_path = path.with_suffix(".head")

    def append(self, content: Mapping[str, Any]) -> None:
        """Adds a line; it is on the disk when this returns. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            with _held(descriptor, fcntl.LOCK_EX):
                last, is_whole = _last(descriptor)
                goes_on = self._names(descriptor, last)
                line = {**content, "line": last.link.number + 1, "prev": last.link.digest}
                raw = _written(line)
                # A half line that a crash has left stays one, in a line of its own.
                _add(descriptor, (b"" if is_whole else b"\n") + raw + b"\n")
                if goes_on:
                    self._put_head(Link(last.link.number + 1, digest(raw)))
        finally:
            os.close(descriptor)

    def head(self) -> Link | None:
        """What the second place says; None when it says nothing. Raises OSError."""
        try:
            number, hashed = self.head_path.read_bytes()[:200].split()
            return Link(int(number), hashed.decode("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def lines(self) -> tuple[Iterator[Line], Link | None]:
        """All lines that there are at this moment, and the head of them. Raises OSError."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return iter(()), self.head()
        try:
            with _held(descriptor, fcntl.LOCK_SH):
                size, head = os.fstat(descriptor).st_size, self.head()
        except BaseException:
            os.close(descriptor)
            raise
        return _lines(descriptor, size), head

    def _names(self, descriptor: int, last: Line) -> bool:
        """Whether the second place agrees with the file, and may follow it.

        Where it does not, it stays as it is: what was cut must go on showing.
        """
        try:
            head = self.head()
        except OSError:
            return False
        if head is None:
            if not last.is_linked:
                # Before the first line: from then on, that it is missing means something.
                self._put_head(last.link)
            return not last.is_linked
        if head == last.link:
            return True
        if head.number > last.link.number:
            return False
        size = os.fstat(descriptor).st_size
        return any(line.link == head for line in _lines(os.dup(descriptor), size))

    def _put_head(self, link: Link) -> None:
        """Short, of one length and in one write: it is there as a whole or not at all.

        That it could not be kept is no reason to refuse a line that is kept.
        """
        with suppress(OSError):
            descriptor = os.open(self.head_path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.pwrite(descriptor, f"{link.number:>12} {link.digest}\n".encode("ascii"), 0)
            finally:
                os.close(descriptor)


def digest(raw: bytes) -> str:
    """The hash of a line without its line feed; of no bytes before the first one."""
    return hashlib.sha256(raw).hexdigest()


def parsed(raws: Iterable[bytes]) -> Iterator[Line]:
    """Lines with their places."""
    for place, raw in enumerate(raws, 1):
        yield _parsed(place, raw)


def _parsed(place: int, raw: bytes) -> Line:
    content = None
    with suppress(ValueError, RecursionError):
        content = json.loads(raw)
    return Line(place, raw, content if isinstance(content, dict) else None)


def _written(line: Mapping[str, Any]) -> bytes:
    # A name of the system's that is no text is kept as its escape.
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )


def _add(descriptor: int, data: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, data) < len(data):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, "the disk took a part of the line only")
    os.fsync(descriptor)


def _last(descriptor: int) -> tuple[Line, bool]:
    """The last line, and whether it has its line feed."""
    size = os.fstat(descriptor).st_size
    if not size:
        return Line(0, b"", None), True
    begin, tail = size, b""
    while begin and b"\n" not in tail[:-1]:
        block = min(begin, max(BLOCK, len(tail)))
        begin -= block
        tail = os.pread(descriptor, block, begin) + tail
    is_whole = tail.endswith(b"\n")
    raw = tail.removesuffix(b"\n").rpartition(b"\n")[2]
    line = _parsed(0, raw)
    if line.is_linked:
        return line, is_whole
    place = sum(1 for _ in _lines(os.dup(descriptor), size))
    return _parsed(place, raw), is_whole


def _lines(descriptor: int, size: int) -> Iterator[Line]:
    """The lines up to that size; closes the descriptor."""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        yield from parsed(_split(file, size))


def _split(file: Iterable[bytes], size: int) -> Iterator[bytes]:
    for raw in file:
        if size <= 0:
            return
        yield raw[:size].removesuffix(b"\n")
        size -= len(raw)


@contextmanager
def _held(descriptor: int, how: int) -> Iterator[None]:
    """The file's lock, for the moment of a line; it ends with the descriptor at the latest."""
    end = time.monotonic() + LOCKED_S
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= end:
                raise OSError(errno.EAGAIN, "another process holds the record") from None
            time.sleep(0.005)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
