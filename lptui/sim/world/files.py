"""The files of a simulated machine: enough to read them, to edit them, and to put one in another's
place.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from posixpath import dirname
from typing import Final

MOST_LINKS: Final = 8
FOLDERS: Final = ("/run", "/tmp", "/etc")  # noqa: S108
"""Those that are there when nothing is in them."""


@dataclass(slots=True)
class File:
    """A file, or (with `leads_to`) a symbolic link.

    Attributes:
        text: its bytes as UTF-8; what is none of that is escaped (`surrogateescape`).
        modified: when it was last written, by its machine's own clock.
        is_private: only root may read it. Only root may write any.
    """

    text: str = ""
    modified: float = 0.0
    is_private: bool = False
    leads_to: str = ""


@dataclass(slots=True)
class Files:
    """All files by path. A folder is there as long as something is in it.

    What cannot be done raises OSError, as the system calls behind it would.
    """

    by_path: dict[str, File] = field(default_factory=dict)

    def add(self, path: str, text: str, modified: float = 0.0, *, is_private: bool = False) -> None:
        """Puts a file there, whatever was there before."""
        self.by_path[path] = File(text, modified, is_private)

    def link(self, path: str, leads_to: str) -> None:
        self.by_path[path] = File(leads_to=leads_to)

    def real(self, path: str) -> str:
        """Where a path leads; the last part need not be there."""
        for _ in range(MOST_LINKS):
            file = self.by_path.get(path)
            if file is None or not file.leads_to:
                return path
            path = file.leads_to
        raise _error(errno.ELOOP, path)

    def find(self, path: str) -> File | None:
        """The file that a path leads to."""
        return self.by_path.get(self.real(path))

    def read(self, path: str, *, is_root: bool) -> str:
        file = self._there(path)
        if file.is_private and not is_root:
            raise _error(errno.EACCES, path)
        return file.text

    def write(self, path: str, text: str, now: float, *, is_root: bool) -> None:
        """Gives a file another text, or makes it."""
        path = self._writable(path, is_root=is_root)
        file = self.by_path.setdefault(path, File())
        file.text, file.modified = text, now

    def copy(self, path: str, to: str, *, is_root: bool) -> None:
        """With its date and rights (`cp -p`)."""
        self.read(path, is_root=is_root)
        self.by_path[self._writable(to, is_root=is_root)] = replace(self._there(path))

    def move(self, path: str, to: str, *, is_root: bool) -> None:
        """In one instant; a link that is in the way is replaced, and not what it leads to."""
        self._own(path, is_root=is_root)
        self._folder(to)
        self.by_path[to] = self.by_path.pop(path)

    def remove(self, path: str, *, is_root: bool) -> None:
        self._own(path, is_root=is_root)
        del self.by_path[path]

    def forget_run(self) -> None:
        """What a reboot forgets: /run and /tmp are in memory."""
        kept = {p: f for p, f in self.by_path.items() if not p.startswith(("/run/", "/tmp/"))}  # noqa: S108
        self.by_path = kept

    def matching(self, pattern: str) -> Iterator[str]:
        """Paths that a shell's pattern stands for; `*` stands for no dotfile, and for no slash."""
        parts = (re.escape(part) for part in pattern.split("*"))
        wanted = re.compile("[^/]*".join(parts))
        for path in sorted(self.by_path):
            hidden = path.rpartition("/")[2].startswith(".")
            if wanted.fullmatch(path) and not (hidden and "/." not in pattern):
                yield path

    def _there(self, path: str) -> File:
        file = self.find(path)
        if file is None:
            raise _error(errno.ENOENT, path)
        return file

    def _own(self, path: str, *, is_root: bool) -> None:
        """Whether the path itself may be taken away; raises OSError."""
        if path not in self.by_path:
            raise _error(errno.ENOENT, path)
        if not is_root:
            raise _error(errno.EACCES, path)

    def _writable(self, path: str, *, is_root: bool) -> str:
        """The real path of what is to be written; raises OSError."""
        real = self.real(path)
        self._folder(real)
        if not is_root:
            raise _error(errno.EACCES, path)
        return real

    def _folder(self, path: str) -> None:
        folder = dirname(path)
        if folder in FOLDERS:
            return
        if not any(one.startswith(f"{folder}/") for one in self.by_path):
            raise _error(errno.ENOENT, path)


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
