"""One look through a node's log, on its host: errors counted by kind, and its tries of reward.

The kinds are go-livepeer's own words (core/orchestrator.go, eth/, pm/) and what Go's net/http says
of an RPC endpoint that does not answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lptui.errors import BadAnswerError, LptuiError, ProblemKind
from lptui.fleet.facts.logs import LogCount
from lptui.fleet.topology import LogSource
from lptui.probes.logs.files import Piece
from lptui.text import clean
from lptui.transport.protocols import Command

MOST_LINES: Final = 50_000
"""Lines that one look counts; what is left is for the next."""

MOST_TRIES: Final = 20

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

WHAT: Final = "the node's log"

_TRY: Final = "/reward for round [0-9]/"
_KINDS: Final = "".join(
    f"/{pattern.replace('/', chr(92) + '/')}/{{c({kind!r});next}}" for kind, pattern in KINDS
).replace("'", '"')
_LOOK: Final = (
    f'{_TRY} {{ y[++q]=s " " substr($0,1,600) }} {_KINDS} '
    f'END {{ for (i=(q>{MOST_TRIES} ? q-{MOST_TRIES - 1} : 1); i<=q; i++) print "try", y[i]; '
    'for (k in n) print "kind", k, n[k], t[k], l[k]; '
)
"""What is done with a line of the time `s`, and at the end; the same for all kinds of logs."""

_BEGIN: Final = "function c(k) { n[k]++; t[k]=s; l[k]=substr($0,1,300) } "
_ENOUGH: Final = f"++r>{MOST_LINES} {{ m=1; exit }} "

STAMPED: Final = (
    "case $1 in journal) "
    '[ -n "$(journalctl -q --no-pager -o cat -u "$2" -n 1 2>/dev/null)" ] && echo sees; '
    'journalctl -q --no-pager -o short-unix -u "$2" --since "@${3%%.*}" 2>/dev/null;; '
    "*) for x in docker podman; do command -v $x >/dev/null 2>&1 || continue; "
    '$x logs --tail 1 "$2" >/dev/null 2>&1 && echo sees; '
    '$x logs --timestamps --since "$3" "$2" 2>&1; break; done;; esac | cut -b 1-2000 | '
    'LC_ALL=C awk -v a="$3" -v only="$4" \''
    f'{_BEGIN} $0=="sees" {{ print; next }} !/^[0-9]/ || $1<=a || only && !{_TRY} {{ next }} '
    f'{_ENOUGH} {{ z=s=$1 }} {_LOOK} print "end", r+0, m+0, z }}\''
)
"""Words: journal or container, its name, the stamp after which lines count, `t` for tries alone.

Prints:

    sees
    try 1795793091.5 1795793091.5 edge-1 livepeer[812]: E1127 … trying to call reward for round 9 …
    kind eof 12 1795793093.123456 1795793093.123456 edge-1 livepeer[812]: E1127 … err="EOF"
    end 5310 0 1795793095.000001
"""

_DIGITS: Final = "[0-9][0-9]"
_GLOG: Final = (
    f"[IWEF][01][0-9]{_DIGITS} {_DIGITS}:{_DIGITS}:{_DIGITS}[.]{_DIGITS}{_DIGITS}{_DIGITS}"
)

FILES: Final = (
    'a=$1 b=$2 k=$3 t=$4; shift 4; while [ $# -gt 3 ]; do printf \'\\n\\001%s %s\\n\' "$1" "$2"; '
    'case $4 in *.gz) gzip -dc -- "$4" | tail -c "$3";; *.xz) xz -dc -- "$4" | tail -c "$3";; '
    '*.bz2) bzip2 -dc -- "$4" | tail -c "$3";; *.zst) zstd -dc -- "$4" | tail -c "$3";; '
    '*) tail -c "$3" -- "$4";; esac 2>/dev/null | tr -d "\\000\\001"; shift 4; done | '
    'cut -b 1-2000 | LC_ALL=C awk -v a="$a" -v b="$b" -v k="$k" -v only="$t" \''
    f"{_BEGIN}"
    # Stamps have no year: those of the new one come after those of the old.
    'function o(x) { if (a<=b) return x>=a && x<=b ? "0" x : ""; '
    'return x>=a ? "0" x : x<=b ? "1" x : "" } '
    'BEGIN { z="0" a; zk=k } '
    'substr($0,1,1)=="\\001" { p++; split(substr($0,2),h," "); f=h[1]; '
    'if (!(f in C)) { C[f]="0" a; K[f]=k } e=C[f]; ek=K[f]; u=""; d=0; next } '
    '$0=="" { next } '
    f"match(substr($0,1,200),/{_GLOG}/) {{ x=substr($0,RSTART+1,RLENGTH-1); "
    'sub(" ","T",x); g=x; gp=p; y0=o(x); '
    "if (!(f in F)) { F[f]=y0; W[f]=h[2] } if (y0>u) { u=y0; d=0 } } "
    # The rest of a line whose beginning was left out, or of one that stands in another file.
    'u=="" { next } { d++ } '
    "u<e || u==e && d<=ek { next } "
    f"only && !{_TRY} {{ next }} {_ENOUGH} {{ C[f]=u; K[f]=d; s=substr(u,2) }} "
    f"{_LOOK} for (f in C) if (C[f]>z || C[f]==z && K[f]>zk) {{ z=C[f]; zk=K[f] }} "
    'for (f in F) { if (F[f]<="0" a) v=1; else { if (W[f]) m=1; '
    'if (w=="" || F[f]<w) w=F[f] } } '
    'if (!v && w) print "from", substr(w,2); if (g) print "last", g, gp; '
    'print "end", r+0, m+0, substr(z,2) "+" zk }\''
)
"""Words: the stamp from which lines count, the last stamp that is believed, how many lines behind
the first were looked at before, `t` for tries alone; then of each piece, the oldest first: whose
it is, whether it begins within a line, how many bytes, the file.

