"""A shell on a host: the operator's own ssh has the terminal until it ends."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from lptui.errors import LptuiError
from lptui.present.model import Tone
from lptui.text import clean

if TYPE_CHECKING:
    from lptui.tui.app import LptuiApp


def open_shell(app: LptuiApp) -> None:
    """On the host of the row under the cursor, or a word on why not."""
    if app.session.read_only:
        app.say("o shell: read-only", Tone.WARN)
        return
    row = app.overview.focused_pane.selected
    host = app.session.host_of(row.subjects) if row is not None else ""
    if not host:
        app.say("o shell: this row has no host", Tone.WARN)
        return
    try:
        argv = app.session.login(host)
    except LptuiError as error:
        app.say(f"o shell: {error}", Tone.WARN)
        return
    app.keep(_run(app, host, argv))


async def _run(app: LptuiApp, host: str, argv: tuple[str, ...]) -> None:
    """The console goes on reading meanwhile; it only draws nothing."""
    try:
        with app.suspend(), app.batch_update():
            process = await asyncio.create_subprocess_exec(*argv)
            status = await process.wait()
    except SuspendNotSupported:
        app.say(f"o shell: not here; in another terminal: {clean(shlex.join(argv))}", Tone.WARN)
        return
    except OSError as error:
        app.say(f"o shell: {clean(str(error))}", Tone.WARN)
        return
    # ssh's own status for a login that failed (ssh(1)); what it said is above in the terminal.
    failed = status == 255
    app.note(f"shell on {host} {'failed: ssh ended with 255' if failed else 'ended'}", bad=failed)
