"""A fleet in production is changed only by who types its name, also without the screen."""

from __future__ import annotations

import asyncio
import os
import pty
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.forked import Console
from tests.pool import Pool, pool
from tests.sshd import Sshd, sshd
from tests.waiting import until

__all__ = ["sshd"]


@pytest.fixture
async def production(sshd: Sshd, tmp_path: Path) -> AsyncIterator[Pool]:
    async with pool(sshd, tmp_path) as one:
        one.document["production"] = True
        one.write()
        yield one


async def drain_and_type(one: Pool, answer: str) -> tuple[int, str]:
    """The exit code of a drain that is answered on a terminal, and all that it said there."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    seen = bytearray()

    def asked() -> bool:
        with suppress(BlockingIOError):
            seen.extend(os.read(ours, 4096))
        return b"production fleet, " in seen and seen.rstrip().endswith(b":")

    console = await asyncio.to_thread(
        Console,
        *("--config", str(one.config), "--headless", "drain", "lb:web/o1"),
        cwd=one.operator.home,
        environment=one.operator.environment(),
        terminal=theirs,
    )
    try:
        await until(asked, 60, "the question")
        os.write(ours, f"{answer}\n".encode())
        return await asyncio.to_thread(console.wait), seen.decode()
    finally:
        console.kill()
        os.close(ours)
        os.close(theirs)


async def test_yes_is_not_enough_and_the_name_is(production: Pool) -> None:
    name = str(production.document["name"])
    code, said = await drain_and_type(production, "yes")
    assert code == 1
    assert f"Type the name of this production fleet, {name}: " in said
    assert await production.haproxy.status("web/o1") == "UP"
    assert (await drain_and_type(production, name))[0] == 0
    assert await production.haproxy.status("web/o1") == "DRAIN"
