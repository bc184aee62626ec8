"""Short pauses: Python's search for reference cycles, kept away from the keys.

To search all of a large fleet's objects holds up every key for 100 ms, and Python by itself does
so every few seconds. Nearly all that the console drops is freed without that search.
"""

from __future__ import annotations

import gc

YOUNG = 2_000
"""New objects after which these alone are searched: a millisecond's work."""

NEVER = 1_000_000

SWEEP_EVERY_S = 60.0
"""How often all objects are searched while nobody presses a key."""

SWEEP_AT_LEAST_S = 600.0
"""How often that is done even so."""

IDLE_S = 2.0


def search_only_young() -> None:
    """From now on Python searches old objects no more by itself; a `Sweeper` must."""
    gc.set_threshold(YOUNG, NEVER, NEVER)


def keep_for_good() -> None:
    """Takes all that there is now out of the search's sight; once, when all is loaded."""
    gc.collect()
    gc.freeze()


class Sweeper:
    """Says when to search all objects: between keys, once in a while. Times are monotonic."""

    def __init__(self, now: float) -> None:
        self._swept = now
        self._pressed = now

    def pressed(self, now: float) -> None:
        """A key or the mouse was used."""
        self._pressed = now

    def tick(self, now: float) -> bool:
        """Searches when it is time; True when it did."""
        since = now - self._swept
        idle = now - self._pressed >= IDLE_S
        if since < (SWEEP_EVERY_S if idle else SWEEP_AT_LEAST_S):
            return False
        self._swept = now
        gc.collect()
        return True
