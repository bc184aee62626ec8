"""A disk that fills up: a few kilobytes of memory, mounted over a folder."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sshd import need


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """A disk over a folder, with the folder's files; what it gives fills the disk."""
    mount = need(shutil.which("mount"), "mount")
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    options = ("-t", "tmpfs", "-o", "size=64k", "lptui-test", str(folder))
    if subprocess.run([mount, *options], check=False).returncode != 0:
        pytest.skip("nothing may be mounted here")

    def fill() -> None:
        with contextlib.suppress(OSError), (folder / "full").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    try:
        for name, text in kept.items():
            (folder / name).write_bytes(text)
        yield fill
    finally:
        subprocess.run(["umount", str(folder)], check=True)
