"""One variable of a real environment file, set and put back through a real sshd and a real sudo."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import pytest

from lptui.actions.moves.environment import environment_step, root_commands
from lptui.actions.plan import Outcome, Plan, Request, Result, Step
from lptui.actions.spec import ActionSpec, Effect
from lptui.actions.stepwise import Stepwise
from lptui.clock import SystemClock
from lptui.errors import ProblemKind
from lptui.fleet.facts.environment import NodeEnvironment
from lptui.fleet.reading import Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host, Node, Role, Rpc, Service, Ssh, SupervisorKind
from lptui.session import Session
from tests.lesser_login import LesserLogin, lesser_login
from tests.sshd import Sshd, sshd

__all__ = ["sshd"]

OLD, NEW = "orch-1.example.org:8935", "orch-2.example.org:8935"
TEXT = f"""\
# Settings of the transcoder.\r
LP_ORCHSECRET='a secret with spaces'
export LP_ORCHADDR="{OLD}"   # the near one
LP_NVIDIA=all"""
KEYED = "https://rpc.example.net/v2/0123456789abcdef"


SPEC = ActionSpec("test", "Test", "", Effect.WRITE, "node", "", ("environment",), ("environment",))


@dataclass
class Steps(Stepwise):
    """An action that is one step."""

    planner: Callable[[Snapshot], Step]
    spec: ClassVar[ActionSpec] = SPEC

    def targets(self, snapshot: Snapshot) -> Sequence[str]:
        return ()

    def of_node(self, snapshot: Snapshot, node: Node) -> Sequence[str]:
        return ()

    def plan(self, snapshot: Snapshot, request: Request) -> Plan:
        return Plan("test", "t1", "test", (self.planner(snapshot),), (), "", "")


@dataclass
class Bench:
    """A transcoder with an environment file, and the console's own parts on its host."""

    session: Session

    async def read(self) -> Reading[NodeEnvironment]:
        return (await self.session.observe(("environment",))).reading(NodeEnvironment, "t1")

    async def value(self, variable: str = "LP_ORCHADDR") -> str | None:
        facts = (await self.read()).value
        assert facts is not None
        return facts.value(variable)

    async def set(
        self, to: str, variable: str = "LP_ORCHADDR", was: str | None = "as it is"
    ) -> Result:
        node = self.session.fleet.nodes["t1"]

        def step(now: Snapshot) -> Step:
            facts = now.value(NodeEnvironment, "t1")
            value = facts.value(variable) if facts is not None and was == "as it is" else was
            return environment_step(node, variable, value, to, "set it")

        action = Steps(step)
        snapshot = await self.session.observe(("environment",))
        runner = self.session.runner
        plan = runner.plan(action, snapshot, Request(("t1",)))
        return await runner.run(action, plan, lambda line: None)

    async def undo(self) -> Result:
        [entry, *_] = self.session.runner.journal.newest(self.session.fleet.name)
        return await self.session.runner.undo(entry, lambda line: None)


@asynccontextmanager
async def bench_of(
    ssh: Ssh, file: Path, state: Path, monkeypatch: pytest.MonkeyPatch, privilege: str = "none"
) -> AsyncIterator[Bench]:
    monkeypatch.setenv("LPTUI_STATE", str(state))
    node = Node(
        "t1",
        "edge",
        frozenset({Role.TRANSCODER}),
        Service(SupervisorKind.SYSTEMD, "livepeer.service"),
        environment_file=str(file),
    )
    fleet = Fleet(
        "settings",
        hosts=MappingProxyType({"edge": Host("edge", ssh, privilege=privilege)}),
        nodes=MappingProxyType({"t1": node}),
        rpcs=MappingProxyType({"own": Rpc("own", "http://192.0.2.1:8547/rpc", None)}),
    )
    session = Session(fleet, SystemClock())
    try:
        yield Bench(session)
    finally:
        await session.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "livepeer"
    path.parent.mkdir()
    path.write_bytes(TEXT.encode())
    path.chmod(0o640)
    return path


