"""Asks the hosts of nodes that redeem tickets for what is in their queues.

Where the login may not read the database, root is asked for, by rules for exactly these commands
(`lptui sudoers` prints them).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Final

from lptui.errors import BadAnswerError, CommandError, LptuiError, ProblemKind
from lptui.fleet.facts.tickets import TicketQueue
from lptui.fleet.reading import Key
from lptui.fleet.tickets import keepers
from lptui.fleet.topology import Fleet
from lptui.probes.outcome import NOT_FOUND, failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.tickets import commands
from lptui.probes.tickets.parse import parse_rows, parse_state
from lptui.probes.tickets.place import home_of, place_of
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Command, Output, Shell

TRIES: Final = 4
PAUSE_S: Final = 0.7
"""Between two tries at a database that was written meanwhile; a node does so every few seconds."""

SAME_MOMENT_S: Final = 0.05
"""A file's time moves in steps of a few milliseconds: this close to the query counts as within."""

_BECOME: Final = {"sudo": ("sudo", "-n", "--"), "doas": ("doas", "-n", "--")}
_MAY_NOT: Final = ("unable to open database file", "ermission denied", "cannot stat")
_NO_TABLE: Final = "no such table"
_INSTALL: Final = "install the program sqlite3 on the host; without it the queue is not seen"


class TicketQueueProbe:
    """One reading for each node that has a queue of its own."""

    name: ClassVar[str] = "tickets"
    needs: ClassVar[tuple[str, ...]] = ("host-processes", "host-units")

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return [node.name for node in keepers(fleet)]

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return fleet.intervals.slow

    def source(self, fleet: Fleet, target: str) -> str:
        node = fleet.nodes[target]
        return f"{node.host}: sqlite3 {node.database or f'the database of {target}'}"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(TicketQueue, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        node = asking.fleet.nodes[target]
        shell = asking.reach.shell(node.host)
        left = time_left(asking)
        path = place_of(asking.latest, node)
        if path is None:
            path = await home_of(shell, asking.latest, node, left())
        privilege = asking.fleet.hosts[node.host].privilege
        reader = _Reader(shell, path, node.host, _BECOME.get(privilege, ()))
        for _ in range(TRIES - 1):
            found = await reader.read(left())
            if found is not None:
                return [Answer(Key(TicketQueue, target), found)]
            await asyncio.sleep(min(PAUSE_S, left() / 2))
        found = await reader.read(left())
        if found is None:
            raise reader.busy()
        return [Answer(Key(TicketQueue, target), found)]


class _Reader:
    """Reads one database, by the login's own rights or as root."""

    def __init__(self, shell: Shell, path: str, host: str, become: tuple[str, ...]) -> None:
        self._shell = shell
        self._path = path
        self._what = f"{path} on {host}"
        self._host = host
        self._become = become
        self._as: tuple[str, ...] = ()
        self._why = ""

    async def read(self, seconds: float) -> TicketQueue | None:
        """The queue; None when the database was written meanwhile. Raises LptuiError."""
        rows, state = await self._run(seconds)
        if rows.status != 0 and self._become and not self._as and _is_closed(rows):
            self._as = self._become
            rows, state = await self._run(seconds)
        if rows.status != 0:
            raise self._failure(rows)
        begun_at, queue = parse_rows(rows.text, self._path)
        file = parse_state(state.text, self._path)
        if file.journals:
            self._why = f"there is {', '.join(clean(name, 120) for name in file.journals)}"
            return None
        if file.changed_at >= begun_at - SAME_MOMENT_S:
            self._why = "the node wrote to it meanwhile"
            return None
        return replace(queue, as_root=bool(self._as))

    def busy(self) -> LptuiError:
        """The error for a database that was never at rest."""
        return BadAnswerError(
            self._what,
            f"not read whole: {self._why}, {TRIES} times in a row",
            "a journal that stays is of a node that died, or keeps a write-ahead log: "
            "see whether the node runs",
        )

    async def _run(self, seconds: float) -> list[Output]:
        share = max(0.5, seconds / 4)
        argvs = (commands.query(self._path), commands.state(self._path))
        asked = [Command((*self._as, *argv), timeout_s=share, merge_stderr=True) for argv in argvs]
        return await self._shell.run(asked, seconds)

    def _failure(self, output: Output) -> LptuiError:
        said = output.text
        if output.status == NOT_FOUND or "sqlite3: not found" in said:
            why = "sqlite3 is not installed there"
            return CommandError(self._what, why, _INSTALL, kind=ProblemKind.COMMAND_NOT_FOUND)
        if "sudo:" in said or "doas:" in said:
            remedy = f"let the login read it, or run `lptui sudoers {self._host}` for the rules"
            return CommandError(self._what, clean(said, 160), remedy, kind=ProblemKind.FORBIDDEN)
        if _NO_TABLE in said:
            remedy = "is it the database of a go-livepeer node that redeems? set `database`"
            return BadAnswerError(self._what, clean(said, 160), remedy)
        remedy = "set `database` of the node to where it is, and let the login read it"
        if _is_closed(output):
            why = "it is not there, or the login may not read it"
            return CommandError(self._what, why, remedy, kind=ProblemKind.FORBIDDEN)
        return failure(f"sqlite3 {self._what}", output, remedy)


def _is_closed(output: Output) -> bool:
    return any(words in output.text for words in _MAY_NOT)
