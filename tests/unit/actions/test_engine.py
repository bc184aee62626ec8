"""The engine: look, write down, make, look again; and the way back, whatever happens when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.actions import under_way
from lptui.actions.plan import OnFailure, Outcome, Plan, Result, Step
from lptui.errors import CommandError, LptuiError, ProblemKind, RefusedError
from tests.unit.actions.world import (
    KilledError,
    World,
    plan_of,
    put,
    resume,
    run,
    undo,
    wait,
)

A, B, C = put("a"), put("b"), put("c")


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The world's clock goes on with each look, so nothing is gained by pausing."""
    monkeypatch.setattr(under_way, "FIRST_LOOK_S", 0.0)


def world(*names: str) -> World:
    return World(dict.fromkeys(names or ("a", "b", "c"), "off"))


# The way there.


async def test_each_step_is_looked_at_written_down_made_and_looked_at_again() -> None:
    here = world()
    result = await run(here, plan_of(A, B))
    assert here.did == [
        *("look a", "write 0 began", "tell a on", "look a", "write 0 made"),
        *("look b", "write 1 began", "tell b on", "look b", "write 1 made"),
    ]
    assert (result.outcome, result.summary) == (Outcome.DONE, "tries: b is on")
    assert [(one.number, one.outcome) for one in result.steps] == [
        (0, Outcome.DONE),
        (1, Outcome.DONE),
    ]


async def test_what_is_made_already_is_not_made_again_and_not_undone_either() -> None:
    here = world()
    here.things["a"] = "on"
    here.stubborn.add("b")
    result = await run(here, plan_of(A, B))
    assert result.outcome is Outcome.FAILED
    assert here.things == {"a": "on", "b": "off", "c": "off"}
    assert not any("tell a" in one for one in here.did)


async def test_a_call_that_failed_but_had_its_effect_is_made() -> None:
    here = world()
    here.breaks["a"], here.broken_but_done = LptuiError("a", "connection reset"), True
    assert (await run(here, plan_of(A))).outcome is Outcome.DONE


async def test_a_call_without_an_answer_is_waited_for_a_refused_one_is_not() -> None:
    here = world()
    here.breaks["a"], here.broken_but_done = LptuiError("a", kind=ProblemKind.TIMEOUT), True
    here.slow["a"] = 3
    assert (await run(here, plan_of(A))).outcome is Outcome.DONE
    there = world()
    there.breaks["a"] = LptuiError("a", "permission denied", kind=ProblemKind.FORBIDDEN)
    result = await run(there, plan_of(A))
    assert result.outcome is Outcome.FAILED
    assert "permission denied" in result.summary
    assert there.did.count("look a") == 3  # before it, after it, and before undoing it


async def test_what_shows_late_is_waited_for_until_its_deadline() -> None:
    here = world()
    here.slow["a"] = 4
    assert (await run(here, plan_of(A))).outcome is Outcome.DONE
    there = world()
    there.stubborn.add("a")
    result = await run(there, plan_of(A))
    assert result.outcome is Outcome.FAILED
    assert result.summary == (
        "step 1 of 1 (put a on): after 5 s still a is off (it said: told); nothing had to be undone"
    )


async def test_some_things_must_show_in_several_looks_in_a_row() -> None:
    here = world()
    await run(here, plan_of(A), looks=3)
    assert here.did.count("look a") == 4
    flapping, values = world(), iter(["off", "on", "off", "on", "on", "on"])
    flapping.on_look = lambda: flapping.things.update(a=next(values, "on"))
    await run(flapping, plan_of(A), looks=3)
    assert flapping.did.count("look a") == 6
    there, values = world(), iter(["on", "off"])
    there.on_look = lambda: there.things.update(a=next(values, there.things["a"]))
    await run(there, plan_of(A), looks=2)
    assert there.did.count("tell a on") == 1, "one look is not enough to call it made already"


async def test_what_cannot_be_read_is_waited_for_and_then_not_begun() -> None:
    here = world()
    here.unread["a"] = 3
    assert (await run(here, plan_of(A))).outcome is Outcome.DONE
    there = world()
    there.unread["b"] = 99
    result = await run(there, plan_of(A, B))
    assert result.outcome is Outcome.FAILED
    assert "b cannot be read" in result.summary
    assert (there.things["a"], there.things["b"]) == ("off", "off")
    assert not any("tell b" in one for one in there.did)


