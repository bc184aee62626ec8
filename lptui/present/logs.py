"""Logs as they are shown: a bounded book of lines in the order of time, and how one is worded."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from lptui.clock import utc
from lptui.collector.follow import Phase, State
from lptui.fleet.logs import Choice, Level, LogLine, Stream, TimeKind
from lptui.present.model import Line, Span, Tone
from lptui.text import plural

MOST_LINES: Final = 5000
"""Lines that are kept; the oldest go."""

TONES: Final = {
    Level.UNKNOWN: Tone.NORMAL,
    Level.DEBUG: Tone.MUTED,
    Level.INFO: Tone.NORMAL,
    Level.WARNING: Tone.WARN,
    Level.ERROR: Tone.CRITICAL,
}
_TIME_WIDTH: Final = 13
_LEVEL_WIDTH: Final = 6
_MOST_NAME: Final = 16
DAY_S: Final = 86_400


class Entry(NamedTuple):
    """A line in its place: by time, then in the order of arrival."""

    at: float
    number: int
    stream: Stream
    line: LogLine


class Query:
    """What is looked for: `text !text /regex/ level:warn`, all of them."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._least = Level.UNKNOWN
        self._without: list[str] = []
        self._patterns: list[re.Pattern[str]] = []
        for word in self.text.split():
            self._add(word)

    def _add(self, word: str) -> None:
        key, colon, value = word.partition(":")
        if key == "level" and colon:
            starts = (level for level in Level if value and level.name.startswith(value.upper()))
            self._least = next(starts, Level.UNKNOWN)
        elif word.startswith("!") and len(word) > 1:
            self._without.append(word[1:].casefold())
        else:
            pattern = re.escape(word)
            if len(word) > 2 and word[0] == word[-1] == "/":
                pattern = word[1:-1]
            try:
                self._patterns.append(re.compile(pattern, re.IGNORECASE))
            except re.error:
                self._patterns.append(re.compile(re.escape(word), re.IGNORECASE))

    def matches(self, line: LogLine) -> bool:
        if line.level < self._least:
            return False
        if self._without:
            folded = f"{line.stream} {line.text}".casefold()
            if any(word in folded for word in self._without):
                return False
        return all(
            pattern.search(line.text) or pattern.search(line.stream) for pattern in self._patterns
        )

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Where the text has what is looked for, in order, without overlaps."""
        found = sorted(
            match.span()
            for pattern in self._patterns
            for match in pattern.finditer(text)
            if match.end() > match.start()
        )
        kept: list[tuple[int, int]] = []
        for start, end in found:
            if not kept or start >= kept[-1][1]:
                kept.append((start, end))
        return kept


ALL: Final = Query("")


class LogBook:
    """The newest lines of some streams, and those of them that match.

    While it is held, what comes waits beside it: the lines that are looked at stay.
    """

    def __init__(self, most: int = MOST_LINES) -> None:
        self.query = ALL
        self.shown: list[Entry] = []
        self.total = 0
        self.version = 0
        self.held = False
        self.lost = 0
        self._most = most
        self._number = 0
        self._entries: list[Entry] = []
        self._waiting: deque[Entry] = deque(maxlen=most)
        self._waited = 0

    @property
    def waiting(self) -> int:
        """Lines that came since it is held, as far as they match; more where some went."""
        return self._waited

    def add(self, read: Iterable[tuple[Stream, LogLine]]) -> None:
        """Takes lines in, wherever in time they belong."""
        for stream, line in read:
            self._number += 1
            self.total += 1
            entry = Entry(line.at, self._number, stream, line)
            if self.held:
                if len(self._waiting) == self._most:
                    self.lost += 1
                self._waiting.append(entry)
                self._waited += self.query.matches(line)
            else:
                self._put(entry)
        self._cut()
        self.version += 1

    def hold(self) -> None:
        self.held = True
        self.version += 1

    def release(self) -> None:
        """Takes in what has come meanwhile."""
        self.held = False
        for entry in self._waiting:
            self._put(entry)
        self._waiting.clear()
        self._waited = self.lost = 0
        self._cut()
        self.version += 1

    def restart(self, stream: Stream) -> None:
        """Forgets the lines of one stream."""
        self._entries = [entry for entry in self._entries if entry.stream != stream]
        kept = [entry for entry in self._waiting if entry.stream != stream]
        self._waiting = deque(kept, self._most)
        self.search(self.query)

    def search(self, query: Query) -> None:
        """Shows what matches alone."""
        self.query = query
        self.shown = [entry for entry in self._entries if query.matches(entry.line)]
        self._waited = sum(query.matches(entry.line) for entry in self._waiting)
        self.version += 1

    def index(self, entry: Entry) -> int:
        """Where an entry is among those that are shown, or would be."""
        return bisect_left(self.shown, (entry.at, entry.number), key=_place)

    def _put(self, entry: Entry) -> None:
        _insert(self._entries, entry)
        if self.query.matches(entry.line):
            _insert(self.shown, entry)

    def _cut(self) -> None:
        more = len(self._entries) - self._most
        if more <= 0:
            return
        first = self._entries[more]
        del self._entries[:more]
        del self.shown[: bisect_left(self.shown, _place(first), key=_place)]


def _place(entry: Entry) -> tuple[float, int]:
    return entry.at, entry.number


def _insert(entries: list[Entry], entry: Entry) -> None:
    if not entries or _place(entries[-1]) <= _place(entry):
        entries.append(entry)
    else:
        insort(entries, entry, key=_place)


def name_width(names: Sequence[str]) -> int:
    """Room for the streams' names; 0 where there is but one."""
    if len(set(names)) < 2:
        return 0
    return min(_MOST_NAME, max(map(len, names)))


