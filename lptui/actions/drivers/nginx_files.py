"""nginx's files on their host: read, replaced without a moment between old and new, put back.

Each step is one command, so that each can be one exact rule of sudoers. A file is written as the
login where it owns it and its folder lets it; else as root.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename, dirname
from typing import Final

from lptui.actions import privileged
from lptui.errors import BadAnswerError, CommandError, LptuiError, RefusedError
from lptui.fleet.topology import Host
from lptui.text import clean
from lptui.transport.protocols import Command, ExecResult, Reach

TEST_S: Final = 30.0
"""Names in a configuration are looked up while it is tested."""

USUAL_LOG: Final = "/var/log/nginx/error.log"

_OWNS: Final = '[ -O "$1" ] && [ -w "$2" ]'
_EMERGENCY: Final = re.compile(r"\[emerg\] (?:[0-9#]+: )?(.*)")

Argv = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A file by its own path, not a link's: what it says, and what it is to say."""

    path: str
    old: bytes
    new: bytes

    @property
    def draft(self) -> str:
        """Beside it, so that it can be renamed; `*` in an include does not mean dotfiles."""
        return draft_of(self.path)

    @property
    def kept(self) -> str:
        """Where the old text is kept."""
        return kept_of(self.path)


def draft_of(path: str) -> str:
    """Where a file's new text is written first."""
    return f"{dirname(path)}/.{basename(path)}.lptui-new"


def kept_of(path: str) -> str:
    """Where a file's old text stays."""
    return f"{dirname(path)}/.{basename(path)}.lptui-old"


def read_commands(path: str) -> tuple[Argv, ...]:
    """What reads a file as root, where the login may not."""
    return (("readlink", "-f", path), ("cat", path))


def write_commands(path: str) -> tuple[Argv, ...]:
    """What changes a file, in this order; the last ones only when something stands in the way."""
    draft, kept = draft_of(path), kept_of(path)
    return (
        ("cp", "-p", path, draft),
        ("tee", draft),
        ("cp", "-p", path, kept),
        ("mv", "-f", draft, path),
        ("mv", "-f", kept, path),
        ("rm", "-f", draft),
    )


def check_command(config_path: str | None) -> Argv:
    """What tests the files on disk."""
    return ("nginx", "-t", *(("-c", config_path) if config_path else ()))


def reload_command(config_path: str | None) -> Argv:
    """What makes the master load them."""
    return ("nginx", "-s", "reload", *(("-c", config_path) if config_path else ()))


def log_command(path: str) -> Argv:
    """What tells why a master did not load them."""
    return ("tail", "-n", "60", path or USUAL_LOG)


def root_commands(
    config_path: str | None, files: Mapping[str, str], error_log: str
) -> tuple[Argv, ...]:
    """All that may be run as root; `files` are paths that may be edited, and where they lead."""
    found = [check_command(config_path), reload_command(config_path), log_command(error_log)]
    for path, real in files.items():
        found += [read_commands(path)[0], *read_commands(real), *write_commands(real)]
        # The draft is read again before it is put in place.
        found.append(("cat", draft_of(real)))
    return tuple(dict.fromkeys(found))


