"""What systemd says of the watched units, and which units have failed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import Trigger, Unit, UnitLoad
from lptui.probes.numbers import count, integer
from lptui.text import clean

_PROPERTY: Final = re.compile(r"([A-Za-z]{1,60})=(.*)", re.ASCII)
_NODE: Final = re.compile(r"program livepeer(?:[-_.]?v?[0-9][0-9.]*)?", re.ASCII)
"""go-livepeer itself, and not its `livepeer_cli` or `livepeer_router`."""

_QUOTES: Final = "\"' \t"
_UNSET: Final = 2**64 - 1
"""systemd writes this, `[not set]` or `infinity` for what it does not count."""

_MICROSECONDS: Final = 1_000_000
_MOST_FAILED: Final = 100
_MOST_NAMES: Final = 20

_PULLS: Final = ("WantedBy", "RequiredBy", "BoundBy", "UpheldBy", "OnFailureOf", "OnSuccessOf")

_SPAN: Final = re.compile(r"(\d+)(y|month|w|d|h|min|s|ms|us)", re.ASCII)
_SECONDS: Final = {
    "y": 31_557_600.0,
    "month": 2_629_800.0,
    "w": 604_800.0,
    "d": 86_400.0,
    "h": 3600.0,
    "min": 60.0,
    "s": 1.0,
    "ms": 0.001,
    "us": 0.000_001,
}
"""systemd's units of time (systemd.time(7))."""


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


def parse_triggers(text: str) -> dict[str, Trigger]:
    """Triggers by name, from `commands.show_triggers`."""
    found = {}
    for block in _blocks(text):
        name = block.get("Id", "")
        found[name] = Trigger(name, block.get("ActiveState", ""), block.get("UnitFileState", ""))
    return found


def with_triggers(unit: Unit, found: Mapping[str, Trigger]) -> Unit:
    """The unit with what is known of its triggers."""
    known = tuple(found.get(trigger.name, trigger) for trigger in unit.triggers)
    return replace(unit, triggers=known)


def with_origin(unit: Unit, links: str) -> Unit:
    """The unit with the file that it is linked from, by `commands.linked_units`."""
    for line in links.split("\n"):
        name, _, origin = line.partition(" ")
        if name == unit.name and origin.startswith("/"):
            return replace(unit, file=clean(origin))
    return unit


def time_span(text: str) -> float | None:
    """Seconds of a span as systemd writes it (`1min 30s`, `infinity`); None for what is none."""
    if text == "infinity":
        return inf
    parts = [_SPAN.fullmatch(word) for word in text.split()]
    if not parts or len(parts) > len(_SECONDS):
        return None
    total = 0.0
    for part in parts:
        if part is None or len(part[1]) > 9:
            return None
        total += int(part[1]) * _SECONDS[part[2]]
    return total


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


def parse_starts(text: str) -> dict[str, tuple[str, ...] | None]:
    """What units give go-livepeer, by unit, from `commands.starts`.

    None where that cannot be told: the unit starts something else, or what it gives is elsewhere.
    """
    sections: dict[str, list[str]] = {}
    name = ""
    for line in text.split("\n"):
        if line.startswith("unit "):
            name = line.removeprefix("unit ")
            sections[name] = []
        elif line and name:
            sections[name].append(line)
    return {name: _start_flags(lines) for name, lines in sections.items()}


def _start_flags(lines: Sequence[str]) -> tuple[str, ...] | None:
    """In the order in which they count: the last of a name does."""
    programs = [line for line in lines if line.startswith("program ")]
    of_unit = [_variable(line) for line in lines if line.startswith("+LP_")]
    of_files = [_variable(line) for line in lines if line.startswith("=LP_")]
    arguments = [clean(line[1:], 80) for line in lines if line.startswith("-")]
    flags = [*of_unit, *of_files, *arguments][:_MOST_NAMES]
    is_told = len(programs) == 1 and _NODE.fullmatch(programs[0]) is not None and "?" not in lines
    if not is_told or any(flag.partition("=")[0] == "config" for flag in flags):
        return None
    return tuple(flags)


def _variable(line: str) -> str:
    """`+LP_REWARD="true"` as the flag `reward=true`."""
    name, _, value = line[4:].partition("=")
    return f"{name.lower()}={clean(value.strip(_QUOTES), 60)}"


def with_start_flags(unit: Unit, found: Mapping[str, tuple[str, ...] | None]) -> Unit:
    """The unit with what it would be started with, where that was asked."""
    return replace(unit, start_flags=found.get(unit.name))


def _watchdog(text: str) -> float | None:
    """Seconds of `30s`; 0 for none, which systemd writes as 0 or infinity."""
    return 0.0 if text in ("0", "infinity") else time_span(text)


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
        file=block.get("FragmentPath", ""),
        stop_timeout_s=time_span(block.get("TimeoutStopUSec", "")),
        pulled_in_by=tuple(name for key in _PULLS for name in _names(block.get(key, ""))),
        triggers=tuple(Trigger(name, "", "") for name in _names(block.get("TriggeredBy", ""))),
        refuses_start=block.get("RefuseManualStart") == "yes",
        refuses_stop=block.get("RefuseManualStop") == "yes",
        can_reload=block.get("CanReload") == "yes",
        reload_result=block.get("ReloadResult", ""),
        changed_us=count(block.get("StateChangeTimestampMonotonic", "")),
        watchdog_s=_watchdog(block.get("WatchdogUSec", "")),
        fd_promised=_counted(block.get("LimitNOFILESoft", "")),
    )


def _names(text: str) -> list[str]:
    return text.split()[:_MOST_NAMES]


def _load(word: str) -> UnitLoad:
    try:
        return UnitLoad(word)
    except ValueError:
        return UnitLoad.OTHER


def _counted(text: str) -> int | None:
    value = count(text)
    return None if value is None or value >= _UNSET else value
