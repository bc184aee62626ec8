"""A change on its way, ended, or cut: where each step stands, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lptui.actions.comparing import Compared, Verb, Word
from lptui.actions.journal import Entry
from lptui.actions.plan import OnFailure, Outcome, Plan, Result
from lptui.actions.spec import Event
from lptui.clock import iso
from lptui.present.model import Line, Span, Tone
from lptui.present.words import duration
from lptui.text import clean

OUTPUT_LINES: Final = 12
"""Lines of progress that are kept."""


class Standing(StrEnum):
    """Where a step stands."""

    WAITING = "waiting"
    NOW = "now"
    DONE = "done"
    FAILED = "FAILED"
    UNDOING = "undoing"
    UNDONE = "undone"
    KEPT = "NOT UNDONE"
    UNKNOWN = "unknown"


_AFTER: Final = {
    Event.BEGAN: Standing.NOW,
    Event.MADE: Standing.DONE,
    Event.FAILED: Standing.FAILED,
    Event.UNDOING: Standing.UNDOING,
    Event.UNDONE: Standing.UNDONE,
    Event.KEPT: Standing.KEPT,
}

_SIGNS: Final = {
    Standing.WAITING: ("·", Tone.MUTED),
    Standing.NOW: ("▶", Tone.ACCENT),
    Standing.DONE: ("✓", Tone.OK),
    Standing.FAILED: ("✗", Tone.CRITICAL),
    Standing.UNDOING: ("◀", Tone.ACCENT),
    Standing.UNDONE: ("↶", Tone.WARN),
    Standing.KEPT: ("✗", Tone.CRITICAL),
    Standing.UNKNOWN: ("?", Tone.UNKNOWN),
}

_INDENT: Final = " " * 10
"""Of what belongs to a step, below its line."""

_BUSY: Final = (Standing.NOW, Standing.UNDOING)

_OUTCOMES: Final = {
    Outcome.DONE: ("DONE", Tone.OK),
    Outcome.REFUSED: ("REFUSED", Tone.WARN),
    Outcome.FAILED: ("FAILED", Tone.CRITICAL),
    Outcome.UNKNOWN: ("UNKNOWN", Tone.UNKNOWN),
}


_AT_THE_END: Final = {
    Outcome.DONE: Standing.DONE,
    Outcome.REFUSED: Standing.FAILED,
    Outcome.FAILED: Standing.FAILED,
    Outcome.UNKNOWN: Standing.UNKNOWN,
}

_TONES: Final = {
    Word.CHANGED: Tone.WARN,
    Word.UNREAD: Tone.UNKNOWN,
    Word.TO_DO: Tone.ACCENT,
    Word.TO_UNDO: Tone.ACCENT,
}


@dataclass(frozen=True, slots=True)
class StepNow:
    """A step: since when it stands so (UTC seconds), what it took in all, its newest words."""

    standing: Standing = Standing.WAITING
    words: str = ""
    since: float = 0.0
    took_s: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One run of a plan.

    Attributes:
        began, ended: UTC seconds; `ended` None: it runs, or it was cut.
        verb: "resume" or "undo" where that is what is being done.
        entry: the run as the journal has it, once it was asked; None before.
        compared: what resume and undo would do, by a look at the fleet; why not where a string.
        stopping: the operator wants no further step.
        output: the newest lines of progress, with when they came.
    """

    plan: Plan
    began: float
    steps: tuple[StepNow, ...]
    ended: float | None = None
    verb: str = ""
    result: Result | None = None
    entry: Entry | None = None
    compared: Mapping[Verb, tuple[Compared, ...] | str] = field(
        default_factory=lambda: MappingProxyType({})
    )
    stopping: bool = False
    output: tuple[tuple[float, str], ...] = ()

    @property
    def is_cut(self) -> bool:
        """It has no end, and nobody is at it."""
        return self.entry is not None and self.result is None

    @property
    def runs(self) -> bool:
        return self.result is None and not self.is_cut

    @property
    def current(self) -> int | None:
        """The step that is being made or undone, from 0."""
        found = (n for n, step in enumerate(self.steps) if step.standing in _BUSY)
        return next(found, None)

    def told(self, number: int, event: Event | None, words: str, at: float) -> Course:
        """After something happened to a step; None: it is merely waited for."""
        step = self.steps[number]
        words = clean(words)
        if event is None:
            now = replace(step, words=words)
        else:
            standing = _AFTER[event]
            took = at - step.since if step.standing in _BUSY else step.took_s
            now = StepNow(standing, words or step.words, at, took)
        return replace(self, steps=(*self.steps[:number], now, *self.steps[number + 1 :]))

    def said(self, line: str, at: float) -> Course:
        """After a line of progress."""
        return replace(self, output=(*self.output, (at, clean(line)))[-OUTPUT_LINES:])

    def stopped(self) -> Course:
        """After the operator wanted no further step."""
        return replace(self, stopping=True)

    def with_look(self, verb: Verb, found: Sequence[Compared] | str) -> Course:
        """With what resume or undo would do; or why it cannot be done."""
        looked = found if isinstance(found, str) else tuple(found)
        return replace(self, compared=MappingProxyType({**self.compared, verb: looked}))

    def over(self, result: Result, entry: Entry | None, at: float) -> Course:
        """After its end, which says more of steps whose own end was not seen."""
        unknown = {one.number for one in result.steps if one.outcome is Outcome.UNKNOWN}
        steps = []
        for number, step in enumerate(self.steps):
            if step.standing in _BUSY:
                step = replace(step, standing=_AT_THE_END[result.outcome], took_s=at - step.since)
            elif number in unknown and step.standing is Standing.FAILED:
                step = replace(step, standing=Standing.UNKNOWN)
            steps.append(step)
        return replace(
            self, steps=tuple(steps), result=result, entry=entry, ended=at, stopping=False
        )


