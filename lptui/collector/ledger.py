"""The readings as they come in; the one mutable thing between probes and snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from lptui.errors import Problem
from lptui.fleet.duty import with_rest
from lptui.fleet.reading import Key, Reading
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet
from lptui.probes.probe import Answer


class Ledger:
    """Holds the newest reading of each key and makes snapshots of them.

    `remembered` are readings to begin with: without a value, but with what earlier runs knew as
    their last good one.
    """

    def __init__(
        self,
        fleet: Fleet,
        expected: Iterable[Key],
        remembered: Mapping[Key, Reading[object]] = MappingProxyType({}),
    ) -> None:
        self._fleet = fleet
        self._readings: dict[Key, Reading[object]] = dict(remembered)
        self._missing = set(expected)
        self._number = 0
        self.snapshot = Snapshot(fleet, MappingProxyType(dict(remembered)))

    def record(
        self,
        answers: Sequence[Answer],
        *,
        source: str,
        taken_at: float,
        took_s: float,
        interval_s: float,
    ) -> None:
        """Enters a probe's answers; a failed one keeps the last good reading beside it."""
        for answer in answers:
            before = self._readings.get(answer.key)
            last_good = None
            if answer.problem is not None and before is not None:
                last_good = before if before.problem is None else before.last_good
            self._readings[answer.key] = Reading(
                value=answer.value,
                problem=answer.problem,
                source=source,
                taken_at=taken_at,
                took_s=took_s,
                interval_s=interval_s,
                last_good=last_good,
            )
            self._missing.discard(answer.key)

    def fail(
        self,
        keys: Sequence[Key],
        problem: Problem,
        *,
        source: str,
        taken_at: float,
        took_s: float,
        interval_s: float,
    ) -> None:
        """Enters the same problem for all of a probe's keys."""
        self.record(
            [Answer(key, problem=problem) for key in keys],
            source=source,
            taken_at=taken_at,
            took_s=took_s,
            interval_s=interval_s,
        )

    def forget_unasked(self) -> None:
        """Lets go of what was remembered and nobody has asked for since."""
        self._readings = {
            key: reading for key, reading in self._readings.items() if reading.taken_at
        }

    def rescale(self, fleet: Fleet) -> None:
        """Goes on with changed intervals; hosts and nodes must be the same."""
        self._fleet = fleet

    def publish(self, now: float) -> Snapshot:
        """A new snapshot of all readings; the earlier ones stay as they were."""
        self._number += 1
        snapshot = Snapshot(
            fleet=self._fleet,
            readings=MappingProxyType(dict(self._readings)),
            taken_at=now,
            number=self._number,
            complete=not self._missing,
        )
        self.snapshot = with_rest(snapshot, self.snapshot)
        return self.snapshot


def with_fast_interval(fleet: Fleet, seconds: float) -> Fleet:
    """The same fleet with another pace for its fast readings."""
    return replace(fleet, intervals=replace(fleet.intervals, fast=seconds))
