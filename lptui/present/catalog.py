"""Every pane's presenter by the pane's id."""

from __future__ import annotations

from collections.abc import Callable

from lptui.present import balancers, balances, hosts, rounds, sync, transcoders
from lptui.present.model import PaneModel
from lptui.present.view import View

PRESENTERS: dict[str, Callable[[View], PaneModel]] = {
    "rounds": rounds.present,
    "balances": balances.present,
    "transcoders": transcoders.present,
    "balancers": balancers.present,
    "sync": sync.present,
    "hosts": hosts.present,
}
