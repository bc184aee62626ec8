"""Bounded series of figures, filled from snapshots; for sparklines, charts and trends.

Times are UTC seconds. A reading that failed leaves a gap (None), so that a line never bridges
what was not seen. Money is kept as integers of wei.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.facts.chain import GasPrices, SignerAccount
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot

CAPACITY = 720
"""Points kept of each series: 24 minutes at two seconds, an hour at five."""

Figure = float | int | None
Point = tuple[float, Figure]
Extract = Callable[[str, Any, float], Iterator[tuple[str, Figure]]]


class Series:
    """One figure over time, oldest first, at most about `capacity` points."""

    __slots__ = ("_capacity", "_money", "_times", "_values")

    def __init__(self, capacity: int = CAPACITY, *, money: bool = False) -> None:
        self._capacity = capacity
        self._times = array("d")
        self._money = money
        self._values: Any = [] if money else array("d")

    def __len__(self) -> int:
        return min(len(self._times), self._capacity)

    def add(self, at: float, value: Figure) -> None:
        """Appends a point; None is a gap."""
        self._times.append(at)
        self._values.append(math.nan if value is None and not self._money else value)
        if len(self._times) >= self._capacity + self._capacity // 4:
            surplus = len(self._times) - self._capacity
            del self._times[:surplus]
            del self._values[:surplus]

    def points(self, since: float = 0.0) -> list[Point]:
        """All points from `since` on, oldest first."""
        found = []
        for index in range(
            len(self._times) - 1, max(-1, len(self._times) - self._capacity - 1), -1
        ):
            if self._times[index] < since:
                break
            value = self._values[index]
            gap = value is None or (isinstance(value, float) and math.isnan(value))
            found.append((self._times[index], None if gap else value))
        found.reverse()
        return found

    def buckets(self, width: int, window_s: float) -> list[Figure]:
        """The highest value in each of `width` equal spans that end with the newest point.

        Spans begin at multiples of their length, so that a line does not wobble while it moves.
        """
        result: list[Figure] = [None] * width
        if not self._times:
            return result
        span = window_s / width
        newest = math.floor(self._times[-1] / span)
        for at, value in self.points((newest - width + 1) * span):
            slot = width - 1 - (newest - math.floor(at / span))
            if value is not None and 0 <= slot < width:
                held = result[slot]
                result[slot] = value if held is None else max(held, value)
        return result

    def change(self) -> tuple[int, float] | None:
        """For money: what was spent (wei, falls only) and over how many seconds; None: too few.

        Rises are payments to the account and say nothing of its burn.
        """
        known = [(at, value) for at, value in self.points() if value is not None]
        if len(known) < 2:
            return None
        spent = sum(max(0, int(earlier[1]) - int(later[1])) for earlier, later in pairwise(known))
        return spent, known[-1][0] - known[0][0]


class History:
    """The series of a whole fleet, by (topic's target, figure)."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._series: dict[tuple[str, str], Series] = {}
        self._seen: dict[Key, float] = {}
        self._figures: dict[Key, set[str]] = {}

    def record(self, snapshot: Snapshot) -> None:
        """Adds what is new in a snapshot; readings seen before are passed over."""
        for key, reading in snapshot.readings.items():
            extract = _EXTRACT.get(key.topic)
            if extract is None or self._seen.get(key) == reading.taken_at or not reading.taken_at:
                continue
            self._seen[key] = reading.taken_at
            self._add(key, reading, extract)

    def get(self, target: str, figure: str) -> Series | None:
        """A series, None when nothing was ever recorded for it."""
        return self._series.get((target, figure))

    def _add(self, key: Key, reading: Reading[object], extract: Extract) -> None:
        known = self._figures.setdefault(key, set())
        found: dict[str, Figure] = dict.fromkeys(known)
        if reading.value is not None:
            found.update(extract(key.target, reading.value, reading.taken_at))
        known.update(found)
        money = key.topic in (SignerAccount, GasPrices)
        for figure, value in found.items():
            series = self._series.get((key.target, figure))
            if series is None:
                series = Series(self._capacity, money=money)
                self._series[(key.target, figure)] = series
            series.add(reading.taken_at, value)


def _vitals(_target: str, value: HostVitals, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "load", value.load_1m
    yield "cpu", value.cpu_busy
    yield "memory", value.memory_used


def _gpus(_target: str, value: HostGpus, _at: float) -> Iterator[tuple[str, Figure]]:
    for gpu in value.gpus:
        yield f"gpu{gpu.index} encoder", gpu.encoder
        yield f"gpu{gpu.index} decoder", gpu.decoder
        yield f"gpu{gpu.index} temperature", gpu.temperature_c
        yield f"gpu{gpu.index} power", gpu.power_w
        yield f"gpu{gpu.index} sessions", gpu.encoder_sessions


def _metrics(_target: str, value: NodeMetrics, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "sessions", value.current_sessions
    yield "success", None if value.success_rate is None else value.success_rate * 100
    yield "latency", value.latency_avg_s


def _head(_target: str, value: RpcHead, at: float) -> Iterator[tuple[str, Figure]]:
    yield "head age", max(0.0, at - value.head_time)
    yield "latency", value.latency_s * 1000
    yield "peers", value.peers


def _account(_target: str, value: SignerAccount, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "balance", value.balance


def _gas(_target: str, value: GasPrices, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "gas price", value.gas_price


def _balancer(_target: str, value: BalancerState, _at: float) -> Iterator[tuple[str, Figure]]:
    for server in value.servers:
        yield f"{server.backend}/{server.name} sessions", server.sessions
        yield f"{server.backend}/{server.name} share", server.share


_EXTRACT: dict[type, Extract] = {
    HostVitals: _vitals,
    HostGpus: _gpus,
    NodeMetrics: _metrics,
    RpcHead: _head,
    SignerAccount: _account,
    GasPrices: _gas,
    BalancerState: _balancer,
}
