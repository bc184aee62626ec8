"""What `~/.ssh/config` says of a host, read as OpenSSH reads it."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from lptui.errors import ProblemKind, TransportError
from lptui.fleet.topology import Ssh
from lptui.text import clean
from lptui.transport.known_hosts import DEFAULT_FILES

if TYPE_CHECKING:
    import asyncssh

_RAW_OPTIONS: Final = re.compile(
    r"\s*(proxycommand|remotecommand|localcommand|knownhostscommand|match)\b", re.IGNORECASE
)
"""Options whose rest of line OpenSSH gives to a shell; a `#` there is not a comment."""

_INCLUDE: Final = re.compile(r"\s*include[\s=]+(.*)", re.IGNORECASE)
_DEFAULT_KEYS: Final = ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk")
_INCLUDE_DEPTH: Final = 16


@dataclass(frozen=True, slots=True)
class Resolved:
    """How a host is to be reached, after the operator's and ssh's configuration.

    Attributes:
        host, port, user: where to connect, and as whom.
        key_name: the name under which the host key is known.
        jump: what ProxyJump says, outermost first; only when the fleet names no jump hosts.
        identities: key files in the order in which they are tried; missing ones are left out.
        missing: key files that the fleet names for the host and that are not there.
        identities_only: the agent's other keys are not tried.
        certificates: certificate files to go with the identities.
        agent: path of the agent's socket; "" for none.
        known_hosts: files with expected host keys.
        options: asyncssh's own reading, for what has no field here (ciphers, ProxyCommand, …).
    """

    host: str
    port: int
    user: str
    key_name: str
    jump: tuple[str, ...]
    identities: tuple[str, ...]
    identities_only: bool
    certificates: tuple[str, ...]
    agent: str
    known_hosts: tuple[str, ...]
    options: asyncssh.SSHClientConnectionOptions
    missing: tuple[str, ...] = ()


def resolve(ssh: Ssh, fleet_known_hosts: str | None) -> Resolved:
    """Reads the configuration (blocking); raises TransportError(SSH_CONFIG) for a mistake in it."""
    what = f"SSH configuration for {clean(ssh.alias, 80)}"
    with contextlib.ExitStack() as stack:
        try:
            options = _read(ssh, _files(ssh))
        except ValueError as error:
            if "Extra data at end: #" not in str(error):
                raise _mistake(what, str(error)) from None
            files, names = stack.enter_context(_without_comments(_files(ssh)))
            try:
                options = _read(ssh, files)
            except (ValueError, OSError) as second:
                raise _mistake(what, _original_names(str(second), names)) from None
        except OSError as error:
            raise _mistake(what, f"{error.filename}: {error.strerror}") from None
    return _collect(ssh, options, fleet_known_hosts)


def _files(ssh: Ssh) -> tuple[str, ...]:
    if ssh.config_files is not None:
        return tuple(os.path.expanduser(name) for name in ssh.config_files)  # noqa: PTH111
    default = Path("~/.ssh/config").expanduser()
    return (str(default),) if os.access(default, os.R_OK) else ()


def _read(ssh: Ssh, files: tuple[str, ...]) -> asyncssh.SSHClientConnectionOptions:
    import asyncssh

    given: dict[str, Any] = {"host": ssh.alias, "config": list(files) or None}
    if ssh.port is not None:
        given["port"] = ssh.port
    if ssh.user is not None:
        given["username"] = ssh.user
    # Keys and host keys are loaded by lptui itself, once for all hosts.
    given.update(client_keys=None, client_certs=[], known_hosts=b"", agent_path=None, gss_host=None)
    options = asyncssh.SSHClientConnectionOptions(**given)
    if options.config.has_match_final():
        options.update(host=ssh.alias, reload=True, canonical=False, final=True)
    return options


def _collect(
    ssh: Ssh, options: asyncssh.SSHClientConnectionOptions, fleet_known_hosts: str | None
) -> Resolved:
    config = options.config
    host = ssh.address or options.host
    given = [*ssh.identities, *_strings(config.get("IdentityFile"))]
    explicit = bool(given)
    if not explicit:
        given = [f"~/.ssh/{name}" for name in _DEFAULT_KEYS]
    identities = dict.fromkeys(os.path.expanduser(name) for name in given)  # noqa: PTH111
    override = ssh.known_hosts or fleet_known_hosts
    if override:
        known_hosts: tuple[str, ...] = (override,)
    else:
        user_files = _strings(config.get("UserKnownHostsFile"))
        known_hosts = (*(user_files or DEFAULT_FILES[:2]), *DEFAULT_FILES[2:])
        known_hosts = (*known_hosts, *_strings(config.get("GlobalKnownHostsFile")))
    return Resolved(
        host=host,
        port=options.port,
        user=options.username,
        key_name=options.host_key_alias or host,
        jump=_jumps(config.get("ProxyJump")) if not ssh.jump else (),
        identities=tuple(name for name in identities if os.path.isfile(name)),  # noqa: PTH113
        identities_only=bool(config.get("IdentitiesOnly")),
        certificates=tuple(
            name
            for name in map(os.path.expanduser, _strings(config.get("CertificateFile")))
            if Path(name).is_file()
        ),
        agent=_agent(config.get("IdentityAgent", ())),
        known_hosts=known_hosts,
        options=options,
        missing=tuple(
            name
            for name in map(os.path.expanduser, ssh.identities)
            if not os.path.isfile(name)  # noqa: PTH113 (Path's raises where a folder is closed)
        ),
    )


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(cast("list[str]", value)) if isinstance(value, (list, tuple)) else ()


def _jumps(value: object) -> tuple[str, ...]:
    if not isinstance(value, str):
        return ()
    return tuple(part.strip().removeprefix("ssh://") for part in value.split(",") if part.strip())


def _agent(value: object) -> str:
    if value is None:  # IdentityAgent none
        return ""
    if not isinstance(value, str) or value == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if value.startswith("$"):
        return os.environ.get(value[1:].strip("{}"), "")
    return os.path.expanduser(value)  # noqa: PTH111


def hop(text: str, like: Ssh) -> Ssh:
    """A jump host written as `[user@]host[:port]`; it uses the keys and files of `like`."""
    user, _, rest = text.rpartition("@")
    port: int | None = None
    if rest.startswith("["):
        host, _, tail = rest[1:].partition("]")
        digits = tail.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, digits = rest.partition(":")
    else:
        host, digits = rest, ""
    if digits:
        if not digits.isdigit() or not 0 < int(digits) < 65536:
            raise _mistake("jump host", f"{clean(text, 80)}: the port is not a number")
        port = int(digits)
    return replace(like, alias=host, address=None, port=port, user=user or None, jump=())


def _mistake(what: str, why: str) -> TransportError:
    return TransportError(
        what,
        clean(why),
        "correct the SSH configuration; `ssh -G HOST` shows how OpenSSH reads it",
        kind=ProblemKind.SSH_CONFIG,
    )


# OpenSSH ends a line at a comment, asyncssh calls it a mistake: copies without comments are read.


@contextlib.contextmanager
def _without_comments(files: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    names: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="lptui-ssh-") as folder:
        copies = tuple(_copy(Path(name), Path(folder), names, 0) for name in files)
        yield copies, names


def _copy(path: Path, folder: Path, names: dict[str, str], depth: int) -> str:
    copy = folder / f"{len(names)}.config"
    names[str(copy)] = str(path)
    lines = path.read_text("utf-8", "replace").splitlines()
    kept = []
    for line in lines:
        include = _INCLUDE.match(line)
        if include and depth < _INCLUDE_DEPTH:
            included = [
                _copy(found, folder, names, depth + 1)
                for pattern in uncommented(include[1]).split()
                for found in _included(pattern.strip('"'))
            ]
            kept.append(" ".join(["Include", *included]) if included else "")
        else:
            kept.append(line if _RAW_OPTIONS.match(line) else uncommented(line))
    copy.write_text("\n".join(kept) + "\n", "utf-8")
    return str(copy)


def _included(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if not path.is_absolute():
        path = Path("~/.ssh").expanduser() / path
    return [
        found
        for found in sorted(Path(path.anchor).glob(str(Path(*path.parts[1:]))))
        if found.is_file()
    ]


def uncommented(line: str) -> str:
    """A line of ssh_config without its trailing comment (a word that begins with `#`)."""
    quote = ""
    for position, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#" and (position == 0 or line[position - 1] in " \t"):
            return line[:position].rstrip()
    return line


def _original_names(text: str, names: Mapping[str, str]) -> str:
    for copy, original in names.items():
        text = text.replace(copy, original)
    return text
