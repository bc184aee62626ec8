"""A host's clock against the operator's, and whether the host's time daemon is content."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from lptui.clock import Clock
from lptui.errors import BadAnswerError, DeadlineError
from lptui.fleet.facts.host import HostClock
from lptui.probes.host import commands
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Output, Shell

GOOD_ENOUGH_S: Final = 0.2
"""An answer known to within this is not asked for again."""

_MOST_TRIES: Final = 3
_DATE: Final = re.compile(r"([0-9]{1,12})\.([0-9]{1,9})?(?:%N|N)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class HostTime:
    """Seconds since 1970 as a host gave them, and how exactly (one second without fractions)."""

    seconds: float
    resolution_s: float


def parse_date(text: str) -> HostTime:
    """`date +%s.%N`; raises BadAnswerError for anything else."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise BadAnswerError("date", f"unexpected {clean(text, 60)!r}")
    if match[2] is None:
        return HostTime(float(match[1]), 1.0)
    return HostTime(float(f"{match[1]}.{match[2]}"), 0.0)


def offset(asked_at: float, took_s: float, host: HostTime) -> HostClock:
    """The host's clock was read somewhere between the question and the answer."""
    middle = asked_at + took_s / 2
    return HostClock(
        offset_s=host.seconds + host.resolution_s / 2 - middle,
        uncertainty_s=took_s / 2 + host.resolution_s / 2,
        synchronised=None,
    )


def parse_chrony(text: str) -> bool:
    """Whether `chronyc -c tracking` says that the clock follows a source.

    Raises BadAnswerError when it is not that line. Leap status comes last (chronyc(1)).
    """
    fields = text.strip().partition("\n")[0].split(",")
    if len(fields) < 14:
        raise BadAnswerError("chronyc", f"unexpected {clean(text, 60)!r}")
    leap = fields[-1].strip()
    if leap not in ("Normal", "Insert second", "Delete second", "Not synchronised"):
        raise BadAnswerError("chronyc", f"unexpected leap status {clean(leap, 40)!r}")
    return leap != "Not synchronised"


def parse_timedate(text: str) -> bool:
    """NTPSynchronized of `timedatectl show`; raises BadAnswerError without it."""
    for line in text.split("\n"):
        name, _, value = line.partition("=")
        if name == "NTPSynchronized" and value in ("yes", "no"):
            return value == "yes"
    raise BadAnswerError("timedatectl", f"unexpected {clean(text, 60)!r}")


class HostClockProbe(HostProbe):
    """Asks date, several times where the way is slow, then chronyc or else timedatectl."""

    name: ClassVar[str] = "host-clock"
    topic: ClassVar[type] = HostClock
    asks: ClassVar[str] = "date against our clock"

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        shell = asking.reach.shell(target)
        left = time_left(asking)
        best = await _measure(shell, asking.clock, left(), target)
        for _ in range(_MOST_TRIES - 1):
            if best.uncertainty_s <= GOOD_ENOUGH_S or left() < asking.deadline_s / 2:
                break
            again = await _measure(shell, asking.clock, left(), target)
            best = min(best, again, key=lambda one: one.uncertainty_s)
        synchronised, source = await _daemon(shell, left)
        value = HostClock(best.offset_s, best.uncertainty_s, synchronised, source)
        return [Answer(self.key(target), value)]


async def _measure(shell: Shell, clock: Clock, deadline_s: float, target: str) -> HostClock:
    asked_at, began = clock.now(), clock.monotonic()
    [output] = await shell.run([commands.DATE], deadline_s)
    took_s = max(0.0, clock.monotonic() - began)
    if output.status != 0:
        raise failure(f"date on {target}", output)
    return offset(asked_at, took_s, parse_date(output.text))


async def _daemon(shell: Shell, left: Callable[[], float]) -> tuple[bool | None, str]:
    """What the time daemon says and which one; (None, "") where none can be asked in time.

    These are commands, and may wait behind one that hangs: what date said is known without.
    """
    try:
        [output] = await shell.run([commands.CHRONY], left() / 2)
        said = _said(output, parse_chrony)
        if said is not None:
            return said, "chrony"
        [output] = await shell.run([commands.TIMEDATE], left() / 2)
        said = _said(output, parse_timedate)
    except DeadlineError:
        said = None
    return said, "" if said is None else "timedatectl"


def _said(output: Output, parse: Callable[[str], bool]) -> bool | None:
    if output.status != 0:
        return None
    try:
        return parse(output.text)
    except BadAnswerError:
        return None
