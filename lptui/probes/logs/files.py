"""Logs in files: which of them have an hour's lines, and what the stamps of their lines mean.

glog writes month, day and time, in the zone of whoever writes: no year, no zone. That is the
host's zone, or UTC in most containers. A file was changed last when its last line was written:
that tells which of the two it is, and when it is neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.text import clean
from lptui.transport.protocols import Command

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of an hour's lines, the newest that are read."""

LEAST_BYTES: Final = 1024 * 1024
MOST_PACKED: Final = 8 * 1024 * 1024
"""A compressed file that is larger is left alone: to open it costs the host too much."""

_PACKED_TIMES: Final = 10
"""How much larger its contents are, about."""

_MARGIN: Final = 1024 * 1024
"""What may be added to a file between the question how large it is and its reading."""

_AHEAD_S: Final = 7200.0
"""Later stamps are not believed; when clocks are put back they are an hour ahead."""

_EARLY_S: Final = 120.0
_LATE_S: Final = 900.0
"""How long before, and after, its last line a file may seem to have been changed."""

_MOST_FILES: Final = 40

SCRIPT: Final = (
    'unset TZ; n=$(date +%s); printf \'now %s %s %s\\n\' "$n" "$(date +%z)" '
    f'"$(date -d "@$((n-{int(_AHEAD_S)}))" +%z 2>/dev/null)"; IFS=; '
    "for p; do stat -L -c '%d:%i %Y %s %f %n' -- $p 2>/dev/null; done | "
    f"LC_ALL=C sort -u | sort -k 2,2nr | head -n {_MOST_FILES} | while read -r l; do "
    '[ -r "/${l#* /}" ] && r=r || r=-; printf \'%s %s\\n\' $r "$l"; done'
)
"""Words: patterns. Prints the host's time, its zone now and two hours ago, then files, the newest
first; `-` before those that the login may not read:

    now 1795793095 +0100 +0100
    r 2049:8123 1795793093 104857 81a4 /var/log/livepeer.log
    - 2049:8117 1795791002 9104857 8180 /var/log/livepeer.log.1
"""

_NOW: Final = re.compile(r"now ([0-9]{1,12}) ([+-][0-9]{4}) ([+-][0-9]{4})?", re.ASCII)
_FILE: Final = re.compile(
    r"([r-]) ([0-9]{1,20}:[0-9]{1,20}) ([0-9]{1,12}) ([0-9]{1,18}) ([0-9a-f]{1,8}) (/.*)",
    re.ASCII,
)
_PACKED: Final = re.compile(r"\.(?:gz|xz|bz2|zst)$")
_TURN: Final = r"(?:\.[0-9]{1,4}|[.-][0-9]{8}(?:-?[0-9]{1,10})?)"
_ROTATED: Final = re.compile(rf"(.+?){_TURN}(\.[A-Za-z]+)?", re.ASCII)
"""`livepeer.log.1`, `livepeer.log-20261127`, `livepeer-20261127.log` (logrotate's `extension`)."""

