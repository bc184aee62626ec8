"""What `~/.ssh/config` says of a host, read as OpenSSH reads it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from lptui.errors import ProblemKind, TransportError
from lptui.fleet.topology import Ssh
from lptui.text import clean
from lptui.transport import openssh
from lptui.transport.known_hosts import DEFAULT_FILES

if TYPE_CHECKING:
    import asyncssh

_DEFAULT_KEYS: Final = ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk")


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
        options: asyncssh's own reading, for what has no field here (ciphers, address family, …).
        source: address of this machine that connections come from; "" for any.
        proxy_command: a command line whose program is the way to the host; "" for none.
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
    source: str = ""
    proxy_command: str = ""


def resolve(ssh: Ssh, fleet_known_hosts: str | None) -> Resolved:
    """Reads the configuration (blocking); raises TransportError(SSH_CONFIG) for a mistake in it."""
    what = f"SSH configuration for {clean(ssh.alias, 80)}"
    files = _files(ssh)
    try:
        options = _read_by_openssh(ssh, files) if openssh.is_needed(files) else None
        return _collect(ssh, options or _read(ssh, files), fleet_known_hosts)
    except subprocess.TimeoutExpired as error:
        raise _mistake(what, f"`ssh -G` gives no answer within {error.timeout:g} s") from None
    except (ValueError, openssh.RefusedError) as error:
        raise _mistake(what, str(error)) from None
    except OSError as error:
        raise _mistake(what, f"{error.filename}: {error.strerror}") from None


def _read_by_openssh(
    ssh: Ssh, files: tuple[str, ...]
) -> asyncssh.SSHClientConnectionOptions | None:
    """None where OpenSSH does not say: it is not there, or does not like the host's name."""
    try:
        with openssh.reading(ssh, files) as told:
            return None if told is None else _read(ssh, (told,))
    except openssh.RefusedError as error:
        if str(error):
            raise
        return None


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
    if not ssh.identities and config.get("IdentityFile") is None:
        given = [f"~/.ssh/{name}" for name in _DEFAULT_KEYS]
    identities = dict.fromkeys(os.path.expanduser(name) for name in given)  # noqa: PTH111
    override = ssh.known_hosts or fleet_known_hosts
    if override:
        known_hosts: tuple[str, ...] = (override,)
    else:
        known_hosts = (
            *_strings(config.get("UserKnownHostsFile", DEFAULT_FILES[:2])),
            *_strings(config.get("GlobalKnownHostsFile", DEFAULT_FILES[2:])),
        )
    return Resolved(
        host=host,
        port=options.port,
        user=options.username,
        key_name=options.host_key_alias or host,
        jump=_jumps(config.get("ProxyJump")) if not ssh.jump else (),
        # Of a key that only an agent holds, there may be the public file alone.
        identities=tuple(
            name
            for name in identities
            if os.path.isfile(name) or os.path.isfile(f"{name}.pub")  # noqa: PTH113
        ),
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
            # Path's own raises where a folder is closed.
            if not os.path.isfile(name) and not os.path.isfile(f"{name}.pub")  # noqa: PTH113
        ),
        source=str(config.get("BindAddress") or ""),
        proxy_command="" if ssh.jump else str(config.get("ProxyCommand") or ""),
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
