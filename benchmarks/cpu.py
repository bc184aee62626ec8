"""CPU time of processes, read from /proc: a process with its living and its waited-for children."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def _fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def tree(root: int) -> set[int]:
    """A process and everything that descends from it now."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _fields(int(entry.name))
            if fields is not None:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = set(), [root]
    while todo:
        pid = todo.pop()
        found.add(pid)
        todo += parents.get(pid, [])
    return found


def seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes and of the children that they have waited for.

    /proc/PID/schedstat counts in nanoseconds, but not the dead children: those come from the
    ticks of /proc/PID/stat.
    """
    total = 0.0
    for pid in pids:
        fields = _fields(pid)
        if fields is None:
            continue
        total += (int(fields[13]) + int(fields[14])) * _TICK_S
        try:
            threads = list(Path(f"/proc/{pid}/task").iterdir())
            total += sum(int((t / "schedstat").read_text().split()[0]) for t in threads) / 1e9
        except (OSError, ValueError):
            total += (int(fields[11]) + int(fields[12])) * _TICK_S
    return total


def peak_memory(pid: int) -> int:
    """Largest resident size that a process ever had, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