async def test_a_last_moment_guard_stops_before_the_change() -> None:
    here = world()
    result = await run(here, plan_of(put("a", hindrance="nobody would be left")))
    assert (result.outcome, here.changes) == (Outcome.REFUSED, [])
    assert "nobody would be left" in result.summary


async def test_what_a_move_gives_up_on_may_be_no_failure() -> None:
    here = world()
    here.stubborn.add("a")
    result = await run(here, plan_of(put("a", **{"give up": "gone on"})))
    assert result.summary.endswith(": gone on")


# The way back.


async def test_a_failing_step_undoes_those_before_it_in_reverse() -> None:
    here = world()
    here.stubborn.add("c")
    result = await run(here, plan_of(A, B, C))
    assert (result.outcome, set(here.things.values())) == (Outcome.FAILED, {"off"})
    assert here.changes == [("a", "on"), ("b", "on"), ("b", "off"), ("a", "off")]
    assert result.summary.endswith("; undone: put a on, put b on")
    assert here.written[-4:] == [(1, "undoing"), (1, "undone"), (0, "undoing"), (0, "undone")]


async def test_somebody_elses_change_is_neither_overwritten_nor_undone() -> None:
    here = world()
    here.things["b"] = "somebody's"
    result = await run(here, plan_of(A, B))
    assert result.outcome is Outcome.FAILED
    assert "not as planned: b is somebody's" in result.summary
    assert here.things == {"a": "off", "b": "somebody's", "c": "off"}


async def test_what_somebody_changed_after_it_was_made_is_left_and_told() -> None:
    here = world()
    here.stubborn.add("b")
    here.on_look = lambda: here.things.update(a="theirs") if "tell b on" in here.did else None
    result = await run(here, plan_of(A, B))
    assert here.things["a"] == "theirs"
    assert "a is theirs" in result.summary


async def test_an_undo_that_fails_says_exactly_what_differs() -> None:
    here = world()
    here.stubborn.add("b")
    here.on_look = lambda: here.stubborn.add("a") if here.things["a"] == "on" else None
    result = await run(here, plan_of(A, B))
    assert result.outcome is Outcome.FAILED
    assert "NOT undone: put a on of a: a is on (it said: told back)" in result.summary
    assert here.written[-1] == (0, "kept")


async def test_what_cannot_be_read_after_an_undo_is_unknown() -> None:
    here = world()
    here.stubborn.add("b")
    here.on_look = lambda: here.unread.update(a=99) if "tell b on" in here.did else None
    result = await run(here, plan_of(A, B))
    assert result.outcome is Outcome.UNKNOWN
    assert here.did.count("tell a off") == 1, "it is tried all the same"


async def test_a_gate_that_is_not_undone_keeps_what_is_before_it() -> None:
    here = world()
    here.stubborn.add("c")
    here.on_look = lambda: here.stubborn.add("b") if here.things["b"] == "on" else None
    await run(here, plan_of(A, replace(B, gate=True), C))
    assert (here.things["a"], here.things["b"]) == ("on", "on")


async def test_a_plan_may_keep_what_was_made_before_a_failure() -> None:
    here = world()
    here.stubborn.add("b")
    result = await run(here, plan_of(A, B, on_failure=OnFailure.STOP))
    assert (result.outcome, here.things["a"]) == (Outcome.FAILED, "on")
    assert "kept: put a on" in result.summary
    assert "`lptui --headless undo run` takes it back" in result.remedy, "with its id"


def cycle(name: str, group: str) -> tuple[Step, ...]:
    """Takes a thing away, waits, and brings it back."""
    return (
        replace(put(name), group=group),
        replace(wait(name, "on"), group=group, returns=True),
        replace(put(name, to="off", was="on"), group=group, returns=True),
    )


async def test_a_group_that_has_ended_where_it_began_is_left_alone() -> None:
    here = world()
    here.stubborn.add("c")
    await run(here, plan_of(*cycle("a", "one"), *cycle("b", "two"), C))
    assert here.changes == [("a", "on"), ("a", "off"), ("b", "on"), ("b", "off")]


