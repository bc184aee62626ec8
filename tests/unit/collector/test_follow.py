"""Following logs: nothing twice, nothing lost in silence, whatever becomes of the channel."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from lptui.clock import FrozenClock
from lptui.collector import follow
from lptui.collector.follow import Follower, Phase, State
from lptui.errors import CommandError, ProblemKind
from lptui.fleet.logs import LogLine, Stream
from lptui.fleet.topology import LogKind, LogSource
from lptui.transport.fake import FakeReach
from lptui.transport.protocols import Command, ExecResult
from tests.waiting import until

NOW = 1_800_000_000.0
UNIT = Stream("one", "edge-1", LogSource(LogKind.JOURNAL, "one.service"))
FILE = Stream("one", "edge-1", LogSource(LogKind.FILE, "/var/log/one.log"))


class Heard:
    """A sink that keeps all."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.states: list[State] = []

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    def add(self, read: Iterable[tuple[Stream, LogLine]]) -> None:
        self.lines += [line for _, line in read]

    def restart(self, stream: Stream) -> None:
        self.lines = []

    def state(self, stream: Stream, state: State) -> None:
        self.states.append(state)


def entries(*numbers: int) -> bytes:
    return b"".join(
        json.dumps(
            {
                "__REALTIME_TIMESTAMP": str(int(NOW + n) * 1_000_000),
                "__CURSOR": f"i={n}",
                "MESSAGE": f"line {n}",
            }
        ).encode()
        + b"\n"
        for n in numbers
    )


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "AGAIN_S", (0.001,))
    monkeypatch.setattr(follow, "REFUSED_S", 0.001)


async def followed(answers: list[object], stream: Stream = UNIT) -> tuple[Heard, list[Command]]:
    """What a sink heard of these answers, one spell each."""
    reach, heard, asked = FakeReach(), Heard(), []

    def answer(command: Command) -> object:
        asked.append(command)
        if not answers:
            raise CommandError("edge-1", "all is said", kind=ProblemKind.DISCONNECTED)
        return answers.pop(0)

    reach.commands["edge-1"] = answer
    follower = Follower(reach, FrozenClock(NOW + 60), [stream], heard, lines=5)
    follower.start()
    try:
        await until(lambda: any("all is said" in str(one.problem) for one in heard.states))
    finally:
        await follower.close()
    return heard, asked


async def test_a_journal_goes_on_behind_the_last_line_after_an_interruption() -> None:
    heard, asked = await followed([entries(1, 2, 3), entries(3, 4), entries(4, 5)])
    assert heard.texts == ["line 1", "line 2", "line 3", "line 4", "line 5"]
    assert [command.argv[6] for command in asked[:3]] == [
        "",
        str(int(NOW + 3)),
        str(int(NOW + 4)),
    ]


async def test_entries_of_one_moment_are_all_read_and_none_twice() -> None:
    one, other = entries(7), entries(7).replace(b"i=7", b"i=8").replace(b"line 7", b"other")
    heard, _ = await followed([one, one + other, one + other])
    assert heard.texts == ["line 7", "other"]


async def test_what_is_missing_between_two_spells_is_told() -> None:
    heard, _ = await followed([entries(1, 2), entries(8, 9)])
    assert heard.texts == [
        "line 1",
        "line 2",
        "(lptui: lines are left out here)",
        "line 8",
        "line 9",
    ]


async def test_a_files_last_lines_are_read_anew() -> None:
    heard, _ = await followed([b"==> f <==\na\nb\n", b"==> f <==\nb\nc\n"], FILE)
    assert heard.texts == ["b", "c"]


async def test_a_login_that_may_not_read_is_told_what_to_do() -> None:
    refused = ExecResult(b"", b"No journal files were opened due to insufficient permissions.\n", 1)
    heard, _ = await followed([refused])
    [state] = [one for one in heard.states if one.problem and one.phase is Phase.LOST][:1]
    assert state.problem is not None
    assert state.problem.kind is ProblemKind.FORBIDDEN
    assert "systemd-journal" in state.problem.remedy


async def test_without_following_it_ends_and_gives_only_what_is_new_enough() -> None:
    reach, heard = FakeReach(), Heard()
    reach.commands["edge-1"] = lambda _: entries(1, 2, 3)
    follower = Follower(
        reach, FrozenClock(NOW + 60), [UNIT], heard, lines=9, since=NOW + 2, follow=False
    )
    follower.start()
    await follower.finished()
    assert heard.texts == ["line 2", "line 3"]
    assert heard.states[-1] == State(Phase.ENDED)


async def test_one_that_falls_behind_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest lines instead of a screen that is minutes late."""
    monkeypatch.setattr(follow, "SLICE", 1)
    monkeypatch.setattr(follow, "BEHIND_S", 0.0)
    heard, asked = await followed([entries(1, 2, 3), entries(50)])
    assert heard.texts[0] == "line 1"
    assert any("s are left out" in text for text in heard.texts)
    assert heard.texts[-1] == "line 50"
    assert asked[1].argv[6] == "", "from the newest lines on, not from where it was"
