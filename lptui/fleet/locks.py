"""The lock of a whole fleet: where operators' consoles keep it, and for how long it counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lptui.fleet.topology import Fleet

LASTS_S: Final = 180.0
"""After its last renewal. A console that was killed holds up others for no longer."""


MOST_HOSTS: Final = 3
"""So many hosts have it, of those that answer; with one, its reboot would let others in."""


def lock_path(fleet: Fleet) -> str:
    """What its folders begin with; each run's has an ending of its own."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", fleet.name)[:80]
    # In the folder that every login may write to, not in one that some have for themselves.
    return f"/tmp/lptui-fleet-{name}"  # noqa: S108


def lock_hosts(fleet: Fleet) -> Sequence[str]:
    """Where it may be: the first few that answer have it. () in the demo, which nobody shares."""
    if fleet.demo:
        return ()
    # What is held on this machine alone, other operators do not see.
    seen_first = sorted(fleet.hosts, key=lambda name: fleet.hosts[name].ssh is None)
    return fleet.guards.lock_hosts or tuple(seen_first)
