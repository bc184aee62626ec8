"""`logs TARGET…`: the last lines of nodes' logs, and with --follow those that are added."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lptui.collector.follow import Follower, Phase, State
from lptui.config.mistakes import nearest
from lptui.errors import LptuiError, Problem
from lptui.fleet.logs import LogLine, Stream, streams_of
from lptui.headless.acting import check_format, refuse_options
from lptui.report.logs import render

if TYPE_CHECKING:
    from lptui.fleet.topology import Fleet
    from lptui.session import Session

VERB: Final = "logs"

LINES: Final = 100
MOST_LINES: Final = 100_000

TIMEOUT_S: Final = 30.0
"""Deadline of a run that does not follow."""

GATHER_S: Final = 0.25
"""Lines of several nodes are put in order as far as they come within so long."""

FIRST_S: Final = 1.5
"""The same of what is there at the beginning."""

_AGO: Final = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


async def logs(arguments: argparse.Namespace, words: Sequence[str], session: Session) -> int:
    """0 when every log could be read, 3 when one could not. Raises LptuiError."""
    check_format(arguments, VERB)
    refuse_options(arguments, VERB)
    lines = LINES if arguments.lines is None else arguments.lines
    since = _since(arguments.since, session.clock.now())
    if since is not None and arguments.lines is None:
        lines = MOST_LINES
    streams = _streams(session.fleet, words)
    printer = _Printer(arguments.format, streams)
    follower = Follower(
        session.reach,
        session.clock,
        streams,
        printer,
        lines=lines,
        since=since,
        follow=arguments.follow,
    )
    follower.start()
    try:
        if arguments.follow:
            await _until_told(printer, arguments.timeout)
        else:
            await _read(follower, printer, arguments.timeout or TIMEOUT_S)
    finally:
        await follower.close()
    return 3 if printer.failed else 0


async def _read(follower: Follower, printer: _Printer, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await follower.finished()
    except TimeoutError:
        printer.too_late(timeout_s)
    printer.print()


async def _until_told(printer: _Printer, timeout_s: float | None) -> None:
    """For ever, or for so many seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s if timeout_s is not None else None
    pause = FIRST_S if len(printer.streams) > 1 else GATHER_S
    while end is None or loop.time() < end:
        await asyncio.sleep(pause if end is None else max(0.0, min(pause, end - loop.time())))
        printer.print()
        pause = GATHER_S


class _Printer:
    """Takes lines and prints them in the order of time; complaints go to standard error."""

    def __init__(self, form: str, streams: Sequence[Stream]) -> None:
        self.streams = streams
        self._form = form
        self._named = len(streams) > 1
        self._held: list[tuple[Stream, LogLine]] = []
        self._states: dict[Stream, State] = {}
        self._told: dict[Stream, Problem | None] = {}

    @property
    def failed(self) -> bool:
        """A log could not be read, or is not any more."""
        return any(self._told.get(stream) is not None for stream in self.streams)

    def add(self, read: Iterable[tuple[Stream, LogLine]]) -> None:
        self._held.extend(read)

    def restart(self, stream: Stream) -> None:
        # What was printed stays; that lines come again is said.
        _complain(f"{stream}: its last lines once more")

    def state(self, stream: Stream, state: State) -> None:
        if state.phase is Phase.CONNECTING:
            return
        problem = state.problem
        if problem is not None and problem != self._told.get(stream):
            remedy = f"; {problem.remedy}" if problem.remedy else ""
            _complain(f"{stream.name}: {problem}{remedy}")
        self._told[stream] = problem
        self._states[stream] = state

    def too_late(self, seconds: float) -> None:
        """What has not ended by now is said to be incomplete."""
        for stream in self.streams:
            state = self._states.get(stream)
            if state is None or state.phase not in (Phase.ENDED, Phase.LOST):
                why = f"not read to its end within {seconds:g} s"
                _complain(f"{stream.name}: {stream}: {why}")
                self._told[stream] = LptuiError(str(stream), why).problem()

    def print(self) -> None:
        """What is held."""
        if not self._held:
            return
        held, self._held = sorted(self._held, key=lambda one: one[1].at), []
        for stream, line in held:
            sys.stdout.write(render(stream, line, self._form, named=self._named) + "\n")
        sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"lptui: {text}\n")
    sys.stderr.flush()


def _streams(fleet: Fleet, words: Sequence[str]) -> tuple[Stream, ...]:
    if not words:
        names = ", ".join(fleet.nodes)
        raise LptuiError(VERB, "whose?", f"a node ({names}), host:NAME, role:ROLE, all")
    found: dict[Stream, None] = {}
    for word in words:
        streams = streams_of(fleet, word)
        if not streams:
            known = (*fleet.nodes, *(f"host:{name}" for name in fleet.hosts))
            near = nearest(word, known)
            hint = f"did you mean {near}?" if near else "it takes a unit, a container or logs:"
            raise LptuiError(f"{VERB} {word}", "no log is known for it", hint)
        found.update(dict.fromkeys(streams))
    return tuple(found)


def _since(written: str | None, now: float) -> float | None:
    """UTC seconds of `10m` (ago) or of an ISO 8601 time, UTC where it has no zone."""
    if written is None:
        return None
    ago = _AGO.fullmatch(written)
    if ago is not None:
        return now - int(ago[1]) * _SECONDS[ago[2]]
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        hint = "like 10m, 2h, 3d, or 2026-11-27T12:00:00Z"
        raise LptuiError("--since", f"{written!r} is no time", hint) from None
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()
