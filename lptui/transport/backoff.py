"""When to try again: exponential back-off with jitter, so that a dead host costs nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from lptui.clock import Clock
from lptui.errors import TransportError

STABLE_S = 10.0
"""A connection that lived so long clears the record of failures."""


@dataclass(slots=True)
class Backoff:
    """The failures of one host and the earliest time of the next attempt.

    The n-th failure in a row delays by `first_s` * 2**(n-1), at most `longest_s`, times a random
    factor between 0.5 and 1.
    """

    clock: Clock
    first_s: float = 1.0
    longest_s: float = 60.0
    random: random.Random = field(default_factory=random.Random)
    failures: int = 0
    retry_at: float = 0.0
    last: TransportError | None = None

    def check(self) -> None:
        """Raises the last error again while it is too early for another attempt."""
        if self.last is not None and self.clock.monotonic() < self.retry_at:
            raise again(self.last)

    def failed(self, error: TransportError) -> None:
        """Records a failure."""
        self.failures += 1
        delay = min(self.longest_s, self.first_s * 2.0 ** min(self.failures - 1, 16))
        self.retry_at = self.clock.monotonic() + delay * self.random.uniform(0.5, 1.0)
        self.last = error

    def succeeded(self) -> None:
        """Clears the record."""
        self.failures = 0
        self.retry_at = 0.0
        self.last = None

    def retry_now(self) -> None:
        """The next attempt may be made at once: the operator asked for it."""
        self.retry_at = 0.0


def again(error: TransportError) -> TransportError:
    """A fresh copy of an error, for one more waiter (a raised error collects tracebacks)."""
    return type(error)(error.what, error.why, error.remedy, kind=error.kind)
