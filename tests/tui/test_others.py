"""Another operator's change, as this console sees it: who, what, since when, and their plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lptui.actions.plan import Request
from lptui.actions.registry import action
from lptui.fleet.facts.lock import FleetLocked, LockHolder
from lptui.live import refusal
from lptui.present.locks import brief, in_the_way
from tests.snapshots import NOW, FleetBuilder
from tests.tui.conftest import running

NOTE = (
    "drain for lb:orchestrators/o1, by ada at desk, since 2027-01-15T07:58:00.000Z, plan"
    " 0123456789abcdef: take out of service (o1); wait for sessions to end (o1)"
)
BRIEF = "another operator is at it: ada at desk, drain for lb:orchestrators/o1 since 07:58:00Z"


def held(*holders: LockHolder) -> FleetBuilder:
    builder = FleetBuilder()
    return builder.put(FleetLocked("lb-1", holders), builder.fleet.name, interval=10.0)


def by(run: str, note: str = NOTE) -> LockHolder:
    return LockHolder(run, note)


async def test_the_header_says_who_is_at_it_and_the_events_their_plan() -> None:
    async with running(FleetBuilder(), (200, 60)) as console:
        assert "another operator" not in console.text()
        await console.publish(held(by("theirs")))
        await console.until(lambda: "LOCKED by ada at desk: drain" in console.lines()[0], "header")
        await console.press("e")
        assert "plan 0123456789abcdef: take out of service (o1)" in console.text()
        await console.press("escape")
        await console.publish(held())
        await console.until(lambda: "LOCKED" not in console.lines()[0], "gone")
        assert f"no longer: {BRIEF}" in console.text()


async def test_it_is_said_on_the_smallest_screen_too() -> None:
    async with running(held(by("theirs")), (80, 24)) as console:
        await console.until(lambda: "LOCKED by ada at desk: drain" in console.lines()[0], "said")
        assert "round 4121" in console.lines()[0]
        assert "all OK" in console.lines()[0]


async def test_its_own_change_is_nobody_elses() -> None:
    async with running(FleetBuilder()) as console:
        console.session.own_run = "ours"
        await console.publish(held(by("ours")))
        await console.publish(held(by("ours")))
        assert "another operator" not in console.text()
        assert "LOCKED" not in console.text()


async def test_a_note_that_is_hostile_or_empty_is_only_text() -> None:
    async with running(
        held(by("x", "[@click=app.command('quit')]x[/] 漢字 " * 9)), (80, 24)
    ) as one:
        await one.until(lambda: "[@click=" in one.lines()[0], "as text")
    assert brief(by("x", "")) == "another operator is at it: who left no name"


def test_keys_that_need_the_fleets_lock_are_grey_meanwhile() -> None:
    snapshot = held(by("theirs")).snapshot()
    server = ("lb:orchestrators/o1",)
    assert refusal(snapshot, ("drain", "undrain"), server) == BRIEF
    assert refusal(snapshot, ("drain", "undrain"), server, "theirs") == ""
    assert "another operator" not in refusal(snapshot, ("reward",), ("main",))


@pytest.mark.parametrize("age", [1.0, 600.0])
def test_only_a_fresh_reading_stands_in_the_way(age: float) -> None:
    builder = held(by("theirs"))
    builder.put(FleetLocked("lb-1", (by("theirs"),)), builder.fleet.name, age=age, interval=10.0)
    snapshot = replace(builder.snapshot(), taken_at=NOW)
    found = action("drain")
    assert found is not None
    plan = found.plan(snapshot, Request(("lb:orchestrators/o1",)))
    assert in_the_way(plan, snapshot, "") == (BRIEF if age < 60 else "")
