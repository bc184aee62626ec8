"""An event loop on a thread of its own: a fleet's servers live there while tests wait."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST_S = 30.0


class Stage:
    """Runs coroutines and keeps asynchronous context managers open, for synchronous tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage", daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T], deadline_s: float = LONGEST_S) -> T:
        """The result of a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(deadline_s)

    @contextlib.contextmanager
    def holding(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Keeps something open for the length of a block."""

        async def enter() -> T:
            return await manager.__aenter__()

        async def leave() -> None:
            await manager.__aexit__(None, None, None)

        value = self.do(enter())
        try:
            yield value
        finally:
            self.do(leave())

    def close(self) -> None:
        """Ends the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LONGEST_S)
        self._loop.close()


@contextlib.contextmanager
def running_stage() -> Iterator[Stage]:
    """A stage for the length of a block."""
    stage = Stage()
    try:
        yield stage
    finally:
        stage.close()
