"""Follows logs: one channel each, opened again when it was lost, read no faster than it is shown.

Nothing is counted twice: after an interruption a journal or a container's output goes on behind
the last line that was read; a file's last lines are read anew and stand for the earlier ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from lptui.clock import Clock
from lptui.errors import LptuiError, Problem, ProblemKind
from lptui.fleet.logs import Channel, Level, LogLine, Stream, TimeKind, channels_of
from lptui.fleet.topology import LogKind
from lptui.probes.logs.asking import command, trouble
from lptui.probes.logs.parse import Lines, Read, parse
from lptui.transport.protocols import Following, Reach

SLICE: Final = 200
"""Lines that are parsed in one go: some milliseconds."""

LOOK_S: Final = 1.0
"""How often a log that says nothing is looked at for complaints; what has come by then of a file
may have been there before."""

BEHIND_S: Final = 10.0
"""A log that is written faster than it can be read is left behind by no more than this."""

AGAIN_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Waits before a log is opened again."""

REFUSED_S: Final = 30.0
"""The same where another try will hardly help."""

_OF_NO_USE: Final = frozenset(
    {ProblemKind.FORBIDDEN, ProblemKind.COMMAND_NOT_FOUND, ProblemKind.NO_SHELL}
)


class Phase(StrEnum):
    CONNECTING = "connecting"
    FOLLOWING = "following"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class State:
    """How it is with one stream. `problem` says why it is lost, or what it complains of."""

    phase: Phase
    problem: Problem | None = None


class Sink(Protocol):
    """Takes what is read; called on the event loop."""

    def add(self, read: Sequence[Read]) -> None: ...

    def restart(self, stream: Stream) -> None:
        """Forget the lines of a stream: its last ones follow once more."""
        ...

    def state(self, stream: Stream, state: State) -> None: ...