async def test_a_group_that_was_cut_short_is_undone_and_the_others_are_not() -> None:
    here = world()
    here.on_look = lambda: here.stubborn.add("b") if here.things["b"] == "on" else None
    result = await run(here, plan_of(*cycle("a", "one"), *cycle("b", "two")))
    assert result.outcome is Outcome.FAILED
    assert ("b", "off") not in here.changes, "it obeys nobody any more"
    assert here.did.count("tell a on") == 1
    assert "NOT undone: put b on of b" in result.summary


def outlasting() -> tuple[Step, ...]:
    """Takes a thing away, changes another for good, sees it well, and brings the first back."""
    away, proof, back = cycle("a", "one")
    return (away, replace(B, group="one", lasts=True), replace(proof, proves=True), back)


async def test_what_outlasts_its_group_is_undone_until_it_is_proved() -> None:
    here, plan = world(), plan_of(*outlasting(), on_failure=OnFailure.STOP)
    here.on_look = lambda: here.abort.set() if here.things["b"] == "on" else None
    await run(here, plan)
    here.on_look = None
    here.abort.clear()
    assert (await undo(here, plan)).summary.endswith("everything is undone")
    assert here.things == {"a": "off", "b": "off", "c": "off"}


async def test_what_outlasts_its_group_and_is_proved_stays_and_that_is_told() -> None:
    here, plan = world(), plan_of(*outlasting(), on_failure=OnFailure.STOP)
    assert (await run(here, plan)).outcome is Outcome.DONE
    result = await undo(here, plan)
    assert here.things == {"a": "off", "b": "on", "c": "off"}
    assert "but for what stays, as it was seen well since: put b on (b)" in result.summary


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_run_that_is_taken_up_sees_what_the_next_group_needs_once_more(
    comes_back: bool,
) -> None:
    proof = replace(wait("b", "on"), group="one", returns=True, proves=True)
    plan = plan_of(replace(A, group="one"), proof, replace(C, group="two"))
    here = world()
    here.things["b"] = "on"
    await killed(here, plan, at_look_of="c")
    here.things["b"] = "off"
    looks = here.did.count("look b")
    if comes_back:

        def comes() -> None:
            here.things["b"] = "on" if here.did.count("look b") > looks + 3 else "off"

        here.on_look = comes
    result = await resume(here, plan)
    assert result.outcome is (Outcome.DONE if comes_back else Outcome.FAILED)
    assert here.things["c"] == ("on" if comes_back else "off")
    assert here.did.count("look b") > looks + 3


# Stopped from outside.


async def test_the_operator_stops_it_between_steps() -> None:
    here = world()
    here.on_look = lambda: here.abort.set() if here.things["a"] == "on" else None
    result = await run(here, plan_of(A, B))
    assert result.outcome is Outcome.FAILED
    assert "stopped by the operator; undone: put a on" in result.summary
    assert not any("tell b" in one for one in here.did)


async def test_what_only_waits_is_not_waited_for_when_the_operator_stops() -> None:
    here = world()
    here.on_look = lambda: here.abort.set() if here.things["a"] == "on" else None
    result = await run(here, plan_of(A, replace(wait("b", "on"), deadline_s=10_000)))
    assert "stopped by the operator" in result.summary
    assert here.did.count("look b") <= 2
    assert here.things["a"] == "off"


async def test_stopped_before_the_first_step_nothing_was_done() -> None:
    here = world()
    here.abort.set()
    assert (await run(here, plan_of(A))).outcome is Outcome.REFUSED
    assert here.changes == []


async def test_an_undo_can_be_stopped_between_steps_and_says_what_is_left() -> None:
    here, plan = world(), plan_of(A, B)
    await run(here, plan)
    here.on_look = lambda: here.abort.set() if here.things["b"] == "off" else None
    result = await undo(here, plan)
    assert "NOT undone: put a on of a: stopped by the operator" in result.summary
    here.abort.clear()
    here.on_look = None
    assert (await undo(here, plan)).outcome is Outcome.DONE
    assert here.things["a"] == "off"


async def test_without_a_journal_nothing_is_done() -> None:
    here = world()
    here.journal_full = True
    with pytest.raises(RefusedError):
        await run(here, plan_of(A))
    assert here.changes == []


async def test_with_a_journal_that_fills_up_nothing_more_is_done_and_nothing_undone() -> None:
    here = world()

    def fill() -> None:
        here.journal_full = here.things["a"] == "on"

    here.on_look = fill
    with pytest.raises(RefusedError):
        await run(here, plan_of(A, B))
    assert here.changes == [("a", "on")]


