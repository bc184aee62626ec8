"""Every action that there is. A new one is one file and one line here."""

from __future__ import annotations

from lptui.actions.declared import Declared
from lptui.actions.drain import Drain
from lptui.actions.failover import Failover
from lptui.actions.initialize_round import InitializeRound
from lptui.actions.move_transcoder import MoveTranscoder
from lptui.actions.node_settings import SetLogLevel, SetMaxGasPrice, SetMaxSessions
from lptui.actions.rebalance import Rebalance
from lptui.actions.restart import Restart
from lptui.actions.reward import Reward
from lptui.actions.set_reward_caller import SetRewardCaller
from lptui.actions.spec import Action
from lptui.actions.undrain import Undrain
from lptui.fleet.topology import Fleet

ACTIONS: tuple[Action, ...] = (
    Reward(),
    InitializeRound(),
    SetRewardCaller(),
    Drain(),
    Undrain(),
    Failover(),
    Rebalance(),
    MoveTranscoder(),
    Restart(),
    SetMaxGasPrice(),
    SetMaxSessions(),
    SetLogLevel(),
)


def actions_of(fleet: Fleet) -> tuple[Action, ...]:
    """All actions that there are in a fleet: those that its operator declared come last."""
    return (*ACTIONS, *(Declared(command) for command in fleet.commands.values()))


def action(name: str, fleet: Fleet | None = None) -> Action | None:
    """An action by its id, which is also its verb on the command line; `fleet` has more."""
    known = ACTIONS if fleet is None else actions_of(fleet)
    return next((item for item in known if item.spec.id == name), None)