class _BehindError(Exception):
    """Too far behind; `seconds` how far."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(slots=True)
class _Place:
    """How far a stream has been read."""

    at: float = 0.0
    cursors: set[str] = field(default_factory=set)
    least_lag: float = float("inf")

    def is_known(self, line: LogLine) -> bool:
        return line.at < self.at or (line.at == self.at and line.cursor in self.cursors)

    def advance(self, line: LogLine) -> None:
        if line.time_kind is not TimeKind.WRITTEN or line.at < self.at:
            return
        if line.at > self.at:
            self.at = line.at
            self.cursors.clear()
        self.cursors.add(line.cursor)

    def behind(self, line: LogLine, now: float) -> float:
        """Seconds since it was written, but for what the two clocks differ by."""
        if line.time_kind is not TimeKind.WRITTEN:
            return 0.0
        self.least_lag = min(self.least_lag, now - line.at)
        return now - line.at - self.least_lag


class Follower:
    """Follows some streams at once until it is closed."""

    def __init__(
        self,
        reach: Reach,
        clock: Clock,
        streams: Sequence[Stream],
        sink: Sink,
        *,
        lines: int,
        since: float | None = None,
        follow: bool = True,
    ) -> None:
        """The last `lines` of each, of those since a time (UTC seconds) if one is given."""
        self._reach = reach
        self._clock = clock
        self._channels = channels_of(streams)
        self._sink = sink
        self._lines = lines
        self._since = since
        self._follow = follow
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begins to read; the sink hears of it."""
        self._tasks = [asyncio.create_task(self._run(channel)) for channel in self._channels]

    async def finished(self) -> None:
        """Waits for the end of all; those that are followed have none."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Ends the commands on the hosts."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, channel: Channel) -> None:
        place, failed, is_first = _Place(), 0, True
        while True:
            self.tell(channel, State(Phase.CONNECTING))
            before = place.at
            try:
                problem = await self._spell(channel, place, is_first=is_first)
            except LptuiError as error:
                problem = error.problem()
            except _BehindError as late:
                words = f"written faster than it can be read: {late.seconds:.0f} s are left out"
                self._sink.add([note(channel, self.now, words)])
                place, is_first = _Place(), True
                continue
            if not self._follow:
                phase = Phase.LOST if problem is not None else Phase.ENDED
                self.tell(channel, State(phase, problem))
                return
            failed = 0 if place.at > before else failed + 1
            self.tell(channel, State(Phase.LOST, problem))
            refused = problem is not None and problem.kind in _OF_NO_USE
            wait = AGAIN_S[min(failed, len(AGAIN_S) - 1)]
            await asyncio.sleep(REFUSED_S if refused else wait)
            is_first = False

    async def _spell(self, channel: Channel, place: _Place, *, is_first: bool) -> Problem | None:
        """Reads until it ends; the result is why, where there is a reason."""
        is_file = channel.kind is LogKind.FILE
        goes_on = not is_first and not is_file and place.at > 0
        since = place.at if goes_on else self._since
        asked = command(channel, self._lines, since, follow=self._follow)
        following = await self._reach.follow(channel.host, asked)
        reading = _Reading(self, channel, place, following, goes_on=goes_on)
        try:
            if is_file and not is_first:
                self._sink.restart(channel.streams[0])
            self.tell(channel, State(Phase.FOLLOWING))
            return await reading.run()
        finally:
            following.stop()

    def take(self, read: Sequence[Read]) -> None:
        """Lines that were read; those alone that were asked for go on."""
        since = self._since
        wanted = [
            one
            for one in read
            if since is None or one.line.at >= since or one.line.time_kind is not TimeKind.WRITTEN
        ]
        if wanted:
            self._sink.add(wanted)

    def tell(self, channel: Channel, state: State) -> None:
        """How it is with all streams of a channel."""
        for stream in channel.streams:
            self._sink.state(stream, state)

    @property
    def now(self) -> float:
        return self._clock.now()


class _Reading:
    """One spell of one stream, from its opening to its end."""

    def __init__(
        self,
        owner: Follower,
        channel: Channel,
        place: _Place,
        following: Following,
        *,
        goes_on: bool,
    ) -> None:
        self._owner = owner
        self._channel = channel
        self._place = place
        self._following = following
        self._earlier = replace(place, cursors=set(place.cursors)) if goes_on else None
        self._has_met = False
        self._opened = time.monotonic()
        self._said = b""
        self._late_since: float | None = None

    async def run(self) -> Problem | None:
        """Reads until the end; the result is what was wrong. Raises TransportError."""
        lines, complaint = Lines(), None
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    data = await self._following.read()
            except TimeoutError:
                now = trouble(self._channel, None, self._following.errors)
                if now != complaint:
                    complaint = now
                    self._owner.tell(self._channel, State(Phase.FOLLOWING, now))
                continue
            await self._parse(lines.feed(data) if data else lines.end())
            if not data:
                break
        status = self._following.status
        said = self._following.errors + (self._said if status else b"")
        if status is None and not said:
            return Problem(ProblemKind.DISCONNECTED, str(self._channel), "the connection was lost")
        return trouble(self._channel, status, said)

    async def _parse(self, raw: Sequence[bytes]) -> None:
        """In slices, with as long a pause after each: keys are answered meanwhile."""
        for start in range(0, len(raw), SLICE):
            began = time.perf_counter()
            self._take(raw[start : start + SLICE])
            if len(raw) > SLICE:
                await asyncio.sleep(time.perf_counter() - began)

    def _take(self, raw: Sequence[bytes]) -> None:
        now = self._owner.now
        is_new = time.monotonic() - self._opened > LOOK_S
        found: list[Read] = []
        for one in raw:
            read = parse(self._channel, one, now, is_new=is_new)
            if read is None:
                continue
            line = read.line
            if self._channel.kind is LogKind.CONTAINER and line.time_kind is not TimeKind.WRITTEN:
                self._said = (self._said + one + b"\n")[-4096:]
                continue
            if self._earlier is not None and self._is_known(line, found):
                continue
            self._place.advance(line)
            found.append(read)
        self._owner.take(found)
        if found:
            self._keep_up(found[-1].line, now)

    def _is_known(self, line: LogLine, found: list[Read]) -> bool:
        """Whether it was read before the interruption."""
        assert self._earlier is not None  # noqa: S101 (its caller has looked)
        if self._earlier.is_known(line):
            self._has_met = True
            return True
        if not self._has_met:
            # More has been written meanwhile than is kept there, or is read at once.
            found.append(note(self._channel, self._earlier.at, "lines are left out here"))
        self._earlier = None
        return False

    def _keep_up(self, last: LogLine, now: float) -> None:
        """Raises _BehindError when it has been too far behind for too long."""
        behind = self._place.behind(last, now)
        if behind < BEHIND_S or self._channel.kind is LogKind.FILE:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = time.monotonic()
        elif time.monotonic() - self._late_since > BEHIND_S / 2:
            raise _BehindError(behind)


def note(channel: Channel, at: float, text: str) -> Read:
    """A line of lptui's own among those of a log."""
    stream = channel.streams[0]
    return Read(stream, LogLine(at, stream.name, f"(lptui: {text})", Level.WARNING))
