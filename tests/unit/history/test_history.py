"""Series keep what was seen, gaps included; events begin and end."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.facts.gpu import HostGpus
from lptui.fleet.facts.host import HostVitals
from lptui.fleet.finding import Finding, Severity
from lptui.history.events import EventLog
from lptui.history.series import Figure, History, Series, Track
from tests.snapshots import REDEEMER, FleetBuilder


def finding(severity: Severity, target: str = "edge-1") -> Finding:
    return Finding("host-up", severity, "host", target, "cannot be reached")


def recorded(values: Iterable[Figure], *, capacity: int = 720, money: bool = False) -> Series:
    """One figure, read every second."""
    track = Track(capacity, money=money)
    for at, value in enumerate(values):
        track.add(float(at), {"figure": value})
    return track.series("figure") or Series((), (), capacity)


def test_a_series_keeps_no_more_than_its_capacity() -> None:
    series = recorded(range(1000), capacity=10)
    assert [value for _, value in series.points()] == list(range(990, 1000))
    assert len(series) == 10


def test_a_gap_stays_a_gap() -> None:
    series = recorded([1.0, None, 3.0])
    assert [value for _, value in series.points()] == [1.0, None, 3.0]
    assert series.buckets(3, 3.0) == [1.0, None, 3.0]


def test_money_stays_exact() -> None:
    series = recorded([10**18 + 1, 10**18 - 1, 10**19, 10**19 - 5], money=True)
    assert series.points()[0] == (0.0, 10**18 + 1)
    assert series.change() == (7, 3.0)


def test_figures_of_one_reading_begin_and_end_on_their_own() -> None:
    track = Track()
    track.add(1.0, {"first": 1.0})
    track.add(2.0, {"first": 2.0, "late": 20.0})
    track.add(3.0, {"late": 30.0})
    first, late = track.series("first"), track.series("late")
    assert first is not None
    assert late is not None
    assert first.points() == [(1.0, 1.0), (2.0, 2.0), (3.0, None)]
    assert late.points() == [(1.0, None), (2.0, 20.0), (3.0, 30.0)]
    assert track.series("never") is None


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6, width=32)), max_size=60), st.integers(1, 20))
def test_buckets_show_the_highest_of_each_span(values: list[float | None], width: int) -> None:
    series = recorded(values)
    found = series.buckets(width, float(width))
    assert len(found) == width
    expected = ([None] * width + list(values))[-width:] if values else [None] * width
    assert found == expected


def test_a_spike_survives_where_points_share_a_bucket() -> None:
    series = recorded(90.0 if at == 55 else 1.0 for at in range(100))
    assert 90.0 in series.buckets(10, 100.0)


def test_history_records_each_reading_once() -> None:
    history = History()
    builder = FleetBuilder()
    history.record(builder.snapshot())
    history.record(builder.snapshot())
    load = history.get("edge-1", "load")
    assert load is not None
    assert len(load) == 1
    balance = history.get(REDEEMER, "balance")
    assert balance is not None
    assert balance.points()[0][1] == 200_000_000_000_000_000


def test_a_failed_reading_leaves_a_gap_in_all_of_its_figures() -> None:
    history = History()
    builder = FleetBuilder()
    builder.age(HostVitals, "edge-1", 5.0).age(HostGpus, "gpu-1", 5.0)
    history.record(builder.snapshot())
    builder.fail(HostVitals, "edge-1").fail(HostGpus, "gpu-1")
    history.record(builder.snapshot())
    for target, figure in (("edge-1", "cpu"), ("edge-1", "load"), ("gpu-1", "gpu1 encoder")):
        series = history.get(target, figure)
        assert series is not None
        assert [value is None for _, value in series.points()] == [False, True]


def test_a_finding_begins_once_and_ends() -> None:
    log = EventLog()
    log.observe(100.0, [finding(Severity.CRITICAL)])
    log.observe(110.0, [finding(Severity.CRITICAL)])
    assert len(log) == 1
    log.observe(130.0, [finding(Severity.OK)])
    (event,) = log
    assert (event.began, event.ended) == (100.0, 130.0)
    assert event.text == "edge-1: cannot be reached"
    assert event.lasted(999.0) == 30.0


def test_a_finding_that_disappears_has_ended() -> None:
    log = EventLog()
    log.observe(100.0, [finding(Severity.WARNING)])
    log.observe(105.0, [])
    assert [event.ended for event in log] == [105.0]


def test_an_acknowledgement_outlives_easing_but_not_worsening_nor_the_end() -> None:
    log = EventLog()
    log.observe(1.0, [finding(Severity.CRITICAL)])
    assert log.acknowledge("host-up@edge-1")
    assert not log.acknowledge("host-up@edge-1")
    log.observe(2.0, [finding(Severity.WARNING)])
    assert log.acknowledged == {"host-up@edge-1"}
    log.observe(3.0, [finding(Severity.CRITICAL)])
    assert log.acknowledged == frozenset()
    log.acknowledge("host-up@edge-1")
    log.observe(4.0, [])
    log.observe(5.0, [finding(Severity.CRITICAL)])
    assert log.acknowledged == frozenset()


def test_the_log_forgets_the_oldest() -> None:
    log = EventLog(capacity=5)
    for number in range(20):
        log.note(float(number), str(number))
    assert [event.text for event in log] == ["15", "16", "17", "18", "19"]
    assert [event.text for event in log.latest(2)] == ["18", "19"]
    assert log.latest(0) == []
