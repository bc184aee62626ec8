"""The journal: what is in it after a kill, and who may take it up."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lptui.actions.audit_reading import records, verify
from lptui.actions.comparing import Verb, Word
from lptui.actions.exclusive import exclusive
from lptui.actions.journal import Journal
from lptui.actions.moves import registry
from lptui.actions.on_disk import WRITABLE, remedy_for
from lptui.actions.plan import Lock, OnFailure, Outcome, Plan, Request, Result
from lptui.actions.runner import Runner
from lptui.actions.spec import Event, Source
from lptui.clock import FrozenClock
from lptui.errors import RefusedError
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.transport.fake import FakeReach
from tests.smalldisk import small_disk
from tests.unit.actions.world import Put, Wait, World, plan_of, put

PLAN = replace(
    plan_of(put("a"), replace(put("b"), group="g", returns=True, gate=True)),
    facts=(("round", "7"),),
    lock=Lock(("h0", "h1"), "/tmp/lptui-fleet-x", 180.0, required=True),
    request=Request(("lb:web/o1", 'it\'s "x"'), (("wait", "5"),)),
    blast="the rest",
    on_failure=OnFailure.STOP,
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db", FrozenClock())


def test_a_plan_comes_back_as_it_was(journal: Journal) -> None:
    journal.begin("abcd", PLAN, "fleet", "ada at box")
    entry = journal.entry("abcd")
    assert entry is not None
    assert entry.plan == PLAN
    assert entry.plan.hash == PLAN.hash
    assert (entry.who, entry.pid, entry.ended) == ("ada at box", os.getpid(), None)


def test_a_console_that_makes_the_same_file_first_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    first = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    first.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.1, first.execute, ["COMMIT"])
    done.start()
    try:
        assert Journal(path, FrozenClock()).newest("fleet") == ()
    finally:
        done.join()
        first.close()


def test_the_newest_event_of_a_step_is_its_standing(journal: Journal) -> None:
    journal.begin("abcd", PLAN, "fleet", "me")
    for number, event in [
        (0, Event.BEGAN),
        (0, Event.MADE),
        (1, Event.MADE),
    ]:
        journal.event("abcd", number, event, "")
    entry = journal.entry("abcd")
    assert entry is not None
    assert (entry.made, entry.begun) == ((0, 1), (0,)), "what was found made is nobody's to undo"
    journal.event("abcd", 0, Event.UNDOING, "")
    journal.event("abcd", 0, Event.UNDONE, "")
    entry = journal.entry("abcd")
    assert entry is not None
    assert (entry.made, entry.begun) == ((1,), ())


def test_a_run_without_an_end_is_unfinished_until_it_has_one(journal: Journal) -> None:
    journal.begin("abcd", PLAN, "fleet", "me")
    journal.begin("other", PLAN, "another fleet", "me")
    assert [entry.id for entry in journal.unfinished("fleet")] == ["abcd"]
    journal.end("abcd", Result(PLAN, Outcome.DONE, "done"))
    assert journal.unfinished("fleet") == ()
    journal.reopen("abcd")
    assert [entry.id for entry in journal.unfinished("fleet")] == ["abcd"]


def test_a_journal_of_a_newer_version_is_not_touched(journal: Journal, tmp_path: Path) -> None:
    journal.begin("abcd", PLAN, "fleet", "me")
    db = sqlite3.connect(tmp_path / "journal.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OSError, match="newer lptui"):
        journal.begin("efgh", PLAN, "fleet", "me")


def refused(journal: Journal) -> str:
    """What to do about a journal that cannot be written."""
    try:
        journal.begin("efgh", PLAN, "fleet", "me")
    except OSError as error:
        return remedy_for(error)
    return "it was written"


def test_what_to_do_depends_on_why_it_cannot_be_used(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.db"
    journal.begin("abcd", PLAN, "fleet", "me")
    monkeypatch.setattr("lptui.actions.journal.BUSY_S", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "another lptui holds it" in refused(journal)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    assert "use the lptui that wrote it" in refused(journal)
    path.write_bytes(b"no database any more" * 1000)
    assert "move journal.db* aside" in refused(journal)
    path.unlink()
    path.mkdir()
    assert refused(journal) == WRITABLE


def test_a_full_disk_is_called_that(journal: Journal, tmp_path: Path) -> None:
    with small_disk(tmp_path) as fill:
        fill()
        assert "make room" in refused(journal)


def test_it_is_its_owners_alone(journal: Journal, tmp_path: Path) -> None:
    journal.begin("abcd", PLAN, "fleet", "me")
    assert (tmp_path / "journal.db").stat().st_mode & 0o777 == 0o600


# Cut runs, by the runner.


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world that the runner's engine can change, and nothing else."""
    made = World({"a": "off", "b": "off"})
    for move in (Put(made), Wait()):
        monkeypatch.setitem(registry.MOVES, move.kind, move)
    return made


