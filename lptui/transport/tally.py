"""Counts what an endpoint is asked over one way, and how it answers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Final

from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.facts.rpc import RpcWay
from lptui.transport.protocols import Call

WINDOW_S: Final = 900.0
"""How far back times and failures are remembered."""

MOST: Final = 512
"""Requests that are remembered at most."""

LOGS: Final = "eth_getLogs"


class Tally:
    """Requests over one way. One request is one document sent, however many calls are in it."""

    def __init__(self, host: str = "") -> None:
        self._host = host
        self._requests = self._calls = self._log_queries = self._failed = self._limited = 0
        self._recent: deque[tuple[float, float | None]] = deque(maxlen=MOST)
        self._last_failure = ""

    @contextmanager
    def request(self, calls: Sequence[Call]) -> Iterator[None]:
        """Notes the request that is made within; one that is given up is counted, not timed."""
        self._requests += 1
        self._calls += len(calls)
        self._log_queries += sum(call.method == LOGS for call in calls)
        started = time.monotonic()
        try:
            yield
        except LptuiError as error:
            self._failed += 1
            self._limited += error.kind is ProblemKind.RATE_LIMITED
            self._last_failure = str(error)
            self._recent.append((started, None))
            raise
        self._recent.append((started, time.monotonic() - started))

    def read(self) -> RpcWay:
        """What was counted until now."""
        since = time.monotonic() - WINDOW_S
        recent = [took for at, took in self._recent if at >= since]
        times = sorted(took for took in recent if took is not None)
        return RpcWay(
            host=self._host,
            requests=self._requests,
            calls=self._calls,
            log_queries=self._log_queries,
            failed=self._failed,
            limited=self._limited,
            recent=len(recent),
            recent_failed=len(recent) - len(times),
            median_s=median(times) if times else None,
            slow_s=times[min(len(times) - 1, len(times) * 95 // 100)] if times else None,
            last_failure=self._last_failure,
        )