class NginxHost:
    """The host of one nginx while its files are changed. Every method raises LptuiError."""

    def __init__(self, reach: Reach, host: Host, config_path: str | None) -> None:
        self._reach = reach
        self._host = host
        self._config_path = config_path
        self._owned: dict[str, bool] = {}

    async def real_path(self, path: str) -> str:
        """Where a path leads: a link must stay one."""
        done = await self._plain_or_root(("readlink", "-f", path))
        found = done.stdout.decode("utf-8", "replace").removesuffix("\n")
        if not found.startswith("/") or "\n" in found or "\ufffd" in found:
            raise BadAnswerError(f"{clean(path, 200)} on {self._host.name}", "leads nowhere")
        return found

    async def read(self, path: str) -> bytes:
        """All of a file."""
        return (await self._plain_or_root(("cat", path))).stdout

    async def complaint(self) -> str:
        """What nginx has against the files on disk; "" when it would start with them."""
        argv = check_command(self._config_path)
        done = await privileged.as_root(self._reach, self._host, argv, timeout_s=TEST_S)
        return "" if done.status == 0 else _emergency(done)

    async def reload(self) -> None:
        """Asks the master to load the files; that it was asked says nothing of whether it did."""
        argv = reload_command(self._config_path)
        done = await privileged.as_root(self._reach, self._host, argv, timeout_s=TEST_S)
        if done.status != 0:
            raise CommandError(f"`{' '.join(argv)}` on {self._host.name}", _emergency(done))

    async def stage(self, edit: FileEdit) -> None:
        """Writes the new text beside the file, with the file's mode and owner."""
        await self._own_or_root(edit.path, ("cp", "-p", edit.path, edit.draft))
        await self._own_or_root(edit.path, ("tee", edit.draft), edit.new)
        if await self.read(edit.draft) != edit.new:
            what = f"{clean(edit.draft, 200)} on {self._host.name}"
            raise BadAnswerError(what, "is not what was written", "see whether the disk is full")

    async def keep(self, edit: FileEdit) -> None:
        """Keeps the old text, and sees that the file still says it."""
        await self._own_or_root(edit.path, ("cp", "-p", edit.path, edit.kept))
        if await self.read(edit.path) != edit.old:
            what = f"{clean(edit.path, 200)} on {self._host.name}"
            raise RefusedError(what, "somebody changed it meanwhile", "look at it, then try again")

    async def replace(self, edit: FileEdit) -> None:
        """The new text in place of the old one, in one instant."""
        await self._own_or_root(edit.path, ("mv", "-f", edit.draft, edit.path))

    async def put_back(self, edit: FileEdit) -> None:
        """The old text, and its date: what runs was loaded from it."""
        if await self.read(edit.path) == edit.new:
            await self._own_or_root(edit.path, ("mv", "-f", edit.kept, edit.path))

    async def drop_draft(self, path: str) -> None:
        """Removes what was written beside a file."""
        await self._own_or_root(path, ("rm", "-f", draft_of(path)))

    async def log_emergencies(self, path: str, *, by_root: bool = False) -> tuple[str, ...]:
        """The newest `[emerg]` lines of the error log with their dates; () where it is closed."""
        argv = log_command(path)
        try:
            done = await self._plain(argv)
            if done.status != 0 and by_root:
                done = await privileged.as_root(self._reach, self._host, argv)
        except LptuiError:
            return ()
        lines = done.stdout.decode("utf-8", "replace").split("\n")
        return tuple(clean(line, 300) for line in lines if "[emerg]" in line)

    async def _plain(self, argv: Argv, stdin: bytes = b"") -> ExecResult:
        return await self._reach.execute(self._host.name, Command(argv, privileged.SECONDS), stdin)

    async def _plain_or_root(self, argv: Argv) -> ExecResult:
        done = await self._plain(argv)
        if done.status == 0:
            return done
        return await privileged.succeed(self._reach, self._host, argv)

    async def _own_or_root(self, path: str, argv: Sequence[str], stdin: bytes = b"") -> None:
        """A command that changes something beside this file, or the file."""
        if not await self._owns(path):
            await privileged.succeed(self._reach, self._host, argv, stdin=stdin)
            return
        done = await self._plain(tuple(argv), stdin)
        if done.status != 0:
            what = f"`{clean(' '.join(argv), 160)}` on {self._host.name}"
            raise CommandError(what, clean(done.stderr, 300) or "the connection was lost")

    async def _owns(self, path: str) -> bool:
        """Whether the login may replace a file, and it stays the same owner's."""
        if path not in self._owned:
            done = await self._plain(("/bin/sh", "-c", _OWNS, "lptui", path, dirname(path)))
            self._owned[path] = done.status == 0
        return self._owned[path]


def _emergency(done: ExecResult) -> str:
    """The line that says what is wrong."""
    said = (done.stderr + done.stdout).decode("utf-8", "replace")
    match = _EMERGENCY.search(said)
    return clean(match[1] if match else said, 300) or f"status {done.status}"
