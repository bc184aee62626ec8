"""Host keys: which are expected, and what to say when the offered one is not among them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lptui.errors import HostKeyError, ProblemKind

if TYPE_CHECKING:
    import asyncssh

DEFAULT_FILES: Final = (
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
)
"""Where OpenSSH looks (ssh_config(5), UserKnownHostsFile and GlobalKnownHostsFile)."""

_SIZE_LIMIT: Final = 16 * 1024 * 1024


class KnownHosts:
    """Expected host keys by files; each set of files is parsed once until one changes."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[str, ...], tuple[object, asyncssh.SSHKnownHosts]] = {}

    def read(self, files: Sequence[str]) -> asyncssh.SSHKnownHosts:
        """The keys of some files. A missing file has none; so has a line that makes no sense."""
        import asyncssh

        paths = tuple(os.path.expanduser(name) for name in files)  # noqa: PTH111 (strings stay)
        stamp = tuple(_stamp(path) for path in paths)
        cached = self._parsed.get(paths)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        known = asyncssh.import_known_hosts("")
        for path in paths:
            for line in _lines(path):
                try:
                    known.load(line)
                except ValueError:
                    continue
        self._parsed[paths] = (stamp, known)
        return known


Matching = Callable[[str, str, "int | None"], Any]


def by_name(known: asyncssh.SSHKnownHosts) -> Matching:
    """Looks hosts up by their names alone, as OpenSSH does.

    asyncssh would also take any key that is known for the address that the name leads to: whoever
    answers for names could then send one host's connections to another.
    """
    return lambda name, _address, port: known.match(name, "", port)


def _stamp(path: str) -> tuple[float, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime, status.st_size


def _lines(path: str) -> list[str]:
    try:
        with Path(path).open("rb") as file:
            return file.read(_SIZE_LIMIT).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host key was offered.

    Attributes:
        host: what was connected to.
        name: the name under which the key is expected (HostKeyAlias).
        behind_jump: the operator's machine cannot ask the host itself.
    """

    host: str
    name: str
    port: int
    behind_jump: bool


def first(files: Sequence[str]) -> str:
    """The file that a new key belongs into."""
    return files[0] if files else DEFAULT_FILES[0]


def untrusted(
    what: str,
    offered: asyncssh.SSHKey,
    known: asyncssh.SSHKnownHosts,
    files: Sequence[str],
    place: Place,
) -> HostKeyError:
    """The error for an offered key that is not trusted: unknown, changed or revoked."""
    at_port = place.port if place.port != 22 else None
    matched = by_name(known)(place.name, "", at_port)
    fingerprint = offered.get_fingerprint()
    kind = offered.get_algorithm().removeprefix("ssh-")
    file = first(files)
    if any(key == offered for key in matched[2]):
        return HostKeyError(
            what,
            f"its host key {fingerprint} ({kind}) is marked as revoked in {file}",
            "do not connect; find out who revoked the key and why",
            kind=ProblemKind.HOST_KEY_CHANGED,
        )
    if matched[0] or matched[1]:
        expected = ", ".join(list(dict.fromkeys(key.get_fingerprint() for key in matched[0]))[:3])
        expected = expected or "one signed by the known certificate authority"
        name = f"[{place.name}]:{place.port}" if at_port else place.name
        return HostKeyError(
            what,
            f"its host key CHANGED: it offers {fingerprint} ({kind}), expected {expected};"
            " someone may be in between",
            "only if the change is expected and the fingerprint is verified: "
            f"ssh-keygen -f {shlex.quote(file)} -R {shlex.quote(name)}, then add the new key",
            kind=ProblemKind.HOST_KEY_CHANGED,
        )
    return HostKeyError(
        what,
        f"its host key {fingerprint} ({kind}) is not in {file}",
        f"verify the fingerprint, then {_adding(place, at_port, shlex.quote(file))}",
        kind=ProblemKind.HOST_KEY_UNKNOWN,
    )


def _adding(place: Place, port: int | None, file: str) -> str:
    scan = f"ssh-keyscan -p {port}" if port else "ssh-keyscan"
    scan = f"{scan} {shlex.quote(place.host)}"
    if place.behind_jump:
        scan = f"`{scan}` on its jump host"
    elif place.name == place.host:
        return f"run: {scan} >> {file}"
    named = f", as {place.name}" if place.name != place.host else ""
    return f"add what {scan} prints to {file}{named}"