A line without a stamp belongs to the one above it. One that was in an earlier piece of the same
log (while it is copied, it is there twice) is passed over. Prints the same as for other logs, and
when what was read begins, unless before the first stamp; the last stamp of all, and its piece:

    from 1127T12:10:00.000000
    last 1127T12:38:13.123456 2
    end 5310 0 1127T12:38:13.123456+1
"""

_STAMP: Final = r"\d{9,11}(?:\.\d{1,9})?|[0-9T:.Z-]{19,40}"
_KIND: Final = re.compile(rf"kind ([a-z-]{{1,20}}) (\d{{1,9}}) ({_STAMP}) ?(.*)", re.ASCII)
_TRIED: Final = re.compile(rf"try ({_STAMP}) (.*)", re.ASCII)
_FROM: Final = re.compile(rf"from ({_STAMP})", re.ASCII)
_LAST: Final = re.compile(rf"last ({_STAMP}) (\d{{1,3}})", re.ASCII)
_END: Final = re.compile(r"end (\d{1,9}) ([01]) ?(\S{0,40})", re.ASCII)
_NAMES: Final = frozenset(kind for kind, _ in KINDS)


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look found; times in UTC seconds.

    Attributes:
        tries: lines that tell of a call of reward, with their times, the oldest first.
        read_to: where the next look begins; "" when there was no line.
        more: there are lines that it did not come to.
        from_at: when what could be read begins; None: before what was asked for.
        last: the last stamp in a log's files as it was written, and the piece that has it.
    """

    counts: tuple[LogCount, ...]
    tries: tuple[tuple[float, str], ...]
    read_to: str
    more: bool
    from_at: float | None = None
    last: tuple[str, int] | None = None


def stamped(source: LogSource, after: str, timeout_s: float, *, only_tries: bool) -> Command:
    """Looks at a journal or a container's output behind a stamp. It is no function of the shell:
    an hour of a busy journal takes longer than the quick readings may wait."""
    words = (source.kind.value, source.name, after, "t" if only_tries else "")
    return Command(("/bin/sh", "-c", STAMPED, "lptui", *words), timeout_s=timeout_s)


def of_files(
    pieces: Sequence[Piece], first: str, last: str, timeout_s: float, *, only_tries: bool
) -> Command:
    """Looks at pieces of files. `first` is a stamp as the log writes it, or a `read_to`; later ones
    than `last` are not believed."""
    stamp, _, seen = first.partition("+")
    words = [stamp, last, seen or "0", "t" if only_tries else ""]
    for one in pieces:
        words += (str(one.family), str(int(one.is_cut)), str(one.size), one.path)
    return Command(("/bin/sh", "-c", FILES, "lptui", *words), timeout_s=timeout_s)


def parse(text: str, seconds: Callable[[str], float]) -> Scan:
    """What a look printed; `seconds` tells a stamp's time. Raises BadAnswerError for anything
    else."""
    counts, tries = [], []
    from_at: float | None = None
    last: tuple[str, int] | None = None
    end: re.Match[str] | None = None
    for line in text.split("\n"):
        if (kind := _KIND.fullmatch(line)) is not None and kind[1] in _NAMES and int(kind[2]):
            example = clean(kind[4], 200)
            counts.append(LogCount(kind[1], int(kind[2]), seconds(kind[3]), example))
        elif (tried := _TRIED.fullmatch(line)) is not None:
            tries.append((seconds(tried[1]), clean(tried[2], 600)))
        elif (begun := _FROM.fullmatch(line)) is not None:
            from_at = seconds(begun[1])
        elif (stamp := _LAST.fullmatch(line)) is not None:
            last = (stamp[1], int(stamp[2]))
        elif (found := _END.fullmatch(line)) is not None:
            end = found
        elif line:
            raise BadAnswerError(WHAT, f"unexpected {clean(line, 60)!r}")
    if end is None:
        raise BadAnswerError(WHAT, "its end is missing")
    if end[3]:
        seconds(end[3].partition("+")[0])
    return Scan(tuple(counts), tuple(tries[-MOST_TRIES:]), end[3], end[2] == "1", from_at, last)


def parse_stamped(text: str, seconds: Callable[[str], float]) -> Scan:
    """The same of a log that the login may not see. Raises LptuiError then."""
    first, _, rest = text.partition("\n")
    if first != "sees":
        raise LptuiError(
            WHAT,
            "the login sees nothing of it",
            "let the login read it (group systemd-journal or docker)",
            kind=ProblemKind.FORBIDDEN,
        )
    return parse(rest, seconds)
