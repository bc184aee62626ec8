"""The fleet's lock as a second console reads it, on a real host through a real sshd."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lptui.actions.fleet_lock import FleetLock
from lptui.actions.serving import fleet_lock
from lptui.clock import SystemClock
from lptui.errors import LptuiError
from lptui.fleet.facts.lock import FleetLocked
from lptui.fleet.guards import Guards
from lptui.fleet.locks import LASTS_S, lock_path
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Host
from lptui.probes.lock import LockProbe
from lptui.probes.probe import Asking
from lptui.transport.reach import FleetReach
from tests.reaching import reach_of
from tests.sshd import Sshd, sshd

__all__ = ["sshd"]

NOTE = "drain for lb:web/o1, by ada at desk, since 2026-01-01T12:00:00.000Z, plan 0f: drain (o1)"


@pytest.fixture
async def reach(sshd: Sshd) -> AsyncIterator[FleetReach]:
    async with reach_of(sshd.ssh()) as one:
        yield one


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet whose lock nobody else uses."""
    found = Fleet(f"test {os.getpid()} {tmp_path.name}", {"h0": Host("h0", None)})
    yield found
    base = Path(lock_path(found))
    for left in base.parent.glob(f"{base.name}.*"):
        for file in left.iterdir():
            file.unlink()
        left.rmdir()


def lock(reach: FleetReach, fleet: Fleet, run: str, note: str = NOTE) -> FleetLock:
    made = fleet_lock(fleet)
    assert made is not None
    return FleetLock(reach, made, note, run)


async def read(reach: FleetReach, fleet: Fleet) -> FleetLocked:
    asking = Asking(fleet, reach, SystemClock(), Snapshot(fleet), 5.0)
    [answer] = await LockProbe().ask(asking, fleet.name)
    assert isinstance(answer.value, FleetLocked)
    return answer.value


async def test_who_holds_it_is_read_with_the_plan_until_it_is_released(
    reach: FleetReach, fleet: Fleet
) -> None:
    assert (await read(reach, fleet)).holders == ()
    held = lock(reach, fleet, "1f2e3d4c")
    assert await held.take() == ""
    [holder] = (await read(reach, fleet)).holders
    assert (holder.run, holder.note) == ("1f2e3d4c", NOTE)
    await held.release()
    assert (await read(reach, fleet)).holders == ()


async def test_one_that_was_taken_over_or_left_behind_does_not_count(
    reach: FleetReach, fleet: Fleet
) -> None:
    assert await lock(reach, fleet, "first").take() == ""
    assert await lock(reach, fleet, "second").take(steal=True) == ""
    assert [one.run for one in (await read(reach, fleet)).holders] == ["second"]
    ago = time.time() - LASTS_S - 61
    os.utime(f"{lock_path(fleet)}.second", (ago, ago))
    assert (await read(reach, fleet)).holders == ()


async def test_what_others_put_there_is_only_text_and_links_are_not_followed(
    reach: FleetReach, fleet: Fleet, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    base = lock_path(fleet)
    for name in ("link", "pipe", "bad"):
        Path(f"{base}.{name}").mkdir()
    Path(f"{base}.link/who").symlink_to(tmp_path / "secret")
    os.mkfifo(f"{base}.pipe/who")
    Path(f"{base}.bad/who").write_bytes(b"\x1b]0;owned\x07$(touch x)\n\xff" + b"x" * 10_000)
    [holder] = (await read(reach, fleet)).holders
    assert holder.run == "bad"
    assert holder.note.isprintable()
    assert holder.note.startswith("$(touch x)")
    assert len(holder.note) <= 4000


async def test_the_first_host_that_answers_is_asked(reach: FleetReach, fleet: Fleet) -> None:
    assert await lock(reach, fleet, "run").take() == ""
    found = await read(reach, replace(fleet, guards=Guards(lock_hosts=("gone", "h0"))))
    assert (found.host, len(found.holders)) == ("h0", 1)
    with pytest.raises(LptuiError, match="gone"):
        await read(reach, replace(fleet, guards=Guards(lock_hosts=("gone",))))


def test_a_demo_has_no_lock_to_look_at(fleet: Fleet) -> None:
    assert LockProbe().targets(replace(fleet, demo=True)) == ()
