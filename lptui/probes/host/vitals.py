"""Load, CPU and memory from `/proc`: the reading that recurs every two seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.topology import Intervals
from lptui.fleet.units import Percent
from lptui.probes.host import commands
from lptui.probes.host.base import HostProbe
from lptui.probes.numbers import count, decimal
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean

_KIB: Final = 1024


def parse(text: str) -> HostVitals:
    """The vitals without the CPU's share, which needs two readings.

    Raises BadAnswerError when uptime, load, CPU counters or memory are missing or not numbers.
    """
    lines = _by_name(text)
    uptime = _decimals(lines, "uptime", 1)[0]
    load = _decimals(lines, "load", 3)
    running, tasks = _tasks(lines)
    ticks = _counts(lines, "cpu", 4)
    # Guest time (from the ninth on) is part of user time already.
    total = sum(ticks[:8])
    iowait = ticks[4] if len(ticks) > 4 else 0
    memory_total = _kilobytes(lines, "MemTotal:")
    if not memory_total:
        raise BadAnswerError("/proc/meminfo", "it says that there is no memory")
    return HostVitals(
        uptime_s=uptime,
        load_1m=load[0],
        load_5m=load[1],
        load_15m=load[2],
        tasks_running=running,
        tasks=tasks,
        cpu_busy_ticks=total - ticks[3] - iowait,
        cpu_total_ticks=total,
        cpu_iowait_ticks=iowait,
        cpu_user_ticks=ticks[0] + ticks[1],
        cpu_system_ticks=ticks[2] + sum(ticks[5:7]),
        cpu_steal_ticks=sum(ticks[7:8]),
        memory_total=memory_total,
        memory_available=_kilobytes(lines, "MemAvailable:"),
    )


def with_cpu_share(now: HostVitals, before: HostVitals | None) -> HostVitals:
    """The vitals with the CPU's shares since the reading before.

    None without one, after a reboot, and when no tick has passed.
    """
    if before is None or now.uptime_s < before.uptime_s:
        return now
    total = now.cpu_total_ticks - before.cpu_total_ticks
    busy = now.cpu_busy_ticks - before.cpu_busy_ticks
    if total <= 0 or busy < 0:
        return now

    def share(ticks: int | None, earlier: int | None) -> Percent | None:
        """None for a counter that went back, as that of iowait may (proc(5))."""
        if ticks is None or earlier is None or ticks < earlier:
            return None
        return Percent(min(100.0, 100.0 * (ticks - earlier) / total))

    return replace(
        now,
        cpu_busy=Percent(min(100.0, 100.0 * busy / total)),
        cpu_user=share(now.cpu_user_ticks, before.cpu_user_ticks),
        cpu_system=share(now.cpu_system_ticks, before.cpu_system_ticks),
        cpu_iowait=share(now.cpu_iowait_ticks, before.cpu_iowait_ticks),
        cpu_steal=share(now.cpu_steal_ticks, before.cpu_steal_ticks),
    )


class HostVitalsProbe(HostProbe):
    """Asks `/proc` by the shell's own builtins, so that a reading costs a node next to nothing."""

    name: ClassVar[str] = "host-vitals"
    topic: ClassVar[type] = HostVitals
    asks: ClassVar[str] = "/proc"

    def pace(self, intervals: Intervals) -> float:
        return intervals.fast

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        [output] = await asking.reach.shell(target).run([commands.VITALS], asking.deadline_s)
        if not output.stdout.strip():
            raise failure(f"/proc of {target}", output)
        before = asking.latest.value(HostVitals, target)
        return [Answer(self.key(target), with_cpu_share(parse(output.text), before))]


def _by_name(text: str) -> dict[str, list[str]]:
    """The lines by their first word; the first line of a name counts."""
    lines: dict[str, list[str]] = {}
    for line in text.split("\n"):
        words = line.split()
        if words:
            lines.setdefault(words[0], words[1:])
    return lines


def _counts(lines: Mapping[str, list[str]], name: str, least: int) -> list[int]:
    found = [count(word) for word in lines.get(name, ())]
    known = [value for value in found if value is not None]
    if len(found) < least or len(known) != len(found):
        raise _bad(lines, name)
    return known


def _decimals(lines: Mapping[str, list[str]], name: str, least: int) -> list[float]:
    found = [decimal(word) for word in lines.get(name, ())[:least]]
    known = [value for value in found if value is not None and value >= 0]
    if len(known) < least:
        raise _bad(lines, name)
    return known


def _kilobytes(lines: Mapping[str, list[str]], name: str) -> int:
    value = count(lines[name][0]) if lines.get(name) else None
    if value is None:
        raise _bad(lines, name)
    return value * _KIB


def _tasks(lines: Mapping[str, list[str]]) -> tuple[int, int]:
    """`3/389`: running and all."""
    words = lines["load"]
    running, _, tasks = (words[3] if len(words) > 3 else "").partition("/")
    counts = (count(running), count(tasks))
    if counts[0] is None or counts[1] is None:
        raise _bad(lines, "load")
    return counts[0], counts[1]


def _bad(lines: Mapping[str, list[str]], name: str) -> BadAnswerError:
    if name not in lines:
        return BadAnswerError("/proc", f"the line {name!r} is missing")
    return BadAnswerError("/proc", f"unexpected {name!r}: {clean(' '.join(lines[name]), 60)!r}")
