"""Where an orchestrator stands among those with most stake, and how safe that place is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lptui.fleet.facts.stake import StakeChange, StakeEvent, StakeHistory, TranscoderPool
from lptui.fleet.units import Address, Lptu


@dataclass(frozen=True, slots=True)
class Standing:
    """A place in the pool that the next round's active set is taken from.

    Attributes:
        place: from 1; None for an orchestrator that is not in the pool.
        size, most: members, and how many there is room for (None: not known).
        stake: its own, as the pool was read; None when it is not in the pool.
        last: the stake of the last place.
        margin: what it can lose before it has the last place's stake; 0 for the last itself, whom
            any newcomer with more stake pushes out of a full pool.
        to_pass: what those behind it must get, all together, to pass it; 0 for the last.
    """

    place: int | None
    size: int
    most: int | None
    stake: Lptu | None
    last: Lptu | None
    margin: Lptu | None
    to_pass: Lptu | None

    @property
    def is_full(self) -> bool | None:
        """Whether a newcomer pushes the last one out; None when not known."""
        return None if self.most is None else self.size >= self.most

    def short_of(self, stake: Lptu) -> Lptu | None:
        """What somebody outside with that stake lacks to get in; None when not known."""
        if self.is_full is None or (self.is_full and self.last is None):
            return None
        # Of two with one stake the one inside stays (SortedDoublyLL: more than the last's).
        return Lptu(max(0, (self.last or 0) + 1 - stake) if self.is_full else 0)


def standing(pool: TranscoderPool, address: Address) -> Standing:
    """An orchestrator's standing in a pool."""
    members = pool.members
    last = members[-1].stake if members else None
    place = pool.place(address)
    if place is None or last is None:
        return Standing(None, len(members), pool.most, None, last, None, None)
    own = members[place - 1].stake
    behind = members[place:]
    return Standing(
        place,
        len(members),
        pool.most,
        own,
        last,
        Lptu(own - last),
        Lptu(sum(own - one.stake for one in behind)),
    )


def own_locks(history: StakeHistory, address: Address) -> tuple[StakeEvent, ...]:
    """An orchestrator's own unbonding locks that its logs tell of and that are still there."""
    locks: dict[int, StakeEvent] = {}
    for event in history.events:
        if event.who != address or event.lock is None:
            continue
        if event.change is StakeChange.UNBOND:
            locks[event.lock] = event
        elif event.change in (StakeChange.REBOND, StakeChange.WITHDRAWN):
            locks.pop(event.lock, None)
    return tuple(locks.values())
