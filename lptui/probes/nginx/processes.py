"""nginx's processes: which master, since when its workers run, how many only finish."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lptui.errors import BadAnswerError
from lptui.probes.numbers import count, decimal
from lptui.text import clean

_MODIFIED: Final = re.compile(
    r"([0-9]{1,15}) (?:[0-9-]{10} [0-9:]{8}(?:\.([0-9]{1,9}))? [+-][0-9]{4} )?(/.+)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Process:
    """A process of nginx; `started_at` is seconds since 1970 by the host's clock.

    `is_contained`: it runs in a container on the host.
    """

    pid: int
    parent: int
    started_at: float
    title: str
    is_contained: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """A master and its workers. `loaded_at` None when no worker serves.

    `workers` are those that serve; the newest has done so for `serving_s`.
    """

    pid: int
    uptime_s: float
    loaded_at: float | None
    old_workers: int
    workers: tuple[int, ...] = ()
    serving_s: float | None = None


def parse(text: str) -> tuple[float, tuple[Process, ...]]:
    """The host's time, and its nginx processes; raises BadAnswerError."""
    values: dict[str, str] = {}
    lines: list[str] = []
    contained: set[int | None] = set()
    for line in text.split("\n"):
        name, _, value = line.partition(" ")
        if name == "process":
            lines.append(value)
        elif name == "contained":
            contained.add(count(value))
        else:
            values.setdefault(name, value)
    now = decimal(values.get("now", "").removesuffix("%N").removesuffix("N"))
    uptime = decimal(values.get("uptime", "").partition(" ")[0])
    hertz = count(values.get("hz", "")) or 100
    if now is None or uptime is None:
        raise BadAnswerError("nginx processes", f"no time in {clean(text, 60)!r}")
    found = [_process(line, now - uptime, hertz) for line in lines]
    return now, tuple(replace(one, is_contained=one.pid in contained) for one in found)


def generation(
    now: float, processes: Sequence[Process], config_path: str | None
) -> Generation | None:
    """The master that runs the configuration of interest; None when that is not clear."""
    titled = {one.pid: one for one in processes if "nginx: master process" in one.title}
    parents = {one.parent for one in processes}
    # A worker has its master's title until it runs for the first time.
    masters = [one for one in titled.values() if one.parent not in titled or one.pid in parents]
    if config_path:
        own = [one for one in masters if _configuration(one) == config_path]
        masters = own or [one for one in masters if not _configuration(one).startswith("/")]
    if len(masters) > 1:
        masters = [one for one in masters if not one.is_contained]
    if len(masters) != 1:
        return None
    [master] = masters
    workers = [one for one in processes if one.parent == master.pid and "worker" in one.title]
    old = [one for one in workers if "shutting down" in one.title]
    serving = [one for one in workers if one not in old]
    started = [one.started_at for one in serving]
    # A worker that died and was started again has the old configuration: the oldest one counts.
    return Generation(
        pid=master.pid,
        uptime_s=max(0.0, now - master.started_at),
        loaded_at=min(started, default=None),
        old_workers=len(old),
        workers=tuple(sorted(one.pid for one in serving)),
        serving_s=max(0.0, now - max(started)) if started else None,
    )


def _configuration(master: Process) -> str:
    """What `-c` names on its command line; "" when it runs the usual one."""
    words = master.title.split()
    return words[words.index("-c") + 1] if "-c" in words[:-1] else ""


def parse_modified(text: str) -> Mapping[str, float]:
    """Seconds since 1970, to the part of a second that `stat` tells, by path."""
    found: dict[str, float] = {}
    for line in text.split("\n"):
        match = _MODIFIED.fullmatch(line)
        if match is not None:
            found[match[3]] = int(match[1]) + float(f"0.{match[2] or 0}")
    return found


def _process(line: str, booted_at: float, hertz: int) -> Process:
    words = line.split(" ", 3)
    numbers = [count(word) for word in words[:3]]
    pid, parent, ticks = numbers if len(numbers) == 3 else (None, None, None)
    if pid is None or parent is None or ticks is None:
        raise BadAnswerError("nginx processes", f"unexpected {clean(line, 60)!r}")
    title = clean(words[3], 300) if len(words) > 3 else ""
    return Process(pid, parent, booted_at + ticks / hertz, title)
