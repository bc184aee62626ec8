"""How long free space lasts: told only after hours, and of what certainly grows."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.facts.host import HostDisks, Mount
from lptui.fleet.facts.upkeep import HostGrowth, MountGrowth
from lptui.fleet.growth import LEAST_S, MOST_SPANS, SPAN_S, days_words, grown
from lptui.fleet.trend import trend

GIB = 1024**3
START = 1_800_000_000.0
HOUR = 3600.0
DAY = 24 * HOUR


def mount(free: float, *, device: str = "/dev/sdb1", size: int = 1000 * GIB) -> HostDisks:
    return HostDisks((Mount("/data", device, "xfs", size, int(size - free), int(free)),))


def followed(free: list[float], *, every_s: float = HOUR, start: float = START) -> MountGrowth:
    """What is known after readings at even times, of which each tells the free bytes."""
    found: HostGrowth | None = None
    for number, bytes_free in enumerate(free):
        found = grown(found, mount(bytes_free), start + number * every_s)
    assert found is not None
    return found.mounts[0]


def test_a_steady_growth_tells_the_day_on_which_it_is_full() -> None:
    """Twelve GiB a day, and sixty are left."""
    it = followed([(60 + 0.5 * left) * GIB for left in range(48, -1, -1)])
    assert it.days_to_full is not None
    assert it.soonest is not None
    assert it.latest is not None
    assert math.isclose(it.days_to_full, 5.0, rel_tol=0.02)
    assert it.soonest <= it.days_to_full <= it.latest
    assert it.trend is not None
    assert it.trend.rises
    assert days_words(it).startswith("5.0 days (")


def test_nothing_is_told_of_a_few_hours() -> None:
    hours = int(LEAST_S / HOUR)
    it = followed([(500 - 10 * hour) * GIB for hour in range(hours)])
    assert it.trend is None
    assert it.days_to_full is None
    assert days_words(it) == "not known yet"


def test_readings_of_two_days_that_begin_with_a_minute_are_no_trend() -> None:
    """A console that was started twice has two moments, whatever lies between them."""
    it = followed([500 * GIB, 499 * GIB, 400 * GIB], every_s=DAY)
    assert it.trend is None


def test_a_large_file_that_is_there_for_an_hour_is_no_growth() -> None:
    free = [500.0 * GIB] * 48
    free[20] = 20.0 * GIB
    free[47] = 10.0 * GIB
    it = followed(free)
    assert it.trend is not None
    assert not it.trend.rises
    assert it.days_to_full == math.inf
    assert days_words(it) == "never at this pace"


def test_a_single_step_is_no_growth() -> None:
    it = followed([600.0 * GIB] * 24 + [400.0 * GIB] * 24)
    assert it.trend is not None
    assert not it.trend.rises


def test_what_shrinks_or_stays_is_never_full() -> None:
    for step in (0.0, 1.0):
        it = followed([(500 + step * hour) * GIB for hour in range(30)])
        assert it.days_to_full == math.inf
        assert it.trend is not None
        assert not it.trend.rises


def test_another_disk_in_its_place_begins_anew() -> None:
    before = HostGrowth((followed([500.0 * GIB] * 24),))
    for other in (mount(400 * GIB, device="/dev/sdc1"), mount(400 * GIB, size=2000 * GIB)):
        [after] = grown(before, other, START + DAY).mounts
        assert len(after.samples) == 1
        assert after.trend is None


def test_a_week_is_kept() -> None:
    it = followed([500.0 * GIB] * 400)
    assert len(it.samples) == MOST_SPANS


@given(st.lists(st.tuples(st.floats(0, 30 * DAY), st.integers(0, 2**62)), min_size=1, max_size=60))
def test_whatever_is_read_whenever_leaves_spans_in_order(readings: list[tuple[float, int]]) -> None:
    """A clock that is set back, too."""
    found: HostGrowth | None = None
    for later, free in readings:
        found = grown(found, mount(free), START + later)
        [it] = found.mounts
        spans = [span for span, _ in it.samples]
        assert spans == sorted(set(spans))
        assert spans[-1] == math.floor((START + later) / SPAN_S)
        if it.days_to_full is not None and it.soonest is not None and it.latest is not None:
            assert it.soonest <= it.days_to_full <= it.latest


@given(st.floats(-1e9, 1e9), st.floats(-1e12, 1e12), st.integers(4, 40), st.data())
def test_outliers_do_not_move_a_trend(
    slope: float, start: float, count: int, data: st.DataObject
) -> None:
    """Of a straight line, one point in eight may be anything."""
    wrong = data.draw(st.sets(st.integers(0, count - 1), max_size=count // 8))
    points = [
        (float(at), data.draw(st.floats(-1e15, 1e15)) if at in wrong else start + slope * at)
        for at in range(count)
    ]
    found = trend(points)
    assert found is not None
    assert math.isclose(found.slope, slope, rel_tol=1e-6, abs_tol=1e-2)
    assert found.low <= found.slope <= found.high


def test_three_points_are_no_trend() -> None:
    assert trend([(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]) is None
