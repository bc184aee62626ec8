"""Only asyncio's needless warning is dropped, and only in the simulation's own thread."""

from __future__ import annotations

import logging
import threading

import pytest

from lptui.sim.quiet import quiet_writes

NOISE = "socket.send() raised exception."


def warned(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    caplog.clear()
    logging.getLogger("asyncio").warning(text)
    return bool(caplog.records)


def test_the_needless_warning_is_dropped_here_and_now_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert warned(caplog, NOISE)
    with quiet_writes():
        assert not warned(caplog, NOISE)
        assert warned(caplog, "something else")
        other = threading.Thread(target=logging.getLogger("asyncio").warning, args=(NOISE,))
        caplog.clear()
        other.start()
        other.join()
        assert len(caplog.records) == 1
    assert warned(caplog, NOISE)
