"""The lock that other operators see, on a real host through a real sshd."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lptui.actions.fleet_lock import FleetLock
from lptui.actions.plan import Lock
from lptui.errors import RefusedError
from lptui.transport.reach import FleetReach
from tests.reaching import reach_of
from tests.sshd import Sshd, sshd

__all__ = ["sshd"]

LASTS_MIN = 11


@pytest.fixture
async def reach(sshd: Sshd) -> AsyncIterator[FleetReach]:
    async with reach_of(sshd.ssh()) as one:
        yield one


def lock(reach: FleetReach, base: Path, who: str = "reward for main, by ada") -> FleetLock:
    return FleetLock(reach, Lock(("h0",), str(base), LASTS_MIN * 60), who)


async def test_one_holds_it_and_the_other_is_told_who(reach: FleetReach, tmp_path: Path) -> None:
    first, second = lock(reach, tmp_path / "a"), lock(reach, tmp_path / "a", "by bob")
    assert await first.take() == ""
    with pytest.raises(RefusedError, match="reward for main, by ada"):
        await second.take()
    assert await lock(reach, tmp_path / "b").take() == ""
    await first.release()
    assert await second.take() == ""
    await second.release()
    assert [path.name.split(".")[0] for path in tmp_path.iterdir()] == ["b"]


async def test_of_many_at_once_one_at_most_gets_it(reach: FleetReach, tmp_path: Path) -> None:
    taken = await asyncio.gather(
        *(lock(reach, tmp_path / "a").take() for _ in range(5)), return_exceptions=True
    )
    assert taken.count("") <= 1
    assert all(result == "" or isinstance(result, RefusedError) for result in taken)
    assert len(list(tmp_path.iterdir())) == taken.count("")


async def test_one_that_was_left_behind_counts_for_so_long_only(
    reach: FleetReach, tmp_path: Path
) -> None:
    assert await lock(reach, tmp_path / "a").take() == ""
    [left] = tmp_path.iterdir()
    ago = time.time() - (LASTS_MIN - 1) * 60
    os.utime(left, (ago, ago))
    with pytest.raises(RefusedError):
        await lock(reach, tmp_path / "a").take()
    ago = time.time() - (LASTS_MIN + 1) * 60
    os.utime(left, (ago, ago))
    assert await lock(reach, tmp_path / "a").take() == ""
    assert not left.exists()


async def test_what_another_wrote_is_only_text(reach: FleetReach, tmp_path: Path) -> None:
    other = tmp_path / "a.other"
    other.mkdir()
    (other / "who").write_bytes(b"\x1b]0;owned\x07$(touch owned)\n\xff" + b"x" * 10_000)
    with pytest.raises(RefusedError) as caught:
        await lock(reach, tmp_path / "a", 'it\'s "me"; $(touch owned)').take()
    assert str(caught.value).isprintable()
    assert "$(touch owned)" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.other"]


async def test_a_host_that_takes_no_lock_says_why(reach: FleetReach, tmp_path: Path) -> None:
    assert "mkdir" in await lock(reach, tmp_path / "none" / "a").take()
    assert "h1" in await FleetLock(reach, Lock(("h1",), str(tmp_path / "a")), "me").take()
