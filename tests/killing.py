"""Consoles that are killed (SIGKILL) at a chosen point of a run, and the matrix of what follows.

A scenario is an action and the systems that it changes. Each of its steps is killed at each
moment, in copies of their own: one is resumed afterwards, the other undone. To add one, give its
states and a context manager that makes one copy (see `Copy`).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from lptui.actions.audit_reading import verify
from lptui.actions.journal import Journal
from lptui.actions.spec import Event
from lptui.clock import SystemClock
from tests.e2e.command import Operator

MOMENTS = ("began-", "began+", "make+", "made-", "made+")
"""Before and after a step is written down as begun, after it is made, before and after it is
written down as made. Before it is made is after it is written down."""

EACH_ONCE = ("began-", "began+", "make+")
"""The same for scenarios whose copies take long. From the moment that a step is made until the next
one, or the end, is written down, it is only looked, and one word is written: that it is made. So
`made-` finds the journal and the systems as `make+` does, and `made+` as the next `began-` or
`end-`."""

OF_WAITS = ("began-", "made-")
"""Of them, those of a step that only waits: once it has begun there is nothing to be made."""

OF_BACK = ("undoing-", "undoing+", "unmake+", "undone-", "undone+")
"""Those of a step that is taken back: the same of an undo."""

BACK_ONCE = ("unmake+",)
"""The same for scenarios whose copies take long: before it, the systems are as `end-` or the step
taken back before has left them; after it, it is only looked, and one word is written."""

BACK = "undo "
"""Before a point: all steps are made, and the undo that follows is killed there."""

END = ("end-", "end+")
"""Before and after the end of the run is written down."""

LEGEND = (
    "step began, made: before (-) or after (+) that is written down; make+: it is made;"
    " another word: after that command of it has run; undo: killed while all is taken back"
)


VERBS = ("resume", "undo")

AT_ONCE = 4
"""Copies that are tried at the same time."""

DEADLINE_S = 180.0


class Configured(Protocol):
    """What consoles are started for."""

    @property
    def operator(self) -> Operator: ...

    @property
    def config(self) -> Path: ...


class Copy(Configured, Protocol):
    """One copy of the systems that an action changes, with a configuration of its own.

    No two may share what consoles lock: each has its own fleet's name and state folder.
    """

    @property
    def fleet(self) -> str: ...

    @property
    def words(self) -> Sequence[str]:
        """The action's command line."""
        ...

    async def state(self) -> str:
        """What is true of the systems now, asked without lptui."""
        ...

    def broken(self) -> str:
        """What must never be and was seen since the copy was made; "" when nothing was."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must have become of a kill: a word, one of these states, and the verb's exit code."""

    told: str
    states: tuple[str, ...]
    code: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """An action of so many steps. `before` and `after` are the systems' states then.

    Attributes:
        among: the steps in which it is killed; () for all.
        moments: where in each of them it is killed.
        waits: the steps that only wait, where `moments` are those of `EACH_ONCE`.
        over: those that only wait for what is over when it is first looked at: they never begin.
        within: commands of a step, after the first run of each of which it is killed too.
        back: the steps that an undo takes back, in each of which it is killed at `back_moments`.
        undone: what an undo may leave besides `before`: of an action that ends where it began.
        besides: what follows otherwise than it usually does, by point and verb.
        at_once: copies that are tried at the same time; many when they only wait.
    """

    steps: int
    before: str
    after: str
    copy: Callable[[], AbstractAsyncContextManager[Copy]]
    among: tuple[int, ...] = ()
    moments: tuple[str, ...] = MOMENTS
    waits: frozenset[int] = frozenset()
    over: frozenset[int] = frozenset()
    within: Mapping[int, Sequence[str]] = field(default_factory=dict)
    back: tuple[int, ...] = ()
    back_moments: tuple[str, ...] = OF_BACK
    undone: tuple[str, ...] = ()
    besides: Mapping[tuple[str, str], Wanted] = field(default_factory=dict)
    at_once: int = AT_ONCE

    @property
    def points(self) -> tuple[str, ...]:
        """Everywhere that a console can be killed: a step's number and a moment."""
        found = [
            f"{number} {moment}"
            for number in self.among or range(1, self.steps + 1)
            for moment in self._moments_of(number)
        ]
        back = [
            f"{BACK}{number} {moment}"
            for number in self.back
            for moment in self._with_commands(number, self.back_moments, "unmake+")
        ]
        return (*found, *END, *back)

    def _moments_of(self, number: int) -> tuple[str, ...]:
        if number in self.over:
            return OF_WAITS[1:]
        if number in self.waits:
            return OF_WAITS
        return self._with_commands(number, self.moments, "make+")

    def _with_commands(self, number: int, moments: tuple[str, ...], then: str) -> tuple[str, ...]:
        at = moments.index(then)
        commands = (f"{name}+" for name in self.within.get(number, ()))
        return (*moments[:at], *commands, *moments[at:])


@dataclass(slots=True)
class Cell:
    """What followed a kill. `fault` is "" when all is as it should be."""

    point: str
    verb: str
    told: str
    fault: str = ""


