"""Errors in a node's log, counted on its host once a minute; each line is looked at once.

The kinds are go-livepeer's own words (core/orchestrator.go, eth/, pm/) and what Go's net/http says
of an RPC endpoint that does not answer. A log in files is not counted: its lines have no time
that could be told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lptui.errors import BadAnswerError, LptuiError, ProblemKind
from lptui.fleet.facts.logs import WINDOW_S, LogCount, LogErrors, LogPart
from lptui.fleet.logs import sources_of
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, LogKind, LogSource, Node
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.text import clean
from lptui.transport.protocols import Command

MOST_LINES: Final = 50_000
"""Lines that one reading looks at; what is left is for the next."""

LONGEST_S: Final = 6.0
"""The host ends a reading then."""

KINDS: Final = (
    ("reward-failed", "Error trying to call reward"),
    ("redeem-failed", "error redeeming"),
    ("no-funds", "insufficient funds"),
    ("nonce", "nonce too low|already known|replacement transaction underpriced"),
    ("capped", "OrchestratorCapped"),
    ("busy", "OrchestratorBusy"),
    ("rate-limited", "429 Too Many Requests|rate limit|daily request count exceeded"),
    ("refused", "connection refused"),
    ("timed-out", "context deadline exceeded|i/o timeout"),
    ("eof", 'unexpected EOF|: EOF|err="?EOF'),
    ("panic", "panic: |SIGSEGV"),
)
"""What a line of each kind contains (extended regular expressions); the first that fits counts."""

_WHAT: Final = "the node's log"
_AWK: Final = "".join(
    f"/{pattern.replace('/', chr(92) + '/')}/{{c({kind!r});next}}" for kind, pattern in KINDS
).replace("'", '"')

SCRIPT: Final = (
    "case $1 in journal) "
    '[ -n "$(journalctl -q --no-pager -o cat -u "$2" -n 1 2>/dev/null)" ] && echo sees; '
    'journalctl -q --no-pager -o short-unix -u "$2" --since "@${3%%.*}" 2>/dev/null;; '
    "*) for x in docker podman; do command -v $x >/dev/null 2>&1 || continue; "
    '$x logs --tail 1 "$2" >/dev/null 2>&1 && echo sees; '
    '$x logs --timestamps --since "$3" "$2" 2>&1; break; done;; esac | '
    'LC_ALL=C awk -v a="$3" \''
    "function c(k) { n[k]++; t[k]=$1; l[k]=substr($0,1,300) } "
    '$0=="sees" { print; next } '
    f"!/^[0-9]/ || $1<=a {{ next }} ++r>{MOST_LINES} {{ m=1; exit }} {{ z=$1 }} {_AWK} "
    'END { for (k in n) print "kind", k, n[k], t[k], l[k]; print "end", r+0, m+0, z }\''
)
"""Words: journal or container, its name, the stamp after which lines count. Prints:

    sees
    kind eof 12 1795793093.123456 1795793093.123456 edge-1 livepeer[812]: E1127 … err="EOF"
    end 5310 0 1795793095.000001
"""

_KIND: Final = re.compile(r"kind ([a-z-]{1,20}) (\d{1,9}) (\S{1,40}) ?(.*)", re.ASCII)
_END: Final = re.compile(r"end (\d{1,9}) ([01]) ?(\S{0,40})", re.ASCII)
_NAMES: Final = frozenset(kind for kind, _ in KINDS)


@dataclass(frozen=True, slots=True)
class LogErrorsProbe:
    """The logs of go-livepeer's nodes, as far as they are a journal or a container's output."""

    name: str = "log-errors"
    needs: tuple[str, ...] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [
            node.name
            for node in fleet.nodes.values()
            if node.is_livepeer and counted(node) is not None
        ]

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        node = fleet.nodes[target]
        way = "ssh" if fleet.hosts[node.host].ssh else "local"
        return f"{way} {node.host}: {counted(node)}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(LogErrors, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        key = Key(LogErrors, target)
        node = asking.fleet.nodes[target]
        source = counted(node)
        assert source is not None  # noqa: S101 (such a node is no target)
        now = asking.clock.now()
        before = usable(asking.latest.value(LogErrors, target), now)
        after = before.read_to if before is not None and before.read_to else _stamp(source, now)
        left = max(0.5, asking.deadline_s)
        command = counting(source, after, timeout_s=min(LONGEST_S, left))
        [output] = await asking.reach.shell(node.host).run([command], left)
        if output.status not in (0, 1):
            raise failure(f"{_WHAT} of {target}", output)
        return (Answer(key, parse(output.text, before, now)),)


def counting(source: LogSource, after: str, timeout_s: float) -> Command:
    """The command that counts. It is no function of the shell: an hour of a busy journal takes
    longer than the quick readings may wait."""
    words = (source.kind.value, source.name, after)
    return Command(("/bin/sh", "-c", SCRIPT, "lptui", *words), timeout_s=timeout_s)


def counted(node: Node) -> LogSource | None:
    """The log of a node whose lines have their time."""
    return next((one for one in sources_of(node) if one.kind is not LogKind.FILE), None)


def usable(before: LogErrors | None, now: float) -> LogErrors | None:
    """An earlier reading that can be gone on with: no hour has passed since."""
    return before if before is not None and now - before.read_at < WINDOW_S else None


def parse(text: str, before: LogErrors | None, now: float) -> LogErrors:
    """What is known with this reading. Raises LptuiError where the log may not be read,
    BadAnswerError for anything else than the function's own output."""
    lines = text.split("\n")
    if "sees" not in lines[:1]:
        raise LptuiError(
            _WHAT,
            "the login sees nothing of it",
            "let the login read it (group systemd-journal or docker)",
            kind=ProblemKind.FORBIDDEN,
        )
    counts, end = [], None
    for line in lines[1:]:
        kind = _KIND.match(line)
        if kind is not None and kind[1] in _NAMES and int(kind[2]):
            at = _seconds(kind[3])
            counts.append(LogCount(kind[1], int(kind[2]), at, clean(kind[4], 200)))
        elif (found := _END.fullmatch(line)) is not None:
            end = found
        elif line:
            raise BadAnswerError(_WHAT, f"unexpected {clean(line, 60)!r}")
    if end is None:
        raise BadAnswerError(_WHAT, "its end is missing")
    earlier = before.parts if before is not None else ()
    kept = tuple(part for part in earlier if part.read_at > now - WINDOW_S)
    new = (LogPart(now, tuple(counts)),) if counts else ()
    since = max(before.since_at, now - WINDOW_S) if before is not None else now - WINDOW_S
    read_to = end[3] or (before.read_to if before is not None else "")
    if end[3]:
        _seconds(end[3])
    return LogErrors(since, now, read_to, end[2] == "1", (*kept, *new))


def _stamp(source: LogSource, now: float) -> str:
    """An hour ago, as the log writes it: both are compared as they are."""
    if source.kind is LogKind.JOURNAL:
        return f"{now - WINDOW_S:.6f}"
    from lptui.clock import utc

    return f"{utc(now - WINDOW_S):%Y-%m-%dT%H:%M:%S}.000000000Z"


def _seconds(stamp: str) -> float:
    try:
        return float(stamp) if "T" not in stamp else datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        raise BadAnswerError(_WHAT, f"no time: {clean(stamp, 40)}") from None
