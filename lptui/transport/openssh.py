"""What OpenSSH itself says of a host: for configurations that asyncssh reads in another way.

asyncssh does not read comments at the end of a line, takes included files in any order, expands no
token in `Match exec` and in names of known_hosts files, and looks for no canonical name as long as
it does not connect. `ssh -G` gives OpenSSH's own reading, connects nowhere, and takes some 5 ms.
"""

from __future__ import annotations

import functools
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lptui.fleet.topology import Ssh

DEADLINE_S: Final = 5.0
"""`Match exec` runs commands, and CanonicalizeHostname asks name servers."""

_READ_OTHERWISE: Final = re.compile(
    rb"^[ \t]*(?:include|match|tag|canonical)|^[ \t]*[^#\s][^\r\n]*[#%$'\\]|[^\x00-\x7f]",
    re.IGNORECASE | re.MULTILINE,
)

_LISTS: Final = frozenset({"globalknownhostsfile", "userknownhostsfile"})
_RAW: Final = frozenset({"proxycommand"})
_KEPT: Final = (
    frozenset(
        {
            *("hostname", "port", "user", "hostkeyalias", "proxyjump", "addressfamily"),
            *("identityfile", "identitiesonly", "identityagent", "certificatefile"),
            *("ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "casignaturealgorithms"),
            *("bindaddress", "compression"),
        }
    )
    | _LISTS
    | _RAW
)


class RefusedError(Exception):
    """OpenSSH does not take the configuration; its own words."""


def is_needed(files: Sequence[str]) -> bool:
    """Some file says something that only OpenSSH reads as OpenSSH does."""
    for name in files:
        with suppress(OSError):
            if _READ_OTHERWISE.search(Path(name).read_bytes()):
                return True
    return False


@contextmanager
def reading(ssh: Ssh, files: Sequence[str]) -> Iterator[str | None]:
    """A file with OpenSSH's reading of these files, for asyncssh; None without OpenSSH.

    Raises RefusedError.
    """
    program = shutil.which("ssh")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="lptui-ssh-") as folder:
        source = files[0]
        if len(files) > 1:
            source = f"{folder}/all"
            Path(source).write_text("".join(f'Include "{name}"\n' for name in files))
        told = Path(folder, "config")
        told.write_text(_told(program, source, ssh))
        yield str(told)


def _told(program: str, source: str, ssh: Ssh) -> str:
    """What differs from OpenSSH's defaults, in words that asyncssh understands."""
    options = [
        *(("-p", str(ssh.port)) if ssh.port is not None else ()),
        *(("-l", ssh.user) if ssh.user is not None else ()),
    ]
    said = _ask(program, source, *options, "--", ssh.alias)
    usual = _defaults(program)
    key_alias = said.get("hostkeyalias", [ssh.alias])[0]
    lines = []
    for name, values in said.items():
        if name not in _KEPT or values == usual.get(name):
            continue
        for value in values:
            whole = value.replace("%k", key_alias)
            lines.append(f"{name} {whole if name in _LISTS | _RAW else shlex.quote(whole)}\n")
    return "".join(lines)


def _ask(program: str, source: str, *words: str) -> dict[str, list[str]]:
    """Each option's values, as often as it is given."""
    answer = subprocess.run(  # noqa: S603 (words, no shell)
        [program, "-G", "-F", source, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    if answer.returncode != 0:
        words_of_ssh = answer.stderr.decode("utf-8", "replace").splitlines()
        raise RefusedError(next((line for line in words_of_ssh if "line " in line), ""))
    said: dict[str, list[str]] = {}
    for line in answer.stdout.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition(" ")
        said.setdefault(name, []).append(value)
    return said


@functools.cache
def _defaults(program: str) -> dict[str, list[str]]:
    return _ask(program, "/dev/null", "--", "lptui")
