"""A run that is cancelled has no write under way: who reads its record next finds all of it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from lptui.actions.on_disk import on_disk
from tests.waiting import until


async def test_what_the_write_returns_is_returned() -> None:
    assert await on_disk(max, 1, 2) == 2


async def test_what_the_write_raises_is_raised() -> None:
    with pytest.raises(FileNotFoundError):
        await on_disk(open, "/does/not/exist")


async def test_cancelled_it_ends_after_the_write() -> None:
    begun, disk, written = threading.Event(), threading.Event(), []

    def write() -> None:
        begun.set()
        disk.wait(20)
        written.append("all of it")

    run = asyncio.create_task(on_disk(write))
    await until(begun.is_set)
    run.cancel()
    ended, _ = await asyncio.wait([run], timeout=0.05)
    assert not ended
    disk.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert written == ["all of it"]
