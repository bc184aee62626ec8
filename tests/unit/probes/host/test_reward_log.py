"""A node's own log of its calls of reward: what is read of it, and when it is looked at at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.errors import BadAnswerError, LptuiError, ProblemKind
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord, RewardHistory
from lptui.fleet.facts.reward import RewardTry
from lptui.fleet.units import Round
from lptui.probes.host.reward_log import MOST_TRIES, RewardLogProbe, due_since, parse
from tests.snapshots import NETWORK, NOW, ROUND, FleetBuilder

JOURNAL = (
    "1795783093.123456 vault-1 livepeer[812]: I1127 12:38:13.123456       1 rewardservice.go:119] "
    "Called reward for round 4121"
)
FAILED = (
    "1795706569.5 vault-1 livepeer[812]: E1126 15:22:49.000000       1 rewardservice.go:69] Error "
    'trying to call reward for round 4120 err="current gas price exceeds maximum gas price max=0.1 '
    'GWei current=0.2 GWei"'
)
CONTAINER = (
    "2026-11-27T12:38:13.123456789Z I1127 12:38:13.123456       1 rewardservice.go:119] Called "
    "reward for round 4121 - 87.1 LPTU rewards minted"
)


def test_calls_and_failures_with_their_time_and_reason() -> None:
    found = parse("\n".join(("sees", FAILED, JOURNAL, CONTAINER, "")), 5.0)
    assert found.since_at == 5.0
    assert found.tries == (
        RewardTry(
            Round(4120),
            False,
            "current gas price exceeds maximum gas price max=0.1 GWei current=0.2 GWei",
            1795706569.5,
        ),
        RewardTry(Round(4121), True, "", 1795783093.123456),
        RewardTry(Round(4121), True, "", 1795783093.0),
    )


def test_a_log_without_such_lines_is_no_try_and_one_that_may_not_be_read_a_problem() -> None:
    assert parse("sees\n", 5.0).tries == ()
    with pytest.raises(LptuiError) as caught:
        parse("", 5.0)
    assert caught.value.kind is ProblemKind.FORBIDDEN
    assert "systemd-journal" in caught.value.remedy


def test_other_lines_are_passed_over_and_a_line_without_its_time_is_not_believed() -> None:
    assert parse(f"sees\nnothing to see\n{JOURNAL}\n", 5.0).tries[0].called
    with pytest.raises(BadAnswerError):
        parse("sees\nCalled reward for round 4121\n", 5.0)


def test_no_more_are_kept_than_make_sense() -> None:
    assert len(parse("sees\n" + f"{JOURNAL}\n" * 500, 5.0).tries) == MOST_TRIES


def test_hostile_words_are_made_harmless() -> None:
    evil = FAILED.replace("max=0.1", "\x1b[31m[red]\x07")
    assert "\x1b" not in parse(f"sees\n{evil}\n", 5.0).tries[0].why


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    try:
        parse(f"sees\n{text}", 5.0)
    except BadAnswerError:
        return


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
        assert list(RewardLogProbe().targets(FleetBuilder().fleet)) == ["reward"]
