"""Lines of logs: journald's JSON, a container's output with its times, files of any kind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from lptui.fleet.logs import Channel, Level, LogLine, Stream, TimeKind
from lptui.fleet.topology import LogKind
from lptui.text import clean

LONGEST: Final = 2000
"""Most characters that are kept of a line."""

LONGEST_RAW: Final = 256 * 1024
"""Most bytes of a line that are looked at; journald's JSON writes five for each strange one."""

_GLOG: Final = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_WORD: Final = re.compile(
    r"\b(TRACE|DEBUG|DBUG|INFO|NOTICE|WARN|WARNING|ERROR|EROR|FATAL|CRIT|CRITICAL|PANIC)\b"
    r'|\[(debug|info|notice|warn|error|crit|alert|emerg)\]|\b(?:lvl|level)"?[=:] ?"?([a-z]{3,8})'
)
_LEVELS: Final = {
    "i": Level.INFO,
    "w": Level.WARNING,
    "e": Level.ERROR,
    "f": Level.ERROR,
    "trace": Level.DEBUG,
    "debug": Level.DEBUG,
    "dbug": Level.DEBUG,
    "info": Level.INFO,
    "notice": Level.INFO,
    "warn": Level.WARNING,
    "warning": Level.WARNING,
    **dict.fromkeys(
        ("error", "eror", "fatal", "crit", "critical", "panic", "alert", "emerg"), Level.ERROR
    ),
}
_HEAD: Final = 80
"""A level stands at the beginning of a line; further on the word may mean anything."""

_ISO: Final = re.compile(
    r"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)\]? ?", re.ASCII
)
_HEADER: Final = re.compile(rb"==> .{1,4096} <==")


class Lines:
    """Cuts what arrives into lines of bounded length."""

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False

    def feed(self, data: bytes) -> list[bytes]:
        """The whole lines that are there now; of a longer one its beginning."""
        parts = (self._rest + data).split(b"\n")
        self._rest = parts.pop()
        if self._skips and parts:
            parts.pop(0)
            self._skips = False
        elif self._skips:
            self._rest = b""
        if len(self._rest) > LONGEST_RAW:
            parts.append(self._rest[:LONGEST_RAW])
            self._rest, self._skips = b"", True
        return parts

    def end(self) -> list[bytes]:
        """What stands there without an end of line."""
        rest, self._rest = self._rest, b""
        return [rest] if rest and not self._skips else []


class Read(NamedTuple):
    """A line and whose it is."""

    stream: Stream
    line: LogLine


def parse(channel: Channel, raw: bytes, now: float, *, is_new: bool) -> Read | None:
    """A line of a log; None for one that is no entry.

    `now` is when it came, `is_new` that it cannot have been there for long by then.
    """
    if channel.kind is LogKind.JOURNAL:
        return _journal(channel, raw, now)
    if channel.kind is LogKind.FILE and (not raw or _HEADER.fullmatch(raw)):
        return None
    stream = channel.streams[0]
    text = raw[: LONGEST * 8].decode("utf-8", "replace")
    at, kind = now, TimeKind.SEEN if is_new else TimeKind.UNKNOWN
    stamp = _ISO.match(text)
    written = _seconds(stamp) if stamp is not None else None
    if stamp is not None and written is not None:
        at, kind, text = written, TimeKind.WRITTEN, text[stamp.end() :]
    cursor = "" if channel.kind is LogKind.FILE else text
    text = clean(text, LONGEST)
    return Read(stream, LogLine(at, stream.name, text, level_of(text), kind, cursor))


def _journal(channel: Channel, raw: bytes, now: float) -> Read | None:
    """An object of `journalctl -o json` (systemd.io/JOURNAL_EXPORT_FORMATS)."""
    if not raw.startswith(b"{"):
        return None
    try:
        entry = json.loads(raw)
    except (ValueError, RecursionError):
        text = f"(an entry that cannot be read: {clean(raw[:400], 200)})"
        stream = channel.streams[0]
        return Read(stream, LogLine(now, stream.name, text, time_kind=TimeKind.UNKNOWN))
    if not isinstance(entry, dict):
        return None
    stream = _owner(channel, entry)
    text = clean(_message(entry.get("MESSAGE")), LONGEST)
    level = level_of(text)
    priority = entry.get("PRIORITY")
    if level is Level.UNKNOWN and isinstance(priority, str) and priority in tuple("01234567"):
        level = _of_priority(int(priority))
    micros = entry.get("__REALTIME_TIMESTAMP")
    cursor = entry.get("__CURSOR")
    cursor = cursor[:400] if isinstance(cursor, str) else ""
    at, kind = now, TimeKind.UNKNOWN
    if isinstance(micros, str) and micros.isascii() and micros.isdecimal() and len(micros) <= 17:
        at, kind = int(micros) / 1e6, TimeKind.WRITTEN
    return Read(stream, LogLine(at, stream.name, text, level, kind, cursor))


def _owner(channel: Channel, entry: dict[str, object]) -> Stream:
    """The stream of the unit that wrote an entry, or that systemd writes about."""
    units = (entry.get("UNIT"), entry.get("_SYSTEMD_UNIT"))
    return next((one for one in channel.streams if one.source.name in units), channel.streams[0])


def _message(value: object) -> str | bytes:
    """A text; a list of bytes where it is not plain; several where the field was given twice."""
    if isinstance(value, str):
        return value
    if value is None:
        return "(too long: left out by journalctl)"
    if isinstance(value, list):
        if all(type(item) is int and 0 <= item <= 255 for item in value):
            return bytes(value)
        return " ".join(item for item in value if isinstance(item, str))
    return str(value)


def level_of(text: str) -> Level:
    """How bad a line is by its own words: glog's letter, or a level's name near its beginning."""
    glog = _GLOG.match(text)
    if glog is not None:
        return _LEVELS[glog[1].lower()]
    for found in _words(text[:_HEAD]):
        level = _LEVELS.get(found)
        if level is not None:
            return level
    return Level.UNKNOWN


def _words(head: str) -> Iterator[str]:
    return (next(word for word in found.groups() if word).lower() for found in _WORD.finditer(head))


def _of_priority(priority: int) -> Level:
    """syslog's: 0 emergency … 7 debug."""
    if priority <= 3:
        return Level.ERROR
    return {4: Level.WARNING, 7: Level.DEBUG}.get(priority, Level.INFO)


def _seconds(stamp: re.Match[str]) -> float | None:
    """UTC seconds; None for what is no time."""
    zone = "+00:00" if stamp[3] == "Z" else stamp[3]
    if ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    fraction = float(f"0.{stamp[2]}") if stamp[2] else 0.0
    try:
        return datetime.fromisoformat(f"{stamp[1].replace(' ', 'T')}{zone}").timestamp() + fraction
    except (ValueError, OverflowError):
        return None
