"""Runs the console on a session and ends, whatever hangs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import threading
import time
from functools import partial

from lptui.tui import memory
from lptui.tui.app import LptuiApp
from lptui.tui.session import Session

CLOSE_S = 2.0
"""How long the end of the session is waited for, the terminal being free already."""

SWITCH_S = 0.0001
"""How long a thread may keep the interpreter from the others while they wait for it.

A key is answered in some forty turns of the event loop, and each could wait that long for the
checks, which run in a thread: with Python's own 5 ms a key took 200 ms then.
"""

THREADS_S = 0.5
"""How long threads that others left running are waited for before the process ends."""


def run_app(session: Session, *, theme: str | None = None, interval_s: float | None = None) -> int:
    """Shows the console until it is quit; the result is the exit code.

    Raises LptuiError when the session could not start or the console failed.
    """
    sys.setswitchinterval(SWITCH_S)
    memory.search_only_young()
    app = LptuiApp(session, theme=theme, interval_s=interval_s, settle=memory.keep_for_good)
    # Not asyncio.run: at its end it waits without limit for threads that may hang.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        code = loop.run_until_complete(_run(app, session))
        loop.run_until_complete(_cancel_rest())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    _tell_abandoned(app)
    if app.failure is not None:
        raise app.failure
    _leave(code)
    return code


def _tell_abandoned(app: LptuiApp) -> None:
    """An action that was under way is not undone by leaving: says so, and where to look."""
    plan = app.acting.abandoned if app.acting is not None else None
    if plan is None:
        return
    what = f"lptui: {plan.action} of {plan.target} was under way"
    if plan.is_stepwise:
        lines = (f"{what} and is cut", "lptui: start lptui again: it offers to resume or undo it")
    else:
        words = shlex.join((plan.action, *plan.request.targets))
        lines = (
            f"{what}, and the node may go on with it by itself",
            f"lptui: see what became of it: lptui --headless {words} --dry-run",
        )
    with contextlib.suppress(OSError):
        sys.stderr.write("\n".join(lines) + "\n")


async def _run(app: LptuiApp, session: Session) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, partial(app.exit, return_code=128 + number))
    try:
        await app.run_async()
    finally:
        await close(session)
    return app.return_code or 0


async def _cancel_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=THREADS_S)


async def close(session: Session) -> None:
    """Ends the session, waiting for it no longer than `CLOSE_S`."""
    closing = asyncio.ensure_future(session.close())
    await asyncio.wait([closing], timeout=CLOSE_S)
    if not closing.done():
        closing.cancel()


def _leave(code: int) -> None:
    """Ends the process when a thread (a name look-up that hangs) would keep it from ending."""
    end = time.monotonic() + THREADS_S
    while _others():
        if time.monotonic() > end:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        time.sleep(0.02)


def _others() -> bool:
    main = threading.main_thread()
    return any(t is not main and not t.daemon and t.is_alive() for t in threading.enumerate())
