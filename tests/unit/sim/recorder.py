"""A link that keeps what a simulated service writes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Recorder:
    """Stands for an SSH channel or a socket."""

    def __init__(self) -> None:
        self.sent = b""
        self.ended = ""

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.sent += data

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = self.ended or "aborted"


def spawn(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(work)
