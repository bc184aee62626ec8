"""Backups: the newest file of each declared pattern, and whether its checksum file agrees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from lptui.errors import BadAnswerError, DeadlineError
from lptui.fleet.backups import Backup
from lptui.fleet.facts.upkeep import BackupState, HostBackups
from lptui.fleet.topology import Fleet, Intervals
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import failure, has_hung
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Command, Output, Shell

_SELDOM_S: Final = 300.0
_PATH_LIMIT: Final = 1024
_ROW: Final = re.compile(r"([0-9]{1,12}) ([0-9]{1,19}) (/.*)", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_PATIENCE_S: Final = 3.0
_SPARE_S: Final = 0.5
_LEAST_S: Final = 1.0

SCRIPT: Final = (
    # Without word splitting, a pattern stays one word until it is matched.
    "IFS=; date +%s; "
    "for p; do echo at; "
    "l=$(stat -L -c '%Y %s %f %n' -- $p 2>/dev/null | grep -E '^[0-9]+ [0-9]+ 8[0-9a-f]{3} ' "
    "| sort -n | tail -n 1); "
    'if [ -n "$l" ]; then printf \'%s\\n\' "$l"; continue; fi; '
    # Nothing: is there none, or may the login not look where there would be one?
    "d=${p%/*}; for f in $d; do "
    'while [ ! -e "$f" ] && [ -n "$f" ]; do f=${f%/*}; done; '
    'if [ -d "${f:-/}" ]; then if [ ! -x "${f:-/}" ] || [ ! -r "${f:-/}" ]; then '
    "printf 'closed %s\\n' \"${f:-/}\"; break; fi; fi; done; done"
)
"""A command of its own, not a function: backups are on network mounts at times, and those hang.

Prints the host's time, then `at` for each pattern, and after it the newest regular file: when
it was written (s since 1970), its bytes, its mode, its path; or which folder is closed.

    1800000000
    at
    1799990000 10240 81a4 /srv/backup/keystore-0412.tar.gz
    at
    closed /srv/private
    at
"""

DIGEST: Final = (
    'head -c 200 "$1.sha256" 2>/dev/null | head -n 1 | cut -c 1-66; echo =; '
    'exec nice -n 19 sha256sum < "$1"'
)
"""Prints the first words of the checksum
file, a `=`, and what the file has:

    9f86d081…  keystore-0412.tar.gz
    =
    9f86d081…  -
"""


def parse(asked: Sequence[Backup], text: str) -> HostBackups:
    """The backups in the order asked; raises BadAnswerError for anything else."""
    lines = text.split("\n")
    if not lines[0].isdecimal() or len(lines[0]) > 12:
        raise BadAnswerError("backups", f"no time: {clean(lines[0], 60)!r}")
    now = int(lines[0])
    sections: list[str] = []
    for line in lines[1:]:
        if line == "at":
            sections.append("")
        elif line and sections and not sections[-1]:
            sections[-1] = line
        elif line:
            raise BadAnswerError("backups", f"unexpected {clean(line, 60)!r}")
    if len(sections) != len(asked):
        raise BadAnswerError("backups", f"{len(sections)} answers to {len(asked)} questions")
    return HostBackups(
        tuple(_state(one, line, now) for one, line in zip(asked, sections, strict=True))
    )


def _state(backup: Backup, line: str, now: int) -> BackupState:
    if not line:
        return BackupState(backup.name)
    if line.startswith("closed /"):
        return BackupState(backup.name, closed=clean(line[7:], _PATH_LIMIT))
    words = line.split(" ", 3)
    row = _ROW.fullmatch(f"{words[0]} {words[1]} {words[3]}") if len(words) == 4 else None
    if row is None:
        raise BadAnswerError("backups", f"unexpected {clean(line, 60)!r}")
    return BackupState(
        backup.name,
        clean(row[3], _PATH_LIMIT),
        modified_at=float(row[1]),
        age_s=float(now - int(row[1])),
        size=int(row[2]),
    )


def verdict(state: BackupState, output: Output) -> BackupState:
    """The state with what the checksum file and the file itself say."""
    told, _, found = output.text.partition("=\n")
    wanted, own = told.split(" ", 1)[0].strip(), found.split(" ", 1)[0].strip()
    if not _DIGEST.fullmatch(wanted):
        why = "there is no SHA-256 in it" if wanted else "it is not there, or may not be read"
        return replace(state, unread=f"{state.file}.sha256: {why}")
    if has_hung(output.status):
        return replace(state, unread="it takes longer to read than a reading may take")
    if not _DIGEST.fullmatch(own):
        return replace(state, unread="the login may not read it, or the host has no sha256sum")
    return replace(state, whole=own.lower() == wanted.lower())


def before(known: HostBackups | None, state: BackupState) -> BackupState | None:
    """What was found of the very same file; None when it is another one, or was written to."""
    for one in known.backups if known is not None else ():
        same = (one.name, one.file, one.modified_at, one.size)
        if same == (state.name, state.file, state.modified_at, state.size):
            return one
    return None


class HostBackupsProbe(HostProbe):
    """A file is read for its checksum once: again only when it was written to."""

    name: ClassVar[str] = "host-backups"
    topic: ClassVar[type] = HostBackups
    asks: ClassVar[str] = "stat, sha256sum"

    def pace(self, intervals: Intervals) -> float:
        return max(intervals.slow, _SELDOM_S)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [name for name, host in fleet.hosts.items() if host.backups]

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        shell = asking.reach.shell(target)
        left = time_left(asking)
        asked = asking.fleet.hosts[target].backups
        paths = (backup.path for backup in asked)
        command = Command(("sh", "-c", SCRIPT, "sh", *paths), timeout_s=_PATIENCE_S)
        [output] = await shell.run([command], left())
        if output.status != 0 or not output.text:
            raise failure(f"backups of {target}", output)
        reading = asking.latest.reading(HostBackups, target)
        good = reading if reading.value is not None else reading.last_good
        known = good.value if good is not None else None
        states = []
        for backup, state in zip(asked, parse(asked, output.text).backups, strict=True):
            if not backup.checksum or not state.file:
                states.append(state)
                continue
            earlier = before(known, state)
            if earlier is not None and (earlier.whole is not None):
                states.append(replace(state, whole=earlier.whole))
                continue
            states.append(await _verified(shell, state, left() - _SPARE_S))
        return [Answer(self.key(target), HostBackups(tuple(states)))]


async def _verified(shell: Shell, state: BackupState, patience_s: float) -> BackupState:
    if patience_s < _LEAST_S:
        return replace(state, unread="no time was left to read it")
    whole = int(patience_s)
    command = Command(("sh", "-c", DIGEST, "sh", state.file), timeout_s=whole)
    try:
        [output] = await shell.run([command], whole + _SPARE_S)
    except DeadlineError:
        return replace(state, unread="it takes longer to read than a reading may take")
    return verdict(state, output)
