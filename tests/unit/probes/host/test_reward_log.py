"""A node's own log of its calls of reward: what is read of it, and when it is looked at at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.reward import NodeRewardLog, RewardTry
from lptui.fleet.topology import LogKind, LogSource
from lptui.fleet.units import Round
from lptui.probes.host.node_log import NodeLogProbe
from lptui.probes.host.reward_log import due_since, joined, may_call, reaches, tries_of
from lptui.probes.logs.reader import StampedLog
from lptui.probes.logs.scan import MOST_TRIES
from tests.snapshots import NETWORK, NOW, ROUND, FleetBuilder
from tests.unit.probes.logs.looking import FilesHost, LocalShell

CALLED = "I1127 12:38:13.123456       1 rewardservice.go:119] Called reward for round 4121"
FAILED = (
    "E1126 15:22:49.000000       1 rewardservice.go:69] Error trying to call reward for round 4120 "
    'err="current gas price exceeds maximum gas price max=0.1 GWei current=0.2 GWei"'
)
WHY = "current gas price exceeds maximum gas price max=0.1 GWei current=0.2 GWei"
MINTED = f"{CALLED} - 87.1 LPTU rewards minted"


def test_calls_and_failures_with_their_time_and_reason() -> None:
    lines = ((7.0, CALLED), (5.5, FAILED), (7.0, CALLED), (9.0, MINTED))
    assert tries_of(lines) == (
        RewardTry(Round(4120), False, WHY, 5.5),
        RewardTry(Round(4121), True, "", 7.0),
        RewardTry(Round(4121), True, "", 9.0),
    )


def test_other_lines_are_passed_over() -> None:
    assert tries_of([(5.0, "Waiting to call reward for round 4121")]) == ()


def test_no_more_are_kept_than_make_sense() -> None:
    assert len(tries_of((float(n), CALLED) for n in range(500))) == MOST_TRIES


def test_what_is_read_later_is_put_to_what_is_known() -> None:
    known = NodeRewardLog(tries_of([(5.0, FAILED)]), 4.0, is_partial=True)
    new = tries_of([(5.0, FAILED), (7.0, CALLED)])
    assert joined(known, new, 2.0) == NodeRewardLog(new, 4.0, is_partial=True)
    both = tries_of([(7.0, FAILED), (7.0, CALLED)])
    assert joined(NodeRewardLog(both, 4.0), (), 4.0).tries == both, "in the log's own order"
    assert joined(known, new, 9.0) == NodeRewardLog(new, 4.0), "the next round is there as a whole"


def test_what_was_read_from_the_rounds_beginning_is_not_read_again() -> None:
    assert reaches(NodeRewardLog((), 4.0), 9.0)
    assert reaches(NodeRewardLog((), 400.0), 395.0), "when it began is not known to the second"
    assert not reaches(NodeRewardLog((), 4000.0), 395.0)
    assert reaches(NodeRewardLog((), 4000.0, is_partial=True), 395.0), "there is no more"
    assert not reaches(NodeRewardLog(), 395.0)


def test_hostile_words_are_made_harmless() -> None:
    evil = FAILED.replace("max=0.1", "\x1b[31m[red]\x07")
    assert "\x1b" not in tries_of([(5.0, evil)])[0].why


async def test_a_journal_or_a_container_is_asked_for_those_lines_alone(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text(
        f"{NOW - 9000:.6f} edge-1 livepeer[8]: {FAILED}\n"
        f"{NOW - 80:.6f} edge-1 livepeer[8]: {FAILED}\n"
        f"{NOW - 70:.6f} edge-1 livepeer[8]: Processed block=1\n"
    )
    (tmp_path / "docker").write_text(f"2026-11-27T12:38:13.123456789Z {CALLED}\n")
    shell = LocalShell(tmp_path)
    for program, said in (("journalctl", "journal"), ("docker", "docker")):
        shell.program(program, f'cat "{tmp_path}/{said}"')
    for kind, tried in ((LogKind.JOURNAL, False), (LogKind.CONTAINER, True)):
        log = StampedLog(shell, LogSource(kind, "node"), NOW, lambda: 8.0)
        since = NOW - 100 if kind is LogKind.JOURNAL else 1_795_783_000.0
        [one] = tries_of((await log.tries_since(since)).tries)
        assert one.called is tried


async def test_files_are_asked_for_the_whole_round(tmp_path: Path) -> None:
    host = FilesHost(tmp_path)
    begun, now = host.now - 60_000, host.now
    host.say(begun + 30, 'Error trying to call reward for round 4120 err="EOF"')
    for ago in range(3000):
        host.say(now - 3100 + ago, "Processed block=1")
    scan = await host.reader().tries_since(begun)
    assert tries_of(scan.tries) == (RewardTry(Round(4120), False, "EOF", begun + 30),)
    assert scan.from_at == begun + 30, "what was before is not known"
    host.say(begun - 50_000, 'reward for round 4120 err="EOF"', host.folder / "node.log.1")
    scan = await host.reader().tries_since(begun)
    assert (len(scan.tries), scan.from_at) == (1, None), "nothing was"


class TestWhenItIsRead:
    """Only while a reward is due: to read a log costs the host something."""

    def since(self, fleet: FleetBuilder) -> float | None:
        return due_since(fleet.snapshot(), fleet.fleet.nodes["reward"])

    def due(self) -> FleetBuilder:
        fleet = FleetBuilder()
        return fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))

    def test_not_when_it_is_called(self) -> None:
        assert self.since(FleetBuilder()) is None

    def test_since_the_round_was_initialised_or_began(self) -> None:
        fleet = self.due().change(RewardHistory, "main", begun_at=NOW - 777.0)
        assert self.since(fleet) == NOW - 777.0
        assert self.since(self.due()) == pytest.approx(NOW - 1 - 3188 * 12)

    def test_not_when_there_is_nothing_to_call(self) -> None:
        assert self.since(self.due().change(ChainRound, NETWORK, initialized=False)) is None
        assert self.since(self.due().change(OrchestratorRecord, "main", active=False)) is None
        assert self.since(self.due().fail(ChainRound, NETWORK)) is None

    def test_of_the_nodes_that_may_call(self) -> None:
        assert may_call(FleetBuilder().fleet) == {"reward"}
        assert "reward" in NodeLogProbe().targets(FleetBuilder().fleet)
