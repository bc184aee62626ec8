"""The queue of winning tickets in a real database, read over a real SSH connection."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fleet import Document, RealFleet
from tests.ticket_database import NO_TX, TX, TicketDatabase

FACE = 3 * 10**15


@pytest.fixture
def queue(real_fleet: RealFleet, tmp_path: Path) -> Iterator[TicketDatabase]:
    """A queue of this test's own."""
    made = TicketDatabase(tmp_path / "the queue?#1.sqlite3")
    yield made
    made.close()


def kept_in(path: object, **more: object) -> dict[str, object]:
    return {"database": str(path), **more}


def test_what_waits_expires_and_was_given_up_is_told(
    real_fleet: RealFleet, queue: TicketDatabase
) -> None:
    now = real_fleet.stage.do(real_fleet.net.current_round())
    queue.win(now, FACE, 5)
    queue.win(now - 1, FACE, 3)
    queue.win(now - 2, FACE)
    queue.win(now - 1, FACE, 7, tx=TX)
    queue.win(now - 1, FACE, 2, tx=NO_TX)

    def edit(document: Document) -> None:
        document["nodes"]["redeemer"].update(kept_in(queue.path))
        document["thresholds"] = {"tickets_critical_blocks": 100_000}

    outcome = real_fleet.check(edit)
    assert outcome.code == 2
    found = outcome.finding("tickets-expiring@redeemer")
    assert found["severity"] == "CRITICAL"
    assert "3 winning tickets to redeem, worth 0.009000 ETH" in found["summary"]
    assert "1 winning ticket expired" in found["summary"]
    value = outcome.reading("TicketQueue", "redeemer")["value"]
    assert value["path"] == str(queue.path)
    assert value["waiting"][0] == {"round": now, "count": 5, "value_wei": str(5 * FACE)}
    given_up = outcome.finding("redemption-errors@redeemer")
    assert given_up["severity"] == "WARNING"
    assert "2 winning tickets of the last two rounds given up" in given_up["summary"]
    page = real_fleet.run("check", "--format", "prometheus", edit=edit).out
    assert 'lptui_tickets_waiting{node="redeemer"} 8' in page
    assert 'lptui_tickets_expiring_eth{node="redeemer"} 0.009' in page


def test_a_node_that_writes_all_the_time_is_never_held_up(
    real_fleet: RealFleet, queue: TicketDatabase
) -> None:
    """What is read meanwhile is whole or not told; the node's writes never wait for a lock."""
    refused: list[str] = []
    done = threading.Event()

    def write() -> None:
        import sqlite3

        with contextlib.closing(sqlite3.connect(queue.path, timeout=0)) as node:
            while not done.wait(0.02):
                try:
                    node.execute("INSERT OR REPLACE INTO kv(key, value) VALUES('lastBlock', 1)")
                    node.commit()
                except sqlite3.Error as error:
                    refused.append(str(error))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        outcome = real_fleet.check(
            lambda document: document["nodes"]["redeemer"].update(kept_in(queue.path))
        )
    finally:
        done.set()
        writer.join()
    assert not refused
    found = outcome.finding("tickets-expiring@redeemer")
    assert found["severity"] in ("OK", "UNKNOWN")
    if found["severity"] == "UNKNOWN":
        assert "not read whole" in found["summary"]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("missing", "forbidden", "it is not there, or the login may not read it"),
        ("other", "bad-answer", "no such table"),
        ("text", "command-failed", "file is not a database"),
    ],
)
def test_a_file_that_is_no_queue_is_never_well(
    real_fleet: RealFleet, tmp_path: Path, name: str, kind: str, words: str
) -> None:
    import sqlite3

    path = tmp_path / f"{name}.sqlite3"
    if name == "other":
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE t(x)")
    elif name == "text":
        path.write_text("not a database " * 100)
    outcome = real_fleet.check(lambda document: document["nodes"]["redeemer"].update(kept_in(path)))
    found = outcome.finding("tickets-expiring@redeemer")
    assert found["severity"] == "UNKNOWN"
    assert words in found["summary"]
    assert found["remedy"]
    assert outcome.error("TicketQueue", "redeemer")["kind"] == kind
    assert path.exists() == (name != "missing"), "nothing is made where nothing is"


def test_a_write_ahead_log_is_told_and_not_read_past(
    real_fleet: RealFleet, queue: TicketDatabase
) -> None:
    queue.node.execute("PRAGMA journal_mode=WAL")
    queue.win(1, FACE)
    outcome = real_fleet.check(
        lambda document: document["nodes"]["redeemer"].update(kept_in(queue.path))
    )
    found = outcome.finding("tickets-expiring@redeemer")
    assert found["severity"] == "UNKNOWN"
    assert "-wal" in found["summary"]
