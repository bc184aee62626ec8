"""How a log is asked for, and what is wrong when it does not come."""

from __future__ import annotations

import re
from typing import Final

from lptui.errors import Problem, ProblemKind
from lptui.fleet.logs import Channel
from lptui.fleet.topology import LogKind
from lptui.text import clean, clean_lines
from lptui.transport.protocols import Command

MOST_FILES: Final = 8
"""Most files of one pattern, the newest."""

FIELDS: Final = "MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT"

SCRIPT: Final = (
    "k=$1 n=$2 since=$3 f=$4;shift 4;case $k in "
    'journal)IFS=;for x;do shift;set -- "$@" ${x:+"--unit=$x"};done;'
    f'set -- journalctl --no-pager -o json --output-fields={FIELDS} "$@";'
    'case $since,$f in ,*)exec "$@" --lines="$n" ${f:+--follow};;'
    '*,f)exec "$@" "--since=@$since" --no-tail --follow;;'
    '*)"$@" "--since=@$since"|tail -n "$n";;esac;;'
    "container)t=;for x in docker podman;do command -v $x >/dev/null 2>&1||continue;t=${t:-$x};"
    '$x container inspect "$1" >/dev/null 2>&1&&{ t=$x;break; };done;'
    '[ "$t" ]||{ echo "neither docker nor podman is installed" >&2;exit 127; };'
    'exec "$t" logs --timestamps --tail "$n" ${since:+--since "$since"} ${f:+--follow} -- "$1" '
    "2>&1;;"
    "*)name=$1;IFS='\n';"
    "set -- $(ls -1trd -- $name 2>/dev/null|grep -Ev '[.](gz|xz|bz2|zst|zip)$'"
    f"|tail -n {MOST_FILES});"
    '[ $# -gt 0 ]||set -- "$name";exec tail -v -n "$n" ${f:+-F} -- "$@";;esac'
)
"""Words: kind, lines, since (UTC seconds) or "", `f` to go on or "", then the names.

It becomes the command at its end: whoever ends it ends that. A pattern of files is expanded by
the shell there, and nothing else of it is: no words, no commands. Of a journal since a time, the
first lines are what `--lines` means to some versions, and the last to others.
"""

_FORBIDDEN: Final = re.compile(
    rb"insufficient permissions|not seeing messages from other users|ermission denied", re.ASCII
)
_REMEDIES: Final = {
    LogKind.JOURNAL: "let the login read it: add it to the group systemd-journal there",
    LogKind.CONTAINER: "let the login ask the daemon: add it to the group docker there",
    LogKind.FILE: "let the login read the file: its group (often adm), or an ACL",
}


def command(channel: Channel, lines: int, since: float | None, *, follow: bool) -> Command:
    """The last `lines` of a log, those since a time alone where one is given."""
    after = "" if since is None or channel.kind is LogKind.FILE else str(int(since))
    names = (stream.source.name for stream in channel.streams)
    words = (channel.kind.value, str(lines), after, "f" if follow else "", *names)
    return Command(("/bin/sh", "-c", SCRIPT, "lptui", *words))


def trouble(channel: Channel, status: int | None, said: bytes) -> Problem | None:
    """What a log's command complains of; None when it is well.

    `said` is its error output (of a container: what came without a time).
    """
    what = str(channel)
    if _FORBIDDEN.search(said):
        why = "the login may not read it"
        return Problem(ProblemKind.FORBIDDEN, what, why, _REMEDIES[channel.kind])
    lines = clean_lines(said, 20)
    last = clean(next((line for line in reversed(lines) if line), ""), 160)
    if channel.kind is LogKind.FILE and b"o such file" in said:
        return Problem(ProblemKind.COMMAND_FAILED, what, "there is no such file")
    if status in (127, 126):
        return Problem(ProblemKind.COMMAND_NOT_FOUND, what, last or "not installed on the host")
    if status:
        why = last or f"it ended with status {status}"
        return Problem(ProblemKind.COMMAND_FAILED, what, why)
    return None
