"""Short pauses: the garbage collector need not look again at what is kept for good.

Libraries and the first readings are some hundred thousand objects, and to search all of them for
rubbish holds up every key for 150 ms, every few seconds.
"""

from __future__ import annotations

import gc


def keep_for_good() -> None:
    """Takes all that there is now out of the collector's sight; once, when all is loaded."""
    gc.collect()
    gc.freeze()
