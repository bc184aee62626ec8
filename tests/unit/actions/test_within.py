"""`--within`: how long a command waits until nothing stands in the way of its plan."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from lptui.actions.registry import action
from lptui.fleet.facts.chain import OrchestratorRecord
from lptui.fleet.units import Round
from lptui.headless import acting
from tests.snapshots import ROUND, FleetBuilder


class Watched:
    """A session whose fleet gets its reward called at the third look."""

    def __init__(self, called_at: int) -> None:
        self.looks = 0
        self._called_at = called_at
        self.runner = SimpleNamespace(
            plan=lambda action, snapshot, request: action.plan(snapshot, request)
        )

    async def observe(self, _: Any) -> Any:
        self.looks += 1
        fleet = FleetBuilder()
        if self.looks < self._called_at:
            fleet.change(OrchestratorRecord, "main", last_reward_round=Round(ROUND - 1))
        return fleet.snapshot()


@pytest.mark.parametrize(("within_s", "looks"), [(3600.0, 3), (0.0, 1)], ids=["in time", "not"])
def test_it_looks_until_the_plan_may_run_or_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    within_s: float,
    looks: int,
) -> None:
    monkeypatch.setattr(acting, "LOOK_S", 0.0)
    restart = action("restart")
    assert restart is not None
    session: Any = Watched(called_at=3)
    safe = (("when-safe", "yes"),)
    asyncio.run(acting.until_clear(session, restart, ("reward",), safe, within_s))
    assert session.looks == looks
    told = capsys.readouterr().err
    assert told.count("restart waits: main's reward of the round is called") == 1
