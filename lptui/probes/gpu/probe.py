"""Asks a host for its GPUs. Hosts without a vendor's tool have none, which is no error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.topology import Intervals
from lptui.probes.gpu import commands, parse
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import NOT_FOUND, has_hung
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Output, Shell

TOOL: Final = "nvidia-smi"

FULL: Final = (*commands.FIELDS, commands.EVENT_REASONS)
OLDER: Final = (*commands.FIELDS, commands.THROTTLE_REASONS)
FEW: Final = commands.FEW_FIELDS
QUERIES: Final = (FULL, OLDER, FEW)

_FIRST_WITH_EVENTS: Final = 535
"""The first driver that says "event reasons" where older ones say "throttle reasons"."""

_SHARE_OF_TIME: Final = 0.45
"""Of the deadline for each of the two commands that are sent together."""

_LOST: Final = 15
_NO_DRIVER: Final = (9, 12)
_NO_CARDS: Final = 6
"""Exit statuses (nvidia-smi(1)): GPU fell off the bus; driver or library missing; no device."""


class GpuProbe(HostProbe):
    """nvidia-smi for cards and for processes, in one round trip.

    One field that the driver does not know fails the whole query, so there are three, each asking
    for less; which one to begin with shows in the reading before.
    """

    name: ClassVar[str] = "gpu"
    topic: ClassVar[type] = HostGpus
    asks: ClassVar[str] = TOOL

    def pace(self, intervals: Intervals) -> float:
        return intervals.gpu

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        shell = asking.reach.shell(target)
        queries = QUERIES[first_query(asking.latest.value(HostGpus, target)) :]
        value = await _read(shell, queries, time_left(asking), target)
        return [Answer(self.key(target), value)]


def first_query(before: HostGpus | None) -> int:
    """The query that worked before: a driver older than 535, or one that told no version."""
    if before is None or not before.gpus or any(card.problem for card in before.gpus):
        return 0
    major = before.driver.partition(".")[0]
    if not major.isascii() or not major.isdigit():
        return len(QUERIES) - 1
    return 0 if int(major[:6]) >= _FIRST_WITH_EVENTS else 1


async def _read(
    shell: Shell,
    queries: Sequence[tuple[str, ...]],
    left: Callable[[], float],
    host: str,
) -> HostGpus:
    for number, fields in enumerate(queries):
        seconds = left()
        cards, processes = await shell.run(
            [
                commands.query(fields, seconds * _SHARE_OF_TIME),
                commands.query_processes(seconds * _SHARE_OF_TIME),
            ],
            seconds,
        )
        is_last = number == len(queries) - 1
        if cards.status != 0 and parse.UNKNOWN_FIELD in cards.text and not is_last:
            continue
        return _value(cards, processes, fields, host)
    raise BadAnswerError(f"{TOOL} on {host}", "no query was asked")


def _value(cards: Output, processes: Output, fields: Sequence[str], host: str) -> HostGpus:
    if cards.status == NOT_FOUND:
        return HostGpus()
    if cards.status == _NO_CARDS or cards.text.strip() == parse.NO_DEVICES:
        return HostGpus(tool=TOOL)
    if cards.status != 0:
        raise _failure(cards, host)
    gpus, driver = parse.parse_cards(cards.text, fields)
    used = parse.parse_processes(processes.text) if processes.status == 0 else ()
    return HostGpus(gpus, used, driver, TOOL)


def _failure(output: Output, host: str) -> CommandError:
    what = f"{TOOL} on {host}"
    said = clean(next((line for line in output.text.split("\n") if line.strip()), ""), 160)
    if has_hung(output.status):
        return CommandError(
            what,
            "it hangs: a card may have fallen off the bus",
            "look for `NVRM: Xid` in the host's kernel log; a reboot is likely to be needed",
            kind=ProblemKind.TIMEOUT,
        )
    if output.status == _LOST or "is lost" in said:
        return CommandError(
            what, said or "a GPU is lost", "look for `NVRM: Xid 79` in the host's kernel log"
        )
    if output.status in _NO_DRIVER or "NVIDIA driver" in said:
        return CommandError(
            what,
            said or "the driver is not loaded",
            "load the driver (modprobe nvidia) or reboot after a kernel or driver upgrade",
        )
    return CommandError(what, f"status {output.status}: {said or 'it said nothing'}")
