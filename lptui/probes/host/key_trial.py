"""Tries the empty passphrase on a node's key files, where the operator has asked for that.

A file is read once, and anew when it has changed. What is computed from it here is whether the
passphrase fits (its MAC): the key itself is never decrypted, and nothing of the file is kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, Final

from lptui.errors import CommandError, ProblemKind
from lptui.fleet.facts.keystore import NodeKeystore, TriedKey
from lptui.fleet.processes import process_of
from lptui.fleet.reading import Key
from lptui.fleet.snapshot import Snapshot
from lptui.fleet.topology import Fleet, Node, SupervisorKind
from lptui.probes.host.keystores import place
from lptui.probes.keyfile import fits_empty
from lptui.probes.numbers import decimal
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.deadline import Deadline
from lptui.transport.protocols import Command, Output, Shell

HOURLY_S: Final = 3600.0
MOST_KEYS: Final = 4
"""Files of one node that are tried: each takes this machine a second and 256 MiB."""

_BECOME: Final = {"sudo": ("sudo", "-n", "--"), "doas": ("doas", "-n", "--")}
_DENIED: Final = "ermission denied"
_FILES: Final = ("-maxdepth", "1", "-type", "f", "-name", "UTC--*", "-size", "-32")
"""As geth and go-livepeer name them; below 16 KiB."""

_LINE: Final = re.compile(r"(?:%key )?([0-9]{1,12}\.[0-9]{1,12}) ([0-9]{1,5}) (UTC--\S{1,200})")
_MARK: Final = "%key "

_ONE_AT_A_TIME: Final = ThreadPoolExecutor(1, "keystore-trial")
"""Two at once would need twice the memory."""

Argv = tuple[str, ...]


def listing(path: str) -> Argv:
    """A folder's key files: time of change, size and name.

    1763668790.1234567890 491 UTC--2020-01-01T00-00-00.000000000Z--44444444444444444444444444…
    """
    return ("find", path, *_FILES, "-printf", "%T@ %s %f\\n")


def contents(path: str) -> Argv:
    """The same with what is in them: encrypted keys in JSON, each behind such a line."""
    shown = ("-printf", "\\n%%key %T@ %s %f\\n", "-exec", "cat", "{}", ";")
    return ("find", path, *_FILES, *shown)


def root_commands(path: str) -> tuple[Argv, ...]:
    """What must be run as root where the login may not read the files."""
    return (listing(path), contents(path))


def keys_at(snapshot: Snapshot, node: Node) -> str:
    """Where a node has its keys: an absolute path, or `~USER/…`; raises CommandError."""
    process = process_of(snapshot, node)
    why = ""
    if node.service is not None and node.service.kind is SupervisorKind.CONTAINER:
        why = "it runs in a container, whose paths are not its host's"
    elif process is None:
        why = "its process is not seen, so that the place is not known"
    elif not (found := place(process)):
        why = "its settings do not tell the place"
    else:
        return found
    raise CommandError(f"the keys of {node.name}", why, kind=ProblemKind.NOT_CONFIGURED)


def parse(text: str) -> tuple[TriedKey, ...]:
    """The key files of a listing, not tried yet; lines of other shape are find's complaints."""
    found = []
    for line in text.split("\n"):
        key = _key(line)
        if key is not None:
            found.append(key)
    return tuple(sorted(found, key=lambda key: key.name))


def parse_contents(text: str) -> dict[TriedKey, str]:
    """What is in each key file."""
    found: dict[TriedKey, list[str]] = {}
    lines: list[str] = []
    for line in text.split("\n"):
        key = _key(line) if line.startswith(_MARK) else None
        if key is not None:
            lines = found[key] = []
        else:
            lines.append(line)
    return {key: "\n".join(lines) for key, lines in found.items()}


def _key(line: str) -> TriedKey | None:
    match = _LINE.fullmatch(line)
    changed_at = decimal(match[1]) if match is not None else None
    if match is None or changed_at is None:
        return None
    return TriedKey(clean(match[3], 200), changed_at, int(match[2]))


class KeyTrialProbe:
    """One reading for each node that has `keystore_check`."""

    name: ClassVar[str] = "keystore-trial"
    needs: ClassVar[tuple[str, ...]] = ("host-processes",)

    def targets(self, fleet: Fleet) -> Sequence[str]:
        return tuple(name for name, node in fleet.nodes.items() if node.keystore_check)

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return max(HOURLY_S, fleet.intervals.slow)

    def source(self, fleet: Fleet, target: str) -> str:
        return f"{fleet.nodes[target].host}: key files of {target}, tried here"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(NodeKeystore, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        node = asking.fleet.nodes[target]
        left = time_left(asking)
        where = keys_at(asking.latest, node)
        shell = asking.reach.shell(node.host)
        if where.startswith("~"):
            where = await _from_home(shell, where, left())
        become = _BECOME.get(asking.fleet.hosts[node.host].privilege, ())
        reader = _Reader(shell, where, node.host, become, left)
        listed = parse((await reader.run(listing(where))).text)[:MOST_KEYS]
        before = asking.latest.reading(NodeKeystore, target)
        known = before.value or (before.last_good.value if before.last_good else None)
        tried = {key.file: key for key in known.keys if key.is_tried} if known else {}
        if any(key.file not in tried for key in listed):
            texts = parse_contents((await reader.run(contents(where))).text)
            for key, text in texts.items():
                if key in listed and key.file not in tried:
                    tried[key.file] = await _try(key, text, left())
        keys = tuple(tried.get(key.file, key) for key in listed)
        return [
            Answer(self.keys(asking.fleet, target)[0], NodeKeystore(where, keys, reader.is_root))
        ]


async def _try(key: TriedKey, text: str, seconds: float) -> TriedKey:
    loop = asyncio.get_running_loop()
    async with Deadline("the empty passphrase", seconds, "is this machine very busy?"):
        blank, why = await loop.run_in_executor(_ONE_AT_A_TIME, fits_empty, text)
    return TriedKey(key.name, key.changed_at, key.size, blank, why)


async def _from_home(shell: Shell, where: str, seconds: float) -> str:
    """`~livepeer/.lpData/…` as an absolute path."""
    user, _, rest = where[1:].partition("/")
    [output] = await shell.run([Command(("getent", "passwd", user))], seconds)
    fields = output.text.strip().split(":")
    if output.status != 0 or len(fields) != 7 or not fields[5].startswith("/"):
        raise failure(f"the home of {clean(user, 40)}", output)
    return f"{fields[5].rstrip('/')}/{rest}"


@dataclass(slots=True)
class _Reader:
    """Runs what reads the files, by the login's own rights or as root."""

    shell: Shell
    path: str
    host: str
    become: Argv
    left: Callable[[], float]
    is_root: bool = False

    async def run(self, argv: Argv) -> Output:
        output = await self._run(argv)
        if output.status != 0 and _DENIED in output.text and self.become and not self.is_root:
            self.is_root = True
            output = await self._run(argv)
        if output.status != 0:
            remedy = f"let the login read it, or run `lptui sudoers {self.host}` for the rules"
            # What was read is of no use for a message.
            said = output.text.partition(_MARK)[0].encode()
            raise failure(f"{self.path} on {self.host}", Output(said, output.status), remedy)
        return output

    async def _run(self, argv: Argv) -> Output:
        words = (*self.become, *argv) if self.is_root else argv
        share = max(0.5, self.left() / 3)
        [output] = await self.shell.run(
            [Command(words, timeout_s=share, merge_stderr=True)], self.left()
        )
        return output
