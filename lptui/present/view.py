"""What presenters look at: a snapshot at a moment, with findings and series; and cell makers.

A presenter is a pure function of a `View`. Rows are remembered by what they were made from
(`Memo`), so a snapshot in which one host of two hundred changed costs one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from lptui.errors import ProblemKind
from lptui.fleet.chains import OF_CHAIN, of_the_past
from lptui.fleet.finding import Finding, Severity
from lptui.fleet.reading import Key, Reading, unread
from lptui.fleet.retry import Decision
from lptui.fleet.snapshot import Snapshot
from lptui.history.series import History
from lptui.present.model import (
    UNKNOWN_CELL,
    Cell,
    Column,
    Line,
    Row,
    Section,
    Sortable,
    Span,
    State,
    Tone,
)
from lptui.present.words import spark

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Readable(Protocol[T_co]):
    """A reading, as far as it is shown."""

    @property
    def value(self) -> T_co | None: ...

    @property
    def taken_at(self) -> float: ...

    @property
    def last_good(self) -> Readable[T_co] | None: ...

    def is_stale(self, now: float, intervals: float = 3.0) -> bool: ...


NOTE_FIRST, NOTE_LAST = 1, 99
"""Priorities of the column that says why."""

SPARK_WINDOW_S = 300.0
"""How much time a sparkline in a table covers."""

STATE_OF = {
    Severity.OK: State.OK,
    Severity.WARNING: State.WARNING,
    Severity.CRITICAL: State.CRITICAL,
    Severity.UNKNOWN: State.UNKNOWN,
}

PROBLEM_WORDS = {
    ProblemKind.NOT_READ: "not read yet",
    ProblemKind.HOST_KEY_UNKNOWN: "host key unknown",
    ProblemKind.HOST_KEY_CHANGED: "HOST KEY CHANGED",
    ProblemKind.AUTHENTICATION: "login refused",
    ProblemKind.JUMP_HOST: "jump host failed",
}


class Verdict(NamedTuple):
    """What the checks say of a thing: its state and the worst finding in words."""

    state: State
    note: str = ""
    acknowledged: bool = False


class Findings:
    """Findings by what they are about.

    `checked` False: no check has run yet. `settled` False: not every source has been asked yet,
    and what is unknown is merely still to come. `at`: UTC seconds of the snapshot they judge.
    """

    def __init__(
        self,
        findings: Iterable[Finding] = (),
        acknowledged: frozenset[str] = frozenset(),
        *,
        checked: bool = True,
        settled: bool = True,
        at: float = 0.0,
    ) -> None:
        self.all: tuple[Finding, ...] = tuple(findings)
        self.acknowledged = acknowledged
        self.checked = checked
        self.settled = settled
        self.at = at
        self._by_subject: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.all:
            self._by_subject.setdefault((finding.subject, finding.target), []).append(finding)
        self._verdicts: dict[tuple[tuple[str, str], ...], Verdict] = {}

    def of(self, subjects: Iterable[tuple[str, str]]) -> list[Finding]:
        """Those about any of the subjects: the worst first, causes before what follows from them,
        then acknowledged ones, and last those that are OK."""
        found = [f for subject in subjects for f in self._by_subject.get(subject, ())]
        found.sort(key=self._place)
        return found

    def _place(self, finding: Finding) -> tuple[bool, bool, int, bool]:
        well = finding.severity is Severity.OK
        return well, self.is_seen(finding), -finding.severity.rank, bool(finding.cause)

    def is_seen(self, finding: Finding) -> bool:
        """Acknowledged, itself or what explains it."""
        return finding.id in self.acknowledged or finding.cause in self.acknowledged

    def root(self, finding: Finding) -> Finding:
        """The standing finding that explains this one, or itself."""
        bad = (f for f in self.all if f.severity is not Severity.OK)
        return next((f for f in bad if f.id == finding.cause), finding)

    def verdict(self, subjects: tuple[tuple[str, str], ...]) -> Verdict:
        """The worst of what is known; an acknowledged finding weighs no more than a warning."""
        held = self._verdicts.get(subjects)
        if held is None:
            held = self._verdicts[subjects] = self._worst(subjects)
        return held

    def _worst(self, subjects: tuple[tuple[str, str], ...]) -> Verdict:
        found = self.of(subjects)
        if not found:
            return Verdict(State.OK if self.checked else State.PENDING)
        first = found[0]
        if self.is_to_come(first):
            return Verdict(State.PENDING)
        acknowledged = self.is_seen(first) and first.severity is not Severity.OK
        note = "" if first.severity is Severity.OK else first.summary
        return Verdict(STATE_OF[first.severity], note, acknowledged)

    def is_to_come(self, finding: Finding) -> bool:
        """Unknown only because the first readings are on their way."""
        return finding.severity is Severity.UNKNOWN and not self.settled

    def own(self) -> tuple[Finding, ...]:
        """Those that are not OK and that no other standing finding explains."""
        return self._own

    @cached_property
    def _own(self) -> tuple[Finding, ...]:
        standing = [f for f in self.all if f.severity is not Severity.OK]
        causes = {f.id for f in standing}
        return tuple(f for f in standing if f.cause not in causes)

    def counts(self) -> dict[State, int]:
        """Findings that are neither OK nor acknowledged, by state; those that follow from
        another one count with that one."""
        result: dict[State, int] = {}
        for finding in self.own():
            if finding.id not in self.acknowledged and not self.is_to_come(finding):
                state = STATE_OF[finding.severity]
                result[state] = result.get(state, 0) + 1
        return result


@dataclass(slots=True)
class Memo:
    """Rows by key, with what they were made from."""

    rows: dict[str, tuple[tuple[Any, ...], tuple[Any, ...], Row]] = field(default_factory=dict)
    _never: dict[type, Reading[Any]] = field(default_factory=dict)

    def never(self, topic: type) -> Reading[Any]:
        """What was never read: one object a topic, so that rows made from it stay the same."""
        return self._never.setdefault(topic, unread(topic.__name__))

    def row(
        self,
        key: str,
        same: tuple[Any, ...],
        equal: tuple[Any, ...],
        make: Callable[[], Row],
    ) -> Row:
        """The remembered row when `same` are the same objects and `equal` are equal values."""
        held = self.rows.get(key)
        if (
            held is not None
            and held[1] == equal
            and len(held[0]) == len(same)
            and all(one is other for one, other in zip(held[0], same, strict=True))
        ):
            return held[2]
        row = make()
        self.rows[key] = (same, equal, row)
        return row


@dataclass(frozen=True, slots=True)
class View:
    """All that a presenter may know. `now` is UTC seconds on the console's clock.

    `retries` is what was decided about calls that this console may make by itself.
    """

    snapshot: Snapshot
    now: float
    findings: Findings
    history: History
    memo: Memo = field(default_factory=Memo)
    retries: tuple[Decision, ...] = ()

    def reading(self, topic: type[T], target: str) -> Reading[T]:
        found = self.snapshot.readings.get(Key(topic, target))
        return cast("Reading[T]", found if found is not None else self.memo.never(topic))

    def is_old(self, reading: Readable[object]) -> bool:
        """Stale: its source has fallen behind its own pace."""
        return reading.is_stale(self.now, self.snapshot.fleet.thresholds.stale_intervals)

    def last(self, reading: Readable[T]) -> tuple[T | None, float | None]:
        """The value to show, and when it is an old one the time it is of.

        A failed reading gives its last good value; no value at all gives (None, None). What was
        read just now of a chain that stands still is as old as its head.
        """
        if reading.value is not None:
            since = reading.taken_at if self.is_old(reading) else None
            if since is None and isinstance(reading.value, OF_CHAIN):
                since = of_the_past(self.snapshot)
            return reading.value, since
        good = reading.last_good
        if good is not None and good.value is not None:
            return good.value, good.taken_at
        return None, None

    def seen(self, topic: type[T], target: str) -> tuple[T | None, float | None]:
        """As `last`, of the reading of a topic for a target."""
        return self.last(self.reading(topic, target))

    def spark(
        self,
        target: str,
        figure: str,
        width: int,
        low: float | None = None,
        high: float | None = None,
    ) -> str:
        """A sparkline of the last five minutes, "" when nothing was recorded."""
        series = self.history.get(target, figure)
        if series is None:
            return ""
        return spark(series.buckets(width, SPARK_WINDOW_S), low, high)


def cell(
    text: str, sort: Sortable = None, tone: Tone = Tone.NORMAL, since: float | None = None
) -> Cell:
    """A cell; an old value loses its tone and keeps its time."""
    return Cell(text, tone, text.lower() if sort is None else sort, since)


def figure(
    value: T | None,
    say: Callable[[T], str],
    since: float | None = None,
    tone: Tone = Tone.NORMAL,
) -> Cell:
    """A number in words; unknown when there is none."""
    if value is None:
        return UNKNOWN_CELL
    sort = value if isinstance(value, (int, float, str)) else None
    return Cell(say(value), tone, sort, since)


def limit_tone(value: float | None, warn: float | None, critical: float | None = None) -> Tone:
    """The tone of a number that must stay below its limits."""
    if value is None:
        return Tone.UNKNOWN
    if critical is not None and value >= critical:
        return Tone.CRITICAL
    if warn is not None and value >= warn:
        return Tone.WARN
    return Tone.NORMAL


def state_cell(state: State, acknowledged: bool = False) -> Cell:
    """The first column of every table."""
    if acknowledged:
        return Cell("ack", Tone.MUTED, -int(State.OK))
    return Cell(state.word, state.tone, -int(state))


def note_cell(verdict: Verdict, problem: str = "", rest: str = "") -> Cell:
    """The last column: what is wrong, in the checks' words, or why nothing is known.

    `rest` is why a node is silent as it should be.
    """
    if verdict.note:
        tone = Tone.MUTED if verdict.acknowledged else verdict.state.tone
        return Cell(verdict.note, tone, verdict.note.lower())
    if problem:
        return Cell(problem, Tone.UNKNOWN, problem.lower())
    return Cell(rest, Tone.MUTED, rest.lower())


def rest_words(reading: Reading[Any]) -> str:
    """Why a node rests, when that is why a reading has no value; else ""."""
    problem = reading.problem
    return problem.why if problem is not None and problem.kind is ProblemKind.STANDBY else ""


def problem_words(reading: Reading[Any]) -> str:
    """Why a reading has no value, in a few words; "" when it has one, or need not."""
    if reading.problem is None or rest_words(reading):
        return ""
    short = PROBLEM_WORDS.get(reading.problem.kind)
    return short or reading.problem.why or reading.problem.what


def row_state(verdict: Verdict, main: Reading[Any], old: bool) -> State:
    """The checks' verdict, but never better than unknown when the main reading is missing."""
    if main.problem is not None and main.problem.kind is ProblemKind.NOT_READ:
        return max(verdict.state, State.PENDING)
    if rest_words(main):
        return verdict.state
    if (main.value is None or old) and verdict.state < State.UNKNOWN:
        return State.UNKNOWN
    return verdict.state


