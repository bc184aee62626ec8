"""Every action that there is. A new one is one file and one line here."""

from __future__ import annotations

from lptui.actions.drain import Drain
from lptui.actions.failover import Failover
from lptui.actions.initialize_round import InitializeRound
from lptui.actions.move_transcoder import MoveTranscoder
from lptui.actions.rebalance import Rebalance
from lptui.actions.restart import Restart
from lptui.actions.reward import Reward
from lptui.actions.spec import Action
from lptui.actions.undrain import Undrain

ACTIONS: tuple[Action, ...] = (
    Reward(),
    InitializeRound(),
    Drain(),
    Undrain(),
    Failover(),
    Rebalance(),
    MoveTranscoder(),
    Restart(),
)


def action(name: str) -> Action | None:
    """An action by its id, which is also its verb on the command line."""
    return next((item for item in ACTIONS if item.spec.id == name), None)
