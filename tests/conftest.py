"""What holds for all tests."""

from __future__ import annotations

import gc
import signal
import sys

from hypothesis import settings

# How long an example takes says how busy the machine is, not whether a parser is right.
settings.register_profile("lptui", deadline=None)
settings.load_profile("lptui")

# Begun in the background by a shell, the tests and all that they start would ignore Ctrl+C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_LIMIT = sys.getrecursionlimit()


def pytest_collection_finish() -> None:
    """Once all test modules are loaded."""
    # Libraries that they import raise it so far that deep nesting ends the process.
    sys.setrecursionlimit(_LIMIT)
    # What stays to the end is not searched for reference cycles again and again.
    gc.collect()
    gc.freeze()
