"""Compares a run that was cut with the fleet as it is now: what would be done, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lptui.actions.engine import is_shown
from lptui.actions.journal import Entry
from lptui.actions.moves.move import LEFT, MAY_HAVE_RUN, Blind, Move, Standing
from lptui.actions.plan import Step
from lptui.actions.spec import Source
from lptui.actions.taking_back import to_undo
from lptui.fleet.snapshot import Snapshot


class Verb(StrEnum):
    """What can become of a run that has an id."""

    RESUME = "resume"
    UNDO = "undo"


class Word(StrEnum):
    """What a step is to the run that is taken up, or back."""

    DONE_BEFORE = "done before"
    MADE_MEANWHILE = "made meanwhile"
    TO_DO = "to do"
    TO_UNDO = "to undo"
    AS_IT_WAS = "as it was"
    NOTHING_TO_UNDO = "nothing to undo"
    CHANGED = "changed by somebody"
    UNREAD = "cannot be read"


@dataclass(frozen=True, slots=True)
class Compared:
    """A step and the fleet. `number` is its place from 0; `seen` "" where nothing is looked at."""

    number: int
    step: Step
    word: Word
    seen: str = ""


def looked_at(entry: Entry, verb: Verb) -> tuple[int, ...]:
    """The steps whose standing matters, in the order in which they come."""
    if verb is Verb.UNDO:
        return to_undo(entry.plan, entry.begun, entry.made)
    plan, begun, first = entry.plan, entry.begun, _first_to_make(entry)
    return tuple(n for n in range(len(plan.steps)) if n >= first or is_shown(plan, begun, n))


def _first_to_make(entry: Entry) -> int:
    """From here on nothing is sure to be made still: an undo that was cut has taken it back."""
    count = len(entry.plan.steps)
    return next((number for number in range(count) if number not in entry.made), count)


def sources(entry: Entry, verb: Verb, moves: Mapping[str, Move]) -> tuple[Source, ...]:
    """What must be read for that."""
    steps = [entry.plan.steps[number] for number in looked_at(entry, verb)]
    return tuple(dict.fromkeys(s for step in steps for s in moves[step.kind].sources(step)))


def compare(
    entry: Entry, verb: Verb, moves: Mapping[str, Move], now: Snapshot
) -> tuple[Compared, ...]:
    """Every step, in the order in which they come."""
    looked = looked_at(entry, verb)
    others = [number for number in range(len(entry.plan.steps)) if number not in looked]
    order = sorted((*looked, *others), reverse=verb is Verb.UNDO)
    found = []
    for number in order:
        step = entry.plan.steps[number]
        if number not in looked:
            word = Word.DONE_BEFORE if verb is Verb.RESUME else Word.NOTHING_TO_UNDO
            found.append(Compared(number, step, word))
            continue
        if isinstance(moves[step.kind], Blind):
            found.append(_blind(entry, number, verb))
            continue
        seen = moves[step.kind].seen(step, now, None)
        if verb is Verb.RESUME:
            is_sure = number in entry.made and number < _first_to_make(entry)
            word = _to_resume(seen.standing, number in entry.begun, is_sure)
        else:
            word = _to_undo(seen.standing, is_first=number == looked[0])
        found.append(Compared(number, step, word, seen.words))
    return tuple(found)


def looked_into(entry: Entry) -> tuple[int, ...]:
    """Steps that may have run, of which the operator has been told: who resumes again leaves them.

    The first console that takes a run up only tells it.
    """
    newest = {number: words for number, _, _, words in entry.events}
    return tuple(number for number, words in newest.items() if words == MAY_HAVE_RUN)


def _blind(entry: Entry, number: int, verb: Verb) -> Compared:
    """A step of which nothing can be read: the journal is all there is."""
    step = entry.plan.steps[number]
    if number in entry.made:
        word = Word.TO_UNDO if verb is Verb.UNDO else Word.DONE_BEFORE
        return Compared(number, step, word, step.undo)
    if verb is Verb.RESUME and number in looked_into(entry):
        return Compared(number, step, Word.UNREAD, LEFT)
    if number in entry.begun:
        return Compared(number, step, Word.UNREAD, MAY_HAVE_RUN)
    return Compared(number, step, Word.TO_DO)


def _to_resume(standing: Standing, begun: bool, made: bool) -> Word:
    if standing is Standing.MADE:
        return Word.DONE_BEFORE if begun or made else Word.MADE_MEANWHILE
    if standing is Standing.UNKNOWN:
        return Word.UNREAD
    if standing is Standing.OTHER or made:
        return Word.CHANGED
    return Word.TO_DO


def _to_undo(standing: Standing, *, is_first: bool) -> Word:
    """What a later step has changed further shows only when that one is undone."""
    if standing is Standing.BEFORE:
        return Word.AS_IT_WAS
    if standing is Standing.UNKNOWN:
        return Word.UNREAD
    return Word.CHANGED if standing is Standing.OTHER and is_first else Word.TO_UNDO


def refusal(entry: Entry, verb: Verb) -> str:
    """Why a run cannot be taken up or back; "" when it can."""
    if verb is Verb.UNDO:
        if to_undo(entry.plan, entry.begun, entry.made):
            return ""
        # One that was cut gets its end, else it could only be made to the end.
        is_open = entry.ended is None and entry.begun
        return "" if is_open else "it has left nothing that could be undone"
    if len(entry.made) == len(entry.plan.steps) and entry.ended is not None:
        return "it is done"
    if entry.ended is not None and not entry.begun:
        return "it has ended and left nothing: start it again"
    return ""
