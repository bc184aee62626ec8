"""A change on its way: step by step, hidden and shown, stopped, undone; runs that were cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lptui.actions.comparing import Verb
from lptui.actions.plan import Outcome, Result, StepResult
from lptui.actions.spec import Event
from lptui.clock import FrozenClock
from lptui.present import courses
from lptui.tui import running as ending
from lptui.tui.screens.confirm import ConfirmScreen
from lptui.tui.screens.plan import PlanScreen
from lptui.tui.screens.run import RunScreen
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, ids, running, without_hash
from tests.tui.scripted import entry_of, stepwise_plan

SIZES = [(80, 24), (120, 40)]
Snap = Callable[[str], None]

CUT = entry_of(
    stepwise_plan(),
    [
        (0, Event.BEGAN, ""),
        (0, Event.MADE, "o1 is out of service"),
        (1, Event.BEGAN, ""),
    ],
)


async def drain(console: Console) -> None:
    """Agrees to a drain and waits until its second step is under way."""
    console.session.is_stepwise = True
    console.session.fits.add("lb:front/orchestrators/o1")
    await console.press("4", "home", "d")
    await console.until(lambda: isinstance(console.app.screen, PlanScreen), "question")
    await console.press("y")
    await console.until(lambda: isinstance(console.app.screen, RunScreen), "its page")
    await console.until(lambda: "3 sessions" in console.text(), "the second step")


async def asked(console: Console, key: str) -> None:
    await console.press(key)
    await console.until(lambda: isinstance(console.app.screen, ConfirmScreen), "question")


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_every_step_is_shown_with_its_state_and_newest_words(
    size: tuple[int, int], snap: Snap
) -> None:
    async with running(FleetBuilder(), size) as console:
        await drain(console)
        assert isinstance(console.app.clock, FrozenClock)
        console.app.clock.advance(42)
        console.app.screen.follow()  # type: ignore[attr-defined]
        await console.pilot.pause()
        assert "step 2 of 2, 42s of 5m at most" in console.text()
        snap(without_hash(console.text()))


async def test_its_page_can_be_hidden_and_is_shown_again_by_either_key() -> None:
    async with running(FleetBuilder()) as console:
        await drain(console)
        for key in ("w", "d"):
            await console.press("escape")
            assert console.app.screen is console.app.overview
            await console.press("6", "down")
            assert "▶ drain of lb:front/orchestrators/o1, 0s: 2/2 wait" in console.text()
            await console.press(key)
            await console.until(lambda: isinstance(console.app.screen, RunScreen), "shown again")
        assert len([call for call in console.session.calls if call.startswith("execute")]) == 1


async def test_stopping_asks_first_and_says_what_becomes_of_what_was_done() -> None:
    async with running(FleetBuilder()) as console:
        await drain(console)
        await asked(console, "x")
        assert "what was done before it is undone" in console.text()
        await console.press("escape")
        assert "abort" not in console.session.calls
        await asked(console, "x")
        await console.press("y")
        await console.until(lambda: "stopping after this step" in console.text(), "told")
        assert "abort" in console.session.calls
        await console.press("x")
        assert console.session.calls.count("abort") == 1


async def test_a_question_that_comes_too_late_stops_nothing() -> None:
    async with running(FleetBuilder()) as console:
        await drain(console)
        await asked(console, "x")
        console.session.release.set()
        await console.until(lambda: console.app.acting and not console.app.acting._busy, "its end")
        await console.press("y")
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "back")
        assert "abort" not in console.session.calls


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_the_result_and_what_to_do_next_stay_until_they_are_closed(
    size: tuple[int, int], snap: Snap
) -> None:
    async with running(FleetBuilder(), size) as console:
        console.session.outcome = Outcome.FAILED
        await drain(console)
        console.session.release.set()
        await console.until(lambda: "→ see who holds the sessions" in console.text(), "remedy")
        assert "undone" in console.text()
        snap(without_hash(console.text()))
        await console.press("escape", "e")
        assert "drain of lb:front/orchestrators/o1 failed" in console.text()


async def test_what_has_ended_can_be_undone_on_request() -> None:
    async with running(FleetBuilder()) as console:
        await drain(console)
        console.session.release.set()
        await console.until(lambda: "u undo" in console.lines()[-1], "offered")
        await asked(console, "u")
        assert "Take back drain of lb:front/orchestrators/o1" in console.text()
        assert "back to in service" in console.text()
        await console.press("enter")
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "no is no")
        assert "undo 1f2e3d4c" not in console.session.calls
        await asked(console, "u")
        await console.press("y")
        await console.until(lambda: "undo is done" in console.text(), "undone")
        assert "undo 1f2e3d4c" in console.session.calls
        assert "u undo" not in console.lines()[-1]


@pytest.mark.parametrize("size", SIZES, ids=ids)
async def test_a_run_that_was_cut_is_offered_with_how_the_fleet_is_now(
    size: tuple[int, int], snap: Snap
) -> None:
    async with running(FleetBuilder(), size, cut=(CUT,)) as console:
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "its page")
        await console.until(lambda: "undo: to undo" in console.text(), "the look")
        snap(without_hash(console.text()))
        await console.press("escape")
        assert "was cut half-way" in console.text()
        await console.press("w")
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "later")
        await asked(console, "r")
        assert "Go on with drain of lb:front/orchestrators/o1" in console.text()
        await console.press("y")
        await console.until(lambda: "resume is done" in console.text(), "resumed")
        assert "resume 1f2e3d4c" in console.session.calls


async def test_the_next_of_several_cut_runs_is_shown_after_the_first() -> None:
    other = replace(CUT, id="99999999")
    async with running(FleetBuilder(), cut=(CUT, other)) as console:
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "its page")
        assert "run 1f2e3d4c" in console.text()
        console.session.cut_after = (other,)
        await asked(console, "u")
        await console.press("y")
        await console.until(lambda: "undo is done" in console.text(), "undone")
        await console.press("escape", "w")
        await console.until(lambda: "run 99999999" in console.text(), "the next one")


async def test_what_a_step_came_to_is_told_by_the_end_where_it_was_not_seen() -> None:
    plan = stepwise_plan()
    course = courses.begun(plan, 0.0).told(0, Event.BEGAN, "", 1.0).told(0, Event.FAILED, "x", 2.0)
    unread = StepResult(plan.steps[0].title, Outcome.UNKNOWN, "x", 0)
    ended = course.over(Result(plan, Outcome.UNKNOWN, "x", (unread,)), None, 3.0)
    assert ended.steps[0].standing.value == "unknown"
    done = course.told(1, Event.BEGAN, "", 3.0).over(Result(plan, Outcome.DONE, "x"), None, 5.0)
    assert (done.steps[1].standing.value, done.steps[1].took_s) == ("done", 2.0)
    again = courses.again(CUT, Verb.RESUME, 9.0)
    assert [step.standing.value for step in again.steps] == ["done", "waiting"]


async def test_a_cut_run_that_cannot_be_taken_up_says_why() -> None:
    async with running(FleetBuilder(), cut=(CUT,)) as console:
        console.session.useless = {Verb.RESUME: "its steps are of kinds that nobody knows"}
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "its page")
        await console.press("r")
        await console.until(lambda: "of kinds that nobody knows" in console.text(), "why")
        assert isinstance(console.app.screen, RunScreen)


async def test_a_production_fleet_wants_its_name_for_that_too() -> None:
    builder = FleetBuilder()
    builder.configure(production=True)
    async with running(builder, cut=(CUT,)) as console:
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "its page")
        await asked(console, "u")
        await console.press("y", *"example", "enter")
        await console.until(lambda: "undo 1f2e3d4c" in console.session.calls, "undone")


async def test_read_only_tells_of_a_cut_run_and_offers_nothing() -> None:
    async with running(FleetBuilder(), read_only=True, cut=(CUT,)) as console:
        await console.until(lambda: "was cut half-way" in console.text(), "told")
        assert console.app.screen is console.app.overview
        await console.press("w")
        await console.until(lambda: isinstance(console.app.screen, RunScreen), "looked at")
        assert "r resume" not in console.lines()[-1]
        await console.press("r", "u", "x")
        assert isinstance(console.app.screen, RunScreen)
        assert not [call for call in console.session.calls if call.startswith(("resume ", "undo "))]


async def test_hostile_words_of_steps_are_words() -> None:
    async with running(FleetBuilder(), (80, 24)) as console:
        console.session.words = " [/b][@click=app.command('quit')]x[/] \x1b[2J\x1b]0;o\x07 漢字" * 3
        await drain(console)
        assert "[@click=app" in console.text()
        assert "\x1b" not in console.text()
        await console.pilot.click("#page-body", offset=(30, 4))
        assert console.app.is_running


async def test_without_a_change_there_is_nothing_to_watch() -> None:
    async with running(FleetBuilder()) as console:
        await console.press("w")
        assert "nothing has been changed" in console.lines()[-1]


async def test_quitting_asks_before_it_cuts_a_change_and_leaves_word_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with running(FleetBuilder()) as console:
        await drain(console)
        await asked(console, "q")
        assert "would be cut" in console.text()
        await console.press("escape")
        assert console.app.is_running
        await asked(console, "q")
        await console.pilot.press("q")
        await console.until(lambda: not console.app.is_running, "the end")
        app = console.app
    ending._tell_abandoned(app)
    assert "it offers to resume or undo it" in capsys.readouterr().err