def line_of(entry: Entry, now: float, names: int, query: Query = ALL, left: int = 0) -> Line:
    """A line of the screen: time (UTC), level, name, text with what is looked for.

    The text begins behind its first `left` characters.
    """
    line = entry.line
    tone = TONES[line.level]
    name = f"{line.stream[:names]:<{names}} " if names else ""
    return (
        Span(f"{when(line, now):<{_TIME_WIDTH}}", Tone.MUTED),
        Span(f"{line.level.word:<{_LEVEL_WIDTH}}", tone),
        Span(name, Tone.ACCENT),
        *_marked(line.text[left:], query, tone),
    )


def when(line: LogLine, now: float) -> str:
    """`12:38:13.123`, with its date where that is another; `~` for the time of arrival."""
    if line.time_kind is TimeKind.UNKNOWN:
        return "?"
    at = utc(min(max(line.at, 0.0), 253_402_300_799.0))
    if int(line.at // DAY_S) != int(now // DAY_S):
        return at.strftime("%m-%d %H:%M")
    if line.time_kind is TimeKind.SEEN:
        return at.strftime("~%H:%M:%S")
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def _marked(text: str, query: Query, tone: Tone) -> Line:
    spans: list[Span] = []
    done = 0
    for start, end in query.marks(text):
        spans += (Span(text[done:start], tone), Span(text[start:end], Tone.STRONG))
        done = end
    return (*spans, Span(text[done:], tone))


def title(choice: Choice, book: LogBook, states: Mapping[Stream, State]) -> tuple[Line, Line]:
    """What is read, for both ends of a line."""
    streams = choice.streams
    what = str(streams[0]) if len(streams) == 1 else plural(len(streams), "log")
    if choice.more:
        what += f" of {len(streams) + choice.more}"
    left = (
        Span(" Logs  ", Tone.STRONG),
        Span(f"{choice.word}  ", Tone.ACCENT),
        Span(what, Tone.MUTED),
    )
    found = f"{len(book.shown)} of " if book.query.text else ""
    right = [Span(f"  {found}{plural(book.total, 'line')}  ", Tone.MUTED)]
    if book.held:
        lost = f", {book.lost} of them not kept" if book.lost else ""
        right.append(Span(f"PAUSED, {book.waiting} new{lost} ", Tone.WARN))
    else:
        right.append(_phase(streams, states))
    return left, tuple(right)


def _phase(streams: Sequence[Stream], states: Mapping[Stream, State]) -> Span:
    phases = [states[one].phase for one in streams if one in states]
    reading = sum(phase is Phase.FOLLOWING for phase in phases)
    lost = sum(phase is Phase.LOST for phase in phases)
    if lost:
        words = "LOST " if len(streams) == 1 else f"{lost} LOST, {reading} following "
        return Span(words, Tone.CRITICAL)
    if reading == len(streams):
        return Span("following ", Tone.OK)
    return Span("connecting ", Tone.MUTED)


def notes(streams: Sequence[Stream], states: Mapping[Stream, State], most: int) -> list[Line]:
    """What is wrong with streams, and what to do, a line each cause."""
    causes: dict[str, list[str]] = {}
    for stream in streams:
        problem = states[stream].problem if stream in states else None
        if problem is not None:
            remedy = f"; {problem.remedy}" if problem.remedy else ""
            causes.setdefault(f"{problem.why}{remedy}", []).append(stream.name)
    lines: list[Line] = [
        (Span(f" {', '.join(dict.fromkeys(names))}: ", Tone.STRONG), Span(why, Tone.WARN))
        for why, names in causes.items()
    ]
    return lines[:most]
