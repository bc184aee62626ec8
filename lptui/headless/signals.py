"""Ends in order what a signal interrupts: the first Ctrl+C between steps, where there are any."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | int | None


class Signals:
    """For the length of a block, a signal cancels the task that is in it.

    Attributes:
        came: the signals that cancelled it.
        stop: what the first Ctrl+C does instead; None for nothing else. `stopped`: it did.
    """

    def __init__(self) -> None:
        self.came: list[int] = []
        self.stop: Callable[[], None] | None = None
        self.stopped = False
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> Signals:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            handler = signal.getsignal(number)
            if handler is signal.SIG_IGN:  # nohup's
                continue
            self._before[number] = handler
            loop.add_signal_handler(number, self._come, number, task)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number, handler in self._before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)

    def _come(self, number: int, task: asyncio.Task[object] | None) -> None:
        stop, self.stop = self.stop, None
        if number == signal.SIGINT and stop is not None:
            self.stopped = True
            stop()
            return
        self.came.append(number)
        if task is not None:
            task.cancel()