TWO = plan_of(put("a"), put("b"))


def runner(folder: Path, world: World, name: str = "world", *, read_only: bool = False) -> Runner:
    async def observe(_: tuple[str, ...]) -> Snapshot:
        raise AssertionError("a run that is taken up looks at its own sources")

    async def look_at(sources: Sequence[Source]) -> Snapshot:
        return await world.look_at(sources)

    fleet = Fleet(name, {})
    return Runner(fleet, FakeReach(), world.clock, observe, look_at, folder, read_only=read_only)


def cut(one: Runner, plan: Plan = TWO, *events: tuple[int, Event], pid: int | None = None) -> str:
    """A run whose console was killed after these events; its id."""
    one.journal.begin("abcd", plan, one.fleet.name, "ada at box")
    for number, event in events:
        one.journal.event("abcd", number, event, "")
    return "abcd"


MADE_ONE = ((0, Event.BEGAN), (0, Event.MADE))


async def test_a_cut_run_is_resumed_and_then_has_an_end(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, *MADE_ONE)
    here.things["a"] = "on"
    [entry] = one.unfinished()
    compared = await one.compare(entry, Verb.RESUME)
    assert [each.word for each in compared] == [Word.DONE_BEFORE, Word.TO_DO]
    result = await one.resume(entry, here.said.append)
    assert (result.outcome, here.changes) == (Outcome.DONE, [("b", "on")])
    assert one.unfinished() == ()
    [record] = records(one.audit.path)
    assert (record.run, record.verb, record.outcome) == ("abcd", "resume", "done")
    assert verify(one.audit.path).faults == ()


async def test_a_cut_run_is_undone_and_cannot_be_undone_twice(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, *MADE_ONE)
    here.things["a"] = "on"
    [entry] = one.unfinished()
    compared = await one.compare(entry, Verb.UNDO)
    assert [(each.number, each.word) for each in compared] == [
        (1, Word.NOTHING_TO_UNDO),
        (0, Word.TO_UNDO),
    ]
    assert (await one.undo(entry, here.said.append)).outcome is Outcome.DONE
    assert here.things["a"] == "off"
    entry = one.journal.entry("abcd") or entry
    with pytest.raises(RefusedError, match="nothing that could be undone"):
        await one.compare(entry, Verb.UNDO)
    assert (await one.undo(entry, here.said.append)).outcome is Outcome.REFUSED


async def test_a_cut_run_that_has_left_nothing_to_undo_is_ended_by_an_undo(
    tmp_path: Path, here: World
) -> None:
    """Else a restart that was cut between two waves could only be made to its end."""
    one = runner(tmp_path, here)
    there = replace(put("a"), group="wave 1")
    back = replace(put("a", to="off", was="on"), group="wave 1", returns=True)
    cut(one, plan_of(there, back, put("b")), *MADE_ONE, (1, Event.BEGAN), (1, Event.MADE))
    [entry] = one.unfinished()
    words = [each.word for each in await one.compare(entry, Verb.UNDO)]
    assert words == [Word.NOTHING_TO_UNDO] * 3
    result = await one.undo(entry, here.said.append)
    assert (result.outcome, here.changes) == (Outcome.DONE, [])
    assert "nothing to be undone" in result.summary
    assert one.unfinished() == ()


