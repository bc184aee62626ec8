"""The room that logs take: the journal, declared files, and when logrotate last ran."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.logs import HostLogs, LogFiles
from lptui.fleet.logs import sources_of
from lptui.fleet.topology import Fleet, Intervals, LogKind
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Command

_SELDOM_S: Final = 300.0
_PATIENCE_S: Final = 4.0

SCRIPT: Final = (
    # Without word splitting, a pattern stays one word until it is matched.
    "IFS=; printf 'now %s\\n' \"$(date +%s)\"; "
    'j=$(for d in /var/log/journal /run/log/journal; do [ ! -d "$d" ] || '
    'du -sk "$d" 2>/dev/null || echo ?; done | '
    "awk '/^[?]/ { b=1 } { n+=$1 } END { if (NR && !b) printf \"%d\", n }'); "
    "printf 'journal %s\\n' \"$j\"; "
    "r=$(stat -c %Y /var/lib/logrotate/status /var/lib/logrotate/logrotate.status "
    "/var/lib/logrotate.status 2>/dev/null | sort -n | tail -n 1); printf 'rotated %s\\n' \"$r\"; "
    "for p; do printf 'log '; stat -L -c '%s %f' -- $p 2>/dev/null | "
    "awk '$2 ~ /^8...$/ { n++; s+=$1 } END { printf \"%d %.0f\\n\", n, s }'; done"
)
"""A command of its own, not a function: logs are on network mounts at times, and those hang.

Prints the host's time, KiB of the journal, when logrotate's state was written (both may lack), and
for each pattern how many regular files there are, and their bytes:

    now 1800000000
    journal 24576
    rotated 1799960000
    log 3 104857600
"""

_HEAD: Final = re.compile(
    r"now ([0-9]{1,12})\njournal ([0-9]{0,15})\nrotated ([0-9]{0,12})\n", re.ASCII
)
_LOG: Final = re.compile(r"log ([0-9]{1,9}) ([0-9]{1,18})", re.ASCII)


def parse(patterns: Sequence[str], text: str, known: HostLogs | None) -> HostLogs:
    """What the script printed; raises BadAnswerError for anything else.

    `known` is an earlier reading: a log goes on growing from where it was first seen, unless it
    has become smaller since.
    """
    head = _HEAD.match(text)
    if head is None:
        raise BadAnswerError("logs", f"unexpected {clean(text, 60)!r}")
    lines = text[head.end() :].splitlines()
    if len(lines) != len(patterns):
        raise BadAnswerError("logs", f"{len(lines)} answers to {len(patterns)} questions")
    now = float(head[1])
    before = {one.pattern: one for one in known.logs} if known is not None else {}
    logs = []
    for pattern, line in zip(patterns, lines, strict=True):
        row = _LOG.fullmatch(line)
        if row is None:
            raise BadAnswerError("logs", f"unexpected {clean(line, 60)!r}")
        files, size = int(row[1]), int(row[2])
        first = before.get(pattern)
        if first is None or size < first.size or first.first_at > now:
            logs.append(LogFiles(pattern, files, size, size, now))
        else:
            logs.append(LogFiles(pattern, files, size, first.first_size, first.first_at))
    rotated = max(0.0, now - float(head[3])) if head[3] else None
    return HostLogs(now, int(head[2]) * 1024 if head[2] else None, rotated, tuple(logs))


def patterns_of(fleet: Fleet, host: str) -> tuple[str, ...]:
    """Logs in files that are declared of a host's nodes."""
    sources = (one for node in fleet.nodes_on(host) for one in sources_of(node))
    return tuple(dict.fromkeys(one.name for one in sources if one.kind is LogKind.FILE))


class HostLogsProbe(HostProbe):
    """See the module."""

    name: ClassVar[str] = "host-logs"
    topic: ClassVar[type] = HostLogs
    asks: ClassVar[str] = "du, stat of logs"

    def pace(self, intervals: Intervals) -> float:
        return max(intervals.slow, _SELDOM_S)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        patterns = patterns_of(asking.fleet, target)
        command = Command(("sh", "-c", SCRIPT, "sh", *patterns), timeout_s=_PATIENCE_S)
        [output] = await asking.reach.shell(target).run([command], time_left(asking)())
        if output.status != 0 or not output.text:
            raise failure(f"logs of {target}", output)
        reading = asking.latest.reading(HostLogs, target)
        known = reading.value if reading.value is not None else None
        if known is None and reading.last_good is not None:
            known = reading.last_good.value
        return [Answer(self.key(target), parse(patterns, output.text, known))]