@pytest.mark.parametrize("failing", [False, True])
async def test_a_lock_that_is_lost_ends_it_without_an_undo(failing: bool) -> None:
    """What another operator has taken over is theirs."""
    here = world()
    if failing:
        here.stubborn.add("b")

    def lose() -> None:
        here.lock_lost = "tell b on" in here.did if failing else here.things["a"] == "on"

    here.on_look = lose
    with pytest.raises(RefusedError, match="taken the lock over"):
        await run(here, plan_of(A, B))
    assert here.changes == [("a", "on")]


async def test_a_lost_lock_that_stops_it_between_steps_is_no_operators_wish() -> None:
    here = world()

    def lose() -> None:
        if here.things["a"] == "on":
            here.lock_lost = True
            here.abort.set()

    here.on_look = lose
    with pytest.raises(RefusedError):
        await run(here, plan_of(A, B))
    assert here.things["a"] == "on"


# Taken up again, or back.


async def test_a_resumed_run_makes_again_what_somebody_has_taken_back() -> None:
    here, plan = world(), plan_of(A, B)
    await killed(here, plan, at_look_of="b")
    here.things["a"] = "off"
    result = await resume(here, plan)
    assert (result.outcome, here.things["a"], here.things["b"]) == (Outcome.DONE, "on", "on")


async def test_a_resumed_run_does_not_ask_back_what_a_later_step_has_changed_further() -> None:
    here, plan = world(), plan_of(put("a", "half"), put("a", "on", was="half"), B)
    await killed(here, plan, at_look_of="b")
    assert (await resume(here, plan)).outcome is Outcome.DONE
    assert here.changes == [("a", "half"), ("a", "on"), ("b", "on")]
    there = world()
    await killed(there, plan, at_look_of="b")
    assert (await undo(there, plan)).outcome is Outcome.DONE
    assert there.changes[2:] == [("a", "half"), ("a", "off")]


async def test_a_resumed_run_stops_at_what_somebody_has_changed() -> None:
    here, plan = world(), plan_of(A, B)
    await killed(here, plan, at_look_of="b")
    here.things["b"] = "somebody's"
    result = await resume(here, plan)
    assert result.outcome is Outcome.FAILED
    assert (here.things["a"], here.things["b"]) == ("off", "somebody's")


async def test_an_undo_leaves_what_somebody_has_changed_and_says_so() -> None:
    here, plan = world(), plan_of(A, B)
    await run(here, plan)
    here.things["a"] = "somebody's"
    result = await undo(here, plan)
    assert (here.things["a"], here.things["b"]) == ("somebody's", "off")
    assert result.outcome is Outcome.FAILED
    assert "put a on of a: changed by somebody, and left so: a is somebody's" in result.summary


async def test_an_undo_waits_for_what_is_still_on_its_way() -> None:
    here, plan = world(), plan_of(A)
    await run(here, plan)
    here.things["a"], looks = "between", iter(range(100))
    here.on_look = lambda: here.things.update(a="on") if next(looks) == 5 else None
    assert (await undo(here, plan)).outcome is Outcome.DONE
    assert here.things["a"] == "off"


async def test_what_is_undone_leaves_nothing_beside_it() -> None:
    here, plan = world(), plan_of(A, B)
    await run(here, plan)
    assert here.beside == {"a", "b"}, "an undo needs it"
    await undo(here, plan)
    assert here.beside == set()


async def test_what_a_step_that_failed_has_left_beside_it_is_removed_too() -> None:
    here = world()
    here.breaks["b"] = CommandError("put", "refused")
    await run(here, plan_of(A, B))
    assert here.things == {"a": "off", "b": "off", "c": "off"}
    assert here.beside == set()


async def test_what_cannot_be_removed_is_told_and_hinders_no_undo() -> None:
    here, plan = world(), plan_of(A, B)
    await run(here, plan)
    here.uncleared["b"] = CommandError("rm", "not allowed")
    result = await undo(here, plan)
    assert result.outcome is Outcome.DONE
    assert (here.things["a"], here.things["b"]) == ("off", "off")
    assert "what may lie beside it was not removed: rm: not allowed" in result.steps[1].detail