@pytest.fixture
async def bench(
    sshd: Sshd, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    async with bench_of(sshd.ssh(), file, tmp_path / "state", monkeypatch) as one:
        yield one


def said(file: Path) -> str:
    """All of it, ends of lines included."""
    return file.read_bytes().decode()


def beside(file: Path) -> list[str]:
    """What else is in its folder."""
    return [path.name for path in file.parent.iterdir() if path != file]


async def test_a_variable_is_set_and_put_back_and_no_other_byte_changes(
    bench: Bench, file: Path
) -> None:
    assert await bench.value() == OLD
    result = await bench.set(NEW)
    assert result.outcome is Outcome.DONE, result.summary
    assert result.summary.endswith(f": the file says LP_ORCHADDR={NEW}")
    assert said(file) == TEXT.replace(OLD, NEW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert beside(file) == []
    result = await bench.undo()
    assert result.outcome is Outcome.DONE, result.summary
    assert said(file) == TEXT


async def test_one_that_the_file_does_not_set_is_added_and_taken_away(
    bench: Bench, file: Path
) -> None:
    assert await bench.value("LP_ETHURL") is None
    result = await bench.set("http://192.0.2.1:8547", "LP_ETHURL")
    assert result.outcome is Outcome.DONE, result.summary
    assert said(file).endswith("LP_NVIDIA=all\r\nLP_ETHURL=http://192.0.2.1:8547\r\n")
    await bench.undo()
    assert await bench.value("LP_ETHURL") is None
    assert said(file) == f"{TEXT}\r\n", "but for the end of its last line"


async def test_a_secret_stays_on_the_host_and_comes_back_from_there(
    bench: Bench, file: Path, tmp_path: Path
) -> None:
    text = f"LP_ETHURL={KEYED}\n"
    file.write_text(text)
    shown = await bench.value("LP_ETHURL")
    assert shown is not None
    assert shown.startswith("https://rpc.example.net<hidden ")
    result = await bench.set("http://192.0.2.1:8547/rpc", "LP_ETHURL")
    assert result.outcome is Outcome.DONE, result.summary
    assert said(file) == "LP_ETHURL=http://192.0.2.1:8547/rpc\n"
    kept = file.parent / ".livepeer.lptui-old"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    result = await bench.undo()
    assert result.outcome is Outcome.DONE, result.summary
    assert said(file) == text
    assert beside(file) == []
    written = b"".join(
        path.read_bytes() for path in (tmp_path / "state").iterdir() if path.is_file()
    )
    assert b"0123456789abcdef" not in written
    assert KEYED not in str(result)


async def test_an_address_of_the_configuration_is_no_secret(bench: Bench, file: Path) -> None:
    file.write_text("LP_ETHURL=http://192.0.2.1:8547/rpc\n")
    assert await bench.value("LP_ETHURL") == "http://192.0.2.1:8547/rpc"


async def test_a_secret_is_never_written(bench: Bench, file: Path) -> None:
    result = await bench.set(KEYED, "LP_ETHURL")
    assert result.outcome is Outcome.REFUSED
    assert "may hold a secret" in result.summary
    assert said(file) == TEXT


@pytest.mark.parametrize(
    ("to", "why"), [('a"b', "cannot be written back"), ("a\nB=c", "cannot be written back")]
)
async def test_what_could_be_read_as_something_else_is_refused(
    bench: Bench, file: Path, to: str, why: str
) -> None:
    result = await bench.set(to)
    assert result.outcome is Outcome.REFUSED
    assert why in result.summary
    assert said(file) == TEXT


async def test_what_somebody_else_has_set_is_left_alone(bench: Bench, file: Path) -> None:
    result = await bench.set(NEW, was="orch-9.example.org:8935")
    assert result.outcome is Outcome.REFUSED
    assert f"LP_ORCHADDR={OLD}" in result.summary
    assert said(file) == TEXT


async def test_a_link_is_not_replaced_by_a_file(bench: Bench, file: Path) -> None:
    target = file.with_name("real")
    file.rename(target)
    file.symlink_to(target)
    result = await bench.set(NEW)
    assert result.outcome is Outcome.REFUSED
    assert "symbolic link" in result.summary
    assert file.is_symlink()
    assert said(target) == TEXT


async def test_a_full_disk_leaves_the_file_as_it_was(
    bench: Bench, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy beside it cannot be written: here, since its place is taken."""
    (file.parent / ".livepeer.lptui-new").symlink_to("/dev/full")
    result = await bench.set(NEW)
    assert result.outcome is Outcome.FAILED
    assert "lptui-new" in result.summary
    assert said(file) == TEXT
    assert beside(file) == []


async def test_a_file_that_is_not_there_is_named(bench: Bench, file: Path) -> None:
    file.unlink()
    reading = await bench.read()
    assert reading.problem is not None
    assert "No such file" in reading.problem.why
    assert str(file) in str(reading.problem)


async def test_a_value_over_two_lines_is_not_guessed(bench: Bench, file: Path) -> None:
    file.write_text("LP_ORCHADDR='a\nb'\n")
    reading = await bench.read()
    assert reading.problem is not None
    assert reading.problem.kind is ProblemKind.BAD_ANSWER
    assert "LP_ORCHADDR: its value" in str(reading.problem)


@pytest.fixture
def lesser(tmp_path: Path) -> Iterator[LesserLogin]:
    with lesser_login(tmp_path / "login") as login:
        yield login


async def test_a_login_needs_these_commands_as_root_and_no_others(
    lesser: LesserLogin, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.getuid() != 0:
        pytest.skip("the file must be root's")
    file.chmod(0o600)
    opened = bench_of(lesser.sshd.ssh(), file, tmp_path / "state", monkeypatch, "sudo")
    async with opened as bench:
        reading = await bench.read()
        assert reading.problem is not None
        assert f"sudo -n cat {file}" in reading.problem.remedy
        lesser.allow(root_commands(str(file))[:1])
        assert await bench.value() == OLD
        result = await bench.set(NEW)
        assert result.outcome is Outcome.FAILED
        assert "cp -p" in result.summary
        assert said(file) == TEXT
        lesser.allow(root_commands(str(file)))
        result = await bench.set(NEW)
        assert result.outcome is Outcome.DONE, result.summary
    assert said(file) == TEXT.replace(OLD, NEW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
