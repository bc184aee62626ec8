"""The journal: what each run meant to do and how far it came, on the disk before it is done.

A run that has no end here was cut: its console was killed, or its machine. Who starts next
compares it with the fleet as it is now, and takes it up or takes it back.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from lptui.actions.on_disk import WRITABLE, on_disk, remedy_for
from lptui.actions.plan import Lock, OnFailure, Outcome, Plan, Request, Result, Step
from lptui.actions.spec import Event
from lptui.clock import Clock
from lptui.errors import RefusedError, UnusableError
from lptui.fleet.topology import Fleet
from lptui.text import clean

VERSION: Final = 1

NOTHING: Final = "cut before any step was begun: nothing was changed"
ALL_UNDONE: Final = "cut when everything was undone: nothing is left of it"

BUSY_S: Final = 5.0
"""How long another console's write is waited for."""

_TABLES: Final = """
CREATE TABLE runs (
  id TEXT PRIMARY KEY, fleet TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
  plan TEXT NOT NULL, who TEXT NOT NULL, pid INTEGER NOT NULL, started REAL NOT NULL,
  ended REAL, outcome TEXT NOT NULL DEFAULT '', summary TEXT NOT NULL DEFAULT ''
);
CREATE TABLE events (
  run TEXT NOT NULL REFERENCES runs, number INTEGER NOT NULL, event TEXT NOT NULL,
  at REAL NOT NULL, words TEXT NOT NULL
);
CREATE INDEX events_of ON events (run);
CREATE INDEX runs_of ON runs (fleet, started);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A run in the journal. Times are UTC seconds; `ended` None: it was cut, or still runs.

    `events` are (step's number from 0, event, when, words), in their order.
    """

    id: str
    fleet: str
    plan: Plan
    who: str
    pid: int
    started: float
    ended: float | None
    outcome: str
    summary: str
    events: tuple[tuple[int, Event, float, str], ...]

    def went_with(self, fleet: Fleet) -> bool:
        """Whether its fleet is gone: a simulated one ends with the process that made it."""
        return fleet.demo and self.pid != os.getpid()

    @property
    def standing(self) -> dict[int, Event]:
        """The newest event of each step that was begun."""
        return {number: event for number, event, _, _ in self.events}

    @property
    def made(self) -> tuple[int, ...]:
        """Steps that were seen made and have not been undone since."""
        return tuple(n for n, event in self.standing.items() if event is Event.MADE)

    @property
    def begun(self) -> tuple[int, ...]:
        """Steps that may have left something behind; not those that were found made already."""
        left: dict[int, None] = {}
        for number, event, _, _ in self.events:
            if event is Event.BEGAN:
                left[number] = None
            elif event is Event.UNDONE:
                left.pop(number, None)
        return tuple(left)


class Journal:
    """The file. Its methods block for a write to the disk; raise OSError when it cannot be used."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def begin(self, run: str, plan: Plan, fleet: str, who: str) -> None:
        """Writes down a run before anything is done."""
        row = (run, fleet, plan.action, plan.target, _written(plan), who, os.getpid())
        with self._open() as db:
            db.execute(
                "INSERT INTO runs (id, fleet, action, target, plan, who, pid, started)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, self._clock.now()),
            )

    def event(self, run: str, number: int, event: Event, words: str) -> None:
        """Writes down what happened, or is about to happen, to a step."""
        with self._open() as db:
            db.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                (run, number, event.value, self._clock.now(), clean(words)),
            )

    def end(self, run: str, result: Result) -> None:
        """Writes down how a run ended."""
        row = (self._clock.now(), result.outcome.value, clean(result.summary), run)
        with self._open() as db:
            db.execute("UPDATE runs SET ended = ?, outcome = ?, summary = ? WHERE id = ?", row)

    def close(self, entry: Entry) -> None:
        """Ends a run that was cut and has left nothing, unless it went on since it was read."""
        words = ALL_UNDONE if Event.BEGAN in {event for _, event, _, _ in entry.events} else NOTHING
        row = (self._clock.now(), Outcome.REFUSED.value, words, entry.id, len(entry.events))
        with self._open() as db:
            db.execute(
                "UPDATE runs SET ended = ?, outcome = ?, summary = ? WHERE id = ? AND ended IS NULL"
                " AND (SELECT COUNT(*) FROM events WHERE run = id) = ?",
                row,
            )

    def reopen(self, run: str) -> None:
        """A run that is taken up again, or taken back, has no end until that has ended."""
        with self._open() as db:
            db.execute("UPDATE runs SET ended = NULL, pid = ? WHERE id = ?", (os.getpid(), run))

    def entry(self, run: str) -> Entry | None:
        """A run by its id."""
        found = self._entries("WHERE id = ?", (run,))
        return found[0] if found else None

    def unfinished(self, fleet: str) -> tuple[Entry, ...]:
        """Runs of a fleet without an end, the oldest first; one of them may be running now."""
        return self._entries("WHERE fleet = ? AND ended IS NULL ORDER BY started", (fleet,))

    def newest(self, fleet: str, most: int = 50) -> tuple[Entry, ...]:
        """The newest runs of a fleet, the newest first."""
        return self._entries("WHERE fleet = ? ORDER BY started DESC LIMIT ?", (fleet, most))

    def _entries(self, where: str, values: tuple[object, ...]) -> tuple[Entry, ...]:
        if not self._path.exists():
            return ()
        columns = "id, fleet, plan, who, pid, started, ended, outcome, summary"
        with self._open() as db:
            rows = db.execute(f"SELECT {columns} FROM runs {where}", values).fetchall()  # noqa: S608
            return tuple(_entry(db, row) for row in rows)

    def keep_open(self) -> sqlite3.Connection:
        """Makes writes cheap until it is closed: the last one to close tidies up each time."""
        with self._told():
            return self._connect()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on the disk when the block has ended."""
        with self._told(), closing(self._connect()) as db, db:
            yield db

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            words = f"{self._path}: {error}"
            remedy = self._remedy(getattr(error, "sqlite_errorcode", None))
            raise UnusableError(words, remedy) from None

    def _remedy(self, code: int | None) -> str:
        """By SQLite's result code (sqlite.org/rescode.html); None: what it holds is another's."""
        if code is None:
            return "use the lptui that wrote it, or another state folder (LPTUI_STATE)"
        match code & 0xFF:  # the rest tells it more exactly
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return (
                    f"it is damaged: move {self._path.name}* aside; which runs were cut is then"
                    " to be seen in `lptui audit` alone"
                )
            case sqlite3.SQLITE_FULL:
                return "make room on the state folder's disk"
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return "another lptui holds it: see what that does, and try again"
            case _:
                return WRITABLE

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self._path, timeout=BUSY_S, check_same_thread=False)
        try:
            db.execute("PRAGMA synchronous = FULL")
            _prepare(db)
        except BaseException:
            db.close()
            raise
        return db


