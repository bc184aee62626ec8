"""Whether a node that shares its key would find it if its unit started it now, told by names alone.

Asked as the login, and as root of what the login may not look at. Nothing is read of a key file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from lptui.fleet.facts.keystore import KeyAtStart, KeyFile, NamedFile, Use
from lptui.fleet.reading import Key
from lptui.fleet.topology import Fleet, SupervisorKind
from lptui.fleet.units import Address
from lptui.probes.host import start_settings
from lptui.probes.host.start_settings import SCRIPT, Start
from lptui.probes.outcome import failure
from lptui.probes.probe import Answer, Asking
from lptui.probes.timing import time_left
from lptui.text import clean
from lptui.transport.protocols import Command, Output, Shell

SELDOM_S: Final = 300.0
"""As root it leaves a line in the host's log each time; who has copied a key wants to see it."""

MOST_FILES: Final = 256

_BECOME: Final = {"sudo": ("sudo", "-n", "--"), "doas": ("doas", "-n", "--")}
_DENIED: Final = "ermission denied"
_ABSENT: Final = "No such file"
_LINE: Final = re.compile(r"([a-z]) ([0-7]{1,4}) (\S{1,40}) (\S{1,40}) (.{1,300})", re.ASCII)
_KEY: Final = re.compile(r"UTC--.{1,80}--([0-9A-Fa-f]{40})", re.ASCII)

Argv = tuple[str, ...]


def entries(path: str) -> Argv:
    """A path and, of a folder, what is in it: type, permissions, owner, group, name.

    d 700 livepeer livepeer keystore
    f 600 livepeer livepeer UTC--2020-01-01T00-00-00.000000000Z--44444444444444444444444444…
    """
    return ("find", "-H", path, "-maxdepth", "1", "-printf", "%y %m %u %g %f\\n")


