"""The state folder: read when a run begins, written while it goes on, and never in the way."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from lptui.fleet.facts.chain import RewardHistory
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.units import L2Block
from lptui.history import memory as module
from lptui.history import rewards
from lptui.history.memory import Memory
from tests.snapshots import HEAD, FleetBuilder

ANCHOR = (L2Block(HEAD - 64), "0x" + "5a" * 32)


def learnt(*, age: float = 1.0) -> Snapshot:
    fleet = FleetBuilder().change(RewardHistory, "main", anchor=ANCHOR)
    return fleet.age(RewardHistory, "main", age).snapshot()


def memory(folder: Path) -> Memory:
    found = Memory.of(FleetBuilder().fleet, folder)
    assert found is not None
    return found


async def test_what_a_console_learns_the_next_one_knows(tmp_path: Path) -> None:
    first = memory(tmp_path)
    assert await first.recall() == {}
    first.keep(learnt())
    await first.close()
    found = await memory(tmp_path).recall()
    reading = found[Key(RewardHistory, "main")]
    assert reading.last_good is not None
    assert reading.last_good.value == learnt().value(RewardHistory, "main")


async def test_only_what_is_new_is_written_and_one_thing_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Snapshot] = []
    gate = threading.Event()

    def save(snapshot: Snapshot, path: Path) -> None:
        written.append(snapshot)
        gate.wait(5)

    monkeypatch.setattr(rewards, "save", save)
    it = memory(tmp_path)
    it.keep(learnt())
    for _ in range(20):
        await asyncio.sleep(0)
        it.keep(learnt(age=9.0))
    gate.set()
    await it.close()
    assert len(written) == 1
    it.keep(learnt())
    await it.close()
    assert len(written) == 1, "nothing was new"
    it.keep(learnt(age=9.0))
    await it.close()
    assert len(written) == 2


async def test_nothing_read_yet_is_nothing_to_keep(tmp_path: Path) -> None:
    it = memory(tmp_path)
    it.keep(Snapshot(FleetBuilder().fleet))
    await it.close()
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_hangs_delays_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(module, "REMEMBER_S", 0.05)
    monkeypatch.setattr(rewards, "remembered", lambda *_: gate.wait(5))
    monkeypatch.setattr(rewards, "save", lambda *_: gate.wait(5))
    it = memory(tmp_path)
    try:
        async with asyncio.timeout(20):
            assert await it.recall() == {}
            it.keep(learnt())
            await it.close()
    finally:
        gate.set()


def test_a_demo_remembers_nothing(tmp_path: Path) -> None:
    assert Memory.of(replace(FleetBuilder().fleet, demo=True), tmp_path) is None