@dataclass(slots=True)
class Consoles:
    """Starts consoles; each is a process of its own, forked from one that has loaded all."""

    process: asyncio.subprocess.Process
    _waiting: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=itertools.count)

    async def run(self, copy: Configured, *words: str, kill_at: str = "") -> tuple[int, str]:
        """The exit status (negative: the signal) of `lptui --headless WORDS…`, and what it said."""
        number = next(self._numbers)
        out = copy.operator.home / f"console-{number}"
        request = {
            "number": number,
            "argv": ["--config", str(copy.config), "--headless", *words],
            "environment": copy.operator.environment(),
            "out": str(out),
            "kill_at": kill_at,
        }
        ended = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        async with asyncio.timeout(DEADLINE_S):
            status = await ended
        return status, out.read_text()

    async def listen(self) -> None:
        """Hands out the ends of the consoles."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            number, status = map(int, line.split())
            ended = self._waiting.pop(number)
            if not ended.done():
                ended.set_result(status)


@asynccontextmanager
async def consoles() -> AsyncIterator[Consoles]:
    """For the length of a block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.killed"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    made = Consoles(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(DEADLINE_S):  # those that run still end first
            await process.wait()
            await listening


async def matrix(scenario: Scenario) -> list[Cell]:
    """Kills the scenario everywhere; the cells in the order of its points."""
    async with consoles() as started:
        gate = asyncio.Semaphore(scenario.at_once)

        async def one(point: str, verb: str) -> Cell:
            async with gate:
                return await _killed(started, scenario, point, verb)

        async with asyncio.TaskGroup() as group:
            cells = [
                group.create_task(one(point, verb))
                for point, verb in itertools.product(scenario.points, VERBS)
            ]
        return [cell.result() for cell in cells]


async def _killed(started: Consoles, scenario: Scenario, point: str, verb: str) -> Cell:
    async with scenario.copy() as copy:
        was = await copy.state()
        status, said = await _cut(started, copy, point)
        has_begun = any(entry.begun for entry in _journal(copy).unfinished(copy.fleet))
        code, more = await started.run(copy, verb, "--yes")
        now = await copy.state()
        wanted = _wanted(scenario, verb, status < 0, has_begun, point)
        runs = _journal(copy).newest(copy.fleet)
        steps = len(runs[0].plan.steps) if runs else 0
        faults = {
            f"it began as {was}": was != scenario.before,
            f"it has {steps} steps": steps != scenario.steps,
            f"ended with {status}: {said}": status >= 0 and status != 0,
            f"{verb} ended with {code}: {more}": code != wanted.code,
            f"it is {now}": now not in wanted.states,
            copy.broken(): bool(copy.broken()),
            "a run has no end": bool(_journal(copy).unfinished(copy.fleet)),
            "the record is not whole": bool(verify(copy.operator.state / "audit.jsonl").faults),
        }
        fault = "; ".join(words for words, holds in faults.items() if holds)
        return Cell(point, verb, wanted.told, fault)


async def _cut(started: Consoles, copy: Copy, point: str) -> tuple[int, str]:
    """How the console ended that was to be killed there, and what it said."""
    if not point.startswith(BACK):
        return await started.run(copy, *copy.words, "--yes", kill_at=point)
    status, said = await started.run(copy, *copy.words, "--yes", kill_at=END[0])
    made = [len(entry.made) for entry in _journal(copy).unfinished(copy.fleet)]
    if status >= 0 or not made or not made[0]:
        return 1, f"not made: {said}"
    return await started.run(copy, "undo", "--yes", kill_at=point.removeprefix(BACK))


def _wanted(scenario: Scenario, verb: str, was_killed: bool, has_begun: bool, point: str) -> Wanted:
    before, after = (scenario.before,), (scenario.after,)
    if not was_killed:
        # What is found made already is neither begun nor made.
        return Wanted("not reached", after, 1)
    if (point, verb) in scenario.besides:
        return scenario.besides[point, verb]
    if point == "end+":
        return Wanted("ended", after, 1)
    if not has_begun:
        return Wanted("nothing begun", before, 1)
    if verb == "resume":
        return Wanted("made", after, 0)
    return Wanted("as it was", before + scenario.undone, 0)


def _journal(copy: Copy) -> Journal:
    return _journal_of(copy.operator)


def _journal_of(operator: Operator) -> Journal:
    return Journal(operator.state / "journal.db", SystemClock())


@asynccontextmanager
async def once_begun(
    operator: Operator, fleet: str, number: int, then: Callable[[], Awaitable[object]]
) -> AsyncIterator[None]:
    """For the length of a block: does this once step `number` (from 1) of a run has begun."""
    watching = asyncio.create_task(_once_begun(_journal_of(operator), fleet, number, then))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _once_begun(
    journal: Journal, fleet: str, number: int, then: Callable[[], Awaitable[object]]
) -> None:
    while True:
        for entry in await asyncio.to_thread(journal.newest, fleet):
            if any(event[:2] == (number - 1, Event.BEGAN) for event in entry.events):
                await then()
                return
        await asyncio.sleep(0.05)


def table(name: str, scenario: Scenario, cells: Sequence[Cell]) -> list[str]:
    """The matrix for people: a row for each step and moment, a column for each verb."""
    told = {(cell.point, cell.verb): cell.fault or cell.told for cell in cells}
    rows = [f"{name:<24} {'resumed':<16} undone"]
    rows += [
        f"  {point:<22} {told[point, 'resume']:<16} {told[point, 'undo']}"
        for point in scenario.points
    ]
    return rows


class Report:
    """The matrices of a test run, told at its end."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, name: str, scenario: Scenario, cells: Sequence[Cell]) -> None:
        """One scenario's."""
        self._lines += table(name, scenario, cells)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Called by pytest."""
        terminalreporter.section("kill matrix")
        terminalreporter.line(LEGEND)
        for line in self._lines:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def kill_report(pytestconfig: pytest.Config) -> Report:
    """Where a test enters its matrix."""
    name = "kill-matrix"
    plugins = pytestconfig.pluginmanager
    if not plugins.has_plugin(name):  # each module that has this fixture comes here
        plugins.register(Report(), name)
    report = plugins.get_plugin(name)
    assert isinstance(report, Report)
    return report
