"""The search for reference cycles waits for a moment without keys."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from lptui.tui.memory import IDLE_S, SWEEP_AT_LEAST_S, SWEEP_EVERY_S, Sweeper


@pytest.fixture
def searches() -> Iterator[list[int]]:
    """The generations that were searched, from now on."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            found.append(info["generation"])

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def test_all_is_searched_once_in_a_while(searches: list[int]) -> None:
    sweeper = Sweeper(0.0)
    assert not sweeper.tick(SWEEP_EVERY_S - 1)
    assert 2 not in searches
    assert sweeper.tick(SWEEP_EVERY_S)
    assert 2 in searches
    assert not sweeper.tick(SWEEP_EVERY_S + 1)
    assert sweeper.tick(2 * SWEEP_EVERY_S)


def test_not_while_keys_are_pressed_but_not_never() -> None:
    sweeper = Sweeper(0.0)
    for now in range(int(SWEEP_AT_LEAST_S)):
        sweeper.pressed(now)
        assert not sweeper.tick(now + 0.5)
    sweeper.pressed(SWEEP_AT_LEAST_S)
    assert sweeper.tick(SWEEP_AT_LEAST_S)


def test_as_soon_as_nobody_presses_any_more() -> None:
    sweeper = Sweeper(0.0)
    sweeper.pressed(SWEEP_EVERY_S)
    assert not sweeper.tick(SWEEP_EVERY_S + IDLE_S / 2)
    assert sweeper.tick(SWEEP_EVERY_S + IDLE_S)
