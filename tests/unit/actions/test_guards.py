"""What every change must wait for: its window, its pause, and a run that was cut before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lptui.actions import guards
from lptui.actions.journal import Journal
from lptui.actions.plan import Outcome, Plan, Request, Result, Step
from lptui.actions.spec import Event
from lptui.clock import FrozenClock
from lptui.fleet.guards import Guards, Window
from lptui.fleet.topology import Fleet

STEP = Step("take out of service", "web/o1", "say so", "it is out", 10.0, kind="servers")
PLAN = Plan(
    "drain", "lb:web/o1", "take it out", (STEP,), (), "none", "none",
    request=Request(("lb:web/o1",)),
)  # fmt: skip


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 27, 3, 30, tzinfo=UTC).timestamp())


@pytest.fixture
def journal(tmp_path: Path, clock: FrozenClock) -> Journal:
    return Journal(tmp_path / "journal.db", clock)


def why(fleet: Fleet, journal: Journal, clock: FrozenClock, plan: Plan = PLAN) -> str:
    found = guards.of_changes(plan, fleet, journal, clock)
    return "; ".join(f"{item.name}: {item.evidence}" for item in found)


@pytest.mark.parametrize(
    ("window", "holds"),
    [
        (Window(2 * 60, 4 * 60), True),
        (Window(4 * 60, 6 * 60), False),
        (Window(23 * 60, 4 * 60), True),
        (Window(23 * 60, 2 * 60), False),
        (Window(2 * 60, 4 * 60, ("fri",)), True),
        (Window(2 * 60, 4 * 60, ("sat",)), False),
        # Over midnight, the day is that on which it begins.
        (Window(23 * 60, 4 * 60, ("thu",)), True),
        (Window(23 * 60, 4 * 60, ("fri",)), False),
    ],
)
def test_changes_are_made_inside_their_windows(
    window: Window, holds: bool, journal: Journal, clock: FrozenClock
) -> None:
    fleet = Fleet("f", guards=Guards(windows=(window,)))
    assert (why(fleet, journal, clock) == "") is holds
    if not holds:
        assert str(window) in why(fleet, journal, clock)


def test_the_same_target_is_left_alone_for_a_while(journal: Journal, clock: FrozenClock) -> None:
    fleet = Fleet("f", guards=Guards(cool_down_s=600.0))
    run = "1f2e3d4c"
    journal.begin(run, PLAN, "f", "ada")
    journal.event(run, 0, Event.MADE, "done")
    journal.end(run, Result(PLAN, Outcome.DONE, "done"))
    clock.advance(599)
    assert "cooled down" in why(fleet, journal, clock)
    other = replace(PLAN, request=Request(("lb:web/o2",)))
    assert why(fleet, journal, clock, other) == ""
    assert why(Fleet("f"), journal, clock) == ""
    clock.advance(2)
    assert why(fleet, journal, clock) == ""


def test_a_run_that_changed_nothing_is_no_reason_to_wait(
    journal: Journal, clock: FrozenClock
) -> None:
    fleet = Fleet("f", guards=Guards(cool_down_s=600.0))
    run = "1f2e3d4c"
    journal.begin(run, PLAN, "f", "ada")
    journal.end(run, Result(PLAN, Outcome.REFUSED, "somebody else is at it"))
    assert why(fleet, journal, clock) == ""


def test_a_run_that_was_cut_is_settled_first(journal: Journal, clock: FrozenClock) -> None:
    run = "1f2e3d4c"
    journal.begin(run, PLAN, "f", "ada at ops")
    assert why(Fleet("f"), journal, clock) == "", "cut before its first step"
    journal.event(run, 0, Event.BEGAN, "")
    assert f"run {run}" in why(Fleet("f"), journal, clock)
    assert "ada at ops" in why(Fleet("f"), journal, clock)
    assert why(Fleet("g"), journal, clock) == ""


def test_a_journal_that_cannot_be_read_refuses(tmp_path: Path, clock: FrozenClock) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"not a database at all, whatever its name says" * 100)
    assert "journal read" in why(Fleet("f"), Journal(path, clock), clock)


def test_a_simulated_fleets_runs_go_with_its_process(
    journal: Journal, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.begin("1f2e3d4c", PLAN, "demo", "ada")
    journal.event("1f2e3d4c", 0, Event.BEGAN, "")
    demo = Fleet("demo", demo=True)
    assert "1f2e3d4c" in why(demo, journal, clock)
    monkeypatch.setattr("os.getpid", lambda: 0)
    assert why(demo, journal, clock) == ""
    assert "1f2e3d4c" in why(Fleet("demo"), journal, clock)
