"""Where the database with a node's queue of winning tickets is."""

from __future__ import annotations

import shlex
from typing import Final

from lptui.errors import BadAnswerError, CommandError, ProblemKind
from lptui.fleet.processes import process_of
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Node, SupervisorKind
from lptui.probes.outcome import failure
from lptui.probes.tickets.commands import FILE
from lptui.text import clean
from lptui.transport.protocols import Command, Shell

_USUAL: Final = ".lpData"
"""The folder in the home of the node's user, with one for each network."""

_SET: Final = "set `database` of the node to its path on the host, or to none"


def _unplaced(node: Node, why: str) -> CommandError:
    what = f"the database of {node.name}"
    return CommandError(what, why, _SET, kind=ProblemKind.NOT_CONFIGURED)


def place_of(snapshot: Snapshot, node: Node) -> str | None:
    """The database of a node: configured, or in the data directory that its process was given.

    None when it is in the home of the process's user. Raises CommandError when nothing tells.
    """
    if node.database:
        return node.database
    process = process_of(snapshot, node)
    if process is None:
        raise _unplaced(node, "its process is not seen, so that its data directory is not known")
    if node.service is not None and node.service.kind is SupervisorKind.CONTAINER:
        raise _unplaced(node, "it runs in a container, whose paths are not its host's")
    folder = process.flag("dataDir")
    if not folder:
        return None
    if not folder.startswith("/"):
        raise _unplaced(
            node, f"its -dataDir {clean(folder, 80)} is relative to where it was started"
        )
    return f"{folder.rstrip('/')}/{FILE}"


async def home_of(shell: Shell, snapshot: Snapshot, node: Node, seconds: float) -> str:
    """The database where a node has it by itself. Raises LptuiError."""
    process = process_of(snapshot, node)
    user = process.user if process is not None else ""
    network = (process.flag("network") if process is not None else None) or "offchain"
    what = f"the home of {clean(user, 40) or 'nobody'} on {node.host}"
    [output] = await shell.run([Command(("getent", "passwd", user))], seconds)
    if output.status != 0:
        raise failure(f"{shlex.join(('getent', 'passwd', user))} on {node.host}", output, _SET)
    fields = output.text.strip().split(":")
    if len(fields) != 7 or not fields[5].startswith("/"):
        raise BadAnswerError(what, f"not told: {clean(output.text, 80)}", _SET)
    return f"{fields[5].rstrip('/')}/{_USUAL}/{network}/{FILE}"
