"""Amounts followed from look to look, and how long a balance lasts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lptui.fleet.facts.money import Flow
from lptui.fleet.flows import (
    LEAST_ROUNDS,
    MOST_ROUNDS,
    PATIENCE_S,
    Basis,
    burn,
    runway,
    watched,
    whole_rounds,
)
from lptui.fleet.units import Round, Wei

LENGTH = 1000.0
CALL = Wei(70)


@dataclass
class Account:
    """An account that is looked at."""

    amount: int = 10_000
    nonce: int = 0
    at: float = 0.0
    flow: Flow | None = None

    def look(
        self, number: int, *, after: float, spent: int = 0, paid_in: int = 0, sent: int = 0
    ) -> Account:
        self.amount += paid_in - spent
        self.nonce += sent
        self.at += after
        self.flow = watched(self.flow, self.amount, Round(number), self.at, self.nonce)
        return self

    @property
    def known(self) -> Flow:
        assert self.flow is not None
        return self.flow


@pytest.mark.parametrize(
    ("spent", "moved"), [(200, 0), (201, 201)], ids=["what it may cost", "more than that"]
)
def test_what_is_sent_elsewhere_is_no_cost(spent: int, moved: int) -> None:
    first = watched(None, 10_000, Round(7), 0.0, 3)
    part = watched(first, 10_000 - spent, Round(7), 60.0, 5, dearest=100).rounds[-1]
    assert (part.moved, part.down) == (moved, spent - moved)
    assert (part.transactions, part.hidden) == (2, 2 if moved else 0)
    blind = watched(first, 10_000 - spent, Round(7), 60.0, 5).rounds[-1]
    assert (blind.moved, blind.down) == (0, spent), "no prices are known"


def test_a_transfer_does_not_shorten_the_runway() -> None:
    flow: Flow | None = None
    balance, nonce = 100_000, 0
    for number in range(100, 106):
        for part in range(2):
            at = (number - 100) * LENGTH + part * LENGTH * 0.9
            flow = watched(flow, balance, Round(number), at, nonce, dearest=50)
            balance, nonce = balance - 10, nonce + 1
        balance -= 20_000 if number == 103 else 0
    assert flow is not None
    found = burn(flow, LENGTH)
    assert found is not None
    assert found[0] <= 40


def rounds(spent: list[int]) -> Account:
    """Each round is watched from its beginning to its end, and so much is spent in it."""
    account = Account().look(100, after=0)
    for number, amount in enumerate(spent, 100):
        account.look(number, after=LENGTH * 0.9, spent=amount, sent=1)
        account.look(number + 1, after=LENGTH * 0.1)
    return account


def test_a_top_up_hides_no_burn() -> None:
    account = rounds([50, 60, 70])
    account.look(103, after=1, paid_in=100_000)
    assert burn(account.known, LENGTH) == (70, 3)


def test_what_is_spent_beside_a_top_up_is_taken_at_the_mean_cost() -> None:
    account = rounds([50, 60, 70])
    account.look(103, after=LENGTH * 0.9, spent=55, paid_in=100_000, sent=1)
    account.look(104, after=LENGTH * 0.1)
    [*_, last] = whole_rounds(account.known, LENGTH)
    assert (last.down, last.hidden) == (0, 1)
    measured = burn(account.known, LENGTH)
    assert measured is not None
    assert measured[1] == 4
    assert measured[0] == 70


def test_one_dear_round_in_twenty_does_not_count() -> None:
    assert burn(rounds([10] * 19 + [900]).known, LENGTH) == (10, 20)
    assert burn(rounds([10] * 5 + [900]).known, LENGTH) == (900, 6)


def test_too_few_rounds_measure_nothing() -> None:
    assert burn(rounds([10] * (LEAST_ROUNDS - 1)).known, LENGTH) is None
    assert burn(rounds([10] * LEAST_ROUNDS).known, LENGTH) is not None


def test_a_round_that_was_seen_in_part_is_no_whole_one() -> None:
    account = Account().look(100, after=0).look(100, after=LENGTH * 0.5, spent=10)
    account.look(101, after=1).look(101, after=LENGTH * 0.9).look(102, after=1)
    assert [part.round for part in whole_rounds(account.known, LENGTH)] == [101]


def test_what_moved_while_nobody_looked_is_shared_among_its_rounds() -> None:
    account = Account().look(100, after=0).look(105, after=5 * LENGTH, spent=103, sent=5)
    parts = account.known.rounds[1:]
    assert [part.round for part in parts] == [101, 102, 103, 104, 105]
    assert sum(part.down for part in parts) == 103
    assert max(part.down for part in parts) - min(part.down for part in parts) <= 4
    assert {part.transactions for part in parts} == {1}


def test_an_endpoint_that_is_behind_tells_nothing() -> None:
    account = rounds([10, 10, 10])
    before = account.known
    assert watched(before, 0, Round(102), account.at + 1, account.nonce) is before
    assert watched(before, 0, Round(103), account.at + 1, account.nonce - 1) is before
    anew = watched(before, 5, Round(1), account.at + PATIENCE_S, 0)
    assert (anew.amount, len(anew.rounds)) == (5, 1)


def test_the_measured_burn_comes_before_the_price() -> None:
    flow = rounds([50, 60, 70]).known
    found = runway(700, flow, LENGTH, CALL, Wei(90))
    assert found is not None
    assert (found.rounds, found.basis, found.over) == (10, Basis.MEASURED, 3)
    assert found.days(86_400.0) == 10


@pytest.mark.parametrize(
    ("price", "paid", "rounds_left", "basis"),
    [
        (70, None, 10, Basis.PRICE),
        (70, 35, 10, Basis.PRICE),
        (70, 140, 5, Basis.PAID),
        (0, None, None, Basis.PRICE),
        (None, 70, 10, Basis.PAID),
    ],
)
def test_without_a_burn_the_dearer_of_two_calls_counts(
    price: int | None, paid: int | None, rounds_left: int | None, basis: Basis
) -> None:
    a_call = None if price is None else Wei(price)
    found = runway(700, None, LENGTH, a_call, None if paid is None else Wei(paid))
    assert found is not None
    assert (found.rounds, found.basis) == (rounds_left, basis)


def test_nothing_known_is_nothing_told() -> None:
    assert runway(700, None, LENGTH, None, None) is None


def test_an_idle_key_is_not_said_to_last_for_ever() -> None:
    found = runway(700, rounds([0, 0, 0]).known, LENGTH, CALL, None)
    assert found is not None
    assert (found.rounds, found.basis) == (10, Basis.PRICE)


LOOKS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 10**24), st.integers(0, 3), st.floats(0, 10_000)),
    max_size=60,
)


@given(LOOKS)
def test_what_is_counted_is_what_the_amount_did(looks: list[tuple[int, int, int, float]]) -> None:
    flow: Flow | None = None
    number, nonce, at = 7, 0, 0.0
    begun = 0
    for ahead, amount, sent, after in looks:
        number, nonce, at = number + ahead, nonce + sent, at + after
        flow = watched(flow, amount, Round(number), at, nonce)
        if len(flow.rounds) == 1 and flow.rounds[0].seconds == 0.0:
            begun = flow.amount
        assert len(flow.rounds) <= MOST_ROUNDS
        numbers = [part.round for part in flow.rounds]
        assert numbers == sorted(set(numbers))
        assert all(part.down >= 0 and part.up >= 0 and part.hidden >= 0 for part in flow.rounds)
        if len(flow.rounds) < MOST_ROUNDS:
            moved = sum(part.up - part.down for part in flow.rounds)
            assert moved == flow.amount - begun
