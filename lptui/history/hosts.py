"""How the machines' disks moved and which backups were found whole, kept between runs.

A machine is known by how it is reached, so that several fleets share what they know of it. The
file is a hint: what cannot be read counts as never seen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from lptui.errors import Problem, ProblemKind
from lptui.fleet.facts.upkeep import BackupState, HostBackups, HostGrowth, MountGrowth
from lptui.fleet.growth import MOST_MOUNTS, MOST_SPANS, with_trend
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host
from lptui.history.files import replace_file
from lptui.text import clean

VERSION: Final = 1
MOST: Final = 256
"""Machines, the latest ones."""

LONGEST: Final = 8_000_000
"""Characters of the file that are read and written at most."""

_MOST_BACKUPS: Final = 64

Readings = dict[Key, Reading[object]]


def remembered(fleet: Fleet, path: Path) -> Readings:
    """Readings that were not read yet in this run, with what earlier runs knew as their last good
    value. Blocks; never raises for the file."""
    known = _load(path)
    found: Readings = {}
    for name, host in fleet.hosts.items():
        entry: Any = known.get(_machine(host))
        for topic, parse in _PARTS:
            try:
                at, value = _number(entry["at"]), parse(entry[topic.__name__])
            except (KeyError, TypeError, ValueError, IndexError):
                continue
            found[Key(topic, name)] = _past(value, at)
    return found


def save(snapshot: Snapshot, path: Path) -> None:
    """Writes what a snapshot knows. Blocks; never raises for the file."""
    known = _load(path)
    for name, host in snapshot.fleet.hosts.items():
        growth = snapshot.value(HostGrowth, name)
        backups = snapshot.value(HostBackups, name)
        if growth is None and backups is None:
            continue
        entry = known.pop(_machine(host), None)
        entry = dict(entry) if isinstance(entry, dict) else {}
        entry["at"] = snapshot.taken_at
        if growth is not None:
            entry["HostGrowth"] = [
                [one.path, one.device, one.size, one.available, *map(list, one.samples)]
                for one in growth.mounts
            ]
        if backups is not None:
            entry["HostBackups"] = [
                [one.name, one.file, one.modified_at, one.size, one.whole]
                for one in backups.backups
            ]
        known[_machine(host)] = entry
    text = json.dumps({"version": VERSION, "hosts": dict(list(known.items())[-MOST:])})
    if known and len(text) < LONGEST:
        with suppress(OSError):
            replace_file(path, text)


def _machine(host: Host) -> str:
    ssh = host.ssh
    if ssh is None:
        return "local"
    return f"{ssh.address or ssh.alias}:{ssh.port or ''} {' '.join(ssh.jump)}".strip()


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            found = json.loads(file.read(LONGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("version") != VERSION:
        return {}
    hosts = found.get("hosts")
    return hosts if isinstance(hosts, dict) else {}


def _past(value: object, at: float) -> Reading[object]:
    words = "what earlier runs learnt"
    problem = Problem(ProblemKind.NOT_READ, words, "not read yet in this run")
    return Reading(None, problem, words, 0.0, last_good=Reading(value, None, words, at))


def _growth(rows: Any) -> HostGrowth:  # noqa: ANN401
    mounts = []
    for path, device, size, available, *samples in rows[:MOST_MOUNTS]:
        pairs = [(_whole(span), _whole(free)) for span, free in samples[-MOST_SPANS:]]
        if any(later[0] <= earlier[0] for earlier, later in pairwise(pairs)):
            raise ValueError("not in order")
        mount = MountGrowth(
            _text(path), _text(device), _whole(size), _whole(available), tuple(pairs)
        )
        mounts.append(with_trend(mount))
    return HostGrowth(tuple(mounts))


def _backups(rows: Any) -> HostBackups:  # noqa: ANN401
    states = []
    for name, file, modified_at, size, whole in rows[:_MOST_BACKUPS]:
        if whole is not None and not isinstance(whole, bool):
            raise ValueError("not a verdict")
        states.append(
            BackupState(
                _text(name),
                _text(file),
                modified_at=None if modified_at is None else _number(modified_at),
                size=None if size is None else _whole(size),
                whole=whole,
            )
        )
    return HostBackups(tuple(states))


_PARTS: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (HostGrowth, _growth),
    (HostBackups, _backups),
)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return clean(value, 1024)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError("not a count")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)
