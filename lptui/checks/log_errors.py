"""Errors in the nodes' logs, against what their RPC endpoints say from here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import span
from lptui.fleet.facts.logs import WINDOW_S, LogCount, LogErrors
from lptui.fleet.facts.rpc import RpcUsage
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.topology import Node
from lptui.text import plural

LOG_ERRORS: Final = "log-errors"

OF_AN_ENDPOINT: Final = frozenset({"rate-limited", "refused", "timed-out", "eof"})
"""What Go says of an endpoint that does not answer, whichever it is."""

_ABOUT_S: Final = 90.0

NOT_COUNTED: Final = frozenset({"capped", "busy", "reward-failed"})
"""A node that is full says so, and a reward that failed has a check of its own."""


def log_errors(view: View) -> Iterator[Finding]:
    """More errors in the last hour than the operator takes? Of a log that cannot be read it tells
    where the operator has declared it; not every login is meant to read the journal."""
    for node in view.fleet.nodes.values():
        reading = view.reading(LogErrors, node.name)
        found = view.value(reading)
        if found is None:
            if node.logs and node.is_livepeer:
                cause = view.blocker(node.host, reading)
                yield view.unknown(LOG_ERRORS, "node", node.name, reading, cause=cause)
            continue
        counts = [one for one in found.counts if one.kind not in NOT_COUNTED]
        total = sum(one.count for one in counts)
        limit = view.limits.log_errors_warn
        severity = Severity.WARNING if total >= limit else Severity.OK
        told = ", ".join(f"{one.kind} {one.count}" for one in counts)
        least = "at least " if found.behind else ""
        summary = f"{least}{plural(total, 'error')} in its log in the last {lasting(found)}"
        endpoint, evidence = _endpoint(view, node, counts) if severity else ("", ())
        yield Finding(
            LOG_ERRORS,
            severity,
            "node",
            node.name,
            f"{summary}{f': {told}' if told else ''}{endpoint}",
            (
                view.seen(reading),
                *times_of(found),
                *(f"{one.kind}, newest: {one.example}" for one in counts if severity),
                *evidence,
            ),
            "read it with l; it warns from thresholds.log_errors_warn on" if severity else "",
            metrics=(Metric("log_errors", float(total), ""),),
        )


def lasting(found: LogErrors) -> str:
    """How long what was counted took: an hour, unless the log goes back no further."""
    seconds = found.read_at - found.since_at
    return "hour" if abs(seconds - WINDOW_S) < _ABOUT_S else span(seconds)


def times_of(found: LogErrors) -> tuple[str, ...]:
    """How the times of a log in files were understood."""
    if found.zone_s is None:
        return ()
    hours, minutes = divmod(abs(found.zone_s) // 60, 60)
    sign = "-" if found.zone_s < 0 else "+"
    return (f"its lines' times were taken as UTC{sign}{hours:02d}:{minutes:02d}",)


def _endpoint(view: View, node: Node, counts: list[LogCount]) -> tuple[str, tuple[str, ...]]:
    """What its RPC endpoint says from here, where the errors are such as an endpoint gives."""
    if node.rpc is None or not any(one.kind in OF_AN_ENDPOINT for one in counts):
        return "", ()
    reading = view.reading(RpcUsage, node.rpc)
    usage = view.value(reading)
    if usage is None:
        return "", ()
    failed = sum(way.recent_failed for way in usage.ways)
    asked = sum(way.recent for way in usage.ways)
    if not asked:
        return "", ()
    words = f"{failed} of {plural(asked, 'request')} failed"
    seen = (f"RPC {node.rpc} from here: {words} ({view.seen(reading)})",)
    if failed:
        return f"; RPC {node.rpc} fails from here too ({words})", seen
    return f"; RPC {node.rpc} answers well from here", seen
