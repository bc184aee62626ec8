"""What systemd says of the watched units, and which units have failed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import Unit, UnitLoad
from lptui.probes.numbers import count, integer
from lptui.text import clean

_PROPERTY: Final = re.compile(r"([A-Za-z]{1,60})=(.*)", re.ASCII)
_UNSET: Final = 2**64 - 1
"""systemd writes this, `[not set]` or `infinity` for what it does not count."""

_MICROSECONDS: Final = 1_000_000
_MOST_FAILED: Final = 100


def parse_show(text: str, names: Sequence[str], uptime_s: float | None) -> tuple[Unit, ...]:
    """The units that `systemctl show -- NAMES` describes, in that order and under those names.

    `uptime_s` is the host's, to turn a time since boot into an age; None leaves ages unknown.
    Raises BadAnswerError when the blocks cannot be matched to the names.
    """
    blocks = _blocks(text)
    if len(blocks) != len(names):
        raise BadAnswerError(
            "systemctl show", f"{len(blocks)} units for {len(names)} names: {clean(text, 80)!r}"
        )
    return tuple(_unit(name, block, uptime_s) for name, block in zip(names, blocks, strict=True))


def parse_failed(text: str) -> tuple[str, ...]:
    """Names from `systemctl list-units --plain --no-legend`; some versions put a dot in front."""
    names = (line.lstrip(" ●*\xd7").split(maxsplit=1) for line in text.split("\n"))
    return tuple(clean(words[0], 120) for words in names if words and "." in words[0])[
        :_MOST_FAILED
    ]


def parse_open_files(text: str) -> dict[int, tuple[int | None, int | None]]:
    """Open files and limit by pid, from `PID USED LIMIT` lines; None is unknown.

    A count of 0 comes from kernels that do not tell, `unlimited` is no limit to compare with.
    """
    found: dict[int, tuple[int | None, int | None]] = {}
    for line in text.split("\n"):
        words = line.split()
        pid = count(words[0]) if len(words) == 3 else None
        if pid is not None:
            found[pid] = (count(words[1]) or None, count(words[2]))
    return found


def with_open_files(unit: Unit, found: Mapping[int, tuple[int | None, int | None]]) -> Unit:
    """The unit with what is known of its main process."""
    if unit.main_pid is None or unit.main_pid not in found:
        return unit
    used, limit = found[unit.main_pid]
    return replace(unit, fd_used=used, fd_limit=limit)


def _blocks(text: str) -> list[dict[str, str]]:
    """The properties between empty lines; other lines are messages of systemctl."""
    blocks: list[dict[str, str]] = [{}]
    for line in text.split("\n"):
        match = _PROPERTY.fullmatch(line)
        if match is not None:
            blocks[-1].setdefault(match[1], clean(match[2], 200))
        elif not line.strip() and blocks[-1]:
            blocks.append({})
    return [block for block in blocks if "LoadState" in block]


def _unit(name: str, block: Mapping[str, str], uptime_s: float | None) -> Unit:
    active = block.get("ActiveState", "")
    entered = _counted(block.get("ActiveEnterTimestampMonotonic", ""))
    since_s = None
    if active in ("active", "reloading", "deactivating") and entered and uptime_s is not None:
        since_s = max(0.0, uptime_s - entered / _MICROSECONDS)
    has_run = bool(block.get("InvocationID")) or bool(entered)
    return Unit(
        name=name,
        load=_load(block["LoadState"]),
        active=active,
        sub=block.get("SubState", ""),
        result=block.get("Result", ""),
        enabled=block.get("UnitFileState", ""),
        restarts=_counted(block.get("NRestarts", "")),
        main_pid=_counted(block.get("MainPID", "")) or None,
        since_s=since_s,
        exit_status=integer(block.get("ExecMainStatus", "")) if has_run else None,
        memory=_counted(block.get("MemoryCurrent", "")),
        tasks=_counted(block.get("TasksCurrent", "")),
        restart_policy=block.get("Restart", ""),
        needs_reload=block.get("NeedDaemonReload") == "yes",
        invocation=block.get("InvocationID", ""),
    )


def _load(word: str) -> UnitLoad:
    try:
        return UnitLoad(word)
    except ValueError:
        return UnitLoad.OTHER


def _counted(text: str) -> int | None:
    value = count(text)
    return None if value is None or value >= _UNSET else value
