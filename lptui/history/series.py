"""Bounded series of figures, filled from snapshots; for sparklines, charts and trends.

Times are UTC seconds. A reading that failed leaves a gap (None), so that a line never bridges
what was not seen. Money is kept as integers of wei.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lptui.fleet.facts.balancer import BalancerState
from lptui.fleet.facts.chain import GasPrices, SignerAccount
from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.facts.livepeer import NodeMetrics
from lptui.fleet.facts.rpc import RpcHead
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot

CAPACITY = 720
"""Points kept of each series: 24 minutes at two seconds, an hour at five."""

Figure = float | int | None
Point = tuple[float, Figure]
Extract = Callable[[Any, float], Iterator[tuple[str, Figure]]]
"""A reading's figures by name. Sources whose targets may bear one name use other figure names."""


class Series:
    """One figure over time, oldest first, at most about `capacity` points; a view of a `Track`."""

    __slots__ = ("_capacity", "_times", "_values")

    def __init__(self, times: Sequence[float], values: Sequence[Figure], capacity: int) -> None:
        self._times = times
        self._values = values
        self._capacity = capacity

    def __len__(self) -> int:
        return min(len(self._times), self._capacity)

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


class Track:
    """The figures that come with one reading: they share their times.

    A figure that comes late has gaps before, one that stays away has gaps after. Figures have
    seven digits; money has them all.
    """

    __slots__ = ("_capacity", "_columns", "_money", "_times")

    def __init__(self, capacity: int = CAPACITY, *, money: bool = False) -> None:
        self._capacity = capacity
        self._money = money
        self._times = array("d")
        self._columns: dict[str, Any] = {}

    def add(self, at: float, figures: Mapping[str, Figure]) -> None:
        """Appends what was read at a time; None, and a figure that is not there, is a gap."""
        gap = None if self._money else math.nan
        for name in figures:
            if name not in self._columns:
                before = [gap] * len(self._times)
                self._columns[name] = before if self._money else array("f", before)
        self._times.append(at)
        for name, column in self._columns.items():
            value = figures.get(name)
            column.append(gap if value is None else value)
        surplus = len(self._times) - self._capacity
        if surplus >= self._capacity // 4:
            for column in (self._times, *self._columns.values()):
                del column[:surplus]

    def series(self, figure: str) -> Series | None:
        """A figure over time; None when it was never read."""
        column = self._columns.get(figure)
        return None if column is None else Series(self._times, column, self._capacity)


class History:
    """The series of a whole fleet, by (topic's target, figure)."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._tracks: dict[Key, Track] = {}
        self._of: dict[tuple[str, str], Track] = {}
        self._seen: dict[Key, float] = {}

    def record(self, snapshot: Snapshot) -> None:
        """Adds what is new in a snapshot; readings seen before are passed over."""
        for key, reading in snapshot.readings.items():
            extract = _EXTRACT.get(key.topic)
            if extract is None or self._seen.get(key) == reading.taken_at or not reading.taken_at:
                continue
            self._seen[key] = reading.taken_at
            track = self._tracks.get(key)
            if track is None:
                money = key.topic in (SignerAccount, GasPrices)
                track = self._tracks[key] = Track(self._capacity, money=money)
            value = reading.value
            found = {} if value is None else dict(extract(value, reading.taken_at))
            track.add(reading.taken_at, found)
            self._of.update(((key.target, figure), track) for figure in found)

    def get(self, target: str, figure: str) -> Series | None:
        """A series, None when nothing was ever recorded for it."""
        track = self._of.get((target, figure))
        return None if track is None else track.series(figure)


def _vitals(value: HostVitals, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "load", value.load_1m
    yield "cpu", value.cpu_busy
    yield "memory", value.memory_used


def _gpus(value: HostGpus, _at: float) -> Iterator[tuple[str, Figure]]:
    for gpu in value.gpus:
        yield f"gpu{gpu.index} encoder", gpu.encoder
        yield f"gpu{gpu.index} decoder", gpu.decoder
        yield f"gpu{gpu.index} temperature", gpu.temperature_c
        yield f"gpu{gpu.index} power", gpu.power_w
        yield f"gpu{gpu.index} sessions", gpu.encoder_sessions


def _metrics(value: NodeMetrics, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "sessions", value.current_sessions
    yield "success", None if value.success_rate is None else value.success_rate * 100
    yield "latency", value.latency_avg_s


def _head(value: RpcHead, at: float) -> Iterator[tuple[str, Figure]]:
    yield "head age", max(0.0, at - value.head_time)
    yield "answer time", value.latency_s * 1000
    yield "peers", value.peers


def _account(value: SignerAccount, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "balance", value.balance


def _gas(value: GasPrices, _at: float) -> Iterator[tuple[str, Figure]]:
    yield "gas price", value.gas_price


def _balancer(value: BalancerState, _at: float) -> Iterator[tuple[str, Figure]]:
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