_STAMP: Final = "%m%dT%H:%M:%S.%f"


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of a log. `base` is the one that it was rotated from; a live one's is itself."""

    path: str
    base: str
    inode: str
    changed_at: float
    size: int
    is_closed: bool

    @property
    def is_live(self) -> bool:
        return self.path == self.base

    @property
    def is_packed(self) -> bool:
        return _PACKED.search(self.path) is not None


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a log, the newest first. `now` is the host's own time, in UTC seconds; its
    zone in seconds east of UTC, now and two hours ago."""

    now: float
    zone_s: int
    zone_before_s: int
    files: tuple[LogFile, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """The last `size` bytes of a file; `family` numbers the log that it is of."""

    family: int
    is_cut: bool
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class Portion:
    """What is read of a log's files, the oldest of each log first.

    Attributes:
        leaves_out: there are more lines since the time that was asked for.
        reaches_back: there are none, and what is older is in other files.
    """

    pieces: tuple[Piece, ...]
    leaves_out: bool
    reaches_back: bool


def listing(patterns: Sequence[str], timeout_s: float) -> Command:
    """Asks which files there are, those that were rotated among them."""
    words = tuple(dict.fromkeys(glob for one in patterns for glob in _globs(one)))
    return Command(("/bin/sh", "-c", SCRIPT, "lptui", *words), timeout_s=timeout_s)


def _globs(pattern: str) -> tuple[str, ...]:
    folder, _, name = pattern.rpartition("/")
    stem, dot, kind = name.rpartition(".")
    turned = (f"{folder}/{stem}[.-][0-9]*{dot}{kind}*",) if stem else ()
    return (pattern, f"{pattern}[.-][0-9]*", *turned)


def parse(patterns: Sequence[str], text: str) -> Listing:
    """What the script printed. Raises BadAnswerError for anything else, CommandError where there
    is no file at all."""
    what = f"files of {', '.join(patterns)}"
    head: re.Match[str] | None = None
    rows: list[re.Match[str]] = []
    for line in text.splitlines():
        if (row := _FILE.fullmatch(line)) is not None:
            rows.append(row)
        else:
            head = _NOW.fullmatch(line) or head
    if head is None:
        raise BadAnswerError(what, f"unexpected {clean(text, 60)!r}")
    globs = [glob for one in patterns for glob in _globs(one)]
    found: dict[str, LogFile] = {}
    for row in rows:
        path = row[6]
        if not row[5].startswith("8") or not any(fnmatchcase(path, glob) for glob in globs):
            continue
        one = LogFile(path, base_of(path), row[2], float(row[3]), int(row[4]), row[1] == "-")
        # A link beside the file that it leads to.
        found.setdefault(one.inode, one)
    if not found:
        raise CommandError(
            what,
            "none there, or in a folder that is closed to the login",
            "see the node's `logs:`, and that the login may enter the folder",
            kind=ProblemKind.COMMAND_FAILED,
        )
    zone = _zone(head[2])
    files = sorted(found.values(), key=lambda one: -one.changed_at)
    return Listing(float(head[1]), zone, _zone(head[3]) if head[3] else zone, tuple(files))


def base_of(path: str) -> str:
    """The path of the log that a file was rotated from."""
    folder, _, name = path.rpartition("/")
    name = _PACKED.sub("", name)
    turned = _ROTATED.fullmatch(name)
    return f"{folder}/{turned[1]}{turned[2] or ''}" if turned is not None else f"{folder}/{name}"


def portion_of(found: Listing, since: float, most_bytes: int) -> Portion:
    """What is to be read for the lines since a time (UTC seconds).

    Raises CommandError where the newest file may not be read.
    """
    recent = [one for one in found.files if one.changed_at >= since - 1]
    if recent and recent[0].is_closed:
        raise CommandError(
            recent[0].path,
            "the login may not read it",
            "let the login read the file: its group (often adm), or an ACL",
            kind=ProblemKind.FORBIDDEN,
        )
    plain = {one.path for one in recent if not one.is_packed}
    families = {one.base: number for number, one in enumerate(found.files)}
    chosen: list[tuple[LogFile, Piece]] = []
    leaves_out = False
    left = most_bytes
    for one in recent:
        if not one.size or (one.is_packed and _PACKED.sub("", one.path) in plain):
            continue
        if one.is_closed or (one.is_packed and one.size > MOST_PACKED) or left <= 0:
            leaves_out = True
            continue
        is_cut = one.size > left and not one.is_packed
        size = left if is_cut or one.is_packed else one.size + _MARGIN
        chosen.append((one, Piece(families[one.base], is_cut, size, one.path)))
        left -= min(left, one.size * (_PACKED_TIMES if one.is_packed else 1))
        leaves_out = leaves_out or left <= 0
    chosen.sort(key=lambda both: (both[0].is_live, both[0].changed_at))
    reaches_back = not leaves_out and len(recent) < len(found.files)
    return Portion(tuple(piece for _, piece in chosen), leaves_out, reaches_back)


def bytes_for(seconds: float, window_s: float) -> int:
    """How much is read of so long a time at most. A negative one is that of a clock put back."""
    share = seconds / window_s if 0 <= seconds <= window_s else 1.0
    return max(LEAST_BYTES, int(MOST_BYTES * share))


def stamp_of(at: float, zone_s: int) -> str:
    """A time as the log writes it."""
    return f"{datetime.fromtimestamp(at, UTC) + timedelta(seconds=zone_s):{_STAMP}}"


def last_believed(found: Listing, zone_s: int) -> str:
    return stamp_of(found.now + _AHEAD_S, zone_s)


def seconds_of(stamp: str, zone_s: int, now: float) -> float:
    """When it was, in UTC seconds, in the year that brings it nearest to `now`. Raises
    BadAnswerError for what is no stamp."""
    year = datetime.fromtimestamp(now, UTC).year
    times = []
    for one in (year - 1, year, year + 1):
        try:
            written = datetime.strptime(f"{one}{stamp}Z", f"%Y{_STAMP}%z")
        except ValueError:
            continue
        times.append(written.timestamp() - zone_s)
    if not times:
        raise BadAnswerError("the node's log", f"no time: {clean(stamp, 40)}")
    return min(times, key=lambda at: abs(at - now))


def fits(
    found: Listing,
    pieces: Sequence[Piece],
    last: tuple[str, int] | None,
    zone_s: int,
    *,
    is_only_guess: bool,
) -> bool:
    """Whether a file was changed when, in this zone, its last line was written. `last` is that
    line's stamp, and which piece it is in, from 1.

    A rotated copy may have been made long after: for it a guess is enough.
    """
    if last is None or not 1 <= last[1] <= len(pieces):
        return False
    path = pieces[last[1] - 1].path
    file = next(one for one in found.files if one.path == path)
    late = file.changed_at - seconds_of(last[0], zone_s, found.now)
    if is_only_guess and not file.is_live:
        return late >= -_EARLY_S
    return -_EARLY_S <= late <= _LATE_S


def _zone(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return sign * (int(text[1:3]) * 3600 + int(text[3:5]) * 60)
