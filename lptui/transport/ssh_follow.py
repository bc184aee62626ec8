"""A command on a host that goes on, in an SSH session of its own, until it is stopped."""

from __future__ import annotations

from typing import Any

import asyncssh

from lptui.text import clean
from lptui.transport.following import Output, wrapped
from lptui.transport.protocols import Command, Following
from lptui.transport.ssh import end
from lptui.transport.ssh_exec import quoted, start


async def start_following(
    host: str, connection: asyncssh.SSHClientConnection, command: Command
) -> Following:
    """Starts it; raises TransportError."""
    what = f"{clean(' '.join(command.argv[:2]), 60)} on {host}"
    session = _Session(what)
    line = "exec " + " ".join(map(quoted, wrapped(command.argv)))
    session.channel = await start(what, connection, line, session)
    return session


class _Session(Output):
    """The channel's session and what is read of it."""

    channel: Any = None

    def stop(self) -> None:
        channel, self.channel = self.channel, None
        if channel is not None:
            # root's sessions get no signal from sshd; the end of its input ends it there.
            end(channel)
        self.abort()
