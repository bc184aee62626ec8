"""Reads the record: the runs that it tells of, and whether its chain is whole.

The file may have been written by anybody: nothing in it is believed to be text or of a kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lptui.actions.audit_chain import Chain, Line, Link, digest
from lptui.text import clean, plural

FAULTS: Final = 1000
"""A file that is no record at all is not told line by line."""

TAKEN_UP: Final = ("resume", "undo")
"""Events that begin a run once more."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a run. `number` is the step's, from 1; None where it is about the whole run."""

    at: str
    who: str
    where: str
    event: str
    number: int | None
    title: str
    target: str
    call: str
    words: str


@dataclass(frozen=True, slots=True)
class Record:
    """What the record tells of one run.

    Attributes:
        at: when it began, in UTC; `who` began it, `where` is the machine.
        outcome: how it ended last; "" when it has no end.
        verb: `resume` or `undo` when it was taken up or back later; "" otherwise.
    """

    run: str
    at: str
    who: str
    where: str
    fleet: str
    action: str
    target: str
    plan: str
    outcome: str
    summary: str
    verb: str
    proof: tuple[tuple[str, str], ...]
    happenings: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line; `line` 0: with the file as a whole."""

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}" if self.line else self.what


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain is whole.

    Attributes:
        lines: how many there are; the first `unchained` are older than the chain.
        newest: the hash of the last line; whoever notes it elsewhere can tell a forged file.
    """

    lines: int
    unchained: int
    newest: str
    faults: tuple[Fault, ...]


def records(path: Path) -> tuple[Record, ...]:
    """All runs, the newest last; what is no record is passed over. Raises OSError."""
    runs: dict[str, list[Mapping[str, Any]]] = {}
    lines, _ = Chain(path).lines()
    for line in lines:
        if line.content is not None and "run" in line.content and "event" in line.content:
            runs.setdefault(_text(line.content, "run"), []).append(line.content)
    return tuple(_record(run, contents) for run, contents in runs.items())


def verify(path: Path) -> Verdict:
    """Follows the chain from its first line to its last. Raises OSError."""
    lines, head = Chain(path).lines()
    follower = _Follower(head)
    for line in lines:
        follower.follow(line)
    follower.end()
    faults = tuple(follower.faults[:FAULTS])
    return Verdict(follower.place, follower.unchained, follower.last.digest, faults)


class _Follower:
    """Goes along the lines and notes what does not follow from the line before.

    What it keeps of the head is the line that has its number, to be compared at the end.
    """

    def __init__(self, head: Link | None) -> None:
        self._head = head
        self._of_head: tuple[int, Link] | None = None
        self._chained = False
        self.place = 0
        self.unchained = 0
        self.last = Link(0, digest(b""))
        self.faults: list[Fault] = []

    def follow(self, line: Line) -> None:
        """The next line of the file."""
        before, self.place = self.last, line.place
        # After a line that says nothing of itself, the count goes on.
        self.last = line.link if line.is_linked else Link(before.number + 1, line.link.digest)
        if self._head is not None and self.last.number == self._head.number:
            self._of_head = (line.place, self.last)
        if line.content is None:
            self._fault(line.place, "not JSON: edited, or only half of it was ever written")
        elif line.is_linked:
            self._compare(line.content, before)
            self._chained = True
        elif self._chained:
            self._fault(line.place, "not chained to the line before: inserted, or edited")
        else:
            self.unchained += 1

    def _compare(self, content: Mapping[str, Any], before: Link) -> None:
        follows = content["prev"] == before.digest
        more = self.last.number - before.number - 1
        if follows and more == 0:
            return
        if more > 0 and not (follows and self._chained):
            self._fault(self.place, f"removed: {plural(more, 'line')} before it")
        elif follows:
            self._fault(self.place, f"edited: it calls itself number {self.last.number}")
        elif more == 0:
            self._fault(max(1, self.place - 1), "edited, or put in another's place")
        else:
            self._fault(max(1, self.place - 1), "inserted: the next line does not follow it")

    def end(self) -> None:
        """Compares the last line with what the second place says of it."""
        head = self._head
        if head is None:
            if self._chained:
                self._fault(0, "audit.head is gone or unreadable: a cut at the end would not show")
        elif self.last.number < head.number:
            missing = plural(head.number - self.last.number, "line")
            self._fault(self.place, f"cut at the end: {missing} after it")
        elif head.number and (self._of_head is None or self._of_head[1] != head):
            place = self._of_head[0] if self._of_head is not None else self.place
            self._fault(place, "edited: it is not the line that was written")

    def _fault(self, place: int, what: str) -> None:
        self.faults.append(Fault(place, what))


def _record(run: str, contents: Sequence[Mapping[str, Any]]) -> Record:
    outcome = summary = verb = ""
    proof: tuple[tuple[str, str], ...] = ()
    for content in contents:
        event = _text(content, "event")
        if event in TAKEN_UP:
            outcome, summary, verb = "", "", event
        elif event == "ended":
            outcome, summary = _text(content, "outcome"), _text(content, "summary")
            proof = _pairs(content.get("proof"))
    first = contents[0]
    return Record(
        run=run,
        at=_text(first, "at"),
        who=_text(first, "who"),
        where=_text(first, "from"),
        fleet=_text(first, "fleet"),
        action=_text(first, "action"),
        target=_text(first, "target"),
        plan=_text(first, "plan"),
        outcome=outcome,
        summary=summary,
        verb=verb,
        proof=proof,
        happenings=tuple(map(_happening, contents)),
    )


def _happening(content: Mapping[str, Any]) -> Happening:
    number, step = content.get("number"), content.get("step")
    step = step if isinstance(step, dict) else {}
    return Happening(
        at=_text(content, "at"),
        who=_text(content, "who"),
        where=_text(content, "from"),
        event=_text(content, "event"),
        number=number if type(number) is int else None,
        title=_text(step, "title"),
        target=_text(step, "target"),
        call=_text(step, "call"),
        words=_text(content, "words") or _text(content, "summary"),
    )


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    pairs = value.items() if isinstance(value, dict) else ()
    return tuple((clean(str(name)), clean(str(said))) for name, said in pairs)


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    return clean(str(value)) if value is not None else ""
