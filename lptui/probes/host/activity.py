"""What a host's disks and TCP sockets do: counters of `/proc`, and rates between two readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.activity import DiskActivity, HostActivity, TcpSockets
from lptui.fleet.topology import Intervals
from lptui.fleet.units import Percent
from lptui.probes.host.base import HostProbe
from lptui.probes.numbers import count, decimal
from lptui.probes.outcome import NOT_FOUND, failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command, ShellFunction

MOST_SOCKETS: Final = 5_000
"""Of more, the host is not made to list each: 3000 cost it 10 ms of a CPU, all else 2 ms."""

MOST_DISKS: Final = 64
_SECTOR: Final = 512
"""Bytes; /proc/diskstats counts in these, whatever a disk's own sectors are."""

_AWK: Final = (
    "BEGIN { n = split(d, a); "
    'for (i = 1; i <= n; i++) { s = a[i]; sub(".*/", "", s); gsub("!", "/", s); '
    "if (s !~ /^(loop|ram|zram|dm-|md|sr|fd)/) w[s] = 1 } "
    'if ((getline l < "/proc/uptime") > 0) { split(l, f); print "uptime", f[1] } '
    'while ((getline l < "/proc/diskstats") > 0) { split(l, f); if (f[3] in w) '
    'print "disk", f[3], f[4], f[8], f[6], f[10], f[7], f[11], f[13] } '
    'while ((getline l < "/proc/net/sockstat") > 0) { split(l, f); if (f[1] == "TCP:") { '
    't = f[3] + f[7]; print "orphaned", f[5]; print "time_wait", f[7] } } '
    'while ((getline l < "/proc/net/sockstat6") > 0) { split(l, f); '
    'if (f[1] == "TCP6:") t += f[3] } '
    'while ((getline l < "/proc/net/snmp") > 0) { split(l, f); '
    'if (f[1] == "Tcp:" && f[10] ~ /^[0-9]+$/) print "open", f[10] } '
    "if (t > m) exit; "
    'p[1] = "/proc/net/tcp"; p[2] = "/proc/net/tcp6"; '
    "for (i = 1; i <= 2; i++) while ((getline l < p[i]) > 0) { split(l, f); "
    'if (f[1] ~ /:$/) c[f[4]]++; else if (f[1] == "sl") r = 1 } '
    'if (r) print "counted"; for (s in c) print "state", s, c[s] }'
)
"""One awk, which reads all files itself: a fork a reading. Disks that sit on others (dm, md) are
left out, since theirs are there; `!` stands for `/` in /sys/block."""

ACTIVITY: Final = Command(
    ("lptui_activity",),
    timeout_s=0.0,
    function=ShellFunction(
        "lptui_activity",
        "lptui_activity() { set -- /sys/block/*; "
        f"awk -v d=\"$*\" -v m={MOST_SOCKETS} '{_AWK}'; }}",
    ),
)
"""Prints (the disks' numbers: reads, writes, sectors read and written, ms of reads and of
writes, ms busy; the states in hexadecimal as in /proc/net/tcp; no `counted` and no states where
there are more than MOST_SOCKETS):

    uptime 1462.87
    disk nvme0n1 41042 93021 2871312 5120344 21234 40000 40120
    orphaned 0
    time_wait 12
    open 81
    counted
    state 01 80
    state 0A 17
"""

_STATES: Final = {
    "01": "established",
    "02": "syn_sent",
    "03": "syn_received",
    "04": "fin_wait",
    "05": "fin_wait",
    "06": "time_wait",
    "07": "closed",
    "08": "close_wait",
    "09": "last_ack",
    "0A": "listening",
    "0B": "closing",
    "0C": "syn_received",
}
"""include/net/tcp_states.h; 0C is a half-open connection as newer kernels call it."""
_TOTALS: Final = ("open", "orphaned", "time_wait")
_WHAT: Final = "disks and sockets in /proc"


