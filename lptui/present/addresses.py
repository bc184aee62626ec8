"""Where clients are sent: each IP address of each public name, and whether it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lptui.fleet.facts.links import Attempt, Place, PublicAddresses
from lptui.fleet.reading import Reading
from lptui.present.model import EMPTY_CELL, UNKNOWN_CELL, Cell, Column, Row, State, Tone
from lptui.present.view import (
    Verdict,
    View,
    cell,
    keys,
    name_width,
    note_cell,
    problem_words,
    row_state,
    search_text,
    shown_at,
    state_cell,
)

CHECK: Final = "public-address"


def columns(view: View) -> tuple[Column, ...]:
    """Of the section of addresses."""
    reading = view.reading(PublicAddresses, view.snapshot.fleet.name)
    value, _ = view.last(reading)
    uris = [place.uri for place in value.places] if value is not None else []
    return (
        Column("state", "st", 4),
        Column("name", "clients are sent to", name_width(uris, 20, 40)),
        Column("address", "address", 24, 1),
        Column("answer", "answers", 7, 0, right=True),
        Column("users", "by", 24, 2),
        Column("note", "why", 20, grow=True),
        Column("age", "age", 5, 0, right=True),
    )


def rows(view: View) -> Iterator[Row]:
    """A row for each address; one for a name without any."""
    reading = view.reading(PublicAddresses, view.snapshot.fleet.name)
    value, _ = view.last(reading)
    for place in value.places if value is not None else ():
        for tried in place.attempts or (None,):
            yield _row(view, reading, place, tried)


def _row(view: View, reading: Reading[PublicAddresses], place: Place, tried: Attempt | None) -> Row:
    address = tried.address if tried is not None else ""
    key = f"address:{place.uri}:{address}"
    # What its user is blamed for besides is told where its user is.
    seen = f"{CHECK}@{place.users[0][1]}" in view.findings.acknowledged
    old = view.is_old(reading)

    def make() -> Row:
        _, since = view.last(reading)
        why = problem_words(reading) or _why(place, tried)
        verdict = Verdict(_state(place, tried), why, seen)
        state = row_state(verdict, reading, old)
        users = ", ".join(name for _, name in place.users)
        note = note_cell(verdict)
        cells = (
            state_cell(state, seen),
            cell(place.uri),
            cell(address, since=since) if address else UNKNOWN_CELL,
            _answer(tried, since),
            cell(users, tone=Tone.MUTED),
            note,
            EMPTY_CELL,
        )
        return Row(
            key,
            cells,
            state,
            place.users,
            keys((PublicAddresses, view.snapshot.fleet.name)),
            shown_at(reading),
            reading.interval_s,
            search_text(place.uri, address, users, note.text),
            problem_words(reading),
            seen,
        )

    return view.memo.row(key, (reading,), (seen, old), make)


def _state(place: Place, tried: Attempt | None) -> State:
    if tried is None:
        return State.CRITICAL if place.problem is not None else State.UNKNOWN
    if tried.is_dead:
        return State.CRITICAL
    return State.OK if tried.problem is None else State.UNKNOWN


def _answer(tried: Attempt | None, since: float | None) -> Cell:
    if tried is None or tried.took_s is None:
        return Cell("no", Tone.CRITICAL, None, since) if tried and tried.is_dead else UNKNOWN_CELL
    return Cell(f"{tried.took_s * 1000:.0f} ms", Tone.NORMAL, tried.took_s, since)


def _why(place: Place, tried: Attempt | None) -> str:
    problem = tried.problem if tried is not None else place.problem
    return problem.why if problem is not None else ""
