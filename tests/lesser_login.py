"""A login without privileges on a real sshd and a real sudo, and nothing of it on this machine.

Its sshd has a mount namespace of its own, in which there is one more user.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

import pytest

from tests.sshd import SSHD, Sshd, need, start_sshd

LOGIN: Final = "lptui-test"
UID: Final = 42_042
SECURE_PATH: Final = 'Defaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"'  # as Debian has it

# Bound over files, so that their contents can change afterwards.
_NAMESPACE: Final = """\
set -e
mount -t tmpfs -o mode=755 none /mnt
for file in passwd shadow; do
    cp -p /etc/$file /mnt/$file
    cat $1/$file >> /mnt/$file
    mount --bind /mnt/$file /etc/$file
done
mount --bind $1/sudoers /etc/sudoers
cp $1/sshd/identity.pub /mnt/keys
shift
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class LesserLogin:
    """The login's sshd, and what it may do as root."""

    sshd: Sshd
    folder: Path
    uid: int = UID

    def allow(self, commands: Iterable[Sequence[str]]) -> None:
        """These commands with exactly these arguments, and nothing else."""
        lines = [SECURE_PATH, *(self._rule(argv) for argv in commands)]
        (self.folder / "sudoers").write_text("".join(f"{line}\n" for line in lines))

    @staticmethod
    def _rule(argv: Sequence[str]) -> str:
        path = need(shutil.which(argv[0], path="/usr/sbin:/usr/bin:/sbin:/bin"), argv[0])
        return f"{LOGIN} ALL=(root) NOPASSWD: {shlex.join([path, *argv[1:]])}"


@contextlib.contextmanager
def lesser_login(folder: Path) -> Iterator[LesserLogin]:
    """The login for the length of a block; it may do nothing as root until it is told."""
    need(shutil.which("sudo"), "sudo")
    unshare = need(shutil.which("unshare"), "unshare")
    if subprocess.run([unshare, "-m", "true"], check=False).returncode != 0:
        pytest.skip("no mount namespaces here")
    folder.mkdir()
    (folder / "passwd").write_text(f"{LOGIN}:x:{UID}:{UID}::/:/bin/sh\n")
    (folder / "shadow").write_text(f"{LOGIN}:*:19000:0:99999:7:::\n")
    (folder / "sudoers").write_text(f"{SECURE_PATH}\n")
    (folder / "sudoers").chmod(0o440)
    (folder / "namespace").write_text(_NAMESPACE)
    program = folder / "sshd-in-a-namespace"
    words = shlex.join([unshare, "-m", "sh", str(folder / "namespace"), str(folder), str(SSHD)])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    with mock.patch("tests.sshd.SSHD", str(program)):
        server = start_sshd(folder / "sshd", {"AuthorizedKeysFile": "/mnt/keys"}, user=LOGIN)
    try:
        yield LesserLogin(server, folder)
    finally:
        server.stop()
