"""Whether the files that a unit takes settings from were written to since its process was started.

Told by the host itself at one moment: its clock may have been set since the process began, but the
time that the process has run by then is the kernel's.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.upkeep import Change, UnitFile
from lptui.probes.numbers import count, decimal
from lptui.text import clean

MOST_FILES: Final = 32

SCRIPT: Final = (
    'read -r u _ </proc/uptime; printf \'now %s %s\\n\' "$(date +%s)" "$u"; for p; do '
    't=$(stat -L -c %Y -- "$p" 2>/dev/null); if [ -n "$t" ]; then if [ -L "$p" ]; then '
    'a=$(stat -c %Y -- "$p"); [ "$a" -le "$t" ] || t=$a; fi; else t=?; d=$p; '
    '[ ! -L "$p" ] || d=$(readlink -f -- "$p"); case $d in /*) '
    'while [ -n "$d" ] && [ ! -e "$d" ]; do d=${d%/*}; done; '
    '[ -d "${d:-/}" ] && [ -x "${d:-/}" ] && t=gone;; esac; fi; printf \'%s\\n\' "$t"; done'
)
"""The host's time and how long it is up, then for each path when it was last written, or the link
that leads to it: `gone` where the login sees that it is not there, `?` where it may not look.

    now 1763668800 5213.46
    1763660000
    gone
"""

_GONE: Final = "gone"
_MARGIN_S: Final = 2.0
"""Times are whole seconds, and a file is often written a moment before the start that reads it."""

_FILE: Final = re.compile(r"(/.{1,400}?)(?: \(ignore_errors=(yes|no)\))?")
_MICROSECONDS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Named:
    """The files that a unit names, and when its main process was started.

    Attributes:
        started: seconds since its host's boot; None where it has not run.
        optional: of `paths`, those that it starts without.
    """

    paths: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    started: float | None = None


def named(lines: Sequence[str], config: str) -> Named:
    """What is told of a unit: `file PATH (ignore_errors=no)`, `config PATH`, `in FOLDER`, `start
    MICROSECONDS`; `config` is what its command line says, which counts more than its variables."""
    files = [_FILE.fullmatch(line[5:]) for line in lines if line.startswith("file ")]
    told = [one for one in files if one is not None]
    folder = next((line[3:].lstrip("!") for line in lines if line.startswith("in ")), "") or "/"
    config = config or next((line[7:] for line in lines if line.startswith("config ")), "")
    place = posixpath.join(folder, config) if config else ""
    start = next((count(line[6:]) for line in lines if line.startswith("start ")), None)
    paths = (*(one[1] for one in told), *([place] if place.startswith("/") else []))
    return Named(
        # What is not as it is written is not looked for.
        tuple(dict.fromkeys(path for path in paths if path == clean(path)))[:MOST_FILES],
        frozenset(one[1] for one in told if one[2] == "yes"),
        start / _MICROSECONDS if start else None,
    )


def parse(units: Sequence[Named], text: str) -> tuple[tuple[UnitFile, ...], ...]:
    """The files of each unit, from what `SCRIPT` says of all their paths in order.

    One that is not there and need not be is left out. Raises BadAnswerError for anything else.
    """
    head, *times = text.rstrip("\n").split("\n")
    words = head.split(" ")
    now, uptime = (decimal(words[1]), decimal(words[2])) if len(words) == 3 else (None, None)
    if words[0] != "now" or now is None or uptime is None:
        raise BadAnswerError("files of units", f"unexpected {clean(head, 60)!r}")
    if len(times) != sum(len(unit.paths) for unit in units):
        raise BadAnswerError("files of units", f"{len(times)} times for another number of files")
    rest = iter(times)
    return tuple(
        tuple(
            _file(unit, path, told, now, uptime)
            for path, told in [(path, next(rest)) for path in unit.paths]
            if told != _GONE or path not in unit.optional
        )
        for unit in units
    )


def _file(unit: Named, path: str, told: str, now: float, uptime: float) -> UnitFile:
    written, since = decimal(told), Change.UNKNOWN
    if told == _GONE:
        since = Change.GONE
    elif written is not None and unit.started is not None:
        started = now - (uptime - unit.started)
        # What is ahead of the clock tells nothing.
        if max(written, started) <= now + _MARGIN_S:
            since = Change.WRITTEN if written > started + _MARGIN_S else Change.NONE
    return UnitFile(path, since, written)
