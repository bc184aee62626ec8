"""The queue of winning tickets: what a real sqlite3 says of a real file, and hostile answers."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError
from lptui.fleet.facts.tickets import TicketsOfRound
from lptui.fleet.units import Round, Wei
from lptui.probes.tickets import commands
from lptui.probes.tickets.parse import FileState, parse_rows, parse_state
from tests.ticket_database import NO_TX, TX, TicketDatabase
from tests.unit.probes.hostile import HOSTILE

PATH = "/srv/lpdb.sqlite3"
LARGE = 2**255 + 3


@pytest.fixture
def database(tmp_path: Path) -> Iterator[TicketDatabase]:
    if shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 here")
    folder = tmp_path / "a b?c#d%41'e"
    folder.mkdir()
    made = TicketDatabase(folder / "lpdb.sqlite3")
    yield made
    made.close()


def asked(path: Path, home: Path) -> str:
    """What the program says, for a login with settings of its own."""
    (home / ".sqliterc").write_text(".mode json\n.headers on\n.separator ';'\n")
    done = subprocess.run(
        commands.query(str(path)),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": str(home)},
    )
    return done.stdout


def part(number: int, count: int, value: int) -> TicketsOfRound:
    return TicketsOfRound(Round(number), count, Wei(value))


def test_tickets_are_summed_by_round_whatever_they_are_worth(
    database: TicketDatabase, tmp_path: Path
) -> None:
    database.win(3500, 10**18, 2)
    database.win(3500, LARGE)
    database.win(3499, 5)
    database.win(3499, 7, 3, tx=TX)
    database.win(3498, 11, 2, tx=NO_TX)
    database.win(3400, 10**18)
    _, queue = parse_rows(asked(database.path, tmp_path), str(database.path))
    assert queue.waiting == (part(3500, 3, 2 * 10**18 + LARGE), part(3499, 1, 5))
    assert queue.redeemed == (part(3499, 3, 21),)
    assert queue.given_up == (part(3498, 2, 22),)
    assert queue.complete
    assert queue.oldest_at.startswith("20")
    assert queue.last_redeemed_at.startswith("20")


def test_an_empty_queue_is_an_empty_queue(database: TicketDatabase, tmp_path: Path) -> None:
    begun, queue = parse_rows(asked(database.path, tmp_path), PATH)
    assert (queue.waiting, queue.redeemed, queue.given_up) == ((), (), ())
    assert abs(begun - time.time()) < 60


def test_reading_takes_no_lock_and_leaves_nothing(database: TicketDatabase, tmp_path: Path) -> None:
    """The node holds its file for itself, and is still read."""
    database.win(3500, 1)
    before = sorted(database.path.parent.iterdir())
    stamp = database.path.stat()
    database.node.execute("BEGIN EXCLUSIVE")
    _, queue = parse_rows(asked(database.path, tmp_path), PATH)
    database.node.execute("COMMIT")
    assert queue.waiting == (part(3500, 1, 1),)
    assert sorted(database.path.parent.iterdir()) == before
    now = database.path.stat()
    assert (now.st_mtime_ns, now.st_size, now.st_ino) == (
        stamp.st_mtime_ns,
        stamp.st_size,
        stamp.st_ino,
    )


def test_a_journal_beside_the_file_is_seen(database: TicketDatabase) -> None:
    def state() -> FileState:
        argv = commands.state(str(database.path))
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return parse_state(done.stdout, str(database.path))

    quiet = state()
    assert quiet.journals == ()
    assert abs(quiet.changed_at - database.path.stat().st_mtime) < 0.001
    database.node.execute("BEGIN")
    database.win(3500, 1)
    assert state().journals == (f"{database.path}-journal",)
    database.node.execute("COMMIT")
    assert state().changed_at > quiet.changed_at
    database.node.execute("PRAGMA journal_mode=WAL")
    database.win(3500, 1)
    assert state().journals == (f"{database.path}-wal",)


def test_more_rows_than_are_read_are_told() -> None:
    row = "waiting|{}|1|01|2026-01-01 00:00:00|\n"
    rows = "".join(row.format(9_000_000 - n) for n in range(commands.MOST_ROWS + 1))
    _, queue = parse_rows(f"now|1.5\n{rows}", PATH)
    assert not queue.complete
    assert len(queue.waiting) == commands.MOST_ROWS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "waiting|1|1|01||\n",
        "now|1.5\nwaiting|1|1|0x01||\n",
        "now|1.5\nwaiting|-1|1|01||\n",
        "now|1.5\nwaiting|1|1|" + "01" * 33 + "||\n",
        "now|1.5\nstolen|1|1|01||\n",
        "now|1.5\nwaiting|1|1|01|\x1b[2J|\n",
        "now|1.5\nwaiting|٣|1|01||\n",
        "now|nan\n",
    ],
)
def test_what_was_not_asked_for_is_refused(text: str) -> None:
    with pytest.raises(BadAnswerError):
        parse_rows(text, PATH)


def test_a_complaint_of_sudo_in_front_is_no_answer() -> None:
    _, queue = parse_rows("sudo: unable to resolve host x\nnow|1.5\nwaiting|7|2|02||\n", PATH)
    assert queue.waiting == (part(7, 2, 4),)


@HOSTILE
@given(st.text(max_size=200), st.lists(st.text(max_size=60), max_size=5))
def test_any_text_is_read_or_refused(text: str, lines: list[str]) -> None:
    for tried in (text, "now|1.5\n" + "\n".join(lines)):
        for parse in (parse_rows, parse_state):
            with contextlib.suppress(BadAnswerError):
                parse(tried, PATH)
