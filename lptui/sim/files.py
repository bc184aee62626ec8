"""The files of a run: the login's key and the expected host keys, private and short-lived."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh


@dataclass(slots=True)
class RunFiles:
    """A folder of a run; `remove` takes away what was written, and the folder if it was made."""

    directory: Path
    made: bool = False
    written: list[Path] = field(default_factory=list)

    @classmethod
    def create(cls, directory: Path) -> RunFiles:
        """Makes the folder readable for its owner only. Raises OSError."""
        made = not directory.exists()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(directory, made)

    def write(self, name: str, content: bytes) -> Path:
        """A file that only its owner may read. Raises OSError."""
        path = self.directory / name
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        self.written.append(path)
        return path

    def remove(self) -> None:
        for path in self.written:
            path.unlink(missing_ok=True)
        self.written.clear()
        if self.made:
            try:
                self.directory.rmdir()
            except OSError:
                self.made = False


def known_hosts(keys: Mapping[int, asyncssh.SSHKey]) -> bytes:
    """Lines of a known_hosts file for servers on loopback, by port."""
    lines = [
        b"[127.0.0.1]:%d %s" % (port, key.export_public_key("openssh").strip())
        for port, key in keys.items()
    ]
    return b"\n".join(lines) + b"\n"