class RunRecord:
    """`spec.Record` over the journal, beside the loop: a write waits for the disk."""

    def __init__(self, journal: Journal, run: str) -> None:
        self._journal = journal
        self.run = run

    async def step(self, number: int, event: Event, words: str = "") -> None:
        """See `spec.Record`."""
        try:
            await on_disk(self._journal.event, self.run, number, event, words)
        except OSError as error:
            why = f"the journal cannot be written: {clean(str(error))}"
            raise RefusedError(f"run {self.run}", why, remedy_for(error)) from None


def _prepare(db: sqlite3.Connection) -> None:
    [version] = db.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version > VERSION:
        raise sqlite3.DatabaseError(f"made by a newer lptui (version {version})")
    # One write to the disk for an event instead of four; where it is not to be had, four.
    _write_ahead(db)
    with db:
        db.execute("BEGIN IMMEDIATE")
        [version] = db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")


def _write_ahead(db: sqlite3.Connection) -> None:
    """SQLite does not wait by itself while another console makes the same file."""
    ends = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
        time.sleep(0.02)


def _entry(db: sqlite3.Connection, row: tuple[Any, ...]) -> Entry:
    run, fleet, plan, who, pid, started, ended, outcome, summary = row
    events = db.execute(
        "SELECT number, event, at, words FROM events WHERE run = ? ORDER BY rowid", (run,)
    ).fetchall()
    try:
        told = tuple((number, Event(event), at, words) for number, event, at, words in events)
        return Entry(run, fleet, _read(plan), who, pid, started, ended, outcome, summary, told)
    except (ValueError, KeyError, TypeError) as error:
        why = f"run {run} was written by another lptui: {type(error).__name__}"
        raise sqlite3.DatabaseError(why) from None


def _written(plan: Plan) -> str:
    """All of a plan that is made of moves: enough to go on, and to undo, without the fleet."""
    return json.dumps(
        {
            "action": plan.action,
            "target": plan.target,
            "summary": plan.summary,
            "steps": [asdict(step) for step in plan.steps],
            "cost": plan.cost,
            "effect": plan.effect,
            "facts": plan.facts,
            "lock": asdict(plan.lock) if plan.lock else None,
            "request": asdict(plan.request),
            "blast": plan.blast,
            "on_failure": plan.on_failure.value,
        }
    )


def _read(text: str) -> Plan:
    whole = json.loads(text)
    lock, request = whole["lock"], whole["request"]
    return Plan(
        action=whole["action"],
        target=whole["target"],
        summary=whole["summary"],
        steps=tuple(Step(**{**step, "given": _pairs(step["given"])}) for step in whole["steps"]),
        preconditions=(),
        cost=whole["cost"],
        effect=whole["effect"],
        facts=_pairs(whole["facts"]),
        lock=Lock(**{**lock, "hosts": tuple(lock["hosts"])}) if lock else None,
        request=Request(tuple(request["targets"]), _pairs(request["options"])),
        blast=whole["blast"],
        on_failure=OnFailure(whole["on_failure"]),
    )


def _pairs(value: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in value)