async def killed(here: World, plan: Plan, at_look_of: str) -> None:
    """A run that is killed when it first looks at a thing."""
    here.kill_at_look_of = at_look_of
    with pytest.raises(KilledError):
        await run(here, plan)
    here.kill_at_look_of = ""


# Killed anywhere.

PLANS = st.lists(st.sampled_from(["put", "cycle", "around", "wait"]), min_size=1, max_size=4)
KILLS = st.lists(st.integers(0, 120), min_size=1, max_size=3)


def around(outer: str, inner: str) -> tuple[Step, ...]:
    """Takes a thing away around another that is taken away and brought back."""
    first, _, last = cycle(outer, outer)
    away, _, back = (replace(step, group=outer) for step in cycle(inner, inner))
    return (first, away, back, replace(wait(inner, "off"), group=outer, returns=True), last)


def names(kinds: list[str]) -> list[str]:
    """The things of such a plan."""
    found = [f"t{place}" for place in range(len(kinds))]
    return found + [f"t{place}x" for place, kind in enumerate(kinds) if kind == "around"]


def planned(kinds: list[str]) -> tuple[World, Plan]:
    """A plan of such parts, each on a thing of its own, and the world before it."""
    here, steps = world(*names(kinds)), list[Step]()
    for place, kind in enumerate(kinds):
        name = f"t{place}"
        if kind == "put":
            steps.append(put(name))
        elif kind == "wait":
            steps.append(replace(wait(name, "off"), returns=True))
        elif kind == "around":
            steps += around(name, f"{name}x")
        else:
            steps += cycle(name, name)
    return here, plan_of(*steps)


def after(here: World, kinds: list[str]) -> dict[str, str]:
    """Where such a plan ends."""
    found = dict.fromkeys(names(kinds), "off")
    return found | {f"t{place}": "on" for place, kind in enumerate(kinds) if kind == "put"}


def attempt(
    here: World, plan: Plan, how: Callable[[World, Plan], Awaitable[Result]], kill_at: int | None
) -> Result | None:
    """One console's go; None when it was killed at that moment."""
    here.moments, here.kill_at, here.abort = 0, kill_at, asyncio.Event()

    async def go() -> Result | None:
        try:
            return await how(here, plan)
        except KilledError:
            return None

    return asyncio.run(go())


def fresh(here: World, plan: Plan) -> Awaitable[Result]:
    return run(here, plan)


@given(kinds=PLANS, kills=KILLS)
def test_killed_anywhere_and_resumed_it_ends_made_with_each_effect_once(
    kinds: list[str], kills: list[int]
) -> None:
    here, plan = planned(kinds)
    attempt(here, plan, fresh, kills[0])
    for kill in kills[1:]:
        attempt(here, plan, resume, kill)
    result = attempt(here, plan, resume, None)
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert here.things == after(here, kinds)
    assert len(here.changes) == len(set(here.changes)), "nothing is done twice"


@given(kinds=PLANS, kills=KILLS)
def test_killed_anywhere_and_undone_it_ends_as_it_was(kinds: list[str], kills: list[int]) -> None:
    here, plan = planned(kinds)
    attempt(here, plan, fresh, kills[0])
    for kill in kills[1:]:
        attempt(here, plan, undo, kill)
    result = attempt(here, plan, undo, None)
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert set(here.things.values()) == {"off"}
    assert here.entry(plan).begun == () or all(
        plan.steps[number].group or plan.steps[number].returns for number in here.entry(plan).begun
    )


@pytest.mark.parametrize("kill", range(15))
def test_what_an_undo_that_was_cut_has_taken_back_is_made_again_with_all_that_follows(
    kill: int,
) -> None:
    here, plan = planned(["around"])
    attempt(here, plan, fresh, 38)
    assert here.written[-1] == (3, "made")
    attempt(here, plan, undo, kill)
    result = attempt(here, plan, resume, None)
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert here.things == {"t0": "off", "t0x": "off"}


@given(kinds=PLANS, kills=KILLS)
def test_killed_while_it_is_undone_it_can_be_resumed(kinds: list[str], kills: list[int]) -> None:
    here, plan = planned(kinds)
    attempt(here, plan, fresh, kills[0])
    attempt(here, plan, undo, kills[-1])
    result = attempt(here, plan, resume, None)
    assert result is not None
    assert result.outcome is Outcome.DONE
    assert here.things == after(here, kinds)