async def test_a_run_that_ended_can_be_undone_later_and_not_resumed(
    tmp_path: Path, here: World
) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, *MADE_ONE, (1, Event.BEGAN), (1, Event.MADE))
    one.journal.end("abcd", Result(TWO, Outcome.DONE, "done"))
    here.things.update(a="on", b="on")
    entry = one.journal.entry("abcd")
    assert entry is not None
    with pytest.raises(RefusedError, match="it is done"):
        await one.compare(entry, Verb.RESUME)
    assert (await one.undo(entry, here.said.append)).outcome is Outcome.DONE
    assert here.changes == [("b", "off"), ("a", "off")]


async def test_what_was_changed_meanwhile_is_told(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, *MADE_ONE)
    here.things.update(a="somebody's", b="on")
    [entry] = one.unfinished()
    compared = await one.compare(entry, Verb.RESUME)
    assert [each.word for each in compared] == [Word.CHANGED, Word.MADE_MEANWHILE]
    assert [each.word for each in await one.compare(entry, Verb.UNDO)][1] is Word.CHANGED


def test_a_run_that_was_cut_before_any_step_is_closed(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, (0, Event.FAILED))
    assert one.unfinished() == ()
    entry = one.journal.entry("abcd")
    assert entry is not None
    assert (entry.outcome, entry.ended is None) == ("refused", False)
    assert "nothing was changed" in entry.summary


def test_a_run_that_was_cut_when_all_was_undone_is_closed(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, (0, Event.BEGAN), (0, Event.UNDOING), (0, Event.UNDONE))
    assert one.unfinished() == ()
    entry = one.journal.entry("abcd")
    assert entry is not None
    assert "everything was undone" in entry.summary


def test_a_run_whose_console_is_alive_is_not_cut(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, *MADE_ONE)
    with exclusive(tmp_path / "locks", "fleet-world", "try for things", here.clock):
        assert one.unfinished() == ()
    assert [entry.id for entry in one.unfinished()] == ["abcd"]


async def test_two_consoles_do_not_take_up_the_same_run(tmp_path: Path, here: World) -> None:
    first, second = runner(tmp_path, here), runner(tmp_path, here)
    cut(first, TWO, *MADE_ONE)
    here.things["a"] = "on"
    [entry] = first.unfinished()
    results = await asyncio.gather(
        first.resume(entry, here.said.append), second.undo(entry, here.said.append)
    )
    assert sorted(result.outcome for result in results) == [Outcome.DONE, Outcome.REFUSED]
    late = await second.undo(entry, here.said.append)
    assert late.outcome is Outcome.REFUSED
    assert "since it was looked at" in late.summary


async def test_a_read_only_console_takes_up_nothing(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here, read_only=True)
    cut(one, TWO, *MADE_ONE)
    [entry] = one.unfinished()
    assert (await one.resume(entry, here.said.append)).outcome is Outcome.REFUSED
    assert here.changes == []


async def test_a_resumed_run_that_is_cut_again_stays_open(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, TWO, *MADE_ONE)
    here.things["a"] = "on"
    [entry] = one.unfinished()
    task = asyncio.create_task(one.resume(entry, here.said.append))
    here.on_look = lambda: here.things["b"] == "on" and task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert one.latest is not None
    assert "lptui --headless undo abcd" in one.latest.remedy
    assert [entry.id for entry in one.unfinished()] == ["abcd"]


async def test_steps_of_an_unknown_kind_are_refused(tmp_path: Path, here: World) -> None:
    one = runner(tmp_path, here)
    cut(one, plan_of(replace(put("a"), kind="from-the-future")), (0, Event.BEGAN))
    [entry] = one.unfinished()
    result = await one.resume(entry, here.said.append)
    assert result.outcome is Outcome.REFUSED
    assert "from-the-future" in result.summary
