"""The session of a shell over SSH, without a connection."""

from __future__ import annotations

import asyncio
from typing import Any

from lptui.transport.ssh_link import _ShellSession


class Ended:
    """A channel that the far side has closed already, as asyncssh has it."""

    def write(self, _: bytes) -> None:
        raise BrokenPipeError("Channel not open for sending")

    def abort(self) -> None:
        """There is nothing left of it."""


async def test_a_shell_that_ends_while_it_is_opened_takes_nothing_and_its_end_is_told() -> None:
    ends: list[tuple[int | None, bool]] = []
    session = _ShellSession(
        lambda pipe: pipe.write(b"N=1\n"), lambda _: None, lambda *end: ends.append(end)
    )
    channel: Any = Ended()
    session.connection_made(channel)
    await asyncio.sleep(0)
    session.connection_lost(None)
    assert ends == [(None, False)]
