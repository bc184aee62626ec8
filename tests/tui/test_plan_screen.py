"""The question: the dry run's plan, choices that can be changed, names that must be typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lptui.actions.plan import Plan, Request
from lptui.actions.registry import action
from lptui.present.model import text_of
from lptui.present.plans import plan_lines
from lptui.report.actions import plan_lines as dry_run
from lptui.tui.screens.plan import PlanScreen
from tests.snapshots import FleetBuilder
from tests.tui.conftest import Console, ids, running, without_hash

Snap = Callable[[str], None]


def shown(console: Console) -> Plan:
    """The plan that is asked about."""
    screen = console.app.screen
    assert isinstance(screen, PlanScreen)
    return screen.plan


async def ask_about_draining(console: Console) -> None:
    console.session.fits.add("lb:front/orchestrators/o1")
    await console.press("4", "home", "d")
    await console.until(lambda: isinstance(console.app.screen, PlanScreen), "question")
    await console.pilot.pause()


def executed(console: Console) -> list[str]:
    return [call for call in console.session.calls if call.startswith("execute")]


def test_the_question_says_all_that_the_dry_run_says() -> None:
    found = action("drain")
    assert found is not None
    request = Request(("lb:orchestrators/o1",))
    plan = replace(found.plan(FleetBuilder().snapshot(), request), request=request)
    marks = {"[ok]", "[no]", "[??]"}
    text = "\n".join(text_of(line) for line in plan_lines(plan, found.spec.title)).lower()
    said = {word for line in dry_run(plan) for word in line.lower().split()}
    missing = {word for word in said - marks if word.strip("(),:;") not in text}
    assert not missing
    for step in plan.steps:
        assert step.call.lower() in text
        assert step.precondition.lower() in text
    assert plan.blast.lower() in text


def question(action_id: str, request: Request) -> str:
    found = action(action_id)
    assert found is not None
    plan = replace(found.plan(FleetBuilder().snapshot(), request), request=request)
    spec = found.spec
    return "\n".join(text_of(line) for line in plan_lines(plan, spec.title, spec.options))


def test_what_must_still_be_chosen_is_no_refusal() -> None:
    text = question("set-max-sessions", Request(("orch-1",)))
    assert "Not complete: press 1 to say sessions" in text
    assert "to be said" in text
    assert "Refused" not in text
    assert "as usual" not in text
    wrong = question("set-max-sessions", Request(("orch-1",), (("sessions", "wrong"),)))
    assert "Refused: " in wrong
    assert "to be said" not in wrong


def test_what_else_is_in_the_way_is_said_before_a_choice_that_is_missing() -> None:
    text = question("set-log-level", Request(("orch-1",)))
    assert "Refused: its log level is known: orch-1 does not tell it" in text


async def test_a_command_without_a_key_names_none_when_it_is_refused() -> None:
    async with running(FleetBuilder(), read_only=True) as console:
        console.app.action_command("set-max-sessions")
        await console.pilot.pause()
        assert console.lines()[-1].split() == ["sessions:", "read-only"]
        assert console.lines()[-1].startswith(" sessions")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=ids)
async def test_choices_are_shown_and_changed_by_their_number(
    size: tuple[int, int], snap: Snap
) -> None:
    async with running(FleetBuilder(), size) as console:
        await ask_about_draining(console)
        await console.press("2")
        await console.until(lambda: shown(console).request.option("late") == "go-on", "planned")
        await console.press("1", *"60", "enter")
        await console.until(lambda: shown(console).request.option("wait") == "60", "planned")
        snap(without_hash(console.text()))
        await console.press("2", "2")
        await console.until(lambda: shown(console).request.option("late") == "stop", "round again")
        await console.press("y")
        await console.until(lambda: executed(console), "execution")
        assert console.session.executed_options == {"late": "stop", "wait": "60"}


async def test_a_value_that_is_not_understood_changes_nothing() -> None:
    async with running(FleetBuilder()) as console:
        await ask_about_draining(console)
        before = shown(console)
        await console.press("1", *"soon", "enter")
        await console.until(lambda: "not taken" in console.text(), "why not")
        assert shown(console) is before
        assert "wait is not a number" in console.text()
        await console.press("1", "9", "escape")
        assert shown(console) is before
        assert "Yes, drain" in console.text()


async def test_letters_that_are_typed_into_a_choice_are_no_commands() -> None:
    async with running(FleetBuilder()) as console:
        await ask_about_draining(console)
        await console.press("3", *"nyq-2", "enter")
        await console.until(lambda: shown(console).request.option("to") == "nyq-2", "taken")
        assert executed(console) == []


async def test_a_second_press_brings_a_server_back() -> None:
    async with running(FleetBuilder()) as console:
        console.session.is_done.add("drain")
        await ask_about_draining(console)
        assert shown(console).action == "undrain"


async def test_a_fleet_in_production_wants_its_name() -> None:
    builder = FleetBuilder()
    builder.configure(production=True)
    async with running(builder) as console:
        await console.press("r")
        await console.until(lambda: isinstance(console.app.screen, PlanScreen), "question")
        await console.press("y")
        assert "Type its name, example:" in console.text()
        await console.press(*"yes", "enter")
        assert "not the fleet's name" in console.text()
        await console.press("right", "enter", "escape")
        assert executed(console) == []
        await console.press("y", *"example", "enter")
        await console.until(lambda: executed(console), "execution")


async def test_hostile_words_of_a_plan_are_words() -> None:
    words = "[b]x[/b] [@click=app.command('quit')]y[/] \x1b]0;owned\x07 漢字" * 3
    async with running(FleetBuilder(), (80, 24)) as console:
        console.session.words = words
        await ask_about_draining(console)
        assert "[b]x[/b]" in console.text()
        assert "\x1b" not in console.text()
        await console.pilot.click("#plan", offset=(30, 6))
        assert console.app.is_running