def section(key: str, noun: str, columns: tuple[Column, ...], rows: Iterable[Row]) -> Section:
    """Rows with trouble first, else in their own order.

    The column that says why comes before most others when there is something to say, and after
    all others when there is not.
    """
    ordered = tuple(sorted(rows, key=lambda row: -(State.OK if row.acknowledged else row.state)))
    place = next((n for n, column in enumerate(columns) if column.key == "note"), None)
    if place is not None:
        telling = any(row.cells[place].text for row in ordered)
        note = columns[place]._replace(priority=NOTE_FIRST if telling else NOTE_LAST)
        columns = (*columns[:place], note, *columns[place + 1 :])
    return Section(key, noun, columns, ordered)


def shown_at(reading: Reading[Any]) -> float:
    """When the value that is shown was taken: the last good one's time when this one failed.

    That a node rests is shown as of this reading.
    """
    if reading.value is None and reading.last_good is not None:
        return reading.last_good.taken_at
    return reading.taken_at if reading.value is not None or rest_words(reading) else 0.0


def tally(rows: Iterable[Row]) -> tuple[State, tuple[tuple[State, int], ...]]:
    """The worst state of some rows, and how many are in each bad state, the worst first."""
    counts: dict[State, int] = {}
    best = None
    for row in rows:
        state = State.OK if row.acknowledged else row.state
        best = state if best is None else max(best, state)
        if state > State.PENDING:
            counts[state] = counts.get(state, 0) + 1
    ordered = tuple(sorted(counts.items(), key=lambda item: -item[0]))
    return (State.PENDING if best is None else best), ordered


def search_text(*parts: str, **pairs: str) -> str:
    """Lower-case text for filters: words, and `key:value` pairs by name."""
    words = " ".join(part for part in parts if part)
    named = " ".join(f"{name}:{value}" for name, value in pairs.items() if value)
    return f"{words} {named}".lower()


def label(name: str, *spans: Span) -> Line:
    """`name value` for a line above a table."""
    return (Span(f"{name} ", Tone.MUTED), *spans)


def joined(lines: Sequence[Line], between: str = "   ") -> Line:
    """Several short lines as one."""
    result: list[Span] = []
    for line in lines:
        if result and line:
            result.append(Span(between, Tone.MUTED))
        result.extend(line)
    return tuple(result)


def name_width(names: Iterable[str], least: int = 6, most: int = 24) -> int:
    """Width of a column of names: fixed by the fleet, not by what happens to be shown."""
    from rich.cells import cell_len

    return max(least, min(most, max((cell_len(name) for name in names), default=least)))


def keys(*pairs: tuple[type, str]) -> tuple[Key, ...]:
    """Keys of readings."""
    return tuple(Key(topic, target) for topic, target in pairs)
