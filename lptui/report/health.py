"""A node's health for balancers and monitoring systems.

`agent` is the line that HAProxy's agent-check reads: `up N%` (of the configured weight) or
`down #why`. A node of which too little is known gets an empty line: HAProxy leaves the server as
it was told last. `ready`, `drain` and `maint` are never said: they change what an operator set.
"""

from __future__ import annotations

from typing import Final

from lptui.checks.fitness import SHARE, Fit, Fitness
from lptui.fleet.snapshot import Snapshot
from lptui.report.encode import time
from lptui.report.json_report import SCHEMA_VERSION, dump
from lptui.report.text import plain

FORMATS: Final = ("text", "json", "agent", "http")

_WORDS: Final = {
    Fit.UP: "OK",
    Fit.LESS: "WARNING",
    Fit.DOWN: "CRITICAL",
    Fit.UNKNOWN: "UNKNOWN",
}
_REASON: Final = 200
"""HAProxy keeps a line of a few hundred bytes."""


def render(snapshot: Snapshot, found: Fitness, form: str) -> str:
    """In one of FORMATS."""
    if form == "json":
        return dump(
            {
                "schema_version": SCHEMA_VERSION,
                "kind": "health",
                "collected_at": time(snapshot.taken_at),
                "fleet": snapshot.fleet.name,
                "node": found.node,
                "fit": found.fit.name.lower(),
                "agent": agent(found) or None,
                "kept": found.kept,
                "why": found.why or None,
                "findings": [reason.id for reason in found.reasons],
            }
        )
    if form == "agent":
        return f"{agent(found)}\n"
    line = f"{_WORDS[found.fit]} - {found.node}: {_told(found)}"
    return http(found, plain(line)) if form == "http" else f"{plain(line)}\n"


def agent(found: Fitness) -> str:
    """What HAProxy is told; "" is nothing."""
    if found.fit is Fit.DOWN:
        return f"down #{_short(found.why)}"
    if found.fit is Fit.UNKNOWN:
        return ""
    return f"up {SHARE if found.fit is Fit.LESS else 100}%"


def http(found: Fitness, line: str) -> str:
    """A whole HTTP answer: 503 for down, 200 for what is not known to be."""
    status = "503 Service Unavailable" if found.fit is Fit.DOWN else "200 OK"
    head = (
        f"HTTP/1.0 {status}",
        "Content-Type: text/plain; charset=us-ascii",
        "Cache-Control: no-store",
        f"Content-Length: {len(line) + 1}",
        "Connection: close",
    )
    return "\r\n".join(head) + f"\r\n\r\n{line}\n"


def _told(found: Fitness) -> str:
    if found.fit is Fit.UP:
        return "fit for all of its traffic"
    if found.fit is Fit.UNKNOWN:
        return f"not known: {found.why or 'nothing about it was judged'}"
    if found.fit is Fit.LESS:
        return f"fit for less of its traffic: {found.why}"
    return f"not fit for traffic: {found.why}"


def _short(text: str) -> str:
    one = plain(text)
    return one if len(one) <= _REASON else f"{one[: _REASON - 3]}..."