def begun(plan: Plan, at: float) -> Course:
    """A plan that is about to run."""
    return Course(plan, at, (StepNow(),) * len(plan.steps))


def of_entry(entry: Entry) -> Course:
    """A run as the journal has it."""
    course = replace(begun(entry.plan, entry.started), entry=entry)
    for number, event, at, words in entry.events:
        course = course.told(number, event, words, at)
    return course


def again(entry: Entry, verb: Verb, at: float) -> Course:
    """A run that is about to be taken up again, or back."""
    course = of_entry(entry)
    steps = tuple(
        replace(step, standing=Standing.WAITING) if step.standing in _BUSY else step
        for step in course.steps
    )
    return replace(course, began=at, steps=steps, verb=verb.value, entry=None)


def title(course: Course, now: float) -> Line:
    """What it is and how far, for the head of its page."""
    plan, count = course.plan, len(course.steps)
    what = f" {course.verb} " if course.verb else " "
    name: Line = (
        Span(what, Tone.MUTED),
        Span(plan.action, Tone.STRONG),
        Span(" of ", Tone.MUTED),
        Span(clean(plan.target, 60), Tone.STRONG),
    )
    if course.is_cut:
        return (*name, Span("   CUT", Tone.WARN))
    end = course.ended if course.ended is not None else now
    took = Span(f"   {duration(end - course.began)}", Tone.MUTED)
    if course.result is not None:
        word, tone = _OUTCOMES[course.result.outcome]
        return (*name, Span(f"   {word}", tone), took)
    done = sum(step.standing is Standing.DONE for step in course.steps)
    return (*name, Span(f"   {done} of {count} done", Tone.ACCENT), took)


def lines(course: Course, now: float) -> list[Line]:
    """The whole page."""
    found: list[Line] = list(_head(course, now))
    found.append((Span(" Steps", Tone.ACCENT),))
    for number in range(len(course.steps)):
        found += _step(course, number, now)
    if course.output:
        found += [(), (Span(" Output", Tone.ACCENT),)]
        found += [
            (Span(f"   {iso(at)[11:19]} ", Tone.MUTED), Span(line)) for at, line in course.output
        ]
    found += [(), (Span(f" plan {course.plan.hash}{_run(course)}", Tone.MUTED),)]
    return found


def what_stops(course: Course) -> list[Line]:
    """The question before a run is stopped."""
    at = course.current
    lines: list[Line] = [(Span("Stop after this step?", Tone.STRONG),), ()]
    if at is not None:
        step = course.plan.steps[at]
        lines.append((Span(f"{at + 1}. {step.title} on {step.target}", Tone.NORMAL),))
        lines.append((Span("it is not broken off, unless it only waits", Tone.MUTED),))
    lines.append((Span(what_then(course)),))
    return lines


def what_quitting_cuts(course: Course) -> list[Line]:
    """The question before the console ends while it is at something."""
    plan = course.plan
    return [
        (Span("Quit now?", Tone.STRONG),),
        (),
        (Span(f"{plan.action} of {plan.target} is under way and would be cut half-way."),),
        (Span("The next console offers to take it up again, or back.", Tone.MUTED),),
        (Span("Esc stays here; on its page, x stops it in order.", Tone.MUTED),),
    ]


def what_then(course: Course) -> str:
    """What becomes of the steps that are done when it is stopped."""
    if course.verb == Verb.UNDO.value:
        return "what is not undone by then stays"
    if course.plan.on_failure is OnFailure.UNDO:
        return "what was done before it is undone"
    return "what was done stays; it can be taken up or back afterwards"


