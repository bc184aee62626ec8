"""Seeing that traffic goes by new weights: what proves it, what does not, and what cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.actions.moves import shares
from lptui.actions.moves.move import Seen, Standing
from lptui.actions.moves.shares import SharesMove, enough, tolerance
from lptui.errors import ProblemKind
from lptui.fleet.facts.balancer import AdminState, BalancerState
from lptui.fleet.snapshot import Snapshot
from tests.snapshots import FleetBuilder

WAS, TO = {"o1": 100, "o2": 100}, {"o1": 150, "o2": 50}


def snapshot(
    *totals: int | None,
    after: float = 5.0,
    algorithm: str = "roundrobin",
    weights: tuple[int, ...] = (150, 50),
    admin: AdminState = AdminState.READY,
    edited: bool | None = None,
) -> Snapshot:
    """The pool some seconds later, with these sessions counted so far."""
    fleet = FleetBuilder()
    for number, (total, weight) in enumerate(zip(totals, weights, strict=True), 1):
        fleet.change_server("front", f"o{number}", total_sessions=total, weight=weight)
    fleet.change_server("front", "o2", admin=admin)
    proxies = fleet.value(BalancerState, "front").proxies
    changed = tuple(
        replace(one, algorithm=algorithm) if one.kind == "backend" else one for one in proxies
    )
    fleet.change(BalancerState, "front", proxies=changed, edited=edited)
    fleet.now += after
    fleet.age(BalancerState, "front", 0.1)
    return fleet.snapshot()


def look(now: Snapshot, begun: Snapshot | None) -> Seen:
    balancer = now.fleet.balancers["front"]
    return SharesMove().seen(shares.step(balancer, "orchestrators", WAS, TO), now, begun)


BEGUN = snapshot(1000, 1000, after=0.0)


def test_sessions_are_waited_for_until_old_and_new_shares_can_be_told_apart() -> None:
    needed = enough(WAS, TO)
    assert needed == 108
    assert look(snapshot(1070, 1030), BEGUN) == Seen(Standing.BEFORE, "100 of 108 new sessions")
    seen = look(snapshot(1090, 1030), BEGUN)
    assert seen.standing is Standing.MADE
    assert seen.words == "of 120 new sessions: o1 75.0% of 75.0%, o2 25.0% of 25.0%"


def test_shares_as_before_are_no_proof() -> None:
    seen = look(snapshot(1060, 1060), BEGUN)
    assert seen.standing is Standing.BEFORE
    assert "o1, o2 not as expected" in seen.words


def test_what_was_counted_before_is_no_proof_either() -> None:
    assert look(snapshot(1000, 1000), BEGUN).standing is Standing.BEFORE
    assert look(snapshot(1000, 1000), None).standing is Standing.BEFORE


def test_without_traffic_it_says_so_and_goes_on() -> None:
    seen = look(snapshot(1000, 1000, after=60.1), BEGUN)
    assert seen.standing is Standing.MADE
    assert "no traffic to prove it by within 60 s" in seen.words


def test_little_traffic_is_judged_by_what_came() -> None:
    few = look(snapshot(1015, 1005, after=60.1), BEGUN)
    assert few.standing is Standing.MADE
    assert "too few to tell from before: 108 would be needed" in few.words
    assert look(snapshot(1000, 1020, after=60.1), BEGUN).standing is Standing.BEFORE


@pytest.mark.parametrize("algorithm", ["leastconn", "random", "hash $arg_id", "ip_hash"])
def test_algorithms_that_promise_no_shares_are_only_told(algorithm: str) -> None:
    seen = look(snapshot(1060, 1060, algorithm=algorithm), BEGUN)
    assert seen.standing is Standing.MADE
    assert f"{algorithm} promises no shares" in seen.words
    assert "o1 50.0% of 75.0%" in seen.words


def test_a_balancer_that_counts_no_sessions_is_told_by_its_configuration() -> None:
    seen = look(snapshot(None, None), None)
    assert seen.standing is Standing.MADE
    assert "counts no sessions of its servers; in force is o1 150, o2 50" in seen.words


def test_counters_that_began_anew_are_counted_from_there() -> None:
    assert look(snapshot(90, 30), BEGUN).standing is Standing.MADE


def test_weights_that_somebody_else_changed_are_not_ours() -> None:
    seen = look(snapshot(1090, 1030, weights=(150, 60)), BEGUN)
    assert seen.standing is Standing.OTHER
    assert "o2 has weight 60, not 50" in seen.words


def test_a_server_that_went_out_of_service_proves_nothing() -> None:
    seen = look(snapshot(1090, 1030, admin=AdminState.DRAIN), BEGUN)
    assert seen.standing is Standing.BEFORE
    assert "o2 does not serve" in seen.words


def test_a_balancer_that_cannot_be_read_is_unknown() -> None:
    fleet = FleetBuilder().fail(BalancerState, "front", ProblemKind.TIMEOUT, "no answer")
    assert look(fleet.snapshot(), BEGUN).standing is Standing.UNKNOWN


@given(st.floats(0.001, 0.999), st.integers(1, 5000))
def test_round_robin_is_always_within_the_tolerance(share: float, sessions: int) -> None:
    """It gives each server its part but for one session."""
    for count in (int(share * sessions), int(share * sessions) + 1):
        assert abs(count / sessions - share) <= tolerance(share, sessions)


@given(st.integers(1, 256), st.integers(1, 256), st.integers(1, 256))
def test_enough_is_bounded(one: int, other: int, third: int) -> None:
    assert 50 <= enough({"a": one, "b": other}, {"a": third, "b": other}) <= 2000
