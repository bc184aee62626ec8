"""Declared commands: their plans, what their checks show, and moves of which nothing is seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lptui.actions import under_way
from lptui.actions.comparing import Verb, Word, compare
from lptui.actions.declared import Declared
from lptui.actions.moves import declared
from lptui.actions.moves.declared import DeclaredMove, UncheckedMove
from lptui.actions.moves.move import MAY_HAVE_RUN, Standing
from lptui.actions.moves.registry import MOVES
from lptui.actions.plan import OnFailure, Outcome, Plan, Request
from lptui.actions.registry import ACTIONS, action, actions_of
from lptui.actions.select import requests
from lptui.actions.spec import Effect, Event
from lptui.errors import LptuiError, Problem, ProblemKind, RefusedError
from lptui.fleet.declared import DeclaredCommand, Target
from lptui.fleet.facts.declared import DeclaredCheck
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from tests.snapshots import FleetBuilder
from tests.unit.actions.world import (
    KilledError,
    World,
    plan_of,
    put,
    resume,
    run,
    tell,
    undo,
)

UPGRADE = DeclaredCommand(
    "upgrade",
    ("/opt/up", "{unit}", "x y"),
    ("role:transcoder",),
    "destructive",
    help="puts a new version in place",
    confirm="mind the traffic",
    timeout_s=90.0,
    check=("/opt/is-new", "{unit}"),
    undo=("/opt/down", "{unit}"),
    as_root=True,
)
FLUSH = DeclaredCommand("flush", ("ip", "neigh", "flush"), ("edge-1", "edge-2"), "write")
TARGET = Target("gpu-1", "trans-1", "livepeer-transcoder.service")


def fleet(*commands: DeclaredCommand) -> FleetBuilder:
    return FleetBuilder().configure(commands={one.name: one for one in commands})


def plan_for(command: DeclaredCommand, *names: str, builder: FleetBuilder | None = None) -> Plan:
    snapshot = (builder or fleet(command)).snapshot()
    return Declared(command).plan(snapshot, Request(names))


class TestPlans:
    def test_a_step_for_each_target_in_the_configurations_order(self) -> None:
        plan = plan_for(UPGRADE, "trans-2", "trans-1")
        assert plan.action == "run upgrade"
        assert [step.target for step in plan.steps] == ["trans-1", "trans-2"]
        step = plan.steps[0]
        assert step.call == "gpu-1 as root: /opt/up livepeer-transcoder.service 'x y'"
        assert step.undo == "`/opt/down livepeer-transcoder.service`"
        assert step.postcondition == (
            "`/opt/is-new livepeer-transcoder.service` ends with status 0"
        )
        assert step.deadline_s == 90.0
        assert plan.warnings == ("mind the traffic",)
        assert plan.on_failure is OnFailure.STOP
        assert plan.lock is not None
        assert not plan.why_not

    def test_all_that_is_needed_later_is_in_the_step(self) -> None:
        given = dict(plan_for(UPGRADE, "trans-1").steps[0].given)
        assert json.loads(given["run"]) == ["/opt/up", "livepeer-transcoder.service", "x y"]
        assert given["as_root"] == "yes"
        assert all(isinstance(value, str) for value in given.values())

    def test_another_command_line_is_another_plan(self) -> None:
        other = DeclaredCommand("flush", ("ip", "neigh", "show"), ("edge-1",), "write")
        assert plan_for(FLUSH, "edge-1").hash != plan_for(other, "edge-1").hash

    def test_what_nothing_shows_and_nothing_undoes_is_said(self) -> None:
        plan = plan_for(FLUSH, "edge-1")
        assert len(plan.warnings) == 2
        assert "it is not run again by itself" in plan.warnings[0]
        assert plan.steps[0].undo == "cannot be undone"

    def test_a_host_that_was_not_reached_refuses(self) -> None:
        builder = fleet(FLUSH).fail(HostVitals, "edge-2")
        plan = plan_for(FLUSH, "edge-1", "edge-2", builder=builder)
        assert [item.name for item in plan.refusals] == ["edge-2 reached"]

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            (["trans-1"], ["trans-1"]),
            (["role:transcoder"], ["trans-1", "trans-2"]),
            (["host:gpu-2"], ["trans-2"]),
            (["all"], ["trans-1", "trans-2"]),
        ],
    )
    def test_targets_are_selected_as_for_every_action(
        self, words: list[str], names: list[str]
    ) -> None:
        [request] = requests(Declared(UPGRADE), fleet(UPGRADE).snapshot(), words)
        assert list(request.targets) == names

    def test_a_command_for_hosts_takes_the_hosts_of_nodes(self) -> None:
        [request] = requests(Declared(FLUSH), fleet(FLUSH).snapshot(), ["orch-1"])
        assert request.targets == ("edge-1",)
        with pytest.raises(RefusedError):
            requests(Declared(FLUSH), fleet(FLUSH).snapshot(), ["trans-1"])


class TestRegistry:
    def test_a_fleet_has_its_own_actions_besides(self) -> None:
        own = fleet(UPGRADE, FLUSH).fleet
        assert actions_of(own)[: len(ACTIONS)] == ACTIONS
        assert [item.spec.id for item in actions_of(own)[len(ACTIONS) :]] == [
            "run upgrade",
            "run flush",
        ]
        found = action("run upgrade", own)
        assert found is not None
        assert (found.spec.effect, found.spec.subject) == (Effect.DESTRUCTIVE, "node")
        assert found.spec.help == "puts a new version in place"
        assert action("run upgrade") is None
        assert action("run upgrade", Fleet("other", {})) is None

    def test_their_kinds_of_steps_are_known(self) -> None:
        for command in (UPGRADE, FLUSH):
            assert declared.step(command, TARGET).kind in MOVES


def looked(value: DeclaredCheck | None) -> Snapshot:
    problem = None if value else Problem(ProblemKind.TIMEOUT, "gpu-1", "no answer")
    reading: Reading[Any] = Reading(value, problem, "gpu-1: check", 1.0, interval_s=60.0)
    return Snapshot(Fleet("f", {}), {Key(DeclaredCheck, "upgrade@trans-1"): reading}, 1.0)


@pytest.mark.parametrize(
    ("check", "standing", "words"),
    [
        (DeclaredCheck(0, ""), Standing.MADE, "its check ends with status 0"),
        (DeclaredCheck(1, "old"), Standing.BEFORE, "its check ends with status 1: old"),
        (DeclaredCheck(2, "bad usage"), Standing.UNKNOWN, "status 2: bad usage"),
        (DeclaredCheck(127, ""), Standing.UNKNOWN, "status 127"),
        (None, Standing.UNKNOWN, "no answer"),
    ],
)
def test_what_a_check_shows(check: DeclaredCheck | None, standing: Standing, words: str) -> None:
    step = declared.step(UPGRADE, TARGET)
    assert DeclaredMove().sources(step) == (("declared-check", "upgrade@trans-1"),)
    seen = DeclaredMove().seen(step, looked(check), None)
    assert seen.standing is standing
    assert words in seen.words


def test_without_a_check_nothing_is_read() -> None:
    step = declared.step(FLUSH, Target("edge-1"))
    assert UncheckedMove().sources(step) == ()
    assert UncheckedMove().seen(step, looked(None), None).standing is Standing.OTHER


class TestBlindMoves:
    """What the engine does with a step of which nothing can be read."""

    PLAN = plan_of(tell("a"), tell("b"), on_failure=OnFailure.STOP)

    @pytest.fixture(autouse=True)
    def _without_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(under_way, "FIRST_LOOK_S", 0.0)

    def world(self) -> World:
        return World({"a": "off", "b": "off"})

    async def test_made_once_and_written_down_before_and_after(self) -> None:
        here = self.world()
        result = await run(here, self.PLAN)
        assert result.outcome is Outcome.DONE
        assert here.did == [
            *("write 0 began", "tell a on", "write 0 made"),
            *("write 1 began", "tell b on", "write 1 made"),
        ]

    async def test_its_own_error_is_a_failure_even_if_it_had_an_effect(self) -> None:
        here = self.world()
        here.breaks["a"], here.broken_but_done = LptuiError("a", "status 3"), True
        result = await run(here, self.PLAN)
        assert (result.outcome, here.things["b"]) == (Outcome.FAILED, "off")
        assert "status 3" in result.summary

    async def test_an_end_that_was_not_heard_is_unknown(self) -> None:
        here = self.world()
        here.breaks["a"] = LptuiError("a", "lost", kind=ProblemKind.DISCONNECTED)
        assert (await run(here, self.PLAN)).outcome is Outcome.UNKNOWN

    async def test_killed_anywhere_and_resumed_nothing_is_made_twice(self) -> None:
        moments = 0
        while True:
            here = self.world()
            here.kill_at = moments
            try:
                await run(here, self.PLAN)
                break
            except KilledError:
                pass
            here.kill_at = None
            is_open = any(event is Event.BEGAN for event in here.entry(self.PLAN).standing.values())
            before = list(here.changes)
            result = await resume(here, self.PLAN)
            if is_open:
                assert result.outcome is Outcome.UNKNOWN, moments
                assert MAY_HAVE_RUN in result.summary
                assert here.changes == before
                result = await resume(here, self.PLAN)
                assert result.outcome is Outcome.DONE, "who was told of it leaves it, and goes on"
                assert [one for one in here.changes if one in before] == before
            else:
                assert result.outcome is Outcome.DONE, moments
            assert len(set(here.changes)) == len(here.changes), moments
            moments += 1
        assert moments > 10

    async def test_killed_and_taken_back(self) -> None:
        here = self.world()
        here.kill_at = 4  # after the first was told, before that is written down
        with pytest.raises(KilledError):
            await run(here, self.PLAN)
        here.kill_at = None
        result = await undo(here, self.PLAN)
        assert (result.outcome, here.things) == (Outcome.DONE, {"a": "off", "b": "off"})

    async def test_what_cannot_be_taken_back_is_said_at_once(self) -> None:
        plan = plan_of(tell("a", "nothing takes it back"), put("b"))
        here = self.world()
        here.stubborn.add("b")
        result = await run(here, plan)
        assert result.outcome is Outcome.FAILED
        assert "NOT undone: tell a of a: tell a: nothing takes it back" in result.summary

    async def test_what_is_compared_is_the_journal(self) -> None:
        here = self.world()
        here.kill_at = 9  # within the second
        with pytest.raises(KilledError):
            await run(here, self.PLAN)
        entry = here.entry(self.PLAN)
        moves = {"tell": UncheckedMove()}
        told = compare(entry, Verb.RESUME, moves, looked(None))
        assert [one.word for one in told] == [Word.DONE_BEFORE, Word.UNREAD]
        assert told[1].seen == MAY_HAVE_RUN
        told = compare(entry, Verb.UNDO, moves, looked(None))
        assert [(one.number, one.word) for one in told] == [(1, Word.UNREAD), (0, Word.TO_UNDO)]


async def test_a_refusal_to_take_back_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_way, "FIRST_LOOK_S", 0.0)
    here = World({"a": "off", "b": "off"})
    here.stubborn.add("b")
    here.breaks["a"] = RefusedError("a", "not without a second holder")
    here.broken_but_done = True
    result = await run(here, plan_of(put("a"), put("b")))
    assert "NOT undone" in result.summary
    assert here.clock.now() - World({}).clock.now() < 20
