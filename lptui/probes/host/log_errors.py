"""The errors of the last hour in a node's log, from one look to the next; each line counts once."""

from __future__ import annotations

from lptui.fleet.facts.logs import WINDOW_S, LogErrors, LogPart
from lptui.probes.logs.reader import Look


def usable(before: LogErrors | None, now: float) -> LogErrors | None:
    """An earlier reading that can be gone on with: no hour has passed since."""
    if before is None or not before.read_to or now - before.read_at >= WINDOW_S:
        return None
    return before


def added(before: LogErrors | None, look: Look, now: float) -> LogErrors:
    """What is known with one more look."""
    scan = look.scan
    if before is None:
        since = look.begins_at if scan.from_at is None else max(look.begins_at, scan.from_at)
        first = (LogPart(now, scan.counts),) if scan.counts else ()
        return LogErrors(since, now, scan.read_to, scan.more, first, look.zone_s)
    kept = tuple(part for part in before.parts if part.read_at > now - WINDOW_S)
    new = LogPart(now, scan.counts, lacks=scan.from_at is not None)
    parts = (*kept, new) if new.counts or new.lacks else kept
    return LogErrors(
        max(before.since_at, now - WINDOW_S),
        now,
        scan.read_to or before.read_to,
        scan.more or any(part.lacks for part in parts),
        parts,
        before.zone_s if look.zone_s is None else look.zone_s,
    )
