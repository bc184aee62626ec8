"""Asks a host for its GPUs. Hosts without a vendor's tool have none, which is no error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from lptui.errors import BadAnswerError, CommandError, LptuiError, ProblemKind
from lptui.fleet.facts.gpu import GpuProcess, HostGpus
from lptui.fleet.topology import Intervals
from lptui.probes.gpu import commands, parse
from lptui.probes.host.base import HostProbe
from lptui.probes.outcome import NOT_EXECUTABLE, NOT_FOUND, has_hung
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
"""Of the time that is left, for one command: what else is asked of the host waits behind it."""

_NO_CARDS: Final = 6
"""Exit status (nvidia-smi(1)): no device."""

_LOST: Final = 15
_OFF_THE_BUS: Final = "look for `NVRM: Xid 79` in the host's kernel log; reboot the host"
_RELOAD: Final = "load the driver (modprobe nvidia) or reboot after a kernel or driver upgrade"
_REBOOT: Final = "the driver was upgraded under a loaded one: drain the host's nodes and reboot it"

_FAULTS: Final = {9: _RELOAD, 12: _RELOAD, _LOST: _OFF_THE_BUS, 18: _REBOOT}
"""Exit statuses of a driver that is not loaded, a missing library, a lost card, and a library of
another version than the driver; and what to do."""

_WORDS: Final = (
    ("Driver/library version mismatch", _REBOOT),
    ("NVIDIA driver", _RELOAD),
    ("Driver Not Loaded", _RELOAD),
)
"""The same by what is said; statuses vary."""


class GpuProbe(HostProbe):
    """nvidia-smi for cards, and then for processes: a card that hangs it is waited for once.

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
        before = asking.latest.value(HostGpus, target)
        left = time_left(asking)
        value = await _read(shell, QUERIES[first_query(before) :], left, target)
        if value.gpus:
            value = replace(value, cuda=await _cuda(shell, value, before, left))
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
        [cards] = await shell.run([commands.query(fields, left() * _SHARE_OF_TIME)], left())
        is_last = number == len(queries) - 1
        if cards.status != 0 and parse.UNKNOWN_FIELD in cards.text and not is_last:
            continue
        found = _value(cards, fields, host)
        if not found.gpus:
            return found
        return replace(found, processes=await _processes(shell, left))
    raise BadAnswerError(f"{TOOL} on {host}", "no query was asked")


async def _processes(shell: Shell, left: Callable[[], float]) -> tuple[GpuProcess, ...] | None:
    """None where they are not told: the cards are known all the same."""
    try:
        [output] = await shell.run([commands.query_processes(left() * _SHARE_OF_TIME)], left())
    except LptuiError:
        return None
    return parse.parse_processes(output.text) if output.status == 0 else None


async def _cuda(
    shell: Shell, value: HostGpus, before: HostGpus | None, left: Callable[[], float]
) -> str | None:
    """It changes with the driver alone, and is asked for once. None where it is not told."""
    if before is not None and before.cuda is not None and before.driver == value.driver:
        return before.cuda
    try:
        [output] = await shell.run([commands.query_driver(left() * _SHARE_OF_TIME)], left())
    except LptuiError:
        return None
    return parse.parse_cuda(output.text) if output.status == 0 else None


def _value(cards: Output, fields: Sequence[str], host: str) -> HostGpus:
    if cards.status == NOT_FOUND:
        return HostGpus()
    if cards.status == _NO_CARDS or cards.text.strip() == parse.NO_DEVICES:
        return HostGpus(tool=TOOL)
    fault, advice = _fault(cards)
    if cards.status != 0 and not fault:
        raise _failure(cards, host)
    try:
        gpus, driver = parse.parse_cards(cards.text, fields)
    except BadAnswerError as error:
        if fault:
            return HostGpus(tool=TOOL, fault=fault, advice=advice)
        remedy = "run nvidia-smi on the host: is it the driver's own?"
        raise BadAnswerError(f"{TOOL} on {host}", error.why, remedy) from None
    return HostGpus(gpus, driver=driver, tool=TOOL, fault=fault, advice=advice)


def _fault(output: Output) -> tuple[str, str]:
    """What is said of a broken driver or a lost card, and what to do; ("", "") of neither."""
    lines = [line for line in output.text.split("\n") if line.strip()]
    lost = next((line for line in lines if parse.LOST_CARD.search(line)), None)
    if lost is not None:
        return clean(lost, 160), _OFF_THE_BUS
    if output.status == 0:
        return "", ""
    said = clean(lines[0], 160) if lines else ""
    for words, advice in _WORDS:
        if words in said:
            return said, advice
    advice = _FAULTS.get(output.status, "")
    return (said or f"it ended with status {output.status}", advice) if advice else ("", "")


def _failure(output: Output, host: str) -> CommandError:
    what = f"{TOOL} on {host}"
    said = clean(next((line for line in output.text.split("\n") if line.strip()), ""), 160)
    if has_hung(output.status):
        return CommandError(
            what,
            "it hangs: a card may have fallen off the bus",
            "look for `NVRM: Xid` in the host's kernel log; without persistence mode "
            "(nvidia-smi -pm 1) it is slow as well",
            kind=ProblemKind.TIMEOUT,
        )
    if "ermission" in said or output.status == NOT_EXECUTABLE:
        return CommandError(
            what,
            said or "the login may not run it",
            "let the login use the cards (group video or render, /dev/nvidia*)",
            kind=ProblemKind.FORBIDDEN,
        )
    return CommandError(
        what,
        f"status {output.status}: {said or 'it said nothing'}",
        "run nvidia-smi on the host, and see its kernel log for NVRM",
    )
