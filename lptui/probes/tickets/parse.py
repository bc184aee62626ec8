"""Reads what a host says of a node's ticket queue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.tickets import TicketQueue, TicketsOfRound
from lptui.fleet.units import Round, Wei
from lptui.probes.tickets.commands import JOURNALS, MOST_ROWS
from lptui.text import clean

_NOW: Final = re.compile(r"now\|(\d{1,12}(?:\.\d{1,9})?)", re.ASCII)
_ROW: Final = re.compile(
    r"(waiting|redeemed|given-up)\|(\d{1,18})\|(\d{1,18})\|((?:[0-9A-F]{2}){0,32})"
    r"\|([0-9 :T.Z-]{0,32})\|([0-9 :T.Z-]{0,32})",
    re.ASCII,
)
_STAT: Final = re.compile(
    r"(\d{1,12}) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})? [+-]\d{4} (\d{1,18}) (/.*)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class FileState:
    """A database's file. `changed_at` is by the host's clock; `journals` are those with changes
    that are not in it yet."""

    changed_at: float
    journals: tuple[str, ...] = ()


def parse_rows(text: str, path: str) -> tuple[float, TicketQueue]:
    """The host's time when the query began, and the queue. Raises BadAnswerError."""
    what = f"the tickets in {path}"
    lines = text.splitlines()
    # sudo may complain of the host's name in front of it.
    while lines and lines[0].startswith(("sudo: ", "doas: ")):
        lines.pop(0)
    begun = _NOW.fullmatch(lines[0]) if lines else None
    if begun is None:
        shown = clean(lines[0], 80) if lines else "nothing"
        raise BadAnswerError(what, f"not what was asked for: {shown}")
    rows = []
    for line in lines[1:]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise BadAnswerError(what, f"not a row of the ticket queue: {clean(line, 80)}")
        rows.append(row.groups())
    kept = rows[:MOST_ROWS]

    def part(wanted: str) -> tuple[TicketsOfRound, ...]:
        own = ((int(r[1]), int(r[2]), int(r[3] or "0", 16)) for r in kept if r[0] == wanted)
        return _by_round(own)

    waiting_since = [row[4] for row in kept if row[0] == "waiting" and row[4]]
    redeemed = [row[5] for row in kept if row[0] == "redeemed" and row[5]]
    return float(begun[1]), TicketQueue(
        path,
        waiting=part("waiting"),
        redeemed=part("redeemed"),
        given_up=part("given-up"),
        oldest_at=min(waiting_since, default=""),
        last_redeemed_at=max(redeemed, default=""),
        complete=len(rows) <= MOST_ROWS,
    )


def parse_state(text: str, path: str) -> FileState:
    """The state of a database's file. Raises BadAnswerError."""
    changed_at: float | None = None
    journals = []
    for line in text.splitlines():
        found = _STAT.fullmatch(line)
        if found is None:
            continue
        seconds, part, size, name = found.groups()
        if name == path:
            changed_at = int(seconds) + float(part or "0")
        elif name.removeprefix(path) in JOURNALS and (int(size) or name.endswith("-journal")):
            journals.append(name)
    if changed_at is None:
        raise BadAnswerError(f"the state of {path}", f"not told: {clean(text, 80) or 'nothing'}")
    return FileState(changed_at, tuple(journals))


def _by_round(rows: Iterable[tuple[int, int, int]]) -> tuple[TicketsOfRound, ...]:
    sums: dict[int, tuple[int, int]] = {}
    for number, count, face in rows:
        before = sums.get(number, (0, 0))
        sums[number] = (before[0] + count, before[1] + count * face)
    return tuple(
        TicketsOfRound(Round(number), count, Wei(value))
        for number, (count, value) in sorted(sums.items(), reverse=True)
    )