def parse(text: str) -> HostActivity:
    """The counters, without rates. Raises BadAnswerError without an uptime or with odd lines."""
    uptime: float | None = None
    disks: dict[str, DiskActivity] = {}
    sockets: dict[str, int] = {}
    states: dict[str, int] | None = None
    for line in text.split("\n"):
        words = line.split()
        match words:
            case []:
                continue
            case ["uptime", value]:
                uptime = decimal(value)
            case ["disk", name, *numbers]:
                disk = _disk(clean(name, 40), numbers, line)
                if len(disks) < MOST_DISKS:
                    disks.setdefault(disk.name, disk)
            case ["counted"]:
                states = dict.fromkeys(_STATES.values(), 0)
            case ["state", code, number] if states is not None and code in _STATES:
                states[_STATES[code]] += _number(number, line)
            case [name, number] if name in _TOTALS:
                sockets[name] = _number(number, line)
            case _:
                raise _odd(line)
    if uptime is None or uptime < 0:
        raise BadAnswerError(_WHAT, f"no uptime: {clean(text, 80)!r}")
    found = {**sockets, **(states or {})}
    return HostActivity(uptime, tuple(disks.values()), TcpSockets(**found) if found else None)


def with_rates(now: HostActivity, before: HostActivity | None) -> HostActivity:
    """The disks with their rates since the reading before.

    None without one, after a reboot, for a disk that is new and for one whose counters went back.
    """
    elapsed = now.uptime_s - before.uptime_s if before is not None else 0.0
    if before is None or elapsed <= 0:
        return now
    known = {disk.name: disk for disk in before.disks}
    disks = tuple(
        _rates(disk, known[disk.name], elapsed) if disk.name in known else disk
        for disk in now.disks
    )
    return replace(now, disks=disks)


class HostActivityProbe(HostProbe):
    """Asks `/proc` by one awk."""

    name: ClassVar[str] = "host-activity"
    topic: ClassVar[type] = HostActivity
    asks: ClassVar[str] = "/proc/diskstats, /proc/net"

    def pace(self, intervals: Intervals) -> float:
        return intervals.units

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        [output] = await asking.reach.shell(target).run([ACTIVITY], asking.deadline_s)
        if not output.stdout.strip():
            remedy = "install awk on the host" if output.status == NOT_FOUND else ""
            raise failure(f"{_WHAT} of {target}", output, remedy)
        before = asking.latest.value(HostActivity, target)
        return [Answer(self.key(target), with_rates(parse(output.text), before))]


def _disk(name: str, words: Sequence[str], line: str) -> DiskActivity:
    if len(words) != 7:
        raise _odd(line)
    reads, writes, read, written, reading, writing, busy = (_number(word, line) for word in words)
    return DiskActivity(
        name, reads, writes, read * _SECTOR, written * _SECTOR, reading + writing, busy
    )


def _rates(now: DiskActivity, before: DiskActivity, elapsed_s: float) -> DiskActivity:
    read = now.bytes_read - before.bytes_read
    written = now.bytes_written - before.bytes_written
    reads, writes = now.reads - before.reads, now.writes - before.writes
    took, busy = now.io_ms - before.io_ms, now.busy_ms - before.busy_ms
    if min(read, written, reads, writes, took, busy) < 0:
        return now
    requests = reads + writes
    return replace(
        now,
        read_bytes_per_second=read / elapsed_s,
        written_bytes_per_second=written / elapsed_s,
        requests_per_second=requests / elapsed_s,
        busy=Percent(min(100.0, busy / elapsed_s / 10)),
        wait_s=took / requests / 1000 if requests else None,
    )


def _number(word: str, line: str) -> int:
    number = count(word)
    if number is None:
        raise _odd(line)
    return number


def _odd(line: str) -> BadAnswerError:
    return BadAnswerError(_WHAT, f"unexpected {clean(line, 80)!r}")
