"""Who else is at the fleet, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lptui.fleet.facts.lock import FleetLocked, LockHolder
from lptui.fleet.locks import lock_path
from lptui.fleet.snapshot import Snapshot
from lptui.text import clean

if TYPE_CHECKING:
    from lptui.actions.plan import Plan

_NOTE: Final = re.compile(
    r"(?P<what>.+), by (?P<who>.+), since (?P<since>\S+), plan (?P<plan>[0-9a-f]+): (?P<steps>.*)"
)

BRIEF: Final = 60
MARK: Final = 24
"""Characters of what they do where there is a line for it, and where there is hardly room."""


def others(snapshot: Snapshot, own_run: str) -> tuple[LockHolder, ...]:
    """Those who hold the fleet's lock, without this console, whose newest run is `own_run`."""
    held = snapshot.fresh(FleetLocked, snapshot.fleet.name)
    holders = held.holders if held is not None else ()
    return tuple(one for one in holders if one.run != own_run)


def in_the_way(plan: Plan, snapshot: Snapshot, own_run: str) -> str:
    """Who else holds the lock that a plan needs, in a line; "" when nobody is known to."""
    if plan.lock is None or plan.lock.path != lock_path(snapshot.fleet):
        return ""
    return next((brief(holder) for holder in others(snapshot, own_run)), "")


def brief(holder: LockHolder) -> str:
    """`another operator is at it: ada at desk, drain for lb:web/o1 since 12:34:56Z`."""
    found = _NOTE.fullmatch(holder.note)
    if found is None:
        return f"another operator is at it: {clean(holder.note, BRIEF) or 'who left no name'}"
    since = found["since"][11:19]
    what = clean(found["what"], BRIEF)
    return f"another operator is at it: {clean(found['who'], 40)}, {what} since {since}Z"


def mark(holder: LockHolder) -> str:
    """The same for the header, where there is hardly room: `LOCKED by ada at desk: drain for…`."""
    found = _NOTE.fullmatch(holder.note)
    words = f"{found['who']}: {found['what']}" if found is not None else holder.note
    return f"LOCKED by {clean(words, MARK) or 'who left no name'}"


def whole(holder: LockHolder) -> str:
    """All of what they said, plan and steps included."""
    return f"another operator is at it: {holder.note or 'who left no name'}"