def question(entry: Entry, verb: Verb, compared: Sequence[Compared]) -> list[Line]:
    """The question before a run is taken up again, or back: each step, and what is read of it."""
    plan = entry.plan
    how = "Go on with" if verb is Verb.RESUME else "Take back"
    lines: list[Line] = [
        (Span(f"{how} {plan.action} of {plan.target}", Tone.STRONG),),
        (Span(f"run {entry.id}, begun {iso(entry.started)} by {entry.who}", Tone.MUTED),),
        (),
        (Span("Steps", Tone.ACCENT), Span("  in this order; as they are now", Tone.MUTED)),
    ]
    for one in compared:
        lines.append(
            (
                Span(f"  {one.number + 1}. ", Tone.MUTED),
                Span(f"{one.word}: ", _TONES.get(one.word, Tone.NORMAL)),
                Span(one.step.title),
                Span(f" on {one.step.target}", Tone.MUTED),
            )
        )
        if one.seen:
            lines.append((Span(f"     {one.seen}", Tone.MUTED),))
        if one.word is Word.TO_UNDO:
            lines.append((Span(f"     {one.step.undo}", Tone.MUTED),))
    return lines


def _head(course: Course, now: float) -> Iterator[Line]:
    result, entry, at = course.result, course.entry, course.current
    if result is not None:
        word, tone = _OUTCOMES[result.outcome]
        yield (Span(f" {word} ", tone), Span(result.summary, Tone.STRONG))
        yield (Span(f" {course.plan.summary}", Tone.MUTED),)
        if result.remedy:
            yield (Span(" → ", Tone.ACCENT), Span(result.remedy))
        yield from ((Span(f" {name}: {value}", Tone.MUTED),) for name, value in result.proof)
    elif course.is_cut and entry is not None:
        yield (
            Span(" Cut ", Tone.WARN),
            Span(f"run {entry.id}, begun {iso(entry.started)} by {entry.who}, has no end"),
        )
        yield (Span(f" {course.plan.summary}"),)
    elif at is not None:
        step = course.plan.steps[at]
        since = duration(now - course.steps[at].since)
        yield (
            Span(f" {_SIGNS[course.steps[at].standing][0]} ", Tone.ACCENT),
            Span(f"step {at + 1} of {len(course.steps)}", Tone.STRONG),
            Span(f", {since} of {duration(step.deadline_s)} at most: "),
            Span(step.title, Tone.STRONG),
            Span(f" on {step.target}", Tone.MUTED),
        )
    else:
        yield (Span(" checking once more", Tone.MUTED),)
    for verb, why in course.compared.items():
        if isinstance(why, str):
            yield (Span(f" no {verb}: {why}", Tone.WARN),)
    if course.stopping:
        yield (Span(" stopping after this step: ", Tone.WARN), Span(what_then(course)))
    yield ()


def _step(course: Course, number: int, now: float) -> Iterator[Line]:
    step, stand = course.plan.steps[number], course.steps[number]
    sign, tone = _SIGNS[stand.standing]
    word = stand.standing.value
    if stand.standing in _BUSY and not course.runs:
        word, tone = ("begun", Tone.WARN)
    yield (
        Span(f" {sign} {word:<8}", tone),
        Span(f" {_time(course, stand, now):>5}  {number + 1}. ", Tone.MUTED),
        Span(step.title, Tone.MUTED if stand.standing is Standing.WAITING else Tone.NORMAL),
        Span(f" on {step.target}", Tone.MUTED),
    )
    if stand.words:
        yield (Span(f"{_INDENT}{stand.words}", Tone.MUTED),)
    yield from _compared(course, number)


def _time(course: Course, stand: StepNow, now: float) -> str:
    if stand.standing in _BUSY and course.runs:
        return duration(now - stand.since)
    return duration(stand.took_s) if stand.took_s is not None else ""


def _compared(course: Course, number: int) -> Iterator[Line]:
    """What resume and undo would do with a step of a run that was cut."""
    if not course.is_cut:
        return
    words: list[Span] = []
    seen = ""
    for verb, found in course.compared.items():
        one = None if isinstance(found, str) else next(c for c in found if c.number == number)
        if one is not None:
            seen = seen or one.seen
            words.append(Span(f"{'   ' if words else ''}{verb}: ", Tone.MUTED))
            words.append(Span(one.word.value, _TONES.get(one.word, Tone.NORMAL)))
    if seen:
        yield (Span(f"{_INDENT}now: ", Tone.MUTED), Span(seen))
    if words:
        yield (Span(_INDENT), *words)


def _run(course: Course) -> str:
    return f", run {course.entry.id}" if course.entry is not None else ""
