"""What holds for every kind of move."""

from __future__ import annotations

import pytest

from lptui.actions.moves.move import Looking, Move
from lptui.actions.moves.registry import MOVES

CHANGING = ("make", "unmake")


@pytest.mark.parametrize("move", MOVES.values(), ids=list(MOVES))
def test_only_what_changes_nothing_may_be_left_when_no_further_step_is_wanted(move: Move) -> None:
    inherited = [getattr(type(move), name) is getattr(Looking, name) for name in CHANGING]
    assert isinstance(move, Looking) is all(inherited)
