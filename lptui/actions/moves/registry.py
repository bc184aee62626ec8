"""Every kind of move that there is. A new one is one file and one line here."""

from __future__ import annotations

from lptui.actions.moves.declared import DeclaredMove, UncheckedMove
from lptui.actions.moves.enablement import BootMove
from lptui.actions.moves.environment import EnvironmentMove
from lptui.actions.moves.health import HealthMove
from lptui.actions.moves.move import Move
from lptui.actions.moves.node_sessions import NodeSessionsMove
from lptui.actions.moves.node_setting import NodeSettingMove
from lptui.actions.moves.reboot import RebootMove
from lptui.actions.moves.registered import RegisteredMove
from lptui.actions.moves.rejoined import RejoinedMove
from lptui.actions.moves.reload import ReloadMove
from lptui.actions.moves.rewarded import RewardedMove
from lptui.actions.moves.running import StartMove, StopMove
from lptui.actions.moves.safe import SafeMove
from lptui.actions.moves.servers import ServersMove
from lptui.actions.moves.session_cap import SessionCapMove
from lptui.actions.moves.sessions import SessionsMove
from lptui.actions.moves.shares import SharesMove
from lptui.actions.moves.stopped import ProvedStoppedMove
from lptui.actions.moves.traffic import TrafficMove
from lptui.actions.moves.watcher import WatcherMove
from lptui.actions.moves.wellness import WellMove

MOVES: dict[str, Move] = {
    move.kind: move
    for move in (
        ServersMove(),
        SessionsMove(),
        HealthMove(),
        TrafficMove(),
        EnvironmentMove(),
        SharesMove(),
        RegisteredMove(),
        SessionCapMove(),
        NodeSessionsMove(),
        SafeMove(),
        NodeSettingMove(),
        WatcherMove(),
        StopMove(),
        StartMove(),
        BootMove(),
        ProvedStoppedMove(),
        WellMove(),
        ReloadMove(),
        RejoinedMove(),
        RewardedMove(),
        RebootMove(),
        DeclaredMove(),
        UncheckedMove(),
    )
}
