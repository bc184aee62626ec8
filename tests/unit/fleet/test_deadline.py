"""How long is left of a round, and how sure that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.deadline import MOST_SAMPLES, block_time, time_left, with_sample
from lptui.fleet.facts.chain import ChainRound
from lptui.fleet.facts.reward import L1Pace
from lptui.fleet.units import L1Block
from tests.snapshots import NETWORK, FleetBuilder

HOUR = 3600.0


def pace(*samples: tuple[float, int]) -> L1Pace:
    return L1Pace(tuple((at, L1Block(block)) for at, block in samples))


def test_what_was_not_measured_is_as_configured_and_not_quite_sure() -> None:
    found = block_time(None, 12.0)
    assert (found.seconds, found.measured) == (12.0, False)
    assert found.error_s == pytest.approx(0.24)


def test_the_length_is_that_over_all_samples() -> None:
    # An hour with 297 blocks: three slots were empty.
    found = block_time(pace((0.0, 1000), (1800.0, 1140), (HOUR, 1297)), 12.0)
    assert found.measured
    assert found.seconds == pytest.approx(HOUR / 297)
    assert found.error_s == pytest.approx(found.seconds * 10 / 297)


@pytest.mark.parametrize(
    "samples",
    [
        [(0.0, 1000)],
        [(0.0, 1000), (120.0, 1010)],  # too few blocks
        [(0.0, 1000), (HOUR, 1000)],  # the height stood still
        [(0.0, 1000), (1.0, 6000)],  # it was set
        [(0.0, 1000), (HOUR, 1060)],  # a block a minute: the view hung
    ],
)
def test_what_cannot_be_a_measurement_is_not_believed(samples: list[tuple[float, int]]) -> None:
    assert not block_time(pace(*samples), 12.0).measured


def test_the_longer_it_is_watched_the_surer_it_is() -> None:
    clock = FleetBuilder().value(ChainRound, NETWORK)
    short = time_left(clock, block_time(pace((0.0, 0), (HOUR, 300)), 12.0))
    long = time_left(clock, block_time(pace((0.0, 0), (20 * HOUR, 6000)), 12.0))
    assert short.seconds == long.seconds == clock.blocks_left * 12.0
    assert long.error_s < short.error_s
    # A clock that was read a minute ago is a minute less sure.
    later = time_left(clock, long.block, 60.0)
    assert later.error_s == pytest.approx(long.error_s + 60.0)


def test_samples_are_apart_and_of_the_last_day() -> None:
    found = pace((0.0, 10))
    found = with_sample(found, 30.0, L1Block(12))
    assert found == pace((0.0, 10))
    found = with_sample(found, 60.0, L1Block(15))
    assert found == pace((0.0, 10), (60.0, 15))
    assert with_sample(found, 90_000.0, L1Block(7515)) == pace((90_000.0, 7515))


@pytest.mark.parametrize(("at", "block"), [(120.0, 9), (30.0, 20)])
def test_a_height_or_a_clock_that_went_back_begins_anew(at: float, block: int) -> None:
    assert with_sample(pace((0.0, 10), (60.0, 15)), at, L1Block(block)) == pace((at, block))


@given(st.lists(st.floats(55.0, 7200.0), max_size=200))
def test_samples_are_bounded_and_in_order(steps: list[float]) -> None:
    found, at = L1Pace(), 0.0
    for step in steps:
        at += step
        found = with_sample(found, at, L1Block(int(at / 12)))
        assert found.samples[-1] == (at, int(at / 12))
    assert len(found.samples) <= MOST_SAMPLES
    times = [at for at, _ in found.samples]
    assert times == sorted(times)
    assert not times or times[-1] - times[0] <= 86_400.0
