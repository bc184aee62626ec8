"""How a log is looked through: what is new in it, and what it said of reward since a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from lptui.clock import utc
from lptui.errors import BadAnswerError
from lptui.fleet.facts.logs import WINDOW_S, LogErrors
from lptui.fleet.topology import LogKind, LogSource
from lptui.probes.logs.scan import WHAT, Scan, parse_stamped, stamped
from lptui.probes.outcome import failure
from lptui.text import clean
from lptui.transport.protocols import Command, Shell

LONGEST_S: Final = 6.0
"""The host ends a look then."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. `begins_at` (UTC seconds) is from when on it looked where there was
    none before; `zone_s` as in `LogErrors`."""

    scan: Scan
    begins_at: float
    zone_s: int | None = None


class LogReader(Protocol):
    """A node's log on its host. Raises LptuiError where it cannot be read."""

    async def new(self, before: LogErrors | None) -> Look:
        """What was written since an earlier look; in the last hour when there was none."""
        ...

    async def tries_since(self, at: float) -> Scan:
        """The lines about reward alone, since a time (UTC seconds)."""
        ...


@dataclass(frozen=True, slots=True)
class StampedLog:
    """A journal, or a container's output: each line has its time.

    `now` in UTC seconds; `left` gives the seconds that are left.
    """

    shell: Shell
    source: LogSource
    now: float
    left: Callable[[], float]

    async def new(self, before: LogErrors | None) -> Look:
        begins_at = self.now - WINDOW_S
        after = before.read_to if before is not None else self._stamp(begins_at)
        return Look(await self._look(after, only_tries=False), begins_at)

    async def tries_since(self, at: float) -> Scan:
        return await self._look(self._stamp(at), only_tries=True)

    async def _look(self, after: str, *, only_tries: bool) -> Scan:
        left = self.left()
        command = stamped(self.source, after, min(LONGEST_S, left), only_tries=only_tries)
        return parse_stamped(await answer(self.shell, command, left), _seconds)

    def _stamp(self, at: float) -> str:
        """A time as the log writes it: both are compared as they are."""
        if self.source.kind is LogKind.JOURNAL:
            return f"{at:.6f}"
        return f"{utc(at):%Y-%m-%dT%H:%M:%S}.000000000Z"


async def answer(shell: Shell, command: Command, left: float) -> str:
    """What a look printed. Raises CommandError where it failed."""
    [output] = await shell.run([command], left)
    if output.status not in (0, 1):
        raise failure(WHAT, output)
    return output.text


def _seconds(stamp: str) -> float:
    try:
        return float(stamp) if "T" not in stamp else datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        raise BadAnswerError(WHAT, f"no time: {clean(stamp, 40)}") from None
