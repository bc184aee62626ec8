"""One deadline around one question to the outside world."""

from __future__ import annotations

import asyncio
from types import TracebackType

from lptui.errors import DeadlineError


class Deadline:
    """`async with Deadline("GET …", 8.0):` raises DeadlineError when the time is up."""

    __slots__ = ("_remedy", "_seconds", "_timeout", "_what")

    def __init__(self, what: str, seconds: float, remedy: str = "") -> None:
        self._what = what
        self._seconds = max(0.0, seconds)
        self._remedy = remedy
        self._timeout = asyncio.timeout(self._seconds)

    async def __aenter__(self) -> Deadline:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise late(self._what, self._seconds, self._remedy) from None


def late(what: str, seconds: float, remedy: str = "", note: str = "") -> DeadlineError:
    """The error of an answer that did not come in time."""
    why = f"no answer within {round(seconds, 2):g} s"
    return DeadlineError(what, f"{why}; {note}" if note else why, remedy)


def stopped(what: str, seconds: float) -> DeadlineError:
    """The error of a command that was ended because its time was up."""
    return late(
        what, seconds, "its outcome is unknown: look before trying again", "it was told to stop"
    )
