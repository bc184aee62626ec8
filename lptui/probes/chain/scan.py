"""Reads logs range by range, as much at once as the endpoint gives.

Providers cap the range or the number of results, in as many words as there are providers; a
node may have pruned what is old. So any refusal of a range is answered by a shorter one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from lptui.clock import Clock
from lptui.errors import (
    BadAnswerError,
    HttpError,
    LptuiError,
    ProblemKind,
    RpcError,
    TransportError,
)
from lptui.probes.chain.client import ask
from lptui.transport.protocols import Call, JsonRpc

REQUESTS: Final = 16
"""Requests of one cycle: old logs are fetched little by little, cycle by cycle."""

RANGES_AT_ONCE: Final = 16
"""Ranges in one request, once the endpoint has shown that it gives ranges of that length."""

SHORTEST: Final = 250
"""Blocks of the shortest range that is tried; a refusal of that is taken as final."""

REQUEST_S: Final = 3.0
"""The most that one request may take of a cycle's time: a huge range may be too much work."""

_GROUPED: Final = re.compile(r"(?<=\d)[,_](?=\d{3})")
_LIMIT: Final = re.compile(r"(?<![\w.])(\d{1,8})\s?(k\b)?", re.IGNORECASE)
_LIMIT_EXCEEDED: Final = -32005
"""Of too many requests (EIP-1474), and just as well of too many blocks or results."""
_OF_THE_RANGE: Final = re.compile(r"\b(block|result|range|log)s?\b", re.IGNORECASE)
_NOT_THE_RANGE: Final = frozenset({ProblemKind.RATE_LIMITED, ProblemKind.BAD_ANSWER})
_REFUSING: Final = frozenset({400, 413, 422})

Range = tuple[int, int]
"""First and last block."""


T = TypeVar("T")
P_co = TypeVar("P_co", covariant=True)


class LogQuery(Protocol[P_co]):
    """What to ask of a range of blocks, and how its answer is read."""

    def call(self, first: int, last: int) -> Call: ...

    def parse(self, result: object) -> P_co:
        """Raises BadAnswerError."""
        ...


@dataclass(slots=True)
class Scan(Generic[T]):
    """One cycle's reading of logs from one endpoint.

    Attributes:
        window: the longest range to ask for at once; shrinks when the endpoint refuses.
        proven: the endpoint has given a range of that length; `refused`: it refused one.
        failure: why the scan had to stop before its end.
        also: other calls that go along with the first request; `answers` what came of them.
    """

    rpc: JsonRpc
    query: LogQuery[T]
    clock: Clock
    end: float
    window: int
    proven: bool = False
    requests: int = REQUESTS
    parts: list[T] = field(default_factory=list)
    failure: LptuiError | None = None
    refused: bool = False
    also: Sequence[Call] = ()
    answers: list[Any] = field(default_factory=list)

    async def up(self, first: int, last: int) -> int:
        """Reads from `first` towards `last`; the last block whose logs were read."""
        reached = first - 1
        while reached < last and self._may_go_on():
            ranges: list[Range] = []
            start = reached + 1
            while start <= last and len(ranges) < self._at_once():
                ranges.append((start, min(start + self.window - 1, last)))
                start = ranges[-1][1] + 1
            done = await self._read(ranges)
            reached = ranges[done - 1][1] if done else reached
        return reached

    async def down(
        self, last: int, first: int, is_enough: Callable[[T], bool] = lambda _: False
    ) -> int:
        """Reads from `last` back to `first`, or until a range had what was looked for; the first
        block whose logs were read."""
        reached = last + 1
        while reached > first and self._may_go_on():
            ranges: list[Range] = []
            stop = reached - 1
            while stop >= first and len(ranges) < self._at_once():
                ranges.append((max(stop - self.window + 1, first), stop))
                stop = ranges[-1][0] - 1
            done = await self._read(ranges)
            reached = ranges[done - 1][0] if done else reached
            if any(is_enough(part) for part in self.parts):
                break
        return reached

    def _at_once(self) -> int:
        return RANGES_AT_ONCE if self.proven else 1

    def _may_go_on(self) -> bool:
        return (
            self.failure is None and self.requests > 0 and self.clock.monotonic() < self.end - 0.1
        )

    async def _read(self, ranges: Sequence[Range]) -> int:
        """Asks for ranges in one request; how many of them, from the first on, were given."""
        self.requests -= 1
        seconds = min(REQUEST_S, max(0.1, self.end - self.clock.monotonic()))
        also = () if self.answers else self.also
        calls = [*also, *(self.query.call(*span) for span in ranges)]
        try:
            found = await ask(self.rpc, calls, seconds)
        except TransportError as error:
            self._shorten(error, ranges[0])
            return 0
        self.answers += found[: len(also)]
        results = found[len(also) :]
        for done, (span, result) in enumerate(zip(ranges, results, strict=True)):
            if isinstance(result, RpcError):
                self._shorten(result, span)
                return done
            try:
                self.parts.append(self.query.parse(result))
            except BadAnswerError as error:
                self.failure = error
                return done
            self.proven = self.proven or span[1] - span[0] + 1 == self.window
        return len(ranges)

    def _shorten(self, error: LptuiError, span: Range) -> None:
        """Shorter ranges from now on, or the end of this scan."""
        length = span[1] - span[0] + 1
        if length <= SHORTEST or not _is_about_the_range(error):
            self.failure = error
            return
        self.window = max(SHORTEST, min(length // 2, limit_in(error.why, length)))
        self.proven = False
        self.refused = True


def limit_in(text: str, length: int) -> int:
    """The range that a refusal's text allows, as far as it names one; else a quarter."""
    numbers = [
        int(match[1]) * (1000 if match[2] else 1)
        for match in _LIMIT.finditer(_GROUPED.sub("", text))
    ]
    return max((n for n in numbers if SHORTEST <= n < length), default=length // 4)


def _is_about_the_range(error: LptuiError) -> bool:
    if isinstance(error, RpcError):
        if error.code == _LIMIT_EXCEEDED and _OF_THE_RANGE.search(error.why):
            return True
        return error.kind not in _NOT_THE_RANGE and error.code != -32601
    if isinstance(error, HttpError):
        return error.status in _REFUSING or error.kind is ProblemKind.OUTPUT_TOO_LARGE
    return error.kind is ProblemKind.TIMEOUT
