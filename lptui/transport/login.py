"""The operator's own `ssh` to a host of the fleet, with the same settings as the console's."""

from __future__ import annotations

import os
import shutil
from typing import Final

from lptui.errors import LptuiError, ProblemKind
from lptui.fleet.topology import Fleet, Host, Ssh

NO_FILE: Final = "none"
"""What `ssh -F` takes for no configuration file (ssh(1))."""


def argv(fleet: Fleet, host: Host) -> tuple[str, ...]:
    """The command that opens a shell there. Raises LptuiError where there is no way to."""
    if host.ssh is None:
        return (os.environ.get("SHELL") or "/bin/sh",)
    program = shutil.which("ssh")
    if program is None:
        raise LptuiError(
            f"shell on {host.name}",
            "ssh is not installed here",
            "install OpenSSH's client",
            kind=ProblemKind.COMMAND_NOT_FOUND,
        )
    ssh = host.ssh
    known_hosts = ssh.known_hosts or fleet.known_hosts
    return (
        program,
        *_files(host.name, ssh),
        *(("-p", str(ssh.port)) if ssh.port is not None else ()),
        *(("-l", ssh.user) if ssh.user is not None else ()),
        *(word for file in ssh.identities for word in ("-i", file)),
        *(("-o", f"HostName={ssh.address}") if ssh.address not in (None, ssh.alias) else ()),
        *(("-o", f'UserKnownHostsFile="{known_hosts}"') if known_hosts else ()),
        # As the console itself: an unknown key is no question to be answered in passing.
        *("-o", "StrictHostKeyChecking=yes"),
        *(("-J", ",".join(_jump(fleet, name) for name in ssh.jump)) if ssh.jump else ()),
        "--",
        ssh.alias,
    )


def _files(name: str, ssh: Ssh) -> tuple[str, ...]:
    files = ssh.config_files
    if files is None:
        return ()
    if len(files) > 1:
        raise LptuiError(
            f"shell on {name}",
            "ssh takes one configuration file, and ssh.config names several",
            "name one that includes the others",
            kind=ProblemKind.SSH_CONFIG,
        )
    return ("-F", files[0] if files else NO_FILE)


def _jump(fleet: Fleet, name: str) -> str:
    """A jump host of the fleet as `ssh -J` takes it: user@address:port."""
    host = fleet.hosts.get(name)
    if host is None or host.ssh is None:
        return name
    ssh = host.ssh
    address = ssh.address or ssh.alias
    address = f"[{address}]" if ":" in address else address
    user = f"{ssh.user}@" if ssh.user else ""
    return f"{user}{address}{f':{ssh.port}' if ssh.port else ''}"
