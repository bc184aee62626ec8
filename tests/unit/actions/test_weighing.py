"""Weights from capacity: what holds for every pool, and some pools by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lptui.actions.weighing import (
    LEAST,
    RELATIVE,
    Load,
    Weighed,
    aims,
    reweighed,
    shares,
    typical,
    worth,
)

HALF, ANY = Fraction(1, 2), Fraction(1000)
HEAVIEST = 256


def pool(*servers: tuple[int, int | None]) -> list[Weighed]:
    """Servers a, b, c… of these weights and worths."""
    return [
        Weighed("abcdefghijkl"[at], weight, None if value is None else Fraction(value))
        for at, (weight, value) in enumerate(servers)
    ]


def new(servers: list[Weighed], most: Fraction = HALF, heaviest: int = HEAVIEST) -> list[int]:
    return list(reweighed(servers, most=most, heaviest=heaviest).values())


def weighed(servers: list[Weighed], weights: dict[str, int]) -> list[Weighed]:
    return [replace(one, weight=weights[one.name]) for one in servers]


def error(servers: list[Weighed]) -> Fraction:
    """How far the measured ones are from their aims, among themselves."""
    has = shares({one.name: one.weight for one in servers if one.worth is not None})
    return max(abs(has[name] - aim) for name, aim in aims(servers).items())


def is_right(servers: list[Weighed]) -> bool:
    has = shares({one.name: one.weight for one in servers if one.worth is not None})
    wanted = aims(servers)
    return all(abs(has[n] - wanted[n]) <= max(LEAST, RELATIVE * wanted[n]) for n in wanted)


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        # As it should be, and near enough to it.
        ([(10, 5), (10, 5)], [10, 10]),
        ([(100, 10), (100, 9), (100, 10)], [100, 100, 100]),
        # One has twice the capacity: the steps are bounded, and reach it in the next run.
        ([(100, 20), (100, 10)], [133, 67]),
        ([(100, 40), (100, 10)], [150, 50]),
        # One of many can less: only that one is changed.
        ([(100, 20), (100, 40), (100, 40), (100, 40)], [50, 100, 100, 100]),
        ([(100, 8), *[(100, 16)] * 9], [50, *[100] * 9]),
        # Weights of 1 are too coarse: all are multiplied.
        ([(1, 3), (1, 2), (1, 2)], [5, 3, 3]),
        # A new server at weight 1 takes its part step by step.
        ([(100, 10), (100, 10), (1, 10)], [100, 100, 2]),
        # Who is not measured keeps its weight.
        ([(100, 20), (100, 10), (50, None)], [133, 67, 50]),
        ([(1, 20), (1, 10), (1, None)], [4, 2, 3]),
        # One that is measured has nobody to be measured against.
        ([(10, 5), (10, None)], [10, 10]),
        # At the top all are made lighter.
        ([(256, 20), (256, 10)], [256, 128]),
        # Beside one that may not change, no whole weights are near enough: left alone.
        ([(200, None), (1, 3), (1, 2)], [200, 1, 1]),
    ],
)
def test_pools_by_hand(servers: list[tuple[int, int | None]], expected: list[int]) -> None:
    assert new(pool(*servers)) == expected


@pytest.mark.parametrize(
    ("load", "value"),
    [
        (Load(10), 10),
        (Load(10, used=0), 10),
        (Load(10, used=2), 10),
        (Load(10, used=5), 5),
        (Load(10, used=10), Fraction(10, 4)),
        (Load(10, used=12), Fraction(10, 4)),
        (Load(0, used=0), 1),
        (Load(10, used=0, encoder=50.0), 5),
        (Load(10, used=8, encoder=50.0), Fraction(10, 4)),
        (Load(10, latency_s=1.0), 10),
        (Load(10, latency_s=0.5), 10),
        (Load(10, latency_s=1.5), Fraction(30, 4)),
        (Load(10, latency_s=50.0), 5),
        (Load(10, latency_s=0.0), 10),
        (Load(10, encoder=float("nan"), latency_s=float("inf")), 10),
    ],
)
def test_what_a_node_is_worth_where_others_take_a_second(load: Load, value: Fraction) -> None:
    assert worth(load, 1.0) == value


def test_the_typical_latency_is_somebodys_own() -> None:
    assert typical([3.0, 1.0, 2.0]) == 2.0
    assert typical([4.0, 1.0, 2.0, 3.0]) == 2.0
    assert typical([float("nan"), 0.0]) is None


WORTHS = st.one_of(st.none(), st.integers(1, 200).map(lambda value: Fraction(value, 4)))
POOLS = st.lists(st.tuples(st.integers(1, HEAVIEST), WORTHS), min_size=1, max_size=10).map(
    lambda servers: pool(*servers)  # type: ignore[arg-type]
)
MEASURED = st.lists(
    st.tuples(st.integers(1, HEAVIEST), st.integers(1, 200)), min_size=2, max_size=10
).map(lambda servers: pool(*servers))
MOSTS = st.sampled_from([Fraction(1, 10), HALF, Fraction(1), ANY])


@given(POOLS, MOSTS)
def test_shares_are_a_whole_and_weights_are_allowed(servers: list[Weighed], most: Fraction) -> None:
    weights = reweighed(servers, most=most, heaviest=HEAVIEST)
    assert list(weights) == [one.name for one in servers]
    assert all(1 <= weight <= HEAVIEST for weight in weights.values())
    assert sum(shares(weights).values()) == 1
    assert reweighed(servers, most=most, heaviest=HEAVIEST) == weights


@given(POOLS, MOSTS)
def test_nothing_is_changed_without_need(servers: list[Weighed], most: Fraction) -> None:
    now = {one.name: one.weight for one in servers}
    if len(aims(servers)) < 2 or is_right(servers):
        assert reweighed(servers, most=most, heaviest=HEAVIEST) == now


@given(POOLS, MOSTS)
def test_who_is_not_measured_keeps_its_part(servers: list[Weighed], most: Fraction) -> None:
    weights = reweighed(servers, most=most, heaviest=HEAVIEST)
    before, after = shares({one.name: one.weight for one in servers}), shares(weights)
    for one in servers:
        if one.worth is None:
            slack = max(LEAST, RELATIVE * before[one.name])
            assert abs(after[one.name] - before[one.name]) <= slack


@given(MEASURED)
def test_a_step_is_bounded(servers: list[Weighed]) -> None:
    weights = reweighed(servers, most=HALF, heaviest=HEAVIEST)
    before = shares({one.name: one.weight for one in servers})
    after = shares(weights)
    whole = sum(weights.values())
    for name, share in before.items():
        # Half of itself, one whole weight, and what the others' rounding shifts.
        slack = Fraction(1 + len(servers), whole) + RELATIVE * after[name]
        assert HALF * share - slack <= after[name] <= (1 + HALF) * share + slack


@given(POOLS, st.sampled_from([HALF, Fraction(1)]))
def test_runs_come_nearer_each_time_and_come_to_an_end(
    servers: list[Weighed], most: Fraction
) -> None:
    for _ in range(200):
        weights = dict(reweighed(servers, most=most, heaviest=HEAVIEST))
        after = weighed(servers, weights)
        if after == servers:
            return
        servers = after
    raise AssertionError("it does not settle")


@given(POOLS)
def test_planned_again_with_the_same_load_it_changes_nothing(servers: list[Weighed]) -> None:
    """Where no step was cut short."""
    once = weighed(servers, dict(reweighed(servers, most=ANY, heaviest=HEAVIEST)))
    assert reweighed(once, most=ANY, heaviest=HEAVIEST) == {one.name: one.weight for one in once}


@given(st.integers(1, HEAVIEST), st.lists(st.integers(1, 200), min_size=2, max_size=8), MOSTS)
def test_who_can_more_never_gets_less(weight: int, worths: list[int], most: Fraction) -> None:
    """Of servers with one weight."""
    servers = pool(*((weight, value) for value in worths))
    weights = reweighed(servers, most=most, heaviest=HEAVIEST)
    ordered = sorted(servers, key=lambda one: (one.worth or 0, weights[one.name]))
    assert [weights[one.name] for one in ordered] == sorted(weights.values())


@given(MEASURED, st.integers(1, 100))
def test_an_aim_grows_with_capacity(servers: list[Weighed], more: int) -> None:
    first = servers[0]
    richer = [replace(first, worth=(first.worth or Fraction(0)) + more), *servers[1:]]
    before, after = aims(servers), aims(richer)
    assert after[first.name] > before[first.name]
    assert all(after[one.name] < before[one.name] for one in servers[1:])


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 150), st.floats(0, 100), st.data())
@settings(max_examples=50)
def test_more_free_is_worth_more(
    cap: int, more: int, used: int, encoder: float, data: st.DataObject
) -> None:
    latency = data.draw(st.floats(0.01, 100))
    load = Load(cap, used, encoder, latency)
    assert worth(replace(load, cap=cap + more), 1.0) >= worth(load, 1.0)
    assert worth(replace(load, used=used + more), 1.0) <= worth(load, 1.0)
    assert worth(replace(load, latency_s=latency + more), 1.0) <= worth(load, 1.0)
    assert worth(load, 1.0) > 0
