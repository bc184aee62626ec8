"""Logs in files that would fill a disk: grown too large, or left alone by logrotate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.checks.view import View
from lptui.checks.words import span
from lptui.fleet.facts.logs import HostLogs, LogFiles
from lptui.fleet.finding import Finding, Metric, Severity
from lptui.fleet.logs import sources_of
from lptui.fleet.topology import LogKind, LogSource
from lptui.fleet.units import format_bytes
from lptui.text import plural

LOG_FILES: Final = "log-files"


def log_files(view: View) -> Iterator[Finding]:
    """Silent where no node's log is declared to be in files: journald bounds itself."""
    for name in view.fleet.hosts:
        if not any(source.kind is LogKind.FILE for source in _sources(view, name)):
            continue
        reading = view.reading(HostLogs, name)
        found = view.value(reading)
        if found is None:
            cause = view.blocker(name, reading)
            yield view.unknown(LOG_FILES, "host", name, reading, cause=cause)
            continue
        yield _judged(view, name, found, view.seen(reading))


def _sources(view: View, host: str) -> Iterator[LogSource]:
    for node in view.fleet.nodes_on(host):
        yield from sources_of(node)


def _judged(view: View, host: str, found: HostLogs, seen: str) -> Finding:
    most, rests_s = view.limits.log_size_warn, view.limits.log_rotation_s
    large = [one for one in found.logs if one.size >= most]
    age = found.rotated_age_s
    # What is left alone matters where something is there to be rotated.
    rests = age is not None and age > rests_s and any(one.size for one in found.logs)
    words = [f"{one.pattern} has {format_bytes(one.size)}" for one in large]
    if rests and age is not None:
        words.append(f"logrotate has not run for {span(age)}")
    remedy = ""
    if large:
        remedy = "see that it is rotated (logrotate, with copytruncate for a node's own log)"
    elif rests:
        remedy = "see logrotate.timer and its last error: systemctl status logrotate"
    total = sum(one.size for one in found.logs)
    return Finding(
        LOG_FILES,
        Severity.WARNING if words else Severity.OK,
        "host",
        host,
        ", ".join(words) or f"{format_bytes(total)} of logs in files",
        (seen, *(log_words(one, found.read_at) for one in found.logs[:8])),
        remedy,
        metrics=(Metric("log_size", float(total), "B", f"{most}"),),
    )


def log_words(one: LogFiles, now: float) -> str:
    """`/var/log/livepeer.log: 3 files, 1.2 GB, grows by 410.0 MB a day`."""
    if not one.files:
        return f"{one.pattern}: none there, or closed to the login"
    grown = one.grown(now)
    pace = f", grows by {format_bytes(grown)} a day" if grown is not None else ""
    return f"{one.pattern}: {plural(one.files, 'file')}, {format_bytes(one.size)}{pace}"
