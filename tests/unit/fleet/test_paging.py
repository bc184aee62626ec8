"""Quiet hours by the clock on the wall, over midnight, weekends and changes of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.config.windows import local_window
from lptui.fleet.paging import Paging

BERLIN = ZoneInfo("Europe/Berlin")


def hours(*windows: str, zone: str = "Europe/Berlin") -> Paging:
    return Paging(tuple(local_window(one) for one in windows), zone)


def at(local: str, fold: int = 0) -> float:
    """UTC seconds of a time in Berlin."""
    return datetime.fromisoformat(local).replace(tzinfo=BERLIN, fold=fold).timestamp()


NIGHTS = hours("22:00-07:00", "sat sun 00:00-24:00")


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-11-25T21:59", "2026-11-25T21:59"),  # Wednesday, not yet quiet
        ("2026-11-25T22:00", "2026-11-26T07:00"),
        ("2026-11-26T06:59", "2026-11-26T07:00"),
        ("2026-11-26T07:00", "2026-11-26T07:00"),
        ("2026-11-27T22:00", "2026-11-30T07:00"),  # Friday evening until Monday
        ("2026-11-28T12:00", "2026-11-30T07:00"),
    ],
)
def test_windows_that_adjoin_are_one(local: str, until: str) -> None:
    assert NIGHTS.quiet_until(at(local)) == at(until)
    assert NIGHTS.is_quiet(at(local)) is (local != until)


def test_a_night_with_an_hour_less_and_one_with_an_hour_more() -> None:
    spring, autumn = at("2026-03-28T23:00"), at("2026-10-24T23:00")
    assert NIGHTS.quiet_until(spring) == at("2026-03-30T07:00")
    nights = hours("22:00-07:00")
    assert nights.quiet_until(spring) == spring + 7 * 3600
    assert nights.quiet_until(autumn) == autumn + 9 * 3600


def test_an_end_that_the_clock_leaps_over_is_the_first_minute_after_it() -> None:
    nights = hours("22:00-02:30")
    assert nights.quiet_until(at("2026-03-28T23:00")) == at("2026-03-29T03:00")


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    nights = hours("22:00-02:30")
    first = at("2026-10-25T02:30")
    assert nights.quiet_until(at("2026-10-24T23:00")) == first
    again = at("2026-10-25T02:10", fold=1)
    assert again > first
    assert nights.is_quiet(again)


def test_hours_without_an_end_have_none() -> None:
    always = hours("00:00-24:00", zone="UTC")
    assert always.is_quiet(0.0)
    assert always.quiet_until(0.0) is None


def test_a_time_is_told_by_the_operators_clock() -> None:
    assert NIGHTS.clock(at("2026-11-26T07:00")) == "Thu 07:00 Europe/Berlin"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))
def test_the_end_is_not_quiet_and_all_before_it_is(moment: datetime) -> None:
    now = moment.replace(tzinfo=BERLIN).timestamp()
    end = NIGHTS.quiet_until(now)
    assert end is not None
    assert not NIGHTS.is_quiet(end)
    if end > now:
        assert NIGHTS.is_quiet(end - 60.0)
        assert NIGHTS.is_quiet(now + (end - now) / 2)
    assert end - now <= timedelta(days=3).total_seconds()
