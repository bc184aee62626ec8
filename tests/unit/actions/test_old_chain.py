"""A chain that stands still does not tell that there is nothing to do."""

from __future__ import annotations

import pytest

from lptui.actions.initialize_round import InitializeRound
from lptui.actions.plan import Request
from lptui.actions.reward import Reward
from lptui.fleet.facts.chain import ChainRound, OrchestratorRecord
from lptui.fleet.units import Round
from tests.snapshots import NETWORK, NOW, ROUND, FleetBuilder


def standing(head_age: float) -> FleetBuilder:
    return FleetBuilder().change(ChainRound, NETWORK, head_time=NOW - 1.0 - head_age)


@pytest.mark.parametrize(("action", "target"), [(Reward(), "main"), (InitializeRound(), NETWORK)])
def test_done_as_of_an_old_head_is_refused_and_no_success(
    action: Reward | InitializeRound, target: str
) -> None:
    assert action.plan(standing(100.0).snapshot(), Request((target,))).done
    plan = action.plan(standing(7199.0).snapshot(), Request((target,)))
    assert plan.done == ""
    (doubt,) = [item for item in plan.refusals if item.met is None]
    assert doubt.evidence.startswith("7200 s ago: ")
    assert doubt.remedy


def test_what_is_not_done_may_be_tried_through_the_node_all_the_same() -> None:
    fleet = standing(7199.0)
    fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
    assert Reward().plan(fleet.snapshot(), Request(("main",))).why_not == ""
