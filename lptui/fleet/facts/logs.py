"""What the nodes' logs say went wrong, counted; and what room logs take."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_S = 3600.0
"""The last hour is what counts are about."""

GROWTH_S = 3600.0
"""So long a log must have been watched before it is told how it grows."""


@dataclass(frozen=True, slots=True)
class LogCount:
    """Lines of one kind in one reading; `newest_at` in UTC seconds, `example` the newest line."""

    kind: str
    count: int
    newest_at: float
    example: str = ""


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The files of one declared log, rotated ones only where its pattern has them.

    Attributes:
        pattern: as it is declared.
        files: how many there are; 0 also where the login may not look.
        size: bytes of all of them.
        first_size: of an earlier reading, `first_at`: what growth is told by.
    """

    pattern: str
    files: int
    size: int
    first_size: int
    first_at: float

    def grown(self, now: float) -> float | None:
        """Bytes a day since the first reading; None: too early, or it was rotated since."""
        passed = now - self.first_at
        if passed < GROWTH_S or self.size < self.first_size:
            return None
        return (self.size - self.first_size) * 86_400 / passed


@dataclass(frozen=True, slots=True)
class HostLogs:
    """The room that logs take on a host.

    Attributes:
        read_at: UTC seconds, by the host's own clock.
        journal_size: bytes of journald's files; None: there are none, or they may not be looked at.
        rotated_age_s: since logrotate last ran; None: it has not, or is not there.
    """

    read_at: float
    journal_size: int | None
    rotated_age_s: float | None
    logs: tuple[LogFiles, ...] = ()


@dataclass(frozen=True, slots=True)
class LogPart:
    """What one reading counted, at `read_at` (UTC seconds). `lacks`: some lines were gone before
    they were read."""

    read_at: float
    counts: tuple[LogCount, ...]
    lacks: bool = False


@dataclass(frozen=True, slots=True)
class LogErrors:
    """Lines of a node's log that tell of errors, by kind. Target: the node's name.

    Attributes:
        since_at: what is counted was written after this (UTC seconds), no longer ago than
            `WINDOW_S` but for what one reading takes together; later where the log goes back
            no further.
        read_to: stamp of the last line that was looked at, as the log wrote it: the next reading
            begins behind it, so that nothing is counted twice; "" when there was none.
        behind: the log had more lines than one reading takes, or some were gone before they were
            read: the counts are too low.
        read_at: when it was looked at last (UTC seconds).
        parts: the readings that found or lack something, the oldest first.
        zone_s: seconds east of UTC that the times of a log in files are taken to be; None: the
            log's times have their zone, or nothing was read of it yet.
    """

    since_at: float
    read_at: float
    read_to: str = ""
    behind: bool = False
    parts: tuple[LogPart, ...] = ()
    zone_s: int | None = None

    @property
    def counts(self) -> tuple[LogCount, ...]:
        """All readings together, the most frequent first."""
        found: dict[str, LogCount] = {}
        for part in self.parts:
            for one in part.counts:
                before = found.get(one.kind)
                total = one.count + (before.count if before is not None else 0)
                found[one.kind] = LogCount(one.kind, total, one.newest_at, one.example)
        return tuple(sorted(found.values(), key=lambda one: (-one.count, one.kind)))
