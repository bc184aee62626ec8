"""The real fleet of the end-to-end tests, started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Operator
from tests.e2e.fleet import RealFleet, running_fleet
from tests.e2e.stage import Stage, running_stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with running_stage() as one:
        yield one


@pytest.fixture(scope="session")
def real_fleet(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFleet]:
    with running_fleet(tmp_path_factory.mktemp("fleet"), stage) as one:
        assert one.healthy.code in range(4)
        yield one


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    home = tmp_path / "home"
    home.mkdir()
    return Operator(home)