def root_commands(found: KeyAtStart) -> tuple[Argv, ...]:
    """What must be run as root where the login may not look."""
    ask = {
        Use.VARIABLES: start_settings.variables,
        Use.CONFIGURATION: start_settings.lines,
        Use.PASSPHRASE: entries,
    }
    commands = [ask[one.use](one.path) for one in found.files if one.closed]
    return (*commands, *([entries(found.path)] if found.closed else ()))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a listing."""

    kind: str
    mode: int
    owner: str
    name: str

    def lets(self, user: str, bit: int) -> bool | None:
        """Whether a user has a right (4 read, 1 pass) by the bits; None where a group may."""
        if not user:
            return None
        if user == "root":
            return True
        if user == self.owner:
            return bool(self.mode >> 6 & bit)
        if self.mode & bit:
            return True
        return None if self.mode >> 3 & bit else False


def parse_entries(text: str) -> tuple[Entry, ...]:
    """The lines of a listing; those of other shape are complaints."""
    matches = (_LINE.fullmatch(line) for line in text.split("\n"))
    return tuple(
        Entry(one[1], int(one[2], 8), one[3], clean(one[5], 200)) for one in matches if one
    )


class KeyAtStartProbe:
    """One reading for each node that shares its key with a stand-by."""

    name: ClassVar[str] = "key-at-start"
    needs: ClassVar[tuple[str, ...]] = ()

    def targets(self, fleet: Fleet) -> Sequence[str]:
        nodes = fleet.nodes.items()
        return tuple(name for name, node in nodes if node.service and fleet.shares_key(node))

    def interval_s(self, fleet: Fleet, target: str) -> float:
        return max(SELDOM_S, fleet.intervals.slow)

    def source(self, fleet: Fleet, target: str) -> str:
        return f"{fleet.nodes[target].host}: what {target} would start with"

    def keys(self, fleet: Fleet, target: str) -> Sequence[Key]:
        return (Key(KeyAtStart, target),)

    async def ask(self, asking: Asking, target: str) -> Sequence[Answer]:
        node = asking.fleet.nodes[target]
        value = KeyAtStart(unknown="it runs in a container, whose paths are not its host's")
        if node.service is not None and node.service.kind is SupervisorKind.SYSTEMD:
            become = _BECOME.get(asking.fleet.hosts[node.host].privilege, ())
            looker = _Looker(asking.reach.shell(node.host), become, time_left(asking))
            value = await _look(looker, node.service.name, node.host)
        return [Answer(Key(KeyAtStart, target), value)]


@dataclass(frozen=True, slots=True)
class _Looker:
    """Runs what looks, as the login, and as root where the login is not let."""

    shell: Shell
    become: Argv
    left: Callable[[], float]

    async def plainly(self, argv: Argv) -> Output:
        [output] = await self.shell.run(
            [Command(argv, timeout_s=4.0, merge_stderr=True)], self.left()
        )
        return output

    async def run(self, argv: Argv) -> tuple[Output, bool]:
        """What it gave, and whether the login itself was not let."""
        output = await self.plainly(argv)
        if _DENIED not in output.text:
            return output, False
        return await self.plainly((*self.become, *argv)) if self.become else output, True


async def _look(looker: _Looker, unit: str, host: str) -> KeyAtStart:
    told = await looker.plainly(("sh", "-c", SCRIPT, "sh", unit))
    if told.status != 0:
        raise failure(f"{unit} on {host}", told)
    start = start_settings.parse(told.text)
    if start.untold:
        return KeyAtStart(start.user, unknown=start.untold)
    flags, files = await _settings(looker, start)
    unread = [one.path for one in files if one.there is None]
    if unread:
        # What counts more than what was not read.
        flags = start.arguments
    account = _account(start_settings.value_of(flags, "ethAcctAddr"))
    secret = start_settings.passphrase_of(flags)
    if secret:
        files = (*files, await _passphrase(looker, secret, start.user))
    path, unknown = start_settings.keys_of(start, flags)
    if unread and not start_settings.value_of(flags, "ethKeystorePath"):
        path, unknown = "", f"what {', '.join(unread)} says of the place is not known"
    if not path:
        return KeyAtStart(start.user, unknown=unknown, account=account, files=files)
    output, closed = await looker.run(entries(path))
    there, why = _is_there(output)
    keys, enterable = _keys(output, start.user) if there else ((), None)
    if len(keys) > MOST_FILES:
        keys, there, why = (), None, f"it has more than {MOST_FILES} files"
    return KeyAtStart(
        start.user, path, there, why, keys, enterable, closed, account, files
    )  # fmt: skip


async def _settings(
    looker: _Looker, start: Start
) -> tuple[tuple[tuple[str, str], ...], tuple[NamedFile, ...]]:
    """The flags from all sources, what counts most the last; and the files among these."""
    files: list[NamedFile] = []
    flags = list(start.variables)
    for path, is_optional in start.files:
        lines, file = await _search(looker, path, Use.VARIABLES)
        flags += start_settings.of_environment(lines)
        if file.there is not False or not is_optional:
            files.append(file)
    flags += start.arguments
    config = start_settings.config_of(start, flags)
    if config == start_settings.FILLED:
        why = "which that is is only filled in at the start"
        files.append(NamedFile("its configuration file", Use.CONFIGURATION, None, why))
    elif config:
        lines, file = await _search(looker, config, Use.CONFIGURATION)
        flags = [*start_settings.of_file(lines), *flags]
        files.append(file)
    return tuple(flags), tuple(files)


async def _search(looker: _Looker, path: str, use: Use) -> tuple[list[str], NamedFile]:
    ask = start_settings.variables if use is Use.VARIABLES else start_settings.lines
    output, closed = await looker.run(ask(path))
    said = output.text.strip()
    if output.status == 0 or (output.status == 1 and not said):
        return output.text.split("\n"), NamedFile(path, use, True, closed=closed)
    there = False if _ABSENT in said and output.status == 2 else None
    why = "" if there is False else _why(output)
    return [], NamedFile(path, use, there, why, closed=closed)


async def _passphrase(looker: _Looker, path: str, user: str) -> NamedFile:
    output, closed = await looker.run(entries(path))
    there, why = _is_there(output)
    first = next(iter(parse_entries(output.text)), None) if there else None
    readable = first.lets(user, 4) if first is not None else None
    return NamedFile(path, Use.PASSPHRASE, there, why, readable, closed)


def _is_there(output: Output) -> tuple[bool | None, str]:
    """Whether a listing's path is there, all of it seen; and why that is not known."""
    found = parse_entries(output.text)
    if output.status == 0 and found and found[0].kind in ("d", "f"):
        return True, ""
    if output.status == 1 and _ABSENT in output.text and not found:
        return False, ""
    if output.status == 0 and found:
        return None, "it is neither a folder nor a file, or a link that leads nowhere"
    return None, _why(output)


def _why(output: Output) -> str:
    return failure("it", output).why


def _keys(output: Output, user: str) -> tuple[tuple[KeyFile, ...], bool | None]:
    """The files that a keystore takes for keys: no hidden ones, copies of editors, or links
    (go-ethereum accounts/keystore/file_cache.go); and whether the user may look into their folder.
    """
    first, *rest = parse_entries(output.text)
    if first.kind == "f":
        return (_key(first, user),), None
    found = [one for one in rest if one.kind == "f"]
    kept = [one for one in found if not one.name.startswith(".") and not one.name.endswith("~")]
    rights = {first.lets(user, 4), first.lets(user, 1)}
    enterable = False if False in rights else None if None in rights else True
    return tuple(_key(one, user) for one in sorted(kept, key=lambda one: one.name)), enterable


def _key(entry: Entry, user: str) -> KeyFile:
    named = _KEY.fullmatch(entry.name)
    return KeyFile(entry.name, _account(named[1]) if named else None, entry.lets(user, 4))


def _account(text: str) -> Address | None:
    digits = text.strip().lower().removeprefix("0x")
    is_one = len(digits) == 40 and all(digit in "0123456789abcdef" for digit in digits)
    return Address(f"0x{digits}") if is_one else None
